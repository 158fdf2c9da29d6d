"""What the platforms make of real pages that somebody kept in a WARC file: counts a page and a platform, for `platforms check --pages`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from crawlers.gather import platform_for, read_kept
from crawlers.page import Page
from crawlers.platform import PlatformFile
from crawlers.reading import Reading

LARGEST = 20_000_000
"""Bytes of one body; a larger one is no page."""
LEAST_SHARE = 0.95
"""Share of the entries of a list that must have a title, and a link, and a snippet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """One page, or the sum of some."""

    platform: str
    url: str = ""
    layout: str = ""
    wall: str = ""
    drift: str = ""
    pages: int = 1
    walled: int = 0
    drifted: int = 0
    general: int = 0
    """Read by the general extractor although a platform owns it."""
    bare: int = 0
    """Neither entries nor a wall: a site that says there is nothing, or a page that needs the browser."""
    entries: int = 0
    listed: int = 0
    """Of the entries: those of lists."""
    titled: int = 0
    linked: int = 0
    """Of those of lists: with an address of their own."""
    texted: int = 0
    dated: int = 0
    named: int = 0
    """With an account or source."""
    ads: int = 0

    def share(self, count: str) -> float | None:
        """Of the entries, 0-1; None where there are none. Links are asked of lists alone."""
        whole = self.listed if count == "linked" else self.entries
        return getattr(self, count) / whole if whole else None


def survey(path: Path, platforms: Mapping[str, PlatformFile]) -> Iterator[Surveyed | str]:
    """Each page of the file that a platform owns; a str says where the file is broken. Raises OSError where it cannot be opened."""
    count = 0
    with path.open("rb") as file:
        records = iter(ArchiveIterator(file, check_digests=False))
        while True:
            try:
                record = next(records, None)
                found = _page(record) if record is not None else None
            except Exception as error:  # warcio, zlib and the encodings raise types of their own for broken files
                yield f"{path}: broken here, what stands before was read ({str(error)[:150] or type(error).__name__}); fetch the file again"
                return
            if record is None:
                if count == 0:
                    yield f"{path}: no pages stand in it; name a WARC file (.warc, .warc.gz) of pages that were kept"
                return
            if found is not None:
                count += 1
                page, status, moment = found
                platform = platform_for(page, platforms)
                if platform.id in platforms:
                    yield _surveyed(platform, page, status=status, now=moment)


def _page(record: Any) -> tuple[Page, int, datetime] | None:
    url = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    if record.rec_type != "response" or not url.startswith(("http://", "https://")) or record.http_headers is None:
        return None
    kind = (record.http_headers.get_header("Content-Type") or "").lower()
    status = next((int(word) for word in f"{record.http_headers.protocol} {record.http_headers.statusline}".split() if _status(word)), 200)
    if status >= 400 or not (kind.startswith("text/") or "xml" in kind or "json" in kind or not kind):
        return None
    body = record.content_stream().read(LARGEST + 1)
    if missing := getattr(record.raw_stream, "limit", 0):
        raise ValueError(f"{missing} bytes of {url[:100]} are missing")
    if len(body) > LARGEST:
        return None
    try:
        moment = datetime.fromisoformat(record.rec_headers.get_header("WARC-Date") or "")
    except ValueError:
        moment = datetime.now(UTC)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Page(body, url=url, declared=kind.partition("charset=")[2].strip(" \"';") or None), status, moment


def _status(word: str) -> bool:
    return len(word) == 3 and word.isascii() and word.isdigit() and "100" <= word <= "599"


def _surveyed(platform: PlatformFile, page: Page, *, status: int, now: datetime) -> Surveyed:
    reading, wall = read_kept(platform, page, status=status, now=now)
    reading = reading if wall is None else Reading()
    found = reading.postings
    own = reading.layout not in ("detail", "none") and not (reading.layout in ("script", "general") and len(found) == 1)
    return Surveyed(
        platform=platform.id, url=page.url, layout=reading.layout, wall=wall[0] if wall else "", drift=reading.drift,
        walled=int(wall is not None), drifted=int(bool(reading.drift)), general=int(reading.layout == "general"),
        bare=int(wall is None and not found), entries=len(found), listed=len(found) if own else 0,
        titled=sum(1 for one in found if one.title), linked=sum(1 for one in found if "#" not in one.url) if own else 0,
        texted=sum(1 for one in found if one.body), dated=sum(1 for one in found if one.published_at),
        named=sum(1 for one in found if one.publisher),
        ads=sum(1 for one in found if one.marked_ad),
    )  # fmt: skip


def sums(rows: Iterable[Surveyed]) -> list[Surveyed]:
    """One row a platform, in the order of their ids."""
    made: dict[str, dict[str, Any]] = {}
    counts = [one.name for one in fields(Surveyed) if one.type == "int"]
    for row in rows:
        sum_ = made.setdefault(row.platform, {"platform": row.platform, **dict.fromkeys(counts, 0)})
        for name in counts:
            sum_[name] += getattr(row, name)
    return [Surveyed(**made[name]) for name in sorted(made)]


def shortcomings(rows: Iterable[Surveyed], platforms: Mapping[str, PlatformFile]) -> list[str]:
    """What a platform file must still learn of its pages: drift, and search results without their parts."""
    rows = list(rows)
    faults = [f"{row.platform}: {row.url[:160]}: {row.drift}; look at the page and mend the selectors" for row in rows if row.drift]
    for total in sums(rows):
        wanted = ("titled", "linked", "texted") if platforms[total.platform].kind == "search" else ()
        for name in wanted:
            share = total.share(name)
            if share is not None and share < LEAST_SHARE:
                faults.append(f"{total.platform}: {share:.0%} of {total.entries} entries are {name}; {LEAST_SHARE:.0%} must be")
    return faults


def as_row(one: Surveyed) -> dict[str, Any]:
    """For `--json`: its counts, and the shares with two decimals."""
    shares = {
        f"{name}_share": None if (share := one.share(name)) is None else round(share, 3)
        for name in ("titled", "linked", "texted", "dated", "named")
    }
    return {**{name: value for name, value in asdict(one).items() if value != ""}, **shares}
