"""`bench articles`: how much of real articles is read rightly, against readings by a person, and how long a page takes.

A reading is a text file: lines `url:`, `title:`, `time:` (Shanghai; a day, or to the minute; ? where the page names none) and
`publisher:`, an empty line, and the body as the reader sees it.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from warcio.archiveiterator import ArchiveIterator

from crawlers import general
from crawlers.gather import gather, platform_for
from crawlers.loader import PACKAGED, load_platforms
from crawlers.page import Page
from crawlers.platform import PlatformFile
from domain.clock import SHANGHAI, utc_now
from domain.model import Posting
from patrol.bench import result

ROUNDS = 5
"""Times that each page is read for its duration; the quickest counts."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a person read."""

    url: str
    title: str
    time: str
    publisher: str
    body: str


def readings_in(folder: Path) -> list[Truth]:
    """Every `*.txt` of `folder`, in order of name. Raises click.ClickException where one is none, or there is none."""
    found = []
    for path in sorted(folder.glob("*.txt")):
        head, blank, body = path.read_text(encoding="utf-8").partition("\n\n")
        fields = dict(row.split(": ", 1) for row in head.splitlines() if ": " in row)
        if not blank or not {"url", "title"} <= set(fields):
            raise click.ClickException(f"{path}: no reading; write url:, title:, time: and publisher:, an empty line, and the body")
        found.append(Truth(fields["url"], fields["title"], fields.get("time", "?"), fields.get("publisher", "?"), body.strip()))
    if not found:
        raise click.ClickException(f"{folder}: no readings (*.txt) in it")
    return found


def f1(found: str, wanted: str) -> float:
    """Of pairs of neighbouring characters without spaces, 0.0-1.0: Chinese has no words to count without a segmenter."""
    pairs = [Counter(text[at : at + 2] for at in range(len(text) - 1)) for text in ("".join(found.split()), "".join(wanted.split()))]
    shared = sum((pairs[0] & pairs[1]).values())
    return 2 * shared / (pairs[0].total() + pairs[1].total()) if shared else 0.0


def bench_articles(pages: Path, readings: Path, *, show: bool) -> dict[str, Any]:
    """Shares of titles, days, minutes and accounts that are right, body F1 (mean, least), and milliseconds a page (median)."""
    truths = readings_in(readings)
    bodies = {url: (body, mime) for url, body, mime in pages_in(pages)}
    missing = [truth.url for truth in truths if truth.url not in bodies]
    if missing:
        raise click.ClickException(f"{pages}: it lacks {len(missing)} pages that were read, such as {missing[0]}")
    platforms = load_platforms([PACKAGED])
    rows = [_row(truth, *bodies[truth.url], platforms) for truth in truths]
    if show:
        for truth, row in zip(truths, rows, strict=True):
            wrong = [name for name in ("title", "day", "publisher", "encoding") if not row[name]]
            click.echo(f"  {row['f1']:.3f}  general {row['general_f1']:.3f}  {row['platform']:<20} {truth.url[:60]}  {' '.join(wrong)}")
    dated = [row for row, truth in zip(rows, truths, strict=True) if truth.time != "?"]
    return result(
        "articles",
        figures={
            "pages": len(rows), "title": _share(rows, "title"), "body_f1": statistics.mean(row["f1"] for row in rows),
            "body_f1_least": min(row["f1"] for row in rows), "time_day": _share(dated, "day"), "time_minute": _share(dated, "minute"),
            "publisher": _share(rows, "publisher"), "encoding": _share(rows, "encoding"),
            "general_title": _share(rows, "general_title"), "general_body_f1": statistics.mean(row["general_f1"] for row in rows),
            "general_time_day": _share(dated, "general_day"), "general_share": _share(rows, "by_general"),
            "general_ms_median": statistics.median(row["ms"] for row in rows),
        },
        ratios={"general_to_parse": statistics.median(row["ms"] for row in rows) / statistics.median(row["parse_ms"] for row in rows)},
    )  # fmt: skip


def _share(rows: list[dict[str, Any]], name: str) -> float:
    return sum(1 for row in rows if row[name]) / len(rows) if rows else 0.0


def pages_in(path: Path) -> Iterator[tuple[str, bytes, str]]:
    """Address, body and declared type of each response of a WARC file."""
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response":
                mime = (record.http_headers.get_header("Content-Type") if record.http_headers else None) or "text/html"
                yield record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read(), mime


def _row(truth: Truth, body: bytes, mime: str, platforms: dict[str, PlatformFile]) -> dict[str, Any]:
    now = utc_now()
    page = Page(body, url=truth.url)
    owner = platform_for(page, platforms)
    harvest = gather(body, url=truth.url, platforms=platforms, fetched_at=now, status=200, mime=mime.partition(";")[0], via="warc")
    posting = harvest.postings[0] if harvest.postings else None
    found = general.article(page, now=now)
    return {
        **_told(posting, truth), "general_f1": f1(found.body, truth.body), "general_title": _same(found.title, truth.title),
        "general_day": _day(found.published_at) == truth.time[:10], "platform": owner.id, "by_general": owner.id not in platforms,
        "encoding": "\ufffd" not in page.source[:20_000] and all(char in page.source for char in truth.title),
        "ms": _quickest(lambda: general.article(Page(body, url=truth.url), now=now)),
        "parse_ms": _quickest(lambda: Page(body, url=truth.url).tree),
    }  # fmt: skip


def _told(posting: Posting | None, truth: Truth) -> dict[str, Any]:
    if posting is None:
        return {"f1": 0.0, "title": False, "day": False, "minute": False, "publisher": False}
    when = posting.published_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S") if posting.published_at else ""
    return {
        "f1": f1(posting.body, truth.body), "title": _same(posting.title, truth.title), "day": when[:10] == truth.time[:10],
        "minute": bool(when) and when.startswith(truth.time[:16]), "publisher": truth.publisher in ("?", posting.publisher),
    }  # fmt: skip


def _same(found: str, wanted: str) -> bool:
    return "".join(found.split()) == "".join(wanted.split())


def _day(moment: datetime | None) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d") if moment else ""


def _quickest(run: Any) -> float:
    """Milliseconds of this thread's own work in the quickest of ROUNDS runs: what else the machine does is not counted."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time()
        run()
        best = min(best, time.thread_time() - began)
    return best * 1000
