"""Which sources a sweep begins with, by whom each later page was asked for, and the one hop to a promoted page.

The file that `-a sources=FILE` names holds JSON lines: `{"url", "source", "query"}`, the address, the number of its source, and that of
its query or null.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response

from crawlers.answers import charset_of, headers_of, is_text, mime_of
from crawlers.extract import Follow
from crawlers.gather import gather
from domain.identity import canonical_url
from domain.model import Harvest

log = logging.getLogger(__name__)

HOPS_EACH = 30
"""Promoted pages read behind one page of results: more than it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """One address that a sweep begins with, and for whom."""

    url: str
    source: int
    query: int | None = None
    entry: bool = True
    origin: str | None = None


def read_beginnings(path: Path) -> list[Beginning]:
    """Of a sources file; broken lines are left out and logged."""
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(text)
            query = row.get("query")
            found.append(Beginning(url=str(row["url"]), source=int(row["source"]), query=None if query is None else int(query)))
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("sources file=%s line=%d is no JSON object with url and source", path, number)
    return found


def beginnings(spider: Any) -> list[Beginning] | None:
    """Of the spider's sources file; None without one, or where it cannot be read."""
    path = getattr(spider, "sources", None)
    if not path:
        return None
    try:
        return read_beginnings(Path(path))
    except (OSError, UnicodeDecodeError) as error:
        log.error("sources file=%s unread why=%s", path, error)
        return None


def begin_with(spider: Any) -> tuple[str, ...]:
    """Addresses that a sweep of `spider` begins with: those of its sources file, else all of its platform.

    Without a file there is nobody who draws queries, so a platform whose queries rotate begins nowhere.
    """
    given = beginnings(spider)
    if given is not None:
        return tuple(one.url for one in given)
    return () if spider.platform.rotates else tuple(spider.platform.entries)


class SourceMiddleware:
    """Notes for every request by whose page it was asked for (`of`), and follows results to what they promote.

    Not there for sweeps that need neither: it is time on every page.
    """

    def __init__(self, crawler: Crawler) -> None:
        spider: Any = crawler.spider
        self._crawler = crawler
        self._given = {one.url: one for one in beginnings(spider) or ()}
        self._promotes = getattr(spider.platform, "follow", "none") == "promoted" and getattr(spider, "visit", None) is None
        if not self._given and not self._promotes:
            raise NotConfigured
        self.of: dict[str, Beginning] = dict(self._given)
        self._hopped: set[str] = set()
        spider.whence = self.of
        spider.failed_for = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SourceMiddleware:
        return cls(crawler)

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        whence = self.of.get(response.meta.get("asked", ""))
        async for one in result:
            if isinstance(one, Request):
                self._note(one, whence)
            yield one
            if self._promotes and isinstance(one, Harvest):
                for hop in self._hops(one, response):
                    self._note(hop, replace(whence, origin=one.capture.url) if whence else None)
                    yield hop

    def _note(self, request: Request, whence: Beginning | None) -> None:
        asked = request.meta.get("asked")
        if whence is not None and asked and asked not in self.of:
            self.of[asked] = whence if whence.entry is False else replace(whence, entry=False)

    # --- the one hop

    def _hops(self, harvest: Harvest, response: Response) -> Iterator[Request]:
        """Requests for the pages behind results. The guard, robots.txt and each host's pace hold for them as for any page."""
        spider: Any = self._crawler.spider
        if response.meta.get("hop") or harvest.capture.status >= 400:
            return
        for posting in harvest.postings[:HOPS_EACH]:
            address = posting.url
            if not address.startswith(("http://", "https://")) or address.partition("#")[0] == response.url.partition("#")[0]:
                continue
            try:
                known = canonical_url(address)
                if known in self._hopped:
                    continue
                if len(self.of) + len(self._hopped) >= spider.platform.budget.pages:
                    self._count("over_budget")
                    return
                request = spider._request(Follow(url=address, role="visit"), depth=0)
            except ValueError:
                self._count("errors")
                continue
            self._hopped.add(known)
            request.meta["hop"] = True
            yield request.replace(callback=self.promoted)

    def promoted(self, response: Response, **_: Any) -> Iterator[Any]:
        """The promoted page as the platform that owns it reads it, else in general. Its walls are its own: the sweep goes on."""
        spider: Any = self._crawler.spider
        if not is_text(response):
            self._count("not_html")
            return
        others = {name: one for name, one in spider.others.items() if not one.rotates and one.kind != "search"}
        found = gather(
            response.body, url=response.url, platforms=others, fetched_at=datetime.now(UTC), status=response.status,
            mime=mime_of(response) or "text/html", via="http", declared=charset_of(response), response_headers=headers_of(response),
        )  # fmt: skip
        self._count("promoted")
        self._count("postings", len(found.postings))
        asked = response.meta["asked"]
        yield replace(found, capture=replace(found.capture, url=asked), request_headers=headers_of(response.request))

    def _count(self, name: str, by: int = 1) -> None:
        assert self._crawler.stats is not None
        self._crawler.stats.inc_value(f"sweep/{name}", by)
