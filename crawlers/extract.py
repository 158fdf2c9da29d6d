"""Page -> Postings and links to follow: the platform's selectors first, the general extractor for what they do not name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from crawlers import general
from crawlers.cut import Site, posting_of, values_of
from crawlers.page import Page, line
from crawlers.picks import Fields
from crawlers.platform import Detail, PageParam, PlatformFile, Section
from domain.model import Posting

Role = Literal["start", "list", "detail", "api", "visit"]

HAS_CONTENT = 200
"""Shown characters above which a page without its items is drift and not an empty page."""
MOST_ITEMS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a list gave about a page behind it."""

    title: str = ""
    publisher: str | None = None
    published_at: datetime | None = None
    marked_ad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """An address to fetch next."""

    url: str
    role: Role
    hints: Hints | None = None
    onward: bool = False
    """A next page: it lies no deeper than the page it stands on."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """What one page gave."""

    postings: list[Posting] = field(default_factory=list)
    follow: list[Follow] = field(default_factory=list)
    layout: Literal["list", "detail", "api", "general", "none"] = "none"
    drift: str = ""
    """What did not fit: a section found nothing on a page that has content."""
    items: int = 0
    """Items that a list had, kept or not."""


def read(platform: PlatformFile, page: Page, *, role: Role, now: datetime, hints: Hints | None = None) -> Reading:
    """What `page` holds. `role` says why it was fetched; which layout it is, its address and its marks decide.

    Never raises for what a page contains.
    """
    site = Site(platform, page, now)
    lists = [section for section in platform.list if _fits(section, page)]
    details = [section for section in platform.detail if _fits(section, page)]
    single = role == "detail"
    if role == "visit":  # an address alone: sections that name addresses or marks know best
        single = bool(details) and (details[0].match is not None or details[0].when is not None or not lists)
    if single and details:
        fitting = (section for section in details if section.item is None or page.nodes(section.item))
        return _detail(site, next(fitting, details[0]), hints)
    if role == "visit" and (threads := [section for section in details if section.item and page.nodes(section.item)]):
        return _detail(site, threads[0], hints)
    for section in lists:
        items = page.nodes(section.item) if section.item else []
        if items:
            return _list(site, section, items, alone=role == "visit")
    # An address alone may be the page of one item, which no section describes: then it is read in general.
    listed = lists and (role != "visit" or lists[0].match is not None or _says_empty(page, lists[0]))
    if not single and listed and lists[0].item is not None and not (details and details[0].match):
        return _empty(site, lists[0])
    if details and (not platform.list or details[0].match):
        return _detail(site, details[0], hints)
    return _general(site, hints, wander=not platform.list and not platform.detail and role != "visit")


def _fits(section: Section, page: Page) -> bool:
    if section.match is not None and section.regex.search(page.url) is None:
        return False
    return section.when is None or bool(page.values(section.when, default_attribute=()) or page.nodes(section.when))


# --- lists


def _list(site: Site, section: Section, items: Sequence[Any], *, alone: bool = False) -> Reading:
    platform, page = site.platform, site.page
    # A page that is looked at alone has nobody to follow its links, so its items speak for themselves.
    keep = section.keep if section.keep is not None else alone or not platform.detail
    reading = Reading(layout="list", items=len(items))
    shared = values_of(site, platform.page, None)
    details = platform.detail
    follow_items = any(detail.follow is None for detail in details)
    for number, item in enumerate(items[:MOST_ITEMS], 1):
        own = values_of(site, section.fields, item)
        if not own.get("link") and section.fields.link is None:
            own["link"] = _first_link(page, item)
        address = own.get("link")
        if keep:
            posting = posting_of(site, section, {**shared, **own}, url=address or f"{page.url}#{number}", anchored=not address)
            if posting is not None:
                reading.postings.append(posting)
        if follow_items and address:
            hints = Hints(
                title=own.get("title", ""), publisher=own.get("publisher"),
                published_at=own.get("published_at"), marked_ad=bool(own.get("marked_ad")),
            )  # fmt: skip
            reading.follow.append(Follow(url=address, role="detail", hints=hints))
    for detail in details:
        for address in page.values(detail.follow, default_attribute=("href",)):
            if (joined := page.link(address)) is not None:
                reading.follow.append(Follow(url=joined, role="detail"))
    if keep and len(reading.postings) * 2 < len(items) and not section.optional:
        reading.drift = f"{len(items) - len(reading.postings)} of {len(items)} items have neither title nor body"
    elif follow_items and not keep and not reading.follow:
        reading.drift = f"{len(items)} items have no link"
    reading.follow += _next(page, section)
    return reading


def _empty(site: Site, section: Section) -> Reading:
    reading = Reading(layout="none")
    if section.optional or _says_empty(site.page, section):
        return reading
    shown = len(site.page.shown)
    if shown >= HAS_CONTENT:
        reading.drift = f"{section.item[0].select if section.item else 'item'} finds nothing among {shown} characters"
    return reading


def _says_empty(page: Page, section: Section) -> bool:
    return any(word in page.source for word in section.empty)


def _next(page: Page, section: Section) -> list[Follow]:
    if section.next is not None:
        found = [page.link(address) for address in page.values(section.next, default_attribute=("href",))[:1]]
    elif section.pages is not None:
        found = [_numbered(page.url, section.pages)]
    else:
        return []
    return [Follow(url=address, role="list", onward=True) for address in found if address and address != page.url]


def _numbered(url: str, pages: PageParam) -> str | None:
    if pages.template is not None:
        head, _, tail = pages.template.partition("{page}")
        middle = url[len(head) : len(url) - len(tail)] if url.startswith(head) and url.endswith(tail) else ""
        number = _whole(middle, pages.first) + pages.step
        return pages.template.replace("{page}", str(number)) if number <= pages.last else None
    assert pages.param is not None
    return with_param(url, pages.param, step=pages.step, first=pages.first, last=pages.last)


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def with_param(url: str, param: str, *, step: int, first: int, last: int) -> str | None:
    """`url` with the number in its query moved on by `step`; None past `last`."""
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if pair]
    now = next((pair.partition("=")[2] for pair in pairs if pair.partition("=")[0] == param), "")
    number = _whole(now, first) + step
    if number > last:
        return None
    # The other keys keep their spelling: many sites expect GBK percent codes.
    kept = [pair for pair in pairs if pair.partition("=")[0] != param]
    return urlunsplit(parts._replace(query="&".join([*kept, f"{param}={number}"]), fragment=""))


def _first_link(page: Page, item: Any) -> str | None:
    if not hasattr(item, "css_first"):
        found = item.xpath(".//@href").get()
        return page.link(found) if found else None
    if item.tag == "a" and (own := item.attributes.get("href")):
        return page.link(own)
    for node in item.css("a[href]")[:20]:
        if (address := page.link(node.attributes.get("href") or "")) is not None:
            return address
    return None


# --- single pages


def _detail(site: Site, section: Detail, hints: Hints | None) -> Reading:
    page, platform = site.page, site.platform
    if section.item is not None:
        items = page.nodes(section.item)
        if items:
            return _floors(site, section, items, hints if section.inherit else None)
        return _empty(site, section)
    reading = Reading(layout="detail", items=1)
    values = {**values_of(site, platform.page, None), **values_of(site, section.fields, None)}
    if section.fields.body is not None and not values.get("body") and not section.optional and len(page.shown) >= HAS_CONTENT:
        reading.drift = f"{section.fields.body[0].select} finds nothing among {len(page.shown)} characters"
    if not values.get("body") or not values.get("title"):
        found = general.article(page, now=site.now)
        values = {**{name: value for name, value in _as_values(found).items() if value}, **{k: v for k, v in values.items() if v}}
    else:
        values["links"] = _links_of(page, section.fields)
    if section.inherit and hints is not None:
        values = _with_hints(values, hints)
    values.pop("link", None)
    posting = posting_of(site, section, values, url=page.url)
    if posting is not None:
        reading.postings.append(posting)
    reading.follow += _next_part(page, section)
    return reading


def _floors(site: Site, section: Detail, items: Sequence[Any], hints: Hints | None) -> Reading:
    reading = Reading(layout="detail", items=len(items))
    shared = values_of(site, site.platform.page, None)
    if not shared.get("title") and section.fields.title is None:
        shared["title"] = (hints.title if hints else "") or general.title_of(site.page)
    for number, item in enumerate(items[:MOST_ITEMS], 1):
        own = {**shared, **values_of(site, section.fields, item)}
        address = own.get("link")
        posting = posting_of(site, section, own, url=address or f"{site.page.url}#{number}", anchored=not address, links=True, item=item)
        if posting is not None:
            reading.postings.append(posting)
    if len(reading.postings) * 2 < len(items) and not section.optional:
        reading.drift = f"{len(items) - len(reading.postings)} of {len(items)} items have neither title nor body"
    reading.follow += _next_part(site.page, section)
    return reading


def _next_part(page: Page, section: Section) -> list[Follow]:
    return [replace(step, role="detail") for step in _next(page, section)]


def _with_hints(values: dict[str, Any], hints: Hints) -> dict[str, Any]:
    given = {"title": hints.title, "publisher": hints.publisher, "published_at": hints.published_at, "marked_ad": hints.marked_ad}
    return {**{name: value for name, value in given.items() if value}, **{name: value for name, value in values.items() if value}}


def _links_of(page: Page, fields: Fields) -> tuple[str, ...]:
    holder = page.nodes(fields.body)[:1] if fields.body else []
    return general.links_in(page, holder[0]) if holder and hasattr(holder[0], "css_first") else ()


# --- without selectors


def _general(site: Site, hints: Hints | None, *, wander: bool) -> Reading:
    page, platform = site.page, site.platform
    shared = values_of(site, platform.page, None)
    reading = Reading(layout="general")
    found = general.article(page, now=site.now)
    rows = general.entries(page, now=site.now) if len(found.body) < 600 else []
    prose = found.body.count("。") >= 2 and any(found.title == line(node.text()) for node in page.tree.css("h1,h2,h3")[:40])
    if found.body and (prose or len(found.body) * 2 > sum(len(row.title) + len(row.body) for row in rows)):
        values = {**_as_values(found), **{name: value for name, value in shared.items() if value}}
        values = _with_hints(values, hints) if hints else values
        values.pop("link", None)
        posting = posting_of(site, None, values, url=page.url)
        reading.postings += [posting] if posting else []
        reading.items = 1
    else:
        reading.items = len(rows)
        for row in rows:
            posting = posting_of(site, None, {**shared, **_as_values(row)}, url=row.link or page.url)
            reading.postings += [posting] if posting else []
    if wander:
        reading.follow += [Follow(url=address, role="start") for address in _own_links(site)]
    return reading


def _own_links(site: Site) -> list[str]:
    """Links within the site, each once, in their order; at most 500."""
    found: dict[str, None] = {}
    for node in site.page.tree.css("a[href]"):
        address = site.page.link(node.attributes.get("href") or "")
        if address and site.platform.owns(address):
            found[address.split("#", 1)[0]] = None
            if len(found) >= 500:
                break
    return list(found)


def _as_values(found: general.Found) -> dict[str, Any]:
    return {
        "title": found.title, "body": found.body, "published_at": found.published_at, "publisher": found.publisher,
        "images": found.images, "links": found.links,
    }  # fmt: skip
