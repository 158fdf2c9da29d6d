"""CSS for elements of an unknown page: what shall still fit tomorrow, so names that count or change are passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from selectolax.lexbor import LexborNode

CLIMBS = 4
"""Elements about the one that is named."""
_PLAIN = re.compile(r"-?[A-Za-z_][\w-]*$", re.A)
_CHANGES = re.compile(r"\d{3,}|(?:^|[-_])(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{6,}$", re.I)
"""Numbers of posts, and the codes that build tools append (css-1x2y3z)."""
_STATES = frozenset({
    "active", "cur", "current", "on", "off", "hover", "selected", "first", "last", "odd", "even", "clearfix", "clear", "cf", "fl", "fr",
    "left", "right", "top", "new", "hot", "alt", "hide", "show", "visited", "open", "row", "col", "line", "bold", "red", "blue", "gray",
})  # fmt: skip
"""Classes that say how an element looks or stands, not what it is."""
_NUMBERED = re.compile(r"([A-Za-z][A-Za-z_-]{3,})\d+$")


def classes_of(node: LexborNode) -> list[str]:
    """Its classes that name it for good."""
    return [name for name in (node.attributes.get("class") or "").split() if _lasts(name)]


def names_of(node: LexborNode) -> list[str]:
    """How it may be named by itself, the surest first; never its bare tag."""
    own = node.attributes.get("id") or ""
    return [*([f"#{own}"] if _lasts(own) else []), *(f"{node.tag}.{name}" for name in classes_of(node))]


def _lasts(name: str) -> bool:
    return _PLAIN.match(name) is not None and len(name) <= 40 and name.lower() not in _STATES and _CHANGES.search(name) is None


def selectors(node: LexborNode) -> Iterator[str]:
    """CSS that may find one element, the shortest first."""
    yield from _placed(node, [*names_of(node), node.tag or "div"])


def selectors_of_all(nodes: Sequence[LexborNode]) -> Iterator[str]:
    """CSS that may find siblings of one shape, the shortest first."""
    first = nodes[0]
    shared = [name for name in classes_of(first) if all(name in classes_of(node) for node in nodes)]
    heads = {found[1] if (found := _NUMBERED.match(node.attributes.get("id") or "")) else "" for node in nodes}
    own = [f"{first.tag}[id^={head}]" for head in heads if len(heads) == 1 and head]
    yield from _placed(first, [*own, *(f"{first.tag}.{name}" for name in shared), first.tag or "div"])


def _placed(node: LexborNode, own: Sequence[str]) -> Iterator[str]:
    """Each of `own` by itself, where it is no bare tag, then under what stands about `node`."""
    yield from (name for name in own if name != node.tag)
    way: list[str] = []
    at = node.parent
    for _ in range(CLIMBS):
        if at is None or at.tag in ("html", None):
            return
        for name in [*names_of(at), *(["body"] if at.tag == "body" else [])]:
            yield from (" > ".join([name, *way, one]) for one in own)
        way.insert(0, at.tag or "div")
        at = at.parent


def distinct(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Each element once: lexbor gives one once for each part of a selector that it fits."""
    return list({node.mem_id: node for node in nodes}.values())
