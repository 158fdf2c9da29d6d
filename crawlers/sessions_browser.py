"""A session in the sweep's browser: its cookies and what it keeps for its hosts, for one page; and the gate, past which they do not stray.

A browser knows hosts and no ports, and follows redirects by itself. So cookies are narrowed before they are given to it, and the gate
takes them off requests over plain http, and refuses tunnels, to a port of the same host that is not the platform's.
"""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext

from crawlers.browsing import Lane
from crawlers.sessions_key import SessionFault
from crawlers.sessions_use import SessionInUse, session_of
from domain.errors import Refused

_dressed: weakref.WeakSet[BrowserContext] = weakref.WeakSet()
"""Contexts that have what the session keeps for its hosts already; their cookies are cleared after each page."""
_STORE = """(kept => { for (const one of kept) if (one.origin === location.origin)
  for (const item of one.localStorage) try { if (localStorage.getItem(item.name) === null) localStorage.setItem(item.name, item.value); }
  catch (error) {} })"""


async def dress(lane: Lane, session: SessionInUse) -> None:
    """Give the lane's tab the session, for the next page. Raises PlaywrightError."""
    if session.expired:
        return
    if session.origins and lane.context not in _dressed:
        await lane.context.add_init_script(f"{_STORE}({json.dumps(session.origins)})")
        _dressed.add(lane.context)
    await lane.context.add_cookies(session.jar.for_browser(now_s=time.time()))  # type: ignore[arg-type]  # a TypedDict's keys


def screen(spider: Any) -> Callable[[str, list[str]], list[str]] | None:
    """For the gate of a sweep with a session; None for others."""
    try:
        session = session_of(spider)
    except SessionFault:
        return None  # the sweep asks for nothing
    if session is None:
        return None
    hosts = {(urlsplit(f"//{entry}").hostname or "").lower() for entry in spider.platform.site}

    def kept(url: str, lines: list[str]) -> list[str]:
        if session.jar.may_go(url):
            return lines
        name = (urlsplit(url).hostname or "").lower()
        if url.startswith("https:") and any(name == host or name.endswith("." + host) for host in hosts):
            raise Refused(f"{url[:200]}: another port of a host that a session is used on; name it in hosts where it is the platform's")
        return [line for line in lines if line.partition(":")[0].strip().lower() not in ("cookie", "authorization")]

    return kept
