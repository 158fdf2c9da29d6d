"""Reads a page that no selector knows: an article, or a list of links with their snippets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from selectolax.lexbor import LexborNode

from crawlers.bodies import container_of, images_in, links_in, text_in
from crawlers.bylines import WHEN, Around, around, byline, name_of, time_of
from crawlers.dates import moment
from crawlers.page import Page, line, plain
from crawlers.scripts import Told, told_in
from crawlers.titles import fold, title_of

__all__ = ["Found", "article", "container_of", "entries", "images_in", "links_in", "title_of"]

LEAST_BODY = 80
"""Characters that make an article; less is a caption or a notice."""
LITTLE = 400
"""Characters of a body under which the scripts are asked too: what is shown may be the first picture's caption of ten."""
LEAST_ENTRIES = 4
MOST_MARKUP = 8_000_000
"""Characters of markup looked at for a list: blocks that nest are looked at once a level, and a page can nest on purpose."""
_FOOTER = re.compile(r"©|copyright|版权所有|ICP备|公网安备|关于我们[\s|]*联系我们", re.I)


@dataclass(frozen=True, slots=True)
class Found:
    """What was read: parts of one posting, empty where nothing was found."""

    title: str = ""
    body: str = ""
    link: str | None = None
    published_at: datetime | None = None
    publisher: str | None = None
    images: tuple[str, ...] = ()
    links: tuple[str, ...] = field(default=())


def article(page: Page, *, now: datetime) -> Found:
    """The page as one article. `body` is empty where no running text of at least LEAST_BODY characters stands on it."""
    holder = container_of(page)
    markup = (holder.html or "") if holder is not None else ""
    body = text_in(holder, markup) if holder is not None else ""
    if page.flattened:
        body = page.shown
    near = around(holder, markup) if holder is not None else Around(before=page.shown[:1500])
    if len(body) < LEAST_BODY or (len(body) < 600 and _FOOTER.search(body)):
        body, holder = "", None
    title = title_of(page, over=near.before)
    lines = byline(title, near)
    found = Found(
        title=title, body=body, published_at=time_of(page, lines, now=now), publisher=name_of(page, lines),
        images=images_in(page, holder) if holder is not None else (), links=links_in(page, holder) if holder is not None else (),
    )  # fmt: skip
    return found if len(body) >= LITTLE or page.flattened else _completed(found, told_in(page, now=now))


def _completed(found: Found, told: Told) -> Found:
    """What the markup gave, with what the scripts say of the same article where that is more."""
    own, other = fold(found.title), fold(told.title)
    if not told.title or not (own in other or other in own):
        return found
    more = len(told.body) >= max(LEAST_BODY, 2 * len(found.body))
    return replace(
        found, title=found.title or told.title, body=told.body if more else found.body,
        images=told.images if more and told.images else found.images,
        published_at=found.published_at or told.published_at, publisher=found.publisher or told.publisher,
    )  # fmt: skip


def entries(page: Page, *, now: datetime) -> list[Found]:
    """The page as a list: siblings of one shape that each hold a link with words. Empty where no such group is.

    Of all groups the one with the most words wins; menus lose since their words are few.
    """
    groups: dict[tuple[int, str, str], list[LexborNode]] = {}
    for node in page.tree.css("li,div,dl,tr,article,section,dd,p,h2,h3"):
        parent = node.parent
        if parent is None:
            continue
        name = (node.attributes.get("class") or "").split(" ")[0]
        groups.setdefault((parent.mem_id, node.tag or "", name), []).append(node)
    best: list[Found] = []
    weight = spent = 0
    for nodes in groups.values():
        if len(nodes) < LEAST_ENTRIES:
            continue
        spent += len(nodes[0].parent.html or "") if nodes[0].parent is not None else 0
        if spent > MOST_MARKUP:
            break
        found = [entry for node in nodes[:500] if (entry := _entry(page, node, now)) is not None]
        total = sum(min(len(entry.title) + len(entry.body), 400) for entry in found)
        if len(found) >= LEAST_ENTRIES and total > weight and total >= 12 * len(found):
            best, weight = found, total
    return best


def _entry(page: Page, node: LexborNode, now: datetime) -> Found | None:
    best, address = "", None
    for link in node.css("a[href]")[:30]:
        text = line(link.text()) or line(link.attributes.get("title") or "")
        if len(text) > len(best) and (target := page.link(link.attributes.get("href") or "")):
            best, address = text, target
            if link.parent is not None and link.parent.tag in ("h1", "h2", "h3", "h4"):
                break
    if address is None or len(best) < 6:
        return None
    body = plain(node.html or "")
    when = WHEN.search(body)
    return Found(
        title=best[:200], body=body if body != best else "", link=address, images=images_in(page, node),
        published_at=moment(when[0], now=now) if when else None,
    )  # fmt: skip
