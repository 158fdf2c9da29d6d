"""What of an unknown site is fetched next: the most promising address first, learned from what its kind gave so far."""

from __future__ import annotations

import heapq
from collections import defaultdict
from itertools import count

from crawlers.discover import shape_of
from crawlers.reading import Follow

BARREN_SHARE = 2
"""Requests that pages without text may take, as a multiple of the budget: they do not eat it, and must end all the same."""
UNDER_WAY = 8
"""Requests under way at once: what they give decides what comes next."""
HELD = 20_000
"""Addresses that wait at most."""
_GAIN = 25
_LOSS = 40


class Frontier:
    """Addresses that wait, and how much of the budget is spent. `pages` are those with text."""

    def __init__(self, *, pages: int) -> None:
        self._pages = pages
        self._heap: list[tuple[float, int, Follow, int]] = []
        self._order = count()
        self._gave: dict[str, int] = defaultdict(int)
        self._asked: dict[str, int] = defaultdict(int)
        self._empty: dict[str, int] = defaultdict(int)
        self._out = 0
        self._with_text = 0
        self._requests = 0

    def add(self, follow: Follow, *, depth: int) -> bool:
        """Puts an address among those that wait; False where there is no more room."""
        if len(self._heap) >= HELD:
            return False
        heapq.heappush(self._heap, (-self._value(follow), next(self._order), follow, depth))
        return True

    def began(self, url: str) -> None:
        """A request went out."""
        self._out += 1
        self._requests += 1
        self._asked[shape_of(url)] += 1

    def ended(self, url: str, *, text: bool, article: bool = False) -> None:
        """Its answer came: whether the page had text at all, and whether it was an article."""
        self._out = max(0, self._out - 1)
        shape = shape_of(url)
        if text:
            self._with_text += 1
        else:
            self._empty[shape] += 1
        if article:
            self._gave[shape] += 1

    def take(self) -> tuple[Follow, int] | None:
        """The next address and its depth; None while enough is under way, or where the budget is spent or nothing waits."""
        if self._out >= UNDER_WAY or self._with_text + self._out >= self._pages or self._requests >= self._pages * (1 + BARREN_SHARE):
            return None
        while self._heap:
            value, _, follow, depth = heapq.heappop(self._heap)
            now = -self._value(follow)
            if self._heap and now > self._heap[0][0] + 0.5 and now > value + 0.5:
                heapq.heappush(self._heap, (now, next(self._order), follow, depth))  # its kind has lost since it came
                continue
            return follow, depth
        return None

    def waiting(self) -> list[tuple[Follow, int]]:
        """All that wait, with their depths; they go on waiting."""
        return [(follow, depth) for _, _, follow, depth in sorted(self._heap, key=lambda one: one[:2])]

    def left(self) -> int:
        """Addresses that will not be asked for: all that wait, once nothing is under way any more; counted once."""
        if self._out:
            return 0
        count = len(self._heap)
        self._heap.clear()
        return count

    def _value(self, follow: Follow) -> float:
        """`worth`, raised where pages of its shape were articles, lowered where they were not; many of one shape in a row tire."""
        shape = shape_of(follow.url)
        asked = self._asked[shape]
        gain = _GAIN * self._gave[shape] / (asked + 1) - _LOSS * self._empty[shape] / (asked + 2)
        return follow.worth + gain - 0.1 * min(asked, 100)
