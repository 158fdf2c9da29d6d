"""What repeats on an unknown list page: the CSS of its entries, and of the title, time, account and summary in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from selectolax.lexbor import LexborNode

from crawlers.bylines import WHEN
from crawlers.dates import moment
from crawlers.page import Page, line
from crawlers.picks import pick_from
from crawlers.probe_css import classes_of, distinct, names_of, selectors_of_all

LEAST = 4
"""Siblings that make a list."""
MOST_LISTS = 4
"""Lists of one page that are named; what is left are boxes of a few links."""
PURE = 0.8
"""Share of what a selector finds that must be entries."""
SHARE = 0.6
"""Share of the entries that must have a part, or it is not named."""
MOST_CANDIDATES = 60
_WHO = re.compile(r"author|source|writer|user|nick|publisher|media|poster|from|\bby\b|laiyuan|zuozhe", re.I)
_BARE = ("p", "span", "time", "em", "i", "small", "cite", "dd")
"""Elements that are told apart by their tag alone, where they have no better name."""
_SHORT_DAY = re.compile(r"^\W*\d{1,2}[-/月]\d{1,2}日?\W*$")


@dataclass(frozen=True, slots=True)
class Items:
    """The entries of a list page."""

    select: str
    """CSS of all of them."""
    fields: dict[str, Any] = field(default_factory=dict)
    """As they stand in a platform file."""
    count: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    """Of the entries that have the part, 0-1."""


def items_on(page: Page, wanted: frozenset[str], *, now: datetime) -> Items | None:
    """The lists of `page` whose entries lead to `wanted` addresses; None where no list of LEAST is."""
    taken: dict[str, list[LexborNode]] = {}
    left = set(wanted)
    for group in sorted(_groups(page, wanted), key=lambda group: -len(group.leads)):
        fresh = group.leads & left
        if len(fresh) < LEAST or len(taken) >= MOST_LISTS:
            continue
        found = _named(page, group.nodes, wanted)
        if found is not None and found[0] not in taken:
            taken[found[0]] = found[1]
            left -= {address for node in found[1] for address in _leads(page, node, wanted)}
    if not taken:
        return None
    nodes = distinct([node for found in taken.values() for node in found])
    entries = [node for node in nodes if _leads(page, node, wanted)]
    fields, shares = _fields(page, entries, wanted, now)
    return Items(", ".join(taken), fields, len(entries), shares) if "title" in fields else None


@dataclass(frozen=True, slots=True)
class _Group:
    nodes: list[LexborNode]
    leads: frozenset[str]


def _groups(page: Page, wanted: frozenset[str]) -> Iterator[_Group]:
    """Siblings of one shape that each lead to a piece of their own."""
    found: dict[tuple[int, str, str], list[LexborNode]] = {}
    for node in page.tree.css("li,div,dl,tr,tbody,article,section,dd,p,h2,h3,h4")[:6000]:
        parent = node.parent
        if parent is not None:
            found.setdefault((parent.mem_id, node.tag or "", next(iter(classes_of(node)), "")), []).append(node)
    for nodes in found.values():
        if len(nodes) < LEAST:
            continue
        leads = [_leads(page, node, wanted) for node in nodes[:500]]
        alone = [one for one in leads if len(one) == 1]
        if len(alone) >= LEAST and len(alone) * 10 >= 7 * sum(1 for one in leads if one):
            yield _Group([node for node, one in zip(nodes, leads, strict=False) if len(one) == 1], frozenset().union(*alone))


def _leads(page: Page, node: LexborNode, wanted: frozenset[str]) -> set[str]:
    found = (page.link(link.attributes.get("href") or "") for link in node.css("a[href]")[:30])
    return {address for one in found if one and (address := one.partition("#")[0]) in wanted}


def _named(page: Page, nodes: Sequence[LexborNode], wanted: frozenset[str]) -> tuple[str, list[LexborNode]] | None:
    """The shortest selector that finds all of them, and hardly anything else."""
    own = {node.mem_id for node in nodes}
    for number, query in enumerate(selectors_of_all(nodes)):
        if number >= MOST_CANDIDATES:
            break
        found = distinct(page.tree.css(query))
        if len(found) > 4 * len(nodes) + 20 or not own <= {node.mem_id for node in found}:
            continue
        if sum(1 for node in found if _leads(page, node, wanted)) >= PURE * len(found):
            return query, found
    return None


# --- the parts of an entry


def _fields(page: Page, entries: Sequence[LexborNode], wanted: frozenset[str], now: datetime) -> tuple[dict[str, Any], dict[str, float]]:
    fields: dict[str, Any] = {}
    shares: dict[str, float] = {}
    links = [_link_of(page, node, wanted) for node in entries]
    if (title := _title(page, entries, links)) is None:
        return {}, {}
    query, from_attribute = title
    fields["title"] = f"{query}::attr(title)" if from_attribute else query
    fields["link"] = f"{query}::attr(href)"
    shares["title"] = 1.0
    taken = {name for node, link in zip(entries, links, strict=True) if link is not None for name in names_of(link)}
    for name, fits in (("published_at", _dates(now)), ("publisher", _accounts), ("body", _summaries)):
        found = part_of(entries, fits, taken)
        if found is not None:
            fields[name], shares[name] = found
            taken.add(found[0])
    return fields, shares


def _link_of(page: Page, node: LexborNode, wanted: frozenset[str]) -> LexborNode | None:
    """The link to the entry's piece with the longest words."""
    best: LexborNode | None = None
    for link in node.css("a[href]")[:30]:
        address = page.link(link.attributes.get("href") or "")
        if address and address.partition("#")[0] in wanted and (best is None or len(line(link.text())) > len(line(best.text()))):
            best = link
    return best


def _title(page: Page, entries: Sequence[LexborNode], links: Sequence[LexborNode | None]) -> tuple[str, bool] | None:
    """CSS of the link that names an entry, and whether its `title` says more than its words."""
    tried: dict[str, None] = {}
    for link in links[:5]:
        if link is not None:
            parent = link.parent
            above = (
                [*names_of(parent), *([parent.tag] if parent.tag in ("h1", "h2", "h3", "h4", "h5") else [])] if parent is not None else []
            )
            tried |= dict.fromkeys([*(f"{name} a" for name in above[::-1]), *names_of(link), "a"])
    if "a" in tried:
        tried = {"a": None, **tried}  # the plainest that gives every entry's words wins
    tried |= dict.fromkeys(["a[title]", "a:last-of-type"])
    for query in tried:
        right = sum(
            1
            for entry, link in zip(entries, links, strict=True)
            if link is not None and (found := entry.css_first(query)) is not None and found.mem_id == link.mem_id
        )
        if right >= 0.9 * len(entries):
            longer = sum(1 for link in links if link is not None and len(line(link.attributes.get("title") or "")) > len(line(link.text())))
            return query, longer * 2 > len(entries)
    return None


def part_of(
    entries: Sequence[LexborNode], fits: Callable[[LexborNode], bool], taken: set[str], *, deep: bool = False
) -> tuple[str, float] | None:
    """CSS of the element in each entry that `fits`, and the share of entries that have one; `deep`: the one with the most words."""
    votes: dict[str, int] = {}
    words: dict[str, int] = {}
    for entry in entries[:40]:
        for node in entry.css("*")[:120]:
            if node.mem_id != entry.mem_id and fits(node):
                for name in [*names_of(node), *([node.tag] if node.tag in _BARE else [])]:
                    votes[name] = votes.get(name, 0) + 1
                    words[name] = words.get(name, 0) + len(line(node.text()))
    order = (lambda name: (-words[name], -votes[name])) if deep else (lambda name: (-votes[name], "." not in name))
    for name in sorted(votes, key=order)[:12]:
        if name in taken:
            continue
        firsts = [found for entry in entries if (found := entry.css_first(name)) is not None]
        share = sum(1 for node in firsts if fits(node)) / len(entries)
        if share >= SHARE and share * len(entries) >= 0.8 * len(firsts):
            return name, share
    return None


def _dates(now: datetime) -> Callable[[LexborNode], bool]:
    def fits(node: LexborNode) -> bool:
        text = line(node.text())
        return len(text) <= 24 and bool(WHEN.search(text) or _SHORT_DAY.match(text)) and moment(text, now=now) is not None

    return fits


def _accounts(node: LexborNode) -> bool:
    name = f"{node.attributes.get('class') or ''} {node.tag if node.tag == 'cite' else ''}"
    text = line(node.text())
    return bool(_WHO.search(name) or node.tag == "cite") and 2 <= len(text) <= 20 and not WHEN.search(text)


def _summaries(node: LexborNode) -> bool:
    return node.tag in ("p", "div", "dd", "span") and node.css_first("a[href]") is None and 20 <= len(line(node.text())) <= 600


def sound(fields: dict[str, Any]) -> bool:
    """Whether every line of `fields` can stand in a platform file."""
    try:
        for value in fields.values():
            pick_from(value)
    except ValueError:
        return False
    return True
