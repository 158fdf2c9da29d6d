"""Pages written for a platform file, and what it must find on them: `pages/ID/NAME.html` (or `.json`) with `NAME.yml` beside it.

docs/platforms.md shows the format. The page is kept as UTF-8; `charset` encodes it anew before it is read, as the site would send it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from crawlers.api import read_json
from crawlers.extract import Reading, Role, read
from crawlers.gather import platform_for
from crawlers.page import Page
from crawlers.platform import PlatformFile
from crawlers.platform_parts import Strings, Web
from crawlers.walls import wall_of
from domain.clock import SHANGHAI
from domain.errors import Fault
from domain.knowledge import check
from domain.knowledge import read as read_yaml
from domain.model import Posting

KEPT_AT = datetime(2026, 11, 23, 16, 0, tzinfo=SHANGHAI)
"""The moment at which a fixture is read where it names none: what 3分钟前 is counted from."""
PAGES = (".html", ".json", ".xml")


def _aware(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=SHANGHAI) if value is not None and value.tzinfo is None else value


Moment = Annotated[datetime, AfterValidator(_aware)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedPosting(_Part):
    """What one posting must be. Only what is named is compared; null says that it must be missing."""

    nth: int | None = Field(default=None, ge=1)
    """Its place on the page, from 1; without it the place after the one before."""
    title: str | None = None
    title_has: Strings = ()
    body: str | None = None
    body_has: Strings = ()
    body_lacks: Strings = ()
    url: str | None = None
    publisher: str | None = None
    publisher_address: str | None = None
    advertiser: str | None = None
    published_at: Moment | None = None
    """Shanghai time where it names no zone."""
    marked_ad: bool | None = None
    kind: str | None = None
    images: Annotated[tuple[str, ...] | None, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = None
    """All its pictures, in order."""
    links_have: Strings = ()


class Expected(_Part):
    """What one page must give."""

    layout: Literal["list", "detail", "api", "script", "feed", "sitemap", "general", "none"] | None = None
    count: int | None = Field(default=None, ge=0)
    """Postings in all."""
    postings: tuple[ExpectedPosting, ...] = ()
    next: str | None = None
    """Address of the next page; null says that there is none."""
    follow: Strings = ()
    """Addresses that are followed, among others; the next page is not one of them."""
    follow_count: int | None = Field(default=None, ge=0)
    wall: Literal["captcha", "login", "refused"] | None = None
    drift: bool = False


class FixtureFile(_Part):
    """The YAML beside a page."""

    url: Web
    role: Literal["start", "list", "detail", "api", "visit"] | None = None
    """Why the page was fetched. Without it: api for .json, else visit (an address alone, as from a WARC)."""
    at: Moment = KEPT_AT
    status: int = Field(default=200, ge=100, le=599)
    asked: Web | None = None
    """Where the request began, if the site sent it on."""
    charset: str | None = None
    """Encoding that the page is sent in; UTF-8."""
    declared: str | None = None
    """Encoding that the header claims."""
    expect: Expected
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Fixture:
    """One page and what must be found on it."""

    platform: str
    path: Path
    """Of the YAML."""
    page: Path
    file: FixtureFile

    @property
    def name(self) -> str:
        return f"{self.platform}/{self.path.stem}"


def fixtures_in(folders: Sequence[Path]) -> tuple[list[Fixture], list[Fault]]:
    """Every fixture of `folders` (their `pages/ID/`), in order of name, and the faults of those that are none."""
    found: list[Fixture] = []
    faults: list[Fault] = []
    for folder in folders:
        root = folder / "pages"
        for path in sorted(root.glob("*/*")) if root.is_dir() else ():
            if path.suffix in PAGES and not path.with_suffix(".yml").exists():
                faults.append(Fault(str(path), 1, "a page without a .yml", f"write {path.stem}.yml: url, and what to expect"))
            if path.suffix != ".yml":
                continue
            page = next((path.with_suffix(suffix) for suffix in PAGES if path.with_suffix(suffix).exists()), None)
            if page is None:
                faults.append(Fault(str(path), 1, "no page stands beside it", f"add {path.stem}.html, .json or .xml"))
                continue
            document, problems = read_yaml(path)
            faults += problems
            if document is None:
                continue
            file, problems = check(document, FixtureFile)
            faults += problems
            if file is not None:
                found.append(Fixture(path.parent.name, path, page, file))
    return found, faults


def page_of(fixture: Fixture, *, override: str | None = None) -> Page:
    """The fixture's page as the site would have sent it. Raises OSError, UnicodeError and LookupError."""
    text = fixture.page.read_text(encoding="utf-8")
    charset = fixture.file.charset or "utf-8"
    return Page(text.encode(charset, "xmlcharrefreplace"), url=fixture.file.url, declared=fixture.file.declared, override=override)


def role_of(fixture: Fixture) -> Role:
    """Why its page was fetched."""
    return fixture.file.role or ("api" if fixture.page.suffix == ".json" else "visit")


def unmet(fixture: Fixture, platforms: Mapping[str, PlatformFile]) -> list[str]:
    """What the platform does not find as the fixture says, one line each; empty where all is found."""
    platform = platforms.get(fixture.platform)
    if platform is None:
        return [f"no platform {fixture.platform}; name the folder as its id"]
    try:
        page = page_of(fixture, override=platform.charset)
    except (OSError, UnicodeError, LookupError) as error:
        return [f"{fixture.page.name} cannot be read ({error}); save it as UTF-8, and name a charset that exists"]
    role, file = role_of(fixture), fixture.file
    if role == "api" and platform.api:
        reading = read_json(platform, platform.api, page, now=file.at)
    else:
        reading = read(platform, page, role=role, now=file.at)
    found = bool(reading.postings or reading.items)
    wall = wall_of(platform, page, status=file.status, asked=file.asked or file.url, found=found)
    faults = _of_page(file.expect, reading, wall[0] if wall else None)
    if wall is None:
        faults += _of_postings(file.expect, reading.postings)
    if role == "visit" and (owner := platform_for(page, platforms)).id != platform.id:
        faults.append(f"a page like it goes to {owner.id}; let `hosts` or a `when` of {platform.id} know it")
    return faults


def _of_page(expect: Expected, reading: Reading, wall: str | None) -> list[str]:
    named = expect.model_fields_set
    onward = [step.url for step in reading.follow if step.onward]
    behind = [step.url for step in reading.follow if not step.onward]
    faults = []
    if wall != expect.wall:
        faults.append(f"wall: {wall or 'none'} was seen, {expect.wall or 'none'} expected")
    if expect.layout is not None and reading.layout != expect.layout:
        faults.append(f"layout: read as {reading.layout}, {expect.layout} expected")
    if expect.count is not None and len(reading.postings) != expect.count:
        faults.append(f"count: {len(reading.postings)} postings, {expect.count} expected")
    if "next" in named and (onward[0] if onward else None) != expect.next:
        faults.append(f"next: {onward[0] if onward else 'none'}, {expect.next or 'none'} expected")
    faults += [f"follow: {address} is not followed" for address in expect.follow if address not in behind]
    if expect.follow_count is not None and len(behind) != expect.follow_count:
        faults.append(f"follow: {len(behind)} addresses, {expect.follow_count} expected")
    if bool(reading.drift) != expect.drift:
        faults.append(f"drift: {reading.drift or 'none'}" if not expect.drift else "drift: none, though it is expected")
    return faults


def _of_postings(expect: Expected, postings: Sequence[Posting]) -> list[str]:
    faults, place = [], 0
    for one in expect.postings:
        place = one.nth or place + 1
        if place > len(postings):
            faults.append(f"posting {place}: there are only {len(postings)}")
        else:
            faults += [f"posting {place}: {fault}" for fault in _of_posting(one, postings[place - 1])]
    return faults


def _of_posting(expect: ExpectedPosting, posting: Posting) -> list[str]:
    seen: dict[str, Any] = {
        "title": posting.title, "body": posting.body, "url": posting.url, "publisher": posting.publisher,
        "publisher_address": posting.publisher_address, "advertiser": posting.advertiser, "published_at": posting.published_at,
        "marked_ad": posting.marked_ad, "kind": posting.kind.value, "images": tuple(image.url for image in posting.images),
    }  # fmt: skip
    faults = []
    for name in sorted(expect.model_fields_set & set(seen)):
        wanted = getattr(expect, name)
        if seen[name] != wanted and not (wanted is None and not seen[name]):
            faults.append(f"{name} is {_short(seen[name])}, {_short(wanted)} expected")
    for name, text in (("title", posting.title), ("body", posting.body)):
        faults += [f"{name} lacks {_short(word)}: {_short(text)}" for word in getattr(expect, f"{name}_has") if word not in text]
    faults += [f"body has {_short(word)}, which does not belong to it" for word in expect.body_lacks if word in posting.body]
    faults += [f"links lack {address}" for address in expect.links_have if address not in posting.links]
    return faults


def _short(value: object) -> str:
    text = value.astimezone(SHANGHAI).isoformat(sep=" ") if isinstance(value, datetime) else repr(value)
    return text if len(text) <= 160 else f"{text[:150]}… ({len(text)} characters)"
