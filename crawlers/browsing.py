"""The browser of one sweep: a few lanes that load pages, contexts made anew, memory held to a bound, crashes survived.

A lane is a context with one tab. It is recycled after RECYCLE pages by itself, whatever the others do. Above `bound_mb` no new page
begins, and once the lanes are idle the browser and its driver are started anew; above HARD times that, the browser is ended at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.async_api import Browser, BrowserContext, CDPSession, Dialog, Page, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from crawlers.browsing_process import ARGUMENTS, BY_FLAG, drives, end_all, family, held_mb, hold

log = logging.getLogger(__name__)

RECYCLE = 40
"""Pages of one context: made anew it costs some 40 ms, a percent or so of as many pages."""
LANES = 4
HARD = 1.15
"""Times the bound at which the browser is ended at once, pages under way and all: a page that allocates without end."""
LOOK_S = 0.5
CLOSE_S = 5.0
"""A tab or a context that has not closed by then hangs with its browser, which is ended."""
OPEN_S = 20.0
STORM = 20
"""Dialogs, popups and downloads of one page after which its tab is thrown away."""
_BY_REQUEST = {"media": "Media", "stylesheet": "Stylesheet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guise:
    """What a site is told of the visitor."""

    user_agent: str
    width: int
    height: int
    phone: bool = False
    fresh: bool = False
    """Whether nothing of an earlier visit may be known: a context of its own."""


@dataclass(slots=True, eq=False)
class Lane:
    """One context with its tab. `tab` is used between `take` and `give` alone."""

    context: BrowserContext
    tab: Page
    guise: Guise
    used: int = 0
    noise: int = 0
    """Dialogs, popups and downloads since it was taken."""
    download: bool = False
    loaded: bool = False
    """Whether the page had come when something went wrong with it."""
    crashed: bool = False
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(_quietly(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


FAULTS = (PlaywrightError, RuntimeError, OSError)
"""What the library raises where the browser or its driver is gone: its own, and what a closed pipe raises."""


class BrowserLost(Exception):
    """The browser ended, or could not be started; another one is started for the next page."""


class Lanes:
    """`take` a lane, load one page in its tab, `give` it back; `close` at the end. `count(name, by)` hears what happens."""

    def __init__(
        self, *, path: Path, proxy: str, block: Sequence[str], lanes: int, bound_mb: float, count: Callable[[str, int], None]
    ) -> None:
        self._path, self._proxy, self._block, self.bound_mb, self._count = path, proxy, tuple(block), bound_mb, count
        self._slots = asyncio.Semaphore(min(LANES, lanes))
        self.turn = asyncio.Condition()
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._free: list[Lane] = []
        self._busy = 0
        self.heavy = self._lost = False
        self._family: list[psutil.Process] = []
        self._watch: asyncio.Task[None] | None = None
        self.peak_mb = 0.0
        self.why_lost = ""

    async def take(self, guise: Guise) -> Lane:
        """A lane for one page. Raises BrowserLost where none can be opened."""
        await self._slots.acquire()
        try:
            async with self.turn:
                await self.turn.wait_for(lambda: not self.heavy or not self._busy)
                lane = await self._ready(guise)
                self._busy += 1
        except BaseException:
            self._slots.release()
            raise
        lane.used, lane.noise, lane.download, lane.loaded = lane.used + 1, 0, False, False
        return lane

    async def give(self, lane: Lane, *, sound: bool) -> None:
        """Take a lane back; one that is not `sound`, has loaded its share, or was noisy is thrown away."""
        keep = sound and lane.used < RECYCLE and lane.noise < STORM and not lane.guise.fresh and not lane.crashed and self._standing
        try:
            if keep:
                try:
                    async with asyncio.timeout(CLOSE_S):
                        # Stops what still runs in it: a timer of this page must not lead the next one away.
                        await lane.tab.goto("about:blank", wait_until="commit")
                        await lane.context.clear_cookies()
                    self._free.append(lane)
                except (*FAULTS, TimeoutError):
                    keep = False
            if not keep:
                await self._drop(lane)
        finally:
            async with self.turn:
                self._busy -= 1
                self.turn.notify_all()
            self._slots.release()

    @property
    def _standing(self) -> bool:
        return self._browser is not None and not self._lost and self._browser.is_connected()

    def lose(self, why: str) -> None:
        """Give the browser up: what it answered last shows that it, or its driver, is gone."""
        if self._standing:
            self._kill(why, driver=True)

    async def _ready(self, guise: Guise) -> Lane:
        """A free lane of this guise, or a new one in a browser that stands and is not too heavy."""
        for _ in range(2):
            try:
                if self.heavy or not self._standing:
                    await self._restart()
                fitting = next((lane for lane in self._free if lane.guise == guise and not lane.crashed), None)
                if fitting is not None:
                    self._free.remove(fitting)
                    return fitting
                while self._free:  # of another guise: its room is wanted
                    await self._drop(self._free.pop())
                async with asyncio.timeout(OPEN_S):
                    return await self._open(guise)
            except (*FAULTS, TimeoutError) as error:
                log.warning("browser=unwell why=%s", str(error).splitlines()[0][:200] if str(error) else type(error).__name__)
                self._kill("it opens no page")
        raise BrowserLost(f"the browser opens no page ({self.why_lost}); look whether {self._path} runs on this machine")

    async def _open(self, guise: Guise) -> Lane:
        assert self._browser is not None
        context = await self._browser.new_context(
            user_agent=guise.user_agent, viewport={"width": guise.width, "height": guise.height}, is_mobile=guise.phone,
            has_touch=guise.phone, locale="zh-CN", timezone_id="Asia/Shanghai", service_workers="block", accept_downloads=False,
            ignore_https_errors=True,
        )  # fmt: skip
        tab = await context.new_page()
        lane = Lane(context=context, tab=tab, guise=guise)
        self._family = family()
        self._listen(lane)
        kinds = [_BY_REQUEST[name] for name in self._block if name in _BY_REQUEST]
        if kinds:
            await _bar(await context.new_cdp_session(tab), lane, kinds)
        return lane

    def _listen(self, lane: Lane) -> None:
        def noisy(name: str) -> None:
            lane.noise += 1
            self._count(name, 1)

        def dialog(one: Dialog) -> None:
            noisy("dialogs")
            lane.spawn(one.accept() if one.type == "beforeunload" else one.dismiss())

        def popup(one: Page) -> None:
            if one is not lane.tab:
                noisy("popups")
                lane.spawn(one.close())

        def download(one: Any) -> None:
            lane.download = True
            noisy("downloads")
            lane.spawn(one.cancel())

        def crash(_page: Page) -> None:
            lane.crashed = True
            self._count("crashes", 1)

        lane.context.on("page", popup)
        lane.tab.on("dialog", dialog)
        lane.tab.on("download", download)
        lane.tab.on("crash", crash)

    async def _drop(self, lane: Lane) -> None:
        self._count("recycled", 1)
        try:
            async with asyncio.timeout(CLOSE_S):
                await lane.context.close()
        except TimeoutError:
            self._kill("a page hangs and does not close")
        except Exception as error:  # a driver that is gone raises types of its own
            log.debug("browser lane=closed why=%s", error)

    # --- the process

    async def _restart(self) -> None:
        """End what there is and start a fresh browser with a fresh driver. Raises what Playwright raises."""
        again = self._browser is not None
        if self.heavy:
            log.info("browser=restarted why=%.0f MB are more than %.0f", self.held_mb(), self.bound_mb)
        await self._end()
        self._driver = await async_playwright().start()
        flags = [BY_FLAG[name] for name in self._block if name in BY_FLAG]
        async with asyncio.timeout(OPEN_S * 2):
            self._browser = await self._driver.chromium.launch(
                executable_path=self._path, args=[*ARGUMENTS, *flags], chromium_sandbox=False,
                # Chromium leaves loopback out of its proxy unless it is told not to.
                proxy={"server": self._proxy, "bypass": "<-loopback>"},
            )  # fmt: skip
        self._family = family()
        hold(self._family)
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._look())
        if again:
            self._count("restarted", 1)
        else:
            log.info("browser path=%s version=%s", self._path, self._browser.version)

    async def _end(self) -> None:
        browser, driver = self._browser, self._driver
        self._free.clear()
        self._browser = self._driver = None
        self.heavy = self._lost = False
        for close in (browser.close if browser else None, driver.stop if driver else None):
            if close is not None:
                with contextlib.suppress(Exception):  # a driver that is gone raises types of its own
                    async with asyncio.timeout(CLOSE_S):
                        await close()
        end_all(self._family)

    def _kill(self, why: str, *, driver: bool = False) -> None:
        """End the browser at once. Its driver lives on to tell the pages under way, unless it is what failed."""
        self.why_lost, self._lost = why, True
        log.warning("browser=ended why=%s", why)
        self._count("killed", 1)
        end_all([one for one in family() if driver or not drives(one)])

    def held_mb(self) -> float:
        return held_mb(self._family)

    async def _look(self) -> None:
        """Every LOOK_S: how much the browser holds. The list of its processes is taken every fourth time: that is what costs."""
        turn = 0
        while True:
            await asyncio.sleep(LOOK_S)
            turn += 1
            if turn % 4 == 0:
                self._family = family()
            held = self.held_mb()
            self.peak_mb = max(self.peak_mb, held)
            if held > self.bound_mb * HARD:
                self._kill(f"it holds {held:.0f} MB, more than {self.bound_mb * HARD:.0f}")
            elif held > self.bound_mb and not self.heavy:
                self.heavy = True
                async with self.turn:
                    self.turn.notify_all()

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._browser is not None or self._driver is not None:
            await self._end()


async def _bar(session: CDPSession, lane: Lane, kinds: Sequence[str]) -> None:
    """Refuse requests of these kinds. By the protocol itself: a route over everything would send each request through the driver."""

    def refuse(event: dict[str, Any]) -> None:
        lane.spawn(session.send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "BlockedByClient"}))

    session.on("Fetch.requestPaused", refuse)
    await session.send("Fetch.enable", {"patterns": [{"resourceType": kind, "requestStage": "Request"} for kind in kinds]})


async def _quietly(work: Any) -> None:
    with contextlib.suppress(*FAULTS):
        await work
