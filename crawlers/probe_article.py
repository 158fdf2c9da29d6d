"""Where the parts of an article stand on an unknown site: selectors that give on every page what the general extractor found there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from selectolax.lexbor import LexborNode

from crawlers import general
from crawlers.bodies import trimmed
from crawlers.bylines import WHEN
from crawlers.dates import moment
from crawlers.general import Found
from crawlers.page import Page, line
from crawlers.picks import pick_from
from crawlers.probe_css import selectors
from crawlers.titles import fold

LEAST_PAGES = 2
"""Pages that must agree: one page cannot tell the site from its text."""
LEAST_TEXT = 10
"""Characters of a page's text where the general extractor takes it for a caption."""
ALIKE = 0.9
MOST_CANDIDATES = 40
MOST_BOXES = 25
"""Boxes that are compared between pages where nothing reads like running text."""
_METAS = ('meta[property="article:published_time"]', 'meta[name="publishdate"]', 'meta[name="PubDate"]', 'meta[itemprop="datePublished"]')
_DAY = r"(\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?)"
_SOURCE = r"(?:来源|作者|发布者|公众号|发布人)\s*[:：]\s*([^\s|丨:：]{2,24})"


@dataclass(frozen=True, slots=True)
class Piece:
    """One article page and what the general extractor reads on it."""

    page: Page
    found: Found


def fields_of(pieces: Sequence[Piece], *, now: datetime) -> dict[str, Any]:
    """The fields of a `detail`, as they stand in a platform file; empty where fewer than LEAST_PAGES agree about the text.

    Without a selector for the title, the general extractor is asked for all that is missing: so it is left out where the time or the
    account could not be pinned down.
    """
    told = sorted((piece for piece in pieces if piece.found.title), key=lambda piece: -len(piece.found.body))
    if len(told) < LEAST_PAGES:
        return {}
    body = _agreed(told, chain(_bodies(told[0].page), _texts(told)), _same_body)
    if body is None:
        return {}
    fields: dict[str, Any] = {"body": body}
    when = _agreed(_having(told, "published_at"), _times(told, now), lambda piece, pick: _time_is(piece, pick, now))
    who = _agreed(_having(told, "publisher"), _names(told), _name_is)
    title = _agreed(told, _titles(told[0]), _title_is)
    fields |= {name: pick for name, pick in (("published_at", when), ("publisher", who)) if pick is not None}
    pinned = all(name in fields or not _having(told, name) for name in ("published_at", "publisher"))
    return {"title": title, **fields} if title is not None and pinned else fields


def _having(pieces: Sequence[Piece], name: str) -> list[Piece]:
    return [piece for piece in pieces if getattr(piece.found, name)]


def _agreed(pieces: Sequence[Piece], candidates: Iterator[Any], holds: Callable[[Piece, Any], bool]) -> Any:
    """The first candidate that holds on every page; None where none does, or where there are too few pages."""
    if len(pieces) < LEAST_PAGES:
        return None
    for number, candidate in enumerate(candidates):
        if number >= MOST_CANDIDATES:
            break
        if all(holds(piece, candidate) for piece in pieces):
            return candidate
    return None


def _value(page: Page, pick: Any) -> str:
    return page.first((pick_from(pick),))


# --- title


def title_selector(pieces: Sequence[Piece]) -> str | None:
    """CSS of the title on every page."""
    told = _having(pieces, "title")
    found: str | None = _agreed(told, _titles(told[0]), _title_is) if told else None
    return found


def _titles(piece: Piece) -> Iterator[str]:
    own = fold(piece.found.title)
    nodes = [node for node in piece.page.tree.css("h1,h2,h3,h4,[class*=title i],[id*=title i]")[:60] if own and fold(node.text()) == own]
    for node in nodes:
        if node.tag == "h1":
            yield "h1"
        yield from selectors(node)


def _title_is(piece: Piece, query: str) -> bool:
    return fold(_value(piece.page, query)) == fold(piece.found.title) != ""


# --- body


def _bodies(page: Page) -> Iterator[str]:
    holder = general.container_of(page)
    if holder is not None:
        yield from selectors(holder)


def _texts(pieces: Sequence[Piece]) -> Iterator[str]:
    """CSS of boxes with words of their own on every page, the longest first: notices too short for the general extractor to find."""
    page, title = pieces[0].page, fold(pieces[0].found.title)
    others = [piece.page for piece in pieces[1:]]
    told: list[tuple[str, LexborNode]] = []
    for node in page.tree.css("div,td,p,section,article,dd,pre")[:1500]:
        text = line(node.text())
        if len(text) >= LEAST_TEXT and len(node.css("a[href]")) <= 2 and not WHEN.search(text) and not (title and title in fold(text)):
            told.append((text, node))
    boxes: dict[str, int] = {}
    for text, node in sorted(told, key=lambda one: -len(one[0]))[:MOST_BOXES]:
        for query in list(selectors(node))[:4]:
            found = [line(other.text()) for one in others for other in one.tree.css(query)[:2]]
            if len(found) == len(others) and text not in found:
                boxes.setdefault(query, len(text))
    yield from sorted(boxes, key=lambda query: -boxes[query])[:6]


def _same_body(piece: Piece, query: str) -> bool:
    nodes = piece.page.tree.css(query)
    if len(nodes) != 1:
        return False
    text = "\n".join(piece.page.values((pick_from(query),), as_body=True))
    if not piece.found.body:  # too short for the general extractor: a notice of two lines is an article too
        return len(text) >= LEAST_TEXT
    own, theirs = trimmed(text, linked=frozenset()).split("\n"), set(piece.found.body.split("\n"))
    shared = sum(len(one) for one in own if one in theirs)
    return shared >= ALIKE * len(piece.found.body.replace("\n", "")) and shared >= ALIKE * max(1, sum(map(len, own)))


# --- time and account


def _times(pieces: Sequence[Piece], now: datetime) -> Iterator[Any]:
    piece = next(iter(_having(pieces, "published_at")), None)
    if piece is None:
        return
    yield from (f"{query}::attr(content)" for query in _METAS if piece.page.tree.css_first(query) is not None)
    for node in _smallest(piece.page, lambda text: len(text) <= 160 and WHEN.search(text) is not None):
        whole = moment(line(node.text()), now=now) == piece.found.published_at
        for query in selectors(node):
            yield from ([query] if whole else []) + [{"select": query, "pattern": _DAY}]


def _time_is(piece: Piece, pick: Any, now: datetime) -> bool:
    return moment(_value(piece.page, pick), now=now) == piece.found.published_at


def _names(pieces: Sequence[Piece]) -> Iterator[Any]:
    piece = next(iter(_having(pieces, "publisher")), None)
    if piece is None:
        return
    name = piece.found.publisher or ""
    for node in _smallest(piece.page, lambda text: len(text) <= 160 and name in text):
        for query in selectors(node):
            yield from (
                (query, {"select": query, "pattern": _SOURCE}) if line(node.text()) == name else ({"select": query, "pattern": _SOURCE},)
            )


def _name_is(piece: Piece, pick: Any) -> bool:
    return _value(piece.page, pick) == piece.found.publisher


def _smallest(page: Page, fits: Callable[[str], bool]) -> list[LexborNode]:
    """Elements whose words fit and that hold no other such element, in the order of the page."""
    found = [node for node in page.tree.css("span,em,i,time,p,div,td,small,a,li,cite,b,font,strong")[:3000] if fits(line(node.text()))]
    holders = {above for node in found for above in _above(node)}
    return [node for node in found if node.mem_id not in holders][:6]


def _above(node: LexborNode) -> Iterator[int]:
    at = node.parent
    for _ in range(12):
        if at is None:
            return
        yield at.mem_id
        at = at.parent
