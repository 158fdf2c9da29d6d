"""Page -> Postings and links to follow: the platform's selectors first, the general extractor for what they do not name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from crawlers import general
from crawlers.api import read_items
from crawlers.bodies import trimmed
from crawlers.cut import Site, posting_of, values_of
from crawlers.discover import wanders
from crawlers.embedded import items_in, markup_in
from crawlers.feeds import read_feed
from crawlers.page import Page
from crawlers.paging import next_pages, with_param
from crawlers.picks import Fields
from crawlers.platform import Detail, PlatformFile, Section
from crawlers.reading import MOST_ITEMS, Follow, Hints, Reading, Role
from crawlers.unguided import as_values, redrawn, unguided, with_hints

__all__ = ["MOST_ITEMS", "Follow", "Hints", "Reading", "Role", "read", "with_param"]

_UNNAMED = re.compile(r"[^\w-]+")
HAS_CONTENT = 200
"""Shown characters above which a page without its items is drift and not an empty page."""


def read(platform: PlatformFile, page: Page, *, role: Role, now: datetime, hints: Hints | None = None) -> Reading:
    """What `page` holds. `role` says why it was fetched; which layout it is, its address and its marks decide.

    Never raises for what a page contains.
    """
    if (fed := read_feed(platform, page, role=role, now=now)) is not None:
        return fed
    site = Site(platform, page, now)
    lists = [section for section in platform.list if _fits(section, page)]
    details = [section for section in platform.detail if _fits(section, page)]
    single = role == "detail"
    if role == "visit":  # an address alone: sections that name addresses or marks know best
        single = bool(details) and (details[0].match is not None or details[0].when is not None or not lists)
    if single and details:
        return _first_of(site, details, hints) or _detail(site, _plain(details), hints)
    threads = [section for section in details if section.item is not None or section.script is not None]
    if role == "visit" and threads and (found := _first_of(site, threads, hints)) is not None:
        return found
    for section in lists:
        if (found := _listed(site, section, alone=role == "visit")) is not None:
            return found
    # An address alone may be the page of one item, which no section describes: then it is read in general.
    listed = lists and (role != "visit" or lists[0].match is not None or _says_empty(page, lists[0]))
    if not single and listed and _repeats(lists[0]) and not (details and details[0].match):
        return redrawn(site, _empty(site, lists[0]), alone=role == "visit")
    if details and (not platform.list or details[0].match):
        return _detail(site, _plain(details), hints)
    return unguided(site, hints, wander=wanders(platform) and role != "visit")


def _repeats(section: Section) -> bool:
    return section.item is not None or section.script is not None


def _plain(details: Sequence[Detail]) -> Detail:
    """The layout that says what is missing, where none of them fits: the first without a script."""
    return next((section for section in details if section.script is None), Detail())


def _first_of(site: Site, details: Sequence[Detail], hints: Hints | None) -> Reading | None:
    """The first layout that stands on the page."""
    for section in details:
        if section.script is not None:
            if (found := _scripted(site, section, hints, single=True)) is not None:
                return found
        elif section.item is None or site.page.nodes(section.item):
            return _detail(site, section, hints)
    return None


def _listed(site: Site, section: Section, *, alone: bool) -> Reading | None:
    if section.script is not None:
        return _scripted(site, section, None, single=False, alone=alone)
    items = site.page.nodes(section.item) if section.item else []
    return _list(site, section, items, alone=alone) if items else None


def _scripted(site: Site, section: Section, hints: Hints | None, *, single: bool, alone: bool = False) -> Reading | None:
    """What the section's script holds; None where it holds nothing."""
    script = section.script
    assert script is not None
    if script.html is not None:
        inner = markup_in(site.page, script)
        if inner is None:
            return None
        within, plainly = Site(site.platform, inner, site.now), section.model_copy(update={"script": None})
        if isinstance(plainly, Detail):
            return _first_of(within, [plainly], hints)
        return _listed(within, plainly, alone=alone)
    items = items_in(site.page, script)
    if not items:
        return None
    shared = values_of(site, site.platform.page, None)
    if isinstance(section, Detail):
        shared |= values_of(site, section.fields, None)
        shared = with_hints(shared, hints) if hints is not None and section.inherit else shared
    keep = section.keep if section.keep is not None else single or alone or not site.platform.detail
    behind = not single and any(detail.follow is None for detail in site.platform.detail)
    reading = read_items(site, script, items, kind=section.kind, keep=keep, behind=behind, shared=shared, one=single)
    reading.follow += _next_part(site.page, section) if single else next_pages(site.page, section)
    return reading


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
            posting = posting_of(
                site,
                section.kind,
                {**shared, **own},
                url=address or f"{page.url}#{_anchor(page, section, item) or number}",
                anchored=not address,
            )
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
    reading.follow += next_pages(page, section)
    return reading


def _empty(site: Site, section: Section) -> Reading:
    reading = Reading(layout="none")
    if section.optional or _says_empty(site.page, section):
        return reading
    shown = len(site.page.shown)
    if shown >= HAS_CONTENT:
        what = section.item[0].select if section.item else section.script.select if section.script else "item"
        reading.drift = f"{what} finds nothing among {shown} characters"
    return reading


def _says_empty(page: Page, section: Section) -> bool:
    return any(word in page.source for word in section.empty)


def _anchor(page: Page, section: Section, item: Any) -> str:
    return _UNNAMED.sub("-", page.first(section.anchor, under=item))[:64] if section.anchor is not None else ""


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
    if values.get("body"):
        values["body"] = trimmed(values["body"], linked=frozenset()) or values["body"]
    if section.fields.body is not None and not values.get("body") and not section.optional and len(page.shown) >= HAS_CONTENT:
        reading.drift = f"{section.fields.body[0].select} finds nothing among {len(page.shown)} characters"
    if not values.get("body") or not values.get("title"):
        found = general.article(page, now=site.now)
        values = {**{name: value for name, value in as_values(found).items() if value}, **{k: v for k, v in values.items() if v}}
    else:
        values["links"] = _links_of(page, section.fields)
    if section.inherit and hints is not None:
        values = with_hints(values, hints)
    values.pop("link", None)
    posting = posting_of(site, section.kind, values, url=page.url)
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
        posting = posting_of(
            site,
            section.kind,
            own,
            url=address or f"{site.page.url}#{_anchor(site.page, section, item) or number}",
            anchored=not address,
            links=True,
            item=item,
        )
        if posting is not None:
            reading.postings.append(posting)
    if len(reading.postings) * 2 < len(items) and not section.optional:
        reading.drift = f"{len(items) - len(reading.postings)} of {len(items)} items have neither title nor body"
    reading.follow += _next_part(site.page, section)
    return reading


def _next_part(page: Page, section: Section) -> list[Follow]:
    return [replace(step, role="detail") for step in next_pages(page, section)]


def _links_of(page: Page, fields: Fields) -> tuple[str, ...]:
    holder = page.nodes(fields.body)[:1] if fields.body else []
    return general.links_in(page, holder[0]) if holder and hasattr(holder[0], "css_first") else ()
