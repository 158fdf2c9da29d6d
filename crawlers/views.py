"""The four visitors that a page is shown to where cloaking (伪装) is looked for: desktop and phone, from a search and directly.

What a visitor is told apart by: the User-Agent, the screen, and the page it comes from. None of them is a lie about who asks: the
patrol's own name stands in every User-Agent, none claims to be a search engine's robot, and the referrer is sent because that is the way
on which those to whom an ad is shown arrive. See docs/decisions/0011-cloaking-views.md.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawlers.chromium import find_browser

SEARCH = "https://www.baidu.com/"
"""What the search engine of most readers sends along: its origin, without the words that were asked for."""
_DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_PHONE = "Mozilla/5.0 (Linux; Android 14; Mobile) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One visitor. `name` is what stands in the `via` of its captures."""

    name: str
    chinese: str
    phone: bool
    search: bool
    width: int
    height: int

    def agent(self, own: str) -> str:
        """A plain browser's User-Agent with the patrol's `own` name behind it."""
        return f"{_PHONE if self.phone else _DESKTOP} {own}"

    def headers(self, own: str) -> dict[str, str]:
        """What the visitor sends beyond what every request has."""
        return {"User-Agent": self.agent(own)} | ({"Referer": SEARCH} if self.search else {})


VIEWS: Mapping[str, View] = {
    view.name: view
    for view in (
        View(name="desktop", chinese="电脑直接访问", phone=False, search=False, width=1280, height=900),
        View(name="desktop-search", chinese="电脑从搜索进入", phone=False, search=True, width=1280, height=900),
        View(name="phone", chinese="手机直接访问", phone=True, search=False, width=412, height=915),
        View(name="phone-search", chinese="手机从搜索进入", phone=True, search=True, width=412, height=915),
    )
}
"""In the order in which they are shown side by side."""


def dressed(request: Request, name: str, *, own: str, browser: bool) -> Request:
    """`request` as the visitor `name` sends it; in the browser where there is one, since pages also choose by script.

    Raises KeyError for an unknown visitor.
    """
    view = VIEWS[name]
    meta: dict[str, Any] = {**request.meta, "view": name}
    if browser:
        meta["browser"] = True
    asked = request.replace(meta=meta)
    for header, value in view.headers(own).items():
        asked.headers[header] = value
    return asked


class ViewMiddleware:
    """Asks for each page of a visit list as the visitors that its line names (`views`), in place of once."""

    def __init__(self, crawler: Crawler, wanted: Mapping[str, Sequence[str]]) -> None:
        self._crawler, self._wanted = crawler, wanted

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ViewMiddleware:
        path = getattr(crawler.spider, "visit", None)
        wanted = views_of(path) if path is not None else {}
        if not wanted:
            raise NotConfigured
        return cls(crawler, wanted)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        spider: Any = self._crawler.spider
        browser = find_browser(spider.deployment) is not None
        async for request in start:
            names = self._wanted.get(request.meta["asked"], ())
            for name in names:
                yield dressed(request, name, own=spider.deployment.user_agent, browser=browser)
            if not names:
                yield request


def views_of(path: Path) -> dict[str, tuple[str, ...]]:
    """Address -> views of a visit list; addresses that name none, and names that are no view, are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(text)
            named = tuple(name for name in row.get("views", ()) if name in VIEWS)
            url = str(row["url"])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # crawlers.visits says so in the log
        if named:
            found[url if "#!" in url else url.partition("#")[0]] = named
    return found
