"""The pictures of a campaign: where and when its hits came, and which key holds which of them. Plain numbers; the template draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from store.campaignviews import Bond

KEYS, GROUPS, ROWS, STEPS = 12, 14, 10, 36
"""Drawn at most: keys, groups of hits, platforms, and steps of time. What goes beyond is told as one."""
LINE, LEFT, RIGHT = 30, 300, 560
"""Pixels: between two lines of the graph, where the keys end, and where the groups begin."""


@dataclass(frozen=True, slots=True)
class Node:
    """A key, or a group of hits that are held by the very same keys."""

    y: int
    count: int
    bond: Bond | None
    hits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Hits of one group that one key ties."""

    y1: int
    y2: int
    width: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Keys on the left, groups of hits on the right, lines between; `more_keys` and `more_groups` are not drawn."""

    keys: tuple[Node, ...]
    groups: tuple[Node, ...]
    lines: tuple[Line, ...]
    height: int
    more_keys: int
    more_groups: int


def graph(bonds: Sequence[Bond], hit_ids: Sequence[int]) -> Graph:
    """Who is tied by what: hits with the same keys are drawn as one, so that hundreds are readable."""
    shown = bonds[:KEYS]
    held: dict[int, list[int]] = {hit: [] for hit in hit_ids}
    for number, bond in enumerate(shown):
        for hit in bond.hits:
            if hit in held:
                held[hit].append(number)
    by_keys: dict[tuple[int, ...], list[int]] = {}
    for hit, numbers in held.items():
        by_keys.setdefault(tuple(numbers), []).append(hit)
    ordered = sorted(by_keys.items(), key=lambda one: (-len(one[1]), one[0]))
    drawn = ordered[:GROUPS]
    height = max(len(shown), len(drawn), 1) * LINE + 20
    keys = [Node(_at(n, len(shown), height), len(bond.hits), bond, bond.hits) for n, bond in enumerate(shown)]
    groups = [Node(_at(n, len(drawn), height), len(hits), None, tuple(hits)) for n, (_numbers, hits) in enumerate(drawn)]
    lines = [
        Line(keys[number].y, node.y, min(9.0, 1 + node.count**0.5), shown[number].holds)
        for node, (numbers, _hits) in zip(groups, drawn, strict=True)
        for number in numbers
    ]
    return Graph(tuple(keys), tuple(groups), tuple(lines), height, len(bonds) - len(shown), len(ordered) - len(drawn))


def _at(number: int, count: int, height: int) -> int:
    """The middle of one of `count` lines that are spread over the height."""
    return round((number + 0.5) * height / max(1, count))


@dataclass(frozen=True, slots=True)
class Strip:
    """One platform's hits over time: (x in steps, how many) of the steps that have any."""

    platform: str
    total: int
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """Platforms by how many hits they have; `more` have no strip of their own. `most` is the fullest step's count."""

    strips: tuple[Strip, ...]
    since: datetime | None
    until: datetime | None
    step: timedelta
    most: int
    more: int


def course(members: Sequence[Any]) -> Course:
    """Where and when: rows with `at` and `platform`."""
    if not members:
        return Course((), None, None, timedelta(0), 0, 0)
    since, until = min(one.at for one in members), max(one.at for one in members)
    step = max((until - since) / STEPS, timedelta(minutes=1))
    counts: dict[str, Counter[int]] = {}
    for one in members:
        counts.setdefault(one.platform, Counter())[min(STEPS - 1, int((one.at - since) / step))] += 1
    ordered = sorted(counts.items(), key=lambda one: (-one[1].total(), one[0]))
    strips = tuple(Strip(name, held.total(), tuple(sorted(held.items()))) for name, held in ordered[:ROWS])
    return Course(strips, since, until, step, max(max(one.values()) for one in counts.values()), len(ordered) - len(strips))
