"""One request through the browser: its guise, its time, what went wrong in words that a patrol log can carry.

What the browser itself goes through is in `crawlers.browsing`; what is done on one page in `crawlers.browsing_page`; every
connection goes through `crawlers.gate`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError, IgnoreRequest
from scrapy.http import HtmlResponse, Request, Response

from crawlers.browsing import FAULTS, BrowserLost, Guise, Lane, Lanes
from crawlers.browsing_page import NoPage, load
from crawlers.chromium import find_browser, missing_browser
from crawlers.gate import Gate
from crawlers.middlewares import OutsideInternet, TooBig
from crawlers.sessions_browser import dress, screen
from crawlers.sessions_use import in_use
from crawlers.views import VIEWS

log = logging.getLogger(__name__)

COUNTED = (
    "sweep/browser_pages", "sweep/recycled", "sweep/restarted", "sweep/crashes", "sweep/killed", "sweep/dialogs", "sweep/popups",
    "sweep/downloads", "sweep/shots_cut", "sweep/scrolls", "sweep/browser_peak_mb",
)  # fmt: skip
"""What the browser adds to a sweep's counts; docs/platforms.md names them."""
GRACE_S = 4.0
"""Beyond half as much again as `timeout_s`, and the time to scroll: reading the page and its picture."""


class Visitor:
    """Pages of one sweep through the browser; `close` at its end."""

    def __init__(self, crawler: Crawler) -> None:
        spider: Any = crawler.spider
        self._spider, self._stats = spider, crawler.stats
        self._wanted = spider.platform.browser
        self._most_bytes = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self._gate = Gate(spider.guard, screen=screen(spider))
        self._lanes: Lanes | None = None
        self._starting = asyncio.Lock()

    async def visit(self, request: Request) -> Response:
        """The page of one request, its screenshot in `meta`. Raises Scrapy's faults of downloads."""
        lanes = await self._opened()
        try:
            lane = await lanes.take(self._guise(request))
        except BrowserLost as error:
            raise DownloadFailedError(str(error)) from error
        sound = False
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._wanted.timeout_s * 1.5 + self._wanted.scroll * 1.5 + GRACE_S):
                response = await self._visit(lane, request)
            sound = True
            return response
        except (TimeoutError, PlaywrightTimeout) as error:
            spent = asyncio.get_running_loop().time() - began
            if lane.loaded:  # it would spin again
                request.meta["dont_retry"] = True
                raise DownloadTimeoutError(f"the page came, but is busy without end: left after {spent:.0f} s") from error
            raise DownloadTimeoutError(f"the browser had no page after {spent:.0f} s") from error
        except FAULTS as error:
            raise self._fault(lane, error) from error
        finally:
            await asyncio.shield(lanes.give(lane, sound=sound))

    async def _visit(self, lane: Lane, request: Request) -> Response:
        before = sum(self._spider.guard.refused.values())
        referrer = request.headers.get(b"Referer")
        session = in_use(self._spider) if "session" in request.meta else None
        try:
            if session is not None:
                await dress(lane, session)
            seen = await load(lane, request.url, wanted=self._wanted, count=self._count, referrer=referrer.decode() if referrer else None)
        except PlaywrightError as error:
            if sum(self._spider.guard.refused.values()) > before and "ERR_TUNNEL" in error.message:
                raise OutsideInternet(f"{request.url[:200]}: leads to an address outside the public internet") from error
            raise
        if self._most_bytes and len(seen.body) > self._most_bytes:
            raise TooBig(f"{request.url[:200]}: the page grew to {len(seen.body)} bytes")
        if session is not None:
            session.jar.renew(await lane.context.cookies())
        self._count("browser_pages", 1)
        if self._stats is not None and self._lanes is not None:
            self._stats.max_value("sweep/browser_peak_mb", round(self._lanes.peak_mb))
        request.meta["screenshot"] = seen.screenshot
        return HtmlResponse(seen.url, status=seen.status, headers=seen.headers, body=seen.body, request=request, encoding="utf-8")

    def _fault(self, lane: Lane, error: Exception) -> Exception:
        """What happened, in words; whether it is worth a second try is in the type."""
        text = (str(error).splitlines() or [type(error).__name__])[0][:300]
        if lane.download or "Download is starting" in text:
            return NoPage("a download and no page; it was not taken")
        if "ERR_TOO_MANY_REDIRECTS" in text:
            return NoPage("redirects without end")
        if lane.crashed or "crashed" in text:
            return DownloadFailedError("the page's process crashed")
        if not isinstance(error, PlaywrightError) or "has been closed" in text or "Connection closed" in text:
            if self._lanes is not None and not (isinstance(error, PlaywrightError) and "has been closed" in text):
                self._lanes.lose("its driver is gone")
            why = self._lanes.why_lost if self._lanes else ""
            return DownloadFailedError(f"the browser ended{': ' + why if why else ''}; another one is started")
        return DownloadFailedError(text)

    def _guise(self, request: Request) -> Guise:
        view = VIEWS.get(request.meta.get("view") or "")
        agent = self._spider.deployment.user_agent
        if view is not None:
            return Guise(user_agent=view.agent(agent), width=view.width, height=view.height, phone=view.phone, fresh=True)
        return Guise(user_agent=agent, width=self._wanted.width, height=self._wanted.height)

    async def _opened(self) -> Lanes:
        async with self._starting:
            if self._lanes is None:
                path = find_browser(self._spider.deployment)
                if path is None:
                    raise IgnoreRequest(missing_browser(self._spider.deployment, platform=self._spider.platform.id))
                await self._gate.start()
                self._lanes = Lanes(
                    path=path, proxy=self._gate.address, block=self._wanted.block, lanes=self._spider.platform.pace.concurrency,
                    bound_mb=self._spider.deployment.browser_memory_mb, count=self._count,
                )  # fmt: skip
            return self._lanes

    def _count(self, name: str, by: int) -> None:
        if self._stats is not None and by:
            self._stats.inc_value(f"sweep/{name}", by)

    async def close(self) -> None:
        if self._lanes is not None:
            await self._lanes.close()
        await self._gate.close()
