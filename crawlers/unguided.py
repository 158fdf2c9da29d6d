"""Pages, or parts of them, that no selector describes: the general extractor's findings as Postings."""

from __future__ import annotations

from typing import Any

from crawlers import general
from crawlers.cut import Site, posting_of, values_of
from crawlers.discover import leads
from crawlers.page import line
from crawlers.reading import Hints, Reading


def unguided(site: Site, hints: Hints | None, *, wander: bool) -> Reading:
    """The page as the general extractor reads it: one article, or a list. `wander` follows what leads on within the site."""
    page, platform = site.page, site.platform
    shared = values_of(site, platform.page, None)
    reading = Reading(layout="general")
    found = general.article(page, now=site.now)
    rows = general.entries(page, now=site.now) if len(found.body) < 600 else []
    prose = found.body.count("。") >= 2 and any(found.title == line(node.text()) for node in page.tree.css("h1,h2,h3")[:40])
    if found.body and (prose or len(found.body) * 2 > sum(len(row.title) + len(row.body) for row in rows)):
        values = {**as_values(found), **{name: value for name, value in shared.items() if value}}
        values = with_hints(values, hints) if hints else values
        values.pop("link", None)
        posting = posting_of(site, None, values, url=page.url)
        reading.postings += [posting] if posting else []
        reading.items = 1
    else:
        reading.items = len(rows)
        for row in rows:
            if wander and row.link and platform.owns(row.link):
                continue  # its page is read itself, if the budget allows
            posting = posting_of(site, None, {**shared, **as_values(row)}, url=row.link or page.url)
            reading.postings += [posting] if posting else []
    if wander:
        reading.follow += leads(page, platform)
    return reading


def as_values(found: general.Found) -> dict[str, Any]:
    """As selectors would have given them."""
    return {
        "title": found.title, "body": found.body, "published_at": found.published_at, "publisher": found.publisher,
        "images": found.images, "links": found.links,
    }  # fmt: skip


def redrawn(site: Site, reading: Reading, *, alone: bool) -> Reading:
    """Where the site was redrawn and the selectors find nothing: the entries that the general extractor finds, and the drift still told."""
    if reading.drift and (alone or not site.platform.detail):
        rows = general.entries(site.page, now=site.now)
        made = (posting_of(site, None, as_values(row), url=row.link or site.page.url) for row in rows)
        reading.postings = [posting for posting in made if posting is not None]
        reading.items, reading.layout = len(rows), "general" if rows else "none"
    return reading


def with_hints(values: dict[str, Any], hints: Hints) -> dict[str, Any]:
    """The values, with what the list said of the page where they lack it."""
    given = {"title": hints.title, "publisher": hints.publisher, "published_at": hints.published_at, "marked_ad": hints.marked_ad}
    return {**{name: value for name, value in given.items() if value}, **{name: value for name, value in values.items() if value}}
