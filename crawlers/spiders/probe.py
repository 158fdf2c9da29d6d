"""The probe's spider: `scrapy crawl probe -a errand=FILE -a pages=FILE`. One request at a time, under the patrol's own rules.

The same guard, robots.txt, pace and User-Agent as a sweep; nothing is kept but the file that the caller reads.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.answers import charset_of, is_text, mime_of
from crawlers.feeds import unpacked
from crawlers.guard import Guard
from crawlers.loader import PACKAGED, platform_folders
from crawlers.probe import Probe
from crawlers.probe_pages import Errand, Fetched, Robots, Why, row_of, without_body
from crawlers.sweeping import configure, failure_of
from domain.settings import Settings
from domain.settings import load as load_settings

log = logging.getLogger(__name__)


class ProbeSpider(Spider):
    """Yields nothing: its pages go into the file that the caller named."""

    name = "probe"
    custom_settings = {  # noqa: RUF012 - Scrapy's own way
        "ITEM_PIPELINES": {}, "SPIDER_MIDDLEWARES_BASE": {}, "RETRY_TIMES": 0,
    }  # fmt: skip

    def __init__(self, *, probe: Probe, guard: Guard, deployment: Settings, out: Path) -> None:
        super().__init__()
        self.probe, self.guard, self.deployment, self.out = probe, guard, deployment, out
        self.platform = probe.platform

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> ProbeSpider:
        settings = load_settings()
        errand = Errand.read(Path(kwargs.pop("errand")))
        probe = Probe(errand, folders=list(dict.fromkeys((PACKAGED, *platform_folders(settings)))))
        spider = cls(probe=probe, guard=Guard(errand.allow), deployment=settings, out=Path(kwargs.pop("pages")))
        configure(crawler, spider.platform, settings)
        crawler.signals.connect(spider.robots_parsed, signals.robots_parsed)
        spider._set_crawler(crawler)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        for request in self._next():
            yield request

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """Sitemaps and the pace that the site asks for."""
        rules = getattr(robotparser, "rp", None)
        if rules is None or not self.probe.platform.owns(request.url):
            return
        agent = str(self.crawler.settings["USER_AGENT"])
        said = Robots(sitemaps=tuple(rules.sitemaps)[:3], delay_s=float(rules.crawl_delay(agent) or 0))
        self.probe.robots = said
        self._write(row_of(said))

    def _next(self) -> Iterator[Request]:
        wanted = self.probe.next()
        if wanted is None:
            return
        meta = {"role": wanted.role, "why": wanted.why, "asked": wanted.url, "depth": 0, "hints": None}
        try:
            yield Request(wanted.url, callback=self.parse, errback=self.failed, meta=meta, dont_filter=True)
        except ValueError as error:
            self._took(self._blank(wanted.url, wanted.why, wanted.role, fault="errors", reason=str(error)[:200]))
            yield from self._next()

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        meta = response.meta
        body = unpacked(response.body)
        one = Fetched(
            asked=meta["asked"], url=response.url, why=meta["why"], role=meta["role"], at=datetime.now(UTC), status=response.status,
            declared=charset_of(response), mime=mime_of(response) or "", body=body, browser=bool(meta.get("browser")),
        )  # fmt: skip
        if not is_text(response) and body is response.body:
            one = without_body(one, fault="not_text", reason=one.mime or "bytes that are no text")
        self._took(one)
        yield from self._next()

    def failed(self, failure: Any) -> Iterator[Any]:
        """No answer: noted with its reason, and the next page is asked for."""
        name, reason = failure_of(failure.value)
        meta = failure.request.meta
        log.info("probe url=%s kind=%s: %s", failure.request.url[:200], name, reason)
        self._took(self._blank(meta["asked"], meta["why"], meta["role"], fault=name, reason=reason))
        yield from self._next()

    def _blank(self, url: str, why: Why, role: Any, *, fault: str, reason: str) -> Fetched:
        return Fetched(asked=url, url=url, why=why, role=role, at=datetime.now(UTC), fault=fault, reason=reason)

    def _took(self, one: Fetched) -> None:
        self._write(row_of(one))
        self.probe.took(one)

    def _write(self, row: str) -> None:
        with self.out.open("a", encoding="utf-8") as stream:
            stream.write(row)
