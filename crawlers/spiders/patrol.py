"""The one spider: `scrapy crawl patrol -a platform=ID -a sweep=ID [-a visit=FILE]`. What differs lies in the platform's file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.answers import charset_of, is_picture, is_text, is_video
from crawlers.api import read_json
from crawlers.chromium import find_browser, missing_browser
from crawlers.course import Course, Step
from crawlers.extract import Follow, Hints, Reading, Role, read
from crawlers.feeds import unpacked
from crawlers.gather import platform_for
from crawlers.guard import Guard
from crawlers.harvesting import page_harvest, picture_harvest
from crawlers.loader import load_sound, platform_folders
from crawlers.page import Page
from crawlers.platform import PlatformFile
from crawlers.sessions_use import told, unmarked
from crawlers.sources import begin_with
from crawlers.sweeping import configure, failure_of
from crawlers.videos import with_video
from crawlers.visits import visits
from crawlers.walls import Wall, wall_of
from domain.errors import Fault, PlatformFault
from domain.model import Posting
from domain.settings import Settings
from domain.settings import load as load_settings

log = logging.getLogger(__name__)

REFUSALS = 5
IMAGES_EACH = 9
"""Pictures fetched of one posting."""


class PatrolSpider(Spider):
    """Yields one Harvest a page."""

    name = "patrol"

    def __init__(self, *, platform: PlatformFile, sweep: int, visit: Path | None, settings: Settings, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.platform, self.sweep_id, self.visit, self.deployment = platform, sweep, visit, settings
        proxy = urlsplit(platform.proxy) if platform.proxy else None
        where = (proxy.hostname or "", proxy.port or (443 if proxy.scheme == "https" else 80)) if proxy else None
        self.guard = Guard(platform.allow_hosts, proxy=where)
        self.course = Course(platform, alone=visit is not None, count=self._count)
        self.others: dict[str, PlatformFile] = {}
        self._refusals = 0
        self._seen_images: set[str] = set()
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> PatrolSpider:
        """Raises PlatformFault where the platform is unknown or its own file is wrong; a wrong file of another one stops nobody."""
        settings = load_settings()
        platforms, faults = load_sound(platform_folders(settings))
        name = str(kwargs.pop("platform", ""))
        if name not in platforms:
            unknown = Fault("platform", 1, f"no platform {name!r}", f"use one of {', '.join(sorted(platforms)) or 'none'}")
            raise PlatformFault([unknown, *faults])
        visit = kwargs.pop("visit", None)
        spider = cls(
            platform=platforms[name], sweep=int(kwargs.pop("sweep", 0)), visit=Path(visit) if visit else None, settings=settings, **kwargs
        )
        spider.others = {key: other for key, other in platforms.items() if key != name}
        configure(crawler, platforms[name], settings)
        spider._set_crawler(crawler)
        return spider

    # --- requests

    async def start(self) -> AsyncIterator[Any]:
        if self.platform.fetch == "browser" and find_browser(self.deployment) is None:
            self._give_up(missing_browser(self.deployment, platform=self.platform.id))
            return
        role: Role = "api" if self.platform.api else "start"
        if self.visit is not None:
            for url in visits(self.visit):
                url = url if "#!" in url else url.partition("#")[0]
                yield self._request(Follow(url=url, role="visit"), depth=0)
        else:
            for url in begin_with(self):
                self.course.began(url)
                yield self._request(Follow(url=url, role=role), depth=0)

    def _request(self, follow: Follow, *, depth: int) -> Request:
        url = follow.url
        meta: dict[str, Any] = {"role": follow.role, "hints": follow.hints, "depth": depth, "asked": url}
        if self.platform.proxy:
            meta["proxy"] = self.platform.proxy
            if self.platform.proxy_plain and url.startswith("https://"):
                url = "http://" + url.removeprefix("https://")
        if self.platform.fetch == "browser" and follow.role != "api":
            meta["browser"] = True
        # Next pages and details before new beginnings: a sweep that is cut short has whole parts.
        return Request(url, callback=self.parse, errback=self.failed, meta=meta, priority=follow.worth or depth, dont_filter=True)

    def _steps(self, steps: Iterator[Step]) -> Iterator[Request]:
        for follow, depth in steps:
            self.course.began(follow.url)
            try:
                yield self._request(follow, depth=depth)
            except ValueError:  # passes for an address, and is none that can be asked for
                self._count("errors")

    # --- answers

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        meta = response.meta
        asked = meta["asked"]
        body = unpacked(response.body)
        if not is_text(response) and body is response.body:
            self._count("not_html")
            yield from self._steps(self.course.missed(asked))
            return
        url = self._told(response.url, asked)
        page = Page(body, url=url, declared=charset_of(response), override=self.platform.charset)
        now = datetime.now(UTC)
        if "dataloss" in response.flags:
            self._count("cut_short")
        self._count("pages")
        reading = self._read(page, response, now)
        wall = wall_of(self.platform, page, status=response.status, asked=asked, found=bool(reading.postings or reading.items))
        wall = wall or self._tired(response.status) or unmarked(self, page, response, found=bool(reading.postings or reading.items))
        if wall is not None and self.platform.adopt:
            reading, wall = Reading(), None  # a kept wall is a page of the replay, not a word to us
            self._count("kept_walls")
        elif wall is not None:
            reading = Reading()
            self._count("login_wall" if wall[0] == "login" else "blocked")
        elif reading.drift and response.status < 400 and "view" not in meta:  # a phone's page has a layout of its own
            self._count("drift")
            log.info("drift platform=%s url=%s: %s", self.platform.id, url[:200], reading.drift)
        self._count("postings", len(reading.postings))
        yield page_harvest(response, page, reading.postings, now=now)
        if wall is not None:
            self._stop(told(self, wall, response))
            return
        if response.status < 400 and not self.visit:
            self.course.learn(url, reading, source=page.source)
        yield from self._steps(self.course.after(asked, reading, depth=meta["depth"]))
        if self.platform.images == "read":
            yield from self._images(reading.postings)

    def _tired(self, status: int) -> Wall | None:
        """A wall without words: REFUSALS pages in a row that the site refuses."""
        self._refusals = self._refusals + 1 if status in (403, 412, 418, 451) else 0
        return ("refused", f"status {status}, {REFUSALS} times in a row") if self._refusals >= REFUSALS else None

    def _read(self, page: Page, response: Response, now: datetime) -> Reading:
        if response.status >= 400:
            self._count("not_found" if response.status in (404, 410) else "errors")
            self._count("bad_status")
            return Reading()
        self._count("read")
        hints: Hints | None = response.meta["hints"]
        api = self.platform.api
        if api and response.meta["role"] in ("api", "visit") and page.source.lstrip()[:1] in ("{", "["):
            return read_json(self.platform, api, page, now=now)
        if api and response.meta["role"] == "api":
            return read_json(self.platform, api, page, now=now)
        if self.platform.adopt and response.meta["role"] == "detail":
            reading = read(platform_for(page, self.others), page, role="visit", now=now)
            reading.follow.clear()
        else:
            reading = read(self.platform, page, role=response.meta["role"], now=now, hints=hints)
        if reading.layout == "general":
            self._count("general")
        reading.postings = with_video(self.platform, page, reading)
        return reading

    def _images(self, postings: list[Posting]) -> Iterator[Request]:
        for posting in postings:
            for image in posting.images[:IMAGES_EACH]:
                if (
                    image.url.startswith("http")
                    and image.url not in self._seen_images
                    and len(self._seen_images) < 4 * self.platform.budget.pages
                ):
                    self._seen_images.add(image.url)
                    request = self._request(Follow(url=image.url, role="detail"), depth=0)
                    request.meta.pop("browser", None)
                    # Right after their page: what is judged later then has its pictures.
                    accepted = "image/*, video/*" if self.platform.video == "read" else "image/*"
                    yield request.replace(callback=self.image, priority=1000, headers={"Accept": accepted})

    def image(self, response: Response, **_: Any) -> Iterator[Any]:
        """A picture or video of a posting: a Capture without postings."""
        moving = self.platform.video == "read" and is_video(response)
        if response.status >= 400 or not (moving or is_picture(response)):
            self._count("errors")
            return
        self._count("videos" if moving else "images")
        yield picture_harvest(response, url=self._told(response.url, response.meta["asked"]), now=datetime.now(UTC))

    def failed(self, failure: Any) -> Iterator[Any]:
        """A request without an answer: counted under its reason and named in the log."""
        name, reason = failure_of(failure.value)
        self._count(name)
        request = failure.request
        log.warning("page platform=%s kind=%s url=%s: %s", self.platform.id, name, request.url[:200], reason)
        if request.callback == self.parse:
            yield from self._steps(self.course.missed(request.meta["asked"]))

    # --- small things

    def _told(self, url: str, asked: str) -> str:
        """The address as it is known outside: a replay is asked in plain http."""
        if self.platform.proxy_plain and asked.startswith("https://") and url.startswith("http://"):
            return "https://" + url.removeprefix("http://")
        return url

    def _stop(self, why: str) -> None:
        """Ends the sweep politely: nothing more is asked of a site that says no."""
        assert self.crawler.stats is not None
        self.crawler.stats.set_value("sweep/why", why)
        log.warning("wall platform=%s %s", self.platform.id, why)
        engine = self.crawler.engine
        if self._stopping is None and engine is not None:
            self._stopping = asyncio.get_running_loop().create_task(engine.close_spider_async(reason="walled"))

    def _give_up(self, why: str) -> None:
        assert self.crawler.stats is not None
        self.crawler.stats.set_value("sweep/outcome", "failed")
        self.crawler.stats.set_value("sweep/why", why)
        log.error("sweep platform=%s %s", self.platform.id, why)

    def _count(self, name: str, by: int = 1) -> None:
        if by == 0:
            return
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"sweep/{name}", by)
