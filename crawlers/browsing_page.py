"""What the browser does on one page: goes there, waits, scrolls while more comes, takes the page and its picture."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeout
from scrapy.exceptions import IgnoreRequest

from crawlers.browsing import Lane
from crawlers.gate import REFUSED_HEADER
from crawlers.middlewares import OutsideInternet

log = logging.getLogger(__name__)

TALLEST_PX = 16_000
"""A full screenshot ends here: a scrolled feed can be a hundred screens, and Chromium draws no taller."""
QUIET_MS = 2500
"""How long a page may go on loading where its file names nothing to wait for."""
GROWTH_MS = 1500
SHOT_MS = 10_000
_KEPT_HEADERS = ("content-type", "date", "server", "last-modified", "retry-after")
# Feeds scroll the window, or a box of their own: the tallest box counts beside the document, and its words beside its height, since
# some lists reuse their rows.
_STATE = """() => {
  const root = document.scrollingElement || document.documentElement; let box = null;
  for (const one of document.querySelectorAll('div,main,section,ul')) {
    if (one.scrollHeight > one.clientHeight + 200 && one.clientHeight > 200 && (!box || one.scrollHeight > box.scrollHeight)
        && /auto|scroll/.test(getComputedStyle(one).overflowY)) box = one;
  }
  return [root, box];
}"""
_DOWN = f"""() => {{
  const [root, box] = ({_STATE})();
  const size = root.scrollHeight + ':' + (box ? box.scrollHeight : 0) + ':' + document.getElementsByTagName('*').length;
  window.scrollTo(0, root.scrollHeight); if (box) box.scrollTop = box.scrollHeight;
  return size;
}}"""
_GREW = f"""before => {{
  const [root, box] = ({_STATE})();
  return before !== root.scrollHeight + ':' + (box ? box.scrollHeight : 0) + ':' + document.getElementsByTagName('*').length;
}}"""


class NoPage(IgnoreRequest):
    """What stands there is no page, and asking again would not make it one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One page as the browser had it in the end."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    """The document after its scripts ran, as UTF-8."""
    screenshot: bytes | None


async def load(lane: Lane, url: str, *, wanted: Any, count: Callable[[str, int], None], referrer: str | None = None) -> Seen:
    """The page at `url` as `wanted` (a platform's `browser`) says.

    Raises PlaywrightError, OutsideInternet where the gate refused it, TimeoutError.
    """
    tab = lane.tab
    answer = await tab.goto(url, wait_until="domcontentloaded", timeout=wanted.timeout_s * 1000, referer=referrer)
    if answer is None or (answer.status == 403 and REFUSED_HEADER.lower() in answer.headers):
        raise OutsideInternet(f"{url[:200]}: leads to an address outside the public internet")
    lane.loaded = True
    await _settle(tab, wanted)
    count("scrolls", await _scroll(tab, wanted.scroll))
    body = (await tab.content()).encode("utf-8", "replace")
    shot = await _shoot(tab, wanted, width=lane.guise.width, count=count)
    headers = {name: value for name, value in answer.headers.items() if name in _KEPT_HEADERS and "\n" not in value}
    headers["content-type"] = "text/html; charset=utf-8"  # of what the browser gives, not of what it got
    return Seen(url=tab.url, status=answer.status, headers=headers, body=body, screenshot=shot)


async def _settle(tab: Page, wanted: Any) -> None:
    """Waits for what the platform names. What does not come shows as drift, not as a fault here."""
    with contextlib.suppress(PlaywrightTimeout):
        if wanted.wait_for:
            await tab.wait_for_selector(wanted.wait_for, state="attached", timeout=wanted.timeout_s * 400)
        else:
            await tab.wait_for_load_state("networkidle", timeout=QUIET_MS)


async def _scroll(tab: Page, times: int) -> int:
    """Scrolls to the end while more comes, `times` at most: how often more came. A feed without end stops there, or in time."""
    came = 0
    deadline = asyncio.get_running_loop().time() + times * GROWTH_MS / 1000
    while came < times and asyncio.get_running_loop().time() < deadline:
        before = await tab.evaluate(_DOWN)
        try:
            await tab.wait_for_function(_GREW, arg=before, timeout=GROWTH_MS)
        except PlaywrightTimeout:
            break
        came += 1
    return came


async def _shoot(tab: Page, wanted: Any, *, width: int, count: Callable[[str, int], None]) -> bytes | None:
    if wanted.screenshot == "none":
        return None
    clip: Any = None
    if wanted.screenshot == "full":
        tall = int(await tab.evaluate("() => document.documentElement.scrollHeight"))
        if tall > TALLEST_PX:
            count("shots_cut", 1)
            log.info("screenshot url=%s cut: %d of %d px", tab.url[:200], TALLEST_PX, tall)
        clip = {"x": 0, "y": 0, "width": width, "height": min(max(tall, 1), TALLEST_PX)}
    try:
        return await tab.screenshot(
            full_page=clip is not None, clip=clip, animations="disabled", timeout=min(SHOT_MS, wanted.timeout_s * 1000)
        )
    except PlaywrightError as error:
        log.warning("screenshot url=%s: %s", tab.url[:200], error.message.splitlines()[0])
        return None
