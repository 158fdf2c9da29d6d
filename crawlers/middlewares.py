"""What stands between the engine and the network: the guard, patience with busy sites, bodies that lie about their packing."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Request, Response
from scrapy.utils._compression import _DecompressionMaxSizeExceeded

from crawlers.guard import Guard
from domain.errors import Refused

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0
"""A Retry-After beyond this is not waited for: the response stands, and the next sweep comes after it."""
LONGEST_DELAY_S = 3600.0
"""A Crawl-delay beyond this is taken for this: one page an hour is what no site asks to be undercut."""
LONGEST_TOLD_S = 86400.0
"""A Retry-After beyond a day is taken for one: a wrong date must not silence a platform for years."""
WAITS = 2


class OutsideInternet(IgnoreRequest):
    """The guard refused the address."""


class TooBig(IgnoreRequest):
    """The body grew past the limit while it was unpacked."""


def _spider_guard(crawler: Crawler) -> Guard:
    guard = getattr(crawler.spider, "guard", None)
    return guard if isinstance(guard, Guard) else Guard()


class GuardMiddleware:
    """Refuses addresses before anything is asked of them; redirects and robots.txt come through here too."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        try:
            _spider_guard(self._crawler).check(request.url)
        except Refused as error:
            raise OutsideInternet(str(error)) from error


class PatienceMiddleware:
    """Waits as long as a busy site asks (429, or 503 with Retry-After), for all requests to that host; twice at most."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._until: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PatienceMiddleware:
        patience = cls(crawler)
        crawler.signals.connect(patience.robots_parsed, signals.robots_parsed)
        return patience

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """A Crawl-delay slows this host's requests down, as far as LONGEST_DELAY_S; it never makes them faster."""
        rules, agent = getattr(robotparser, "rp", None), str(self._crawler.settings["USER_AGENT"])
        delay_s = min(float((rules.crawl_delay(agent) if rules is not None else None) or 0), LONGEST_DELAY_S)
        engine = self._crawler.engine
        if not delay_s or engine is None:
            return
        self._tell(request, "crawl_delay_s", delay_s)
        for key, slot in engine.downloader.slots.items():
            if key == urlsplit(request.url).hostname:
                slot.delay = max(slot.delay, delay_s)
        for extension in getattr(self._crawler.extensions, "middlewares", ()):
            if isinstance(extension, AutoThrottle):
                extension.mindelay = max(extension.mindelay, delay_s)
                extension.maxdelay = max(extension.maxdelay, delay_s)  # or it would cut a longer delay down to its own

    def _tell(self, request: Request, name: str, seconds: float) -> None:
        """What the platform itself asks of us, for the schedule; a page that a result led to speaks for its own site alone."""
        platform, stats = getattr(self._crawler.spider, "platform", None), self._crawler.stats
        if stats is not None and (platform is None or platform.owns(request.url)):
            stats.max_value(f"sweep/{name}", math.ceil(seconds))

    async def process_request(self, request: Request) -> None:
        if not self._until:
            return
        wait = self._until.get(urlsplit(request.url).netloc, 0.0) - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        named = response.headers.get(b"Retry-After")
        if response.status != 429 and not (response.status == 503 and named):
            return response
        assert self._crawler.stats is not None
        self._crawler.stats.inc_value("sweep/asked_to_wait")
        waited = request.meta.get("waited", 0)
        wait = retry_after_s(named.decode("latin-1") if named else "")
        if wait is None:
            wait = 5.0 * 2**waited
        if waited >= WAITS or wait > LONGEST_WAIT_S or request.meta.get("dont_retry"):
            self._tell(request, "come_again_s", min(wait, LONGEST_TOLD_S))
            return response
        self._until[urlsplit(request.url).netloc] = time.monotonic() + wait
        again = request.replace(dont_filter=True, priority=request.priority - 1)
        again.meta["waited"] = waited + 1
        return again

    def process_exception(self, request: Request, exception: Exception) -> None:
        # Stands closer to the network than the retry middleware: a name that the guard kept back is not asked for again.
        host = (urlsplit(request.url).hostname or "").lower()
        if isinstance(exception, CannotResolveHostError) and host in _spider_guard(self._crawler).refused:
            raise OutsideInternet(f"{host}: resolves to an address outside the public internet") from exception


def retry_after_s(value: str) -> float | None:
    """Seconds that a Retry-After header names, as a number or as a date; None where it names nothing."""
    value = value.strip()
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


class RedirectQuietlyMiddleware(RedirectMiddleware):
    """Scrapy's redirects without a Referer: a patrol does not say where it comes from."""

    def handle_referer(self, request: Request, response: Response) -> None:
        request.headers.pop(b"Referer", None)

    def _engine_started(self) -> None:
        """Scrapy's own warns here where its Referer middleware is missing."""


class UnpackMiddleware(HttpCompressionMiddleware):
    """Scrapy's decompression, but a body that is not what it declares is taken as it came, and counted."""

    def process_response(self, request: Request, response: Response, spider: Any = None) -> Request | Response:
        try:
            return super().process_response(request, response)
        except IgnoreRequest as error:
            raise TooBig(str(error)) from error

    def _handle_encoding(self, body: bytes, content_encoding: list[bytes], max_size: int) -> tuple[bytes, list[bytes]]:
        try:
            return super()._handle_encoding(body, content_encoding, max_size)
        except _DecompressionMaxSizeExceeded:
            raise
        except Exception as error:  # each codec raises types of its own
            if self.stats is not None:
                self.stats.inc_value("sweep/misdeclared")
            log.info("body is not %r as declared: %s", content_encoding, error)
            return body, []
