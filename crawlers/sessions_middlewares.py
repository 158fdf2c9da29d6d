"""A session at work: its cookies put on requests and taken off again, its expiry noticed, what was left asked first.

Three places in a sweep, one `SessionInUse`: next to the network the cookies (what goes further in has none), further in the page's bytes
(a page that shows a value of the session is kept with asterisks in its place), and around the spider what waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from crawlers.answers import charset_of
from crawlers.page import Page
from crawlers.reading import Follow
from crawlers.sessions_key import SessionFault
from crawlers.sessions_use import ROLES, SENT, SessionInUse, session_of
from crawlers.walls import wall_of

log = logging.getLogger(__name__)

MASKED = "X-Wangxun-Masked"
"""Header of a kept page in which so many values of the session were covered."""
_PRIVATE = (b"Cookie", b"Set-Cookie", b"Set-Cookie2", b"Authorization", b"Proxy-Authorization", b"Www-Authenticate")


class _Part:
    """What stands in a sweep with a session, and is not there in others."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.spider: Any = crawler.spider
        self.fault = ""
        if getattr(getattr(self.spider, "platform", None), "session", None) is None:
            raise NotConfigured
        self._session: SessionInUse | None = None
        try:
            self._session = session_of(self.spider)
        except SessionFault as error:
            self.fault = str(error)

    @property
    def session(self) -> SessionInUse:
        if self._session is None:
            raise IgnoreRequest(self.fault)
        return self._session

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        return cls(crawler)


class CookieMiddleware(_Part):
    """Next to the network: cookies on at the last moment, and off before anything else sees the answer."""

    def process_request(self, request: Request) -> None:
        request.headers.pop(b"Cookie", None)
        request.meta.pop("session", None)
        if self.session.expired:
            raise IgnoreRequest("the session has expired: nothing more is asked for")
        cookie = self.session.cookie(request)
        if cookie:
            request.meta[SENT] = True
        if cookie and request.meta.get("browser"):
            request.meta["session"] = f"session:{self.session.entry.name}/browser"
        elif cookie:
            request.headers[b"Cookie"] = cookie.encode("utf-8")
            request.meta["session"] = f"session:{self.session.entry.name}"

    def process_response(self, request: Request, response: Response) -> Response:
        lines = [line.decode("utf-8", "replace") for line in response.headers.getlist(b"Set-Cookie")]
        if lines and "session" in request.meta:
            self.session.jar.take(response.url, lines)
        for name in _PRIVATE:
            request.headers.pop(name, None)
            response.headers.pop(name, None)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        request.headers.pop(b"Cookie", None)


class MaskMiddleware(_Part):
    """Further in: no value of the session stands in an address that is asked for, or in a page that is kept."""

    def process_request(self, request: Request) -> None:
        address = request.url.encode("utf-8", "replace")
        if any(secret in address for secret in self.session.jar.secrets()):
            raise IgnoreRequest("an address with a value of the session in it; it would stand in the evidence")

    def process_response(self, request: Request, response: Response) -> Response:
        body, times = response.body, 0
        for secret in self.session.jar.secrets():
            if secret in body:
                times += body.count(secret)
                body = body.replace(secret, b"*" * len(secret))
        if not times:
            return response
        assert self._crawler.stats is not None
        self._crawler.stats.inc_value("sweep/session_masked")
        found = response.replace(body=body)
        found.headers[MASKED] = str(times)
        return found


class SessionMiddleware(_Part):
    """Around the spider: whether the session is good, what an earlier sweep left, and what this one still has before it."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._left: dict[str, tuple[Follow, int]] = {}
        self._began = False
        crawler.signals.connect(self.closed, signals.spider_closed)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        if self.fault:
            self.spider._give_up(self.fault)
            return
        session = self.session
        if not session.jar.living(time.time()):
            self._end(session.expire("all its cookies have ended"), kind="login")
        elif await self._good(session):
            self._began = True
            left = self._left = {follow.url: (follow, depth) for follow, depth in session.left()}
            for follow, depth in left.values():
                self.spider.course.began(follow.url)
                with suppress(ValueError):
                    request = self.spider._request(follow, depth=depth)
                    session.waiting[follow.url] = follow, depth
                    self._count("session_resumed")
                    yield request.replace(priority=request.priority + 900)
            async for request in start:
                asked = request.meta.get("asked")
                if asked not in left:
                    self._note(session, request)
                    yield request
            return
        # Addresses of this sweep are left as well, where another was not.
        async for request in start:
            self._note(session, request)
        for follow, depth in session.left():
            session.waiting.setdefault(follow.url, (follow, depth))
        session.note_waiting()

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        session = self.session
        async for one in result:
            if isinstance(one, Request):
                self._note(session, one)
            yield one
        if not session.expired:
            session.waiting.pop(response.meta.get("asked", ""), None)

    def _note(self, session: SessionInUse, request: Request) -> None:
        meta = request.meta
        if request.callback == self.spider.parse and meta.get("role") in ROLES and "view" not in meta:
            follow = Follow(url=meta["asked"], role=meta["role"], hints=meta.get("hints"), worth=min(max(0, request.priority), 100))
            session.waiting[follow.url] = follow, int(meta.get("depth", 0))

    async def _good(self, session: SessionInUse) -> bool:
        """Whether the page that the platform names shows that we are logged in; not kept, and not asked for where none is named."""
        use = self.spider.platform.session
        if use.check is None:
            return True
        request = self.spider._request(Follow(url=use.check, role="start"), depth=0).replace(callback=NO_CALLBACK, errback=None)
        assert self._crawler.engine is not None
        try:
            response = await self._crawler.engine.download_async(request)
        except Exception as error:  # whatever a download may raise: the check could not be made, which is no expiry
            self.spider._give_up(f"session {session.entry.name}: its check page did not come ({str(error)[:200] or type(error).__name__})")
            return False
        page = Page(response.body, url=response.url, declared=charset_of(response))
        wall = wall_of(self.spider.platform, page, status=response.status, asked=use.check, found=False)
        if wall is not None and wall[0] != "login":
            self._end(f"{wall[0]}: {wall[1][:80]}", kind=wall[0])
        elif wall is None and response.status >= 400:
            self.spider._give_up(f"session {session.entry.name}: its check page answers {response.status}")
        elif wall is not None or page.tree.css_first(use.must) is None:
            self._end(session.expire(f"{wall[0]}: {wall[1][:80]}" if wall else f"nothing is at {use.must}"), kind="login")
        else:
            return True
        return False

    def _end(self, why: str, *, kind: str) -> None:
        assert self._crawler.stats is not None
        self._count("login_wall" if kind == "login" else "blocked")
        self._crawler.stats.set_value("sweep/why", why)

    def closed(self, spider: Any, reason: str) -> None:
        """Where the session expired, what this sweep had before it is left; else what is still open of what an earlier one left."""
        if self._session is None:
            return
        try:
            if self._session.expired:
                self._session.note_waiting()
            elif self._began and self._left:
                over = reason == "finished"
                self._session.note_left([] if over else [step for url, step in self._left.items() if url in self._session.waiting])
        except (OSError, SessionFault) as error:
            log.error("session=%s waiting=unwritten why=%s", self._session.entry.name, error)

    def _count(self, name: str) -> None:
        assert self._crawler.stats is not None
        self._crawler.stats.inc_value(f"sweep/{name}")
