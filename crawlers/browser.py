"""Pages that need JavaScript: a download handler over Playwright and the machine's Chromium.

HTTP first: only requests with `meta["browser"]` come here. Pages of one sweep share a few tabs, whose context is made anew every
RECYCLE pages, so that memory stays bounded; every connection goes through `crawlers.gate`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, Playwright, Route, async_playwright
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError
from scrapy.http import HtmlResponse, Request, Response

from crawlers.chromium import find_browser
from crawlers.gate import REFUSED_HEADER, Gate
from crawlers.middlewares import OutsideInternet, TooBig

log = logging.getLogger(__name__)

RECYCLE = 60
"""Pages of one context."""
TABS = 4
TALLEST_PX = 16_000
"""A full screenshot ends here: a scrolled feed can be a hundred screens."""
QUIET_MS = 2500
"""How long a page may go on loading where its file names nothing to wait for."""
GROWTH_MS = 1500
_KEPT_HEADERS = ("content-type", "date", "server", "last-modified", "retry-after")
_ARGUMENTS = (
    "--disable-quic", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync", "--no-first-run",
    "--disable-component-update", "--disable-extensions", "--mute-audio", "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--dns-prefetch-disable", "--disable-features=DnsOverHttps,AsyncDns",
)  # fmt: skip


class BrowserHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP handler, and a browser for the requests that ask for it."""

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        spider: Any = crawler.spider
        self._spider = spider
        self._wanted = self._spider.platform.browser
        self._most_bytes = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self._gate = Gate(self._spider.guard)
        self._lock = asyncio.Lock()
        self._tabs = asyncio.Semaphore(min(TABS, self._spider.platform.pace.concurrency))
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._context: BrowserContext | None = None
        self._used = self._busy = 0
        self._free: list[Page] = []

    async def download_request(self, request: Request) -> Response:
        if not request.meta.get("browser"):
            return await super().download_request(request)
        async with self._tabs:
            try:
                async with asyncio.timeout(self._wanted.timeout_s + 10):
                    return await self._visit(request)
            except (TimeoutError, PlaywrightTimeout) as error:
                raise DownloadTimeoutError(f"the browser had no page after {self._wanted.timeout_s:g} s") from error
            except PlaywrightError as error:
                raise DownloadFailedError(error.message.splitlines()[0][:300]) from error

    async def _visit(self, request: Request) -> Response:
        before = sum(self._spider.guard.refused.values())
        tab = await self._tab()
        sound = False
        try:
            answer = await tab.goto(request.url, wait_until="domcontentloaded", timeout=self._wanted.timeout_s * 1000)
            if answer is None or (answer.status == 403 and REFUSED_HEADER.lower() in answer.headers):
                raise OutsideInternet(f"{request.url[:200]}: leads to an address outside the public internet")
            await self._settle(tab)
            body = (await tab.content()).encode("utf-8", "replace")
            if self._most_bytes and len(body) > self._most_bytes:
                raise TooBig(f"{request.url[:200]}: the page grew to {len(body)} bytes")
            request.meta["screenshot"] = await self._shoot(tab)
            headers = {name: value for name, value in answer.headers.items() if name in _KEPT_HEADERS and "\n" not in value}
            headers["content-type"] = "text/html; charset=utf-8"  # of what the browser gives, not of what it got
            sound = True
            return HtmlResponse(tab.url, status=answer.status, headers=headers, body=body, request=request, encoding="utf-8")
        except PlaywrightError as error:
            if sum(self._spider.guard.refused.values()) > before and "ERR_TUNNEL" in error.message:
                raise OutsideInternet(f"{request.url[:200]}: leads to an address outside the public internet") from error
            raise
        finally:
            await asyncio.shield(self._give_back(tab, sound=sound))

    async def _settle(self, tab: Page) -> None:
        """Waits for what the platform names, then scrolls while more comes. What does not come shows as drift, not as a fault here."""
        with contextlib.suppress(PlaywrightTimeout):
            if self._wanted.wait_for:
                await tab.wait_for_selector(self._wanted.wait_for, state="attached", timeout=self._wanted.timeout_s * 400)
            else:
                await tab.wait_for_load_state("networkidle", timeout=QUIET_MS)
        with contextlib.suppress(PlaywrightTimeout):
            for _ in range(self._wanted.scroll):
                height = await tab.evaluate("() => document.documentElement.scrollHeight")
                await tab.evaluate("() => window.scrollTo(0, document.documentElement.scrollHeight)")
                await tab.wait_for_function("h => document.documentElement.scrollHeight > h", arg=height, timeout=GROWTH_MS)

    async def _shoot(self, tab: Page) -> bytes | None:
        if self._wanted.screenshot == "none":
            return None
        clip: Any = None
        if self._wanted.screenshot == "full":
            tall = int(await tab.evaluate("() => document.documentElement.scrollHeight"))
            clip = {"x": 0, "y": 0, "width": self._wanted.width, "height": min(max(tall, 1), TALLEST_PX)}
        try:
            return await tab.screenshot(full_page=clip is not None, clip=clip, animations="disabled", timeout=10_000)
        except PlaywrightError as error:
            log.warning("screenshot url=%s: %s", tab.url[:200], error.message.splitlines()[0])
            return None

    # --- tabs

    async def _tab(self) -> Page:
        async with self._lock:
            if self._context is None or (self._used >= RECYCLE and self._busy == 0):
                await self._renew()
            assert self._context is not None
            self._used += 1
            self._busy += 1
            try:
                return self._free.pop() if self._free else await self._context.new_page()
            except BaseException:
                self._busy -= 1
                raise

    async def _give_back(self, tab: Page, *, sound: bool) -> None:
        self._busy -= 1
        with contextlib.suppress(PlaywrightError):
            if sound and not tab.is_closed():
                await tab.goto("about:blank", timeout=5000)
                if self._context is not None:
                    await self._context.clear_cookies()
                self._free.append(tab)
                return
            await tab.close()
        if self._browser is not None and not self._browser.is_connected():
            self._context = None

    async def _renew(self) -> None:
        """A fresh context; a fresh browser too where there is none, or it has crashed."""
        self._free.clear()
        self._used = 0
        if self._context is not None:
            with contextlib.suppress(PlaywrightError):
                await self._context.close()
        if self._browser is None or not self._browser.is_connected():
            await self._launch()
        assert self._browser is not None
        platform = self._spider.platform
        self._context = await self._browser.new_context(
            user_agent=self._spider.deployment.user_agent, viewport={"width": platform.browser.width, "height": platform.browser.height},
            locale="zh-CN", timezone_id="Asia/Shanghai", service_workers="block", accept_downloads=False, ignore_https_errors=True,
        )  # fmt: skip
        if self._wanted.block:
            await self._context.route("**/*", self._screen)

    async def _screen(self, route: Route) -> None:
        with contextlib.suppress(PlaywrightError):
            if route.request.resource_type in self._wanted.block:
                await route.abort()
            else:
                await route.continue_()

    async def _launch(self) -> None:
        path = find_browser(self._spider.deployment)
        if not self._gate.address:
            await self._gate.start()
        if self._driver is None:
            self._driver = await async_playwright().start()
        self._browser = await self._driver.chromium.launch(
            executable_path=path, args=list(_ARGUMENTS), chromium_sandbox=False,
            # Chromium leaves loopback out of its proxy unless it is told not to.
            proxy={"server": self._gate.address, "bypass": "<-loopback>"},
        )  # fmt: skip
        log.info("browser path=%s version=%s", path, self._browser.version)

    async def close(self) -> None:
        for part in (self._context, self._browser):
            if part is not None:
                with contextlib.suppress(PlaywrightError, OSError):
                    await part.close()
        if self._driver is not None:
            await self._driver.stop()
        await self._gate.close()
        await super().close()
