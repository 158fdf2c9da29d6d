"""`fetch: auto`: HTTP first, and the browser where a page's text is missing without it.

Decided for each layout of a platform by what HTTP gave: nothing to read on a page that has scripts. Such a page is asked for once more
through the browser; where that gives what HTTP did not, the layout is promoted, and its next pages go to the browser at once. The next
sweep begins so (`sweep/browser:LAYOUT` in the last sweep's counts, how many sweeps ago it was seen), and looks again after AGAIN.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Request, Response

from crawlers.answers import charset_of, is_text
from crawlers.chromium import find_browser
from crawlers.extract import read
from crawlers.page import Page
from crawlers.platform import PlatformFile

log = logging.getLogger(__name__)

MARK = "sweep/browser:"
"""In front of a layout's name in the counts."""
AGAIN = 24
"""Sweeps after which a promoted layout is looked at without the browser again: a day of hourly ones."""
LITTLE = 300
"""Shown characters under which a page has nothing to read: menus and a footer have as many."""
ENOUGH = 60
"""Characters of postings that are a text."""
VAIN = 3
"""Pages of one layout that the browser reads no better, after which HTTP's word counts."""
_ROOT = re.compile(
    r"""<(?:div|main|section)[^>]*\bid\s*=\s*["']?(?:app|root|__next|__nuxt|q-app|main-app|app-root|page-app|react-root|container)["'\s>][^<]*</""",
    re.I,
)
_SCRIPT = re.compile(r"<script\b", re.I)


def lacks_text(page: Page, *, platform: PlatformFile, role: Any, now: datetime) -> bool:
    """Whether `page`, as HTTP gave it, has scripts and no text."""
    source = page.source
    if source.lstrip()[:1] in ("{", "[") or _SCRIPT.search(source) is None:
        return False
    if _words(page, platform=platform, role=role, now=now) >= ENOUGH:
        return False
    return len(page.shown) < LITTLE or _ROOT.search(source) is not None or _selectors_miss(page, platform, role)


def _selectors_miss(page: Page, platform: PlatformFile, role: Any) -> bool:
    """Whether the platform names what repeats on such pages, and nothing of it is there."""
    sections = platform.detail if role == "detail" else platform.list
    named = [section for section in sections if section.regex.search(page.url) and section.item is not None]
    if not named or any(word in page.source for section in named for word in section.empty):
        return False
    return not any(page.nodes(section.item) for section in named if section.item is not None)


def _words(page: Page, *, platform: PlatformFile, role: Any, now: datetime) -> int:
    """Characters of the postings on a page; a list whose items lead on counts as enough."""
    reading = read(platform, page, role=role, now=now)
    if reading.layout == "list" and reading.items:
        return ENOUGH
    return sum(len(posting.text) for posting in reading.postings)


def layout_of(platform: PlatformFile, url: str, role: Any) -> str:
    """The name of a page's layout: list or detail, with the number of the section whose `match` finds the address."""
    kind = "list" if role in ("start", "list") else "detail"
    sections = platform.list if kind == "list" else platform.detail
    for number, section in enumerate(sections, 1):
        if section.match is not None and section.regex.search(url):
            return f"{kind}{number}"
    return kind


def promoted(counts: Mapping[str, Any]) -> dict[str, int]:
    """Layout -> sweeps since it was seen to need the browser, from a sweep's counts."""
    return {name.removeprefix(MARK): int(value) for name, value in counts.items() if name.startswith(MARK)}


class NeedMiddleware:
    """Sends to the browser what needs it, on platforms with `fetch: auto` alone."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        spider: Any = crawler.spider
        self._platform: PlatformFile = spider.platform
        self._browser = find_browser(spider.deployment) is not None
        self._wins: Counter[str] = Counter()
        self._plain: Counter[str] = Counter()
        self._vain: Counter[str] = Counter()
        self._promoted: dict[str, int] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> NeedMiddleware:
        if getattr(getattr(crawler.spider, "platform", None), "fetch", "") != "auto":
            raise NotConfigured
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if self._of_page(request) and self._known().get(layout_of(self._platform, request.url, request.meta["role"])):
            request.meta["browser"] = True

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if not self._of_page(request) or response.status != 200 or not is_text(response):
            return response
        role = request.meta["role"]
        layout = layout_of(self._platform, request.url, role)
        page = Page(response.body, url=response.url, declared=charset_of(response), override=self._platform.charset)
        lacking = lacks_text(page, platform=self._platform, role=role, now=datetime.now(UTC))
        if request.meta.get("browser"):
            if request.meta.get("second_look"):
                self._settle(layout, won=not lacking)
            return response
        if not lacking:
            self._plain[layout] += 1
            return response
        if not self._browser:
            self._count("no_browser")
            return response
        if self._vain[layout] >= VAIN and not self._wins[layout]:
            return response
        self._count("second_looks")
        again = request.replace(dont_filter=True, priority=request.priority + 1)
        again.meta["browser"] = again.meta["second_look"] = True
        return again

    def _settle(self, layout: str, *, won: bool) -> None:
        if not won:
            self._vain[layout] += 1
            return
        self._wins[layout] += 1
        # One page that was taken down shows nothing either: a layout is promoted by more pages that need it than not.
        if self._wins[layout] > self._plain[layout] and layout not in self._known():
            log.info("browser platform=%s layout=%s promoted: its text is missing without scripts", self._platform.id, layout)
            self._known()[layout] = 1
            self._note(layout, 1)

    def _known(self) -> dict[str, int]:
        """Layouts that go to the browser, those of the last sweep's counts to begin with."""
        if self._promoted is None:
            before = promoted(getattr(self._crawler.spider, "counted_before", {})) if self._browser else {}
            self._promoted = {layout: age + 1 for layout, age in before.items() if age < AGAIN}
            for layout, age in self._promoted.items():
                self._note(layout, age)
        return self._promoted

    def _of_page(self, request: Request) -> bool:
        """Whether a page of the patrol is asked for: pictures and robots.txt have another callback, or none."""
        ours = getattr(request.callback, "__name__", "") == "parse" and "view" not in request.meta
        return ours and request.meta.get("role") not in (None, "api")

    def _note(self, layout: str, age: int) -> None:
        assert self._crawler.stats is not None
        self._crawler.stats.set_value(f"{MARK}{layout}", age)

    def _count(self, name: str) -> None:
        assert self._crawler.stats is not None
        self._crawler.stats.inc_value(f"sweep/{name}")
