"""A person logs in: a browser that can be seen, at the platform's login page; what it holds afterwards is the session.

The browser's profile is in memory alone. Nobody but the person types, and no captcha is solved for them.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from crawlers.sessions_key import SessionFault
from domain.settings import Settings

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge-stable")
"""Browsers with a window; the headless shell has none."""
LOOK_MS = 400
WAY_OUT = "log in on a machine with a screen, save there with Playwright's context.storage_state(path=FILE), and give it: --from FILE"


def find_window(settings: Settings) -> Path:
    """A browser that can be seen. Raises SessionFault, with the way out, where there is no screen or no such browser."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SessionFault(f"sessions add: no display here (neither DISPLAY nor WAYLAND_DISPLAY is set); {WAY_OUT}")
    named = settings.browser_path
    if named is not None and "headless" not in named.name:
        if named.is_file():
            return named
        raise SessionFault(f"sessions add: {named}: no such browser; mend WANGXUN_BROWSER_PATH, or {WAY_OUT}")
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    inside = sorted(cache.glob("chromium-*/chrome-*/chrome")) if cache.is_dir() else []
    if inside:
        return inside[-1]
    raise SessionFault(f"sessions add: no browser with a window ({', '.join(NAMES)}); apt-get install chromium, or {WAY_OUT}")


def enter(url: str, *, browser: Path, done: Callable[[], bool], headless: bool = False, seen: Callable[[Any], None] | None = None) -> Any:
    """Open `url`, wait until `done` says so or the person closes the window: the storage_state then.

    `seen` is given the page once it stands. `headless` is for tests, whose person is a script. Raises SessionFault where the browser
    does not start or went away before anything was to be seen.
    """
    state: Any = None
    try:
        with sync_playwright() as driver:
            window = driver.chromium.launch(executable_path=browser, headless=headless, args=["--no-first-run", "--disable-sync"])
            context = window.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", no_viewport=True)
            tab = context.new_page()
            tab.goto(url, wait_until="commit")
            state = _watched(context, tab, done=done, seen=seen)
            window.close()
    except PlaywrightError as error:
        if state is None:
            why = (str(error).splitlines() or ["no reason"])[0][:200]
            raise SessionFault(f"sessions add: the browser gave nothing ({why}); look whether {browser} runs here, or {WAY_OUT}") from None
    return state


def _watched(context: Any, tab: Any, *, done: Callable[[], bool], seen: Callable[[Any], None] | None) -> Any:
    """Look every LOOK_MS, so that there is a state where the window was closed without another word."""
    state: Any = None
    try:
        if seen is not None:
            seen(tab)
        while True:
            state = context.storage_state()
            if done() or not context.pages:
                return state
            context.pages[0].wait_for_timeout(LOOK_MS)
    except PlaywrightError:
        if state is None:
            raise
        return state
