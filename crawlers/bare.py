"""The named peer of `wangxun bench patrol`: a Scrapy spider that does the same selector extraction and keeps nothing.

Scrapy's own defaults but for the pace, which is that of the platform it is measured against. Never used on patrol.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import scrapy
from scrapy.http import Response
from selectolax.lexbor import LexborHTMLParser

FIELDS = ((".t a", None), (".b", None), (".w", None), (".d", None), (".t a", "href"))
"""What `patrol.bench.site` serves an item: title, body, author, time, address."""


class BareSpider(scrapy.Spider):
    """`-a start=http://127.0.0.1:N/list?page= -a pages=400`; prints nothing, keeps nothing."""

    name = "bare"
    custom_settings = {  # noqa: RUF012 - Scrapy's own way
        "LOG_LEVEL": "WARNING", "TELNETCONSOLE_ENABLED": False, "CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "DOWNLOAD_DELAY": 0, "ROBOTSTXT_OBEY": False, "ITEM_PIPELINES": {}, "DOWNLOADER_MIDDLEWARES": {}, "SPIDER_MIDDLEWARES": {},
        "EXTENSIONS": {}, "DOWNLOAD_HANDLERS": {},
    }  # fmt: skip

    def __init__(self, start: str, pages: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first, self.pages, self.found = start, int(pages), 0

    async def start(self) -> AsyncIterator[Any]:
        for page in range(1, self.pages + 1):
            yield scrapy.Request(f"{self.first}{page}")

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        tree = LexborHTMLParser(response.body)
        for item in tree.css(".item"):
            row = []
            for query, attribute in FIELDS:
                node = item.css_first(query)
                row.append((node.attributes.get(attribute) if attribute else node.text()) if node else None)
            self.found += 1
        return iter(())
