"""Where a sweep goes next: which links of a page are followed, and when its budget is spent.

A platform whose file names its pages is followed in their order. One whose file names nothing is discovered: its links wait in a
Frontier, the most promising first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crawlers.discover import is_view, wanders
from crawlers.frontier import Frontier
from crawlers.platform import PlatformFile
from crawlers.reading import Follow, Reading
from crawlers.trap import Trap
from domain.identity import canonical_url

Step = tuple[Follow, int]
"""An address, and the depth at which it lies."""


class Course:
    """The addresses of one sweep. `count` takes the name of what is left out: trap, over_budget."""

    def __init__(self, platform: PlatformFile, *, alone: bool, count: Callable[[str, int], None]) -> None:
        self._platform, self._alone, self._count = platform, alone, count
        self._trap = Trap()
        self._known: set[str] = set()
        self._asked = 0
        self._frontier = Frontier(pages=platform.budget.pages) if wanders(platform) and not alone else None

    def began(self, url: str) -> None:
        """A page is asked for."""
        self._asked += 1
        self._is_new(url)
        if self._frontier is not None:
            self._frontier.began(url)

    def waiting(self) -> list[Step]:
        """What was found and not asked for yet, where a site is discovered."""
        return self._frontier.waiting() if self._frontier is not None else []

    def missed(self, url: str) -> Iterator[Step]:
        """What follows where a page gave no text: it was no page, or no answer came."""
        if self._frontier is not None:
            self._frontier.ended(url, text=False)
            yield from self._draw()

    def learn(self, url: str, reading: Reading, *, source: str) -> None:
        """Notes what the page at `url` gave, so that patterns that lead nowhere are left."""
        texts = [posting.text for posting in reading.postings]
        self._trap.learn(url, postings=texts, shown="" if texts else source)

    def after(self, url: str, reading: Reading, *, depth: int) -> Iterator[Step]:
        """What follows on the page that was asked for at `url` and lies at `depth`."""
        if self._frontier is None:
            for step in self._wanted(reading, depth):
                if self._asked >= self._platform.budget.pages:
                    self._count("over_budget", 1)
                else:
                    yield step
            return
        article = reading.layout == "general" and bool(reading.postings)
        self._frontier.ended(url, text=bool(reading.postings or reading.items), article=article)
        for follow, deeper in self._wanted(reading, depth):
            if not self._frontier.add(follow, depth=deeper):
                self._count("over_budget", 1)
        yield from self._draw()

    def _wanted(self, reading: Reading, depth: int) -> Iterator[Step]:
        """What is new, within the site and its depth, and no trap."""
        if self._alone:
            return
        for follow in reading.follow:
            deeper = depth + (0 if follow.onward else 1)
            if deeper > self._platform.budget.depth or not self._platform.owns(follow.url) or not self._is_new(follow.url):
                continue
            if self._trap.shuns(follow.url) or (self._frontier is not None and is_view(follow.url)):
                self._count("trap", 1)
            else:
                yield follow, deeper

    def _draw(self) -> Iterator[Step]:
        """As much of what waits as may be under way now."""
        assert self._frontier is not None
        while (taken := self._frontier.take()) is not None:
            if self._trap.shuns(taken[0].url):
                self._count("trap", 1)  # learned since it was laid by
            else:
                yield taken
        self._count("over_budget", self._frontier.left())

    def _is_new(self, url: str) -> bool:
        """Whether no address of the same page was met yet. Stricter than Scrapy's filter: tracking keys do not count."""
        try:
            address = canonical_url(url)
        except ValueError:
            return False
        if address in self._known:
            return False
        self._known.add(address)
        return True
