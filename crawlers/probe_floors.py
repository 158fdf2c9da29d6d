"""Threads of an unknown forum: the CSS of their floors, and of text, time and account in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from selectolax.lexbor import LexborNode

from crawlers import general
from crawlers.bylines import WHEN
from crawlers.dates import moment
from crawlers.page import Page, line
from crawlers.probe_article import LEAST_PAGES, Piece
from crawlers.probe_css import classes_of, distinct, names_of, selectors_of_all
from crawlers.probe_items import MOST_CANDIDATES, SHARE, Items, part_of

FLOORS = 2
"""Floors of one page that show how floors look."""
WHOLE = 0.6
"""Share of a thread's text that its floors must hold: comments under an article hold less."""
_MEMBER = re.compile(r"author|user|nick|poster|member|name|authi", re.I)
_SPACE = re.compile(r"space|user|member|uid|profile|/u/|home\.php", re.I)


def floors_on(pieces: Sequence[Piece], *, now: datetime) -> Items | None:
    """The floors of threads; None where the pages are no threads, or fewer than LEAST_PAGES agree."""
    if len(pieces) < LEAST_PAGES:
        return None
    for piece in sorted(pieces, key=lambda piece: -len(piece.page.shown)):
        for nodes in _groups(piece.page):
            if not _is_thread(piece.page, nodes):
                continue
            found = _agreed(pieces, nodes, now)
            if found is not None:
                return found
    return None


def _groups(page: Page) -> Iterator[list[LexborNode]]:
    found: dict[tuple[int, str, str], list[LexborNode]] = {}
    for node in page.tree.css("div,li,article,table,section,dl,tr")[:4000]:
        if node.parent is not None:
            found.setdefault((node.parent.mem_id, node.tag or "", next(iter(classes_of(node)), "")), []).append(node)
    fit = [
        nodes
        for nodes in found.values()
        if len(nodes) >= FLOORS and sum(1 for node in nodes if WHEN.search(node.text())) >= SHARE * len(nodes)
    ]
    yield from sorted(fit, key=lambda nodes: -sum(len(node.text()) for node in nodes))[:6]


def _is_thread(page: Page, nodes: Sequence[LexborNode]) -> bool:
    """Whether the page's running text lies in the floors: an article has its text elsewhere, and comments below."""
    holder = general.container_of(page)
    own = {node.mem_id for node in nodes}
    at = holder
    for _ in range(12):
        if at is None:
            break
        if at.mem_id in own:
            return True
        at = at.parent
    inside = sum(len(line(node.text())) for node in nodes)
    return holder is not None and inside >= WHOLE * len(line(holder.text())) and any(_stands_in(node, holder) for node in nodes)


def _stands_in(node: LexborNode, holder: LexborNode) -> bool:
    at = node.parent
    for _ in range(12):
        if at is None:
            return False
        if at.mem_id == holder.mem_id:
            return True
        at = at.parent
    return False


def _agreed(pieces: Sequence[Piece], nodes: Sequence[LexborNode], now: datetime) -> Items | None:
    pages = [piece.page for piece in pieces]
    for number, query in enumerate(selectors_of_all(nodes)):
        if number >= MOST_CANDIDATES:
            return None
        if "." not in query and "#" not in query and "[" not in query:
            continue
        floors = [distinct(page.tree.css(query)) for page in pages]
        if not all(floors) or max(map(len, floors)) < len(nodes):
            continue
        every = [node for found in floors for node in found]
        fields = _fields(every, now)
        if fields is not None:
            return Items(query, fields, len(every))
    return None


def _fields(floors: Sequence[LexborNode], now: datetime) -> dict[str, Any] | None:
    """Where text, time and account stand; None where floors have no text or no time."""
    taken: set[str] = set()
    fields: dict[str, Any] = {}
    when = part_of(floors, _dated(now), taken)
    body = part_of(floors, _texts(floors), taken, deep=True)
    if when is None or body is None:
        return None
    fields["body"] = body[0]
    if (who := part_of(floors, _member, {body[0], when[0]})) is not None:
        fields["publisher"] = who[0]
    fields["published_at"] = when[0]
    return fields


def _dated(now: datetime) -> Callable[[LexborNode], bool]:
    def fits(node: LexborNode) -> bool:
        text = line(node.text())
        return len(text) <= 60 and (found := WHEN.search(text)) is not None and moment(found[0], now=now) is not None

    return fits


def _texts(floors: Sequence[LexborNode]) -> Callable[[LexborNode], bool]:
    """Whether a box holds most of its floor's words, and neither its time nor its account."""

    def fits(node: LexborNode) -> bool:
        text = line(node.text())
        return (
            node.tag in ("div", "td", "p", "section", "article", "blockquote")
            and len(text) >= 2
            and not WHEN.search(text)
            and bool(names_of(node))
            and not any(_MEMBER.search(name) for name in classes_of(node))
        )

    return fits


def _member(node: LexborNode) -> bool:
    text = line(node.text())
    named = (
        _MEMBER.search(node.attributes.get("class") or "")
        or (node.tag == "a" and _SPACE.search(node.attributes.get("href") or ""))
        or node.tag == "cite"
    )
    return bool(named) and 1 < len(text) <= 20 and not WHEN.search(text) and not re.search(r"只看|楼主$|\d+楼|回复|举报", text)
