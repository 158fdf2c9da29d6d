"""Pages that need JavaScript: Scrapy's HTTP handler, and the machine's Chromium for requests with `meta["browser"]`.

HTTP first: a sweep without such a request never loads Playwright.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Request, Response

if TYPE_CHECKING:
    from crawlers.browsing_visit import Visitor


class BrowserHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP handler, and a browser for the requests that ask for it."""

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._of = crawler
        self._visitor: Visitor | None = None

    async def download_request(self, request: Request) -> Response:
        if not request.meta.get("browser"):
            return await super().download_request(request)
        if self._visitor is None:
            from crawlers.browsing_visit import Visitor

            self._visitor = Visitor(self._of)
        return await self._visitor.visit(request)

    async def close(self) -> None:
        if self._visitor is not None:
            await self._visitor.close()
        await super().close()
