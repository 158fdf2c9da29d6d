"""A page that somebody else fetched -> Harvest: what importers call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from crawlers.api import read_json
from crawlers.extract import Reading, read
from crawlers.page import Page
from crawlers.platform import PlatformFile, Section
from crawlers.walls import Wall, wall_of
from domain.identity import sha256
from domain.model import Capture, Harvest

_TEXT = re.compile(r"^(?:text/|application/(?:[\w.-]+\+)?(?:xhtml|xml|json)|$)")


def platform_for(page: Page, platforms: Mapping[str, PlatformFile]) -> PlatformFile:
    """The platform that `page` belongs to: by its host, else by a layout that knows itself (`when`), else one made for its host."""
    owners = [platform for platform in platforms.values() if not platform.adopt and platform.owns(page.url)]
    if owners:
        return max(owners, key=lambda platform: platform.claim(page.url))  # s.weibo.com before weibo.com; the first of equals
    for platform in platforms.values():
        if any(_knows(section, page) for section in (*platform.detail, *platform.list)):
            return platform
    host = (urlsplit(page.url).hostname or "unknown").lower()
    name = re.sub(r"[^a-z0-9_.-]", "-", host).strip("-.")[:64] or "unknown"
    return PlatformFile(id=name if len(name) > 1 else f"{name}-site", title=host, home=f"http://{host}/", kind="generic")


def _knows(section: Section, page: Page) -> bool:
    fits = section.match is None or section.regex.search(page.url) is not None
    return section.when is not None and fits and bool(page.nodes(section.when))


def read_kept(platform: PlatformFile, page: Page, *, status: int, now: datetime) -> tuple[Reading, Wall | None]:
    """What a page says that was kept without a word why: markup, or the JSON of an answer; and the wall that it is, if it is one."""
    json = platform.api and page.source.lstrip()[:1] in ("{", "[")
    reading = read_json(platform, platform.api, page, now=now) if json else read(platform, page, role="visit", now=now)
    return reading, wall_of(platform, page, status=status or 200, asked=page.url, found=bool(reading.postings))


def gather(
    body: bytes, *, url: str, platforms: Mapping[str, PlatformFile], fetched_at: datetime, status: int, mime: str, via: str,
    declared: str | None = None, response_headers: tuple[tuple[str, str], ...] = (),
) -> Harvest:  # fmt: skip
    """One Harvest of one body. Bodies that are no text, and walls, give a Capture without Postings.

    `status` is 0 where the source had none; 400 and above give no Postings.
    """
    charset: str | None = None
    reading = Reading()
    if _TEXT.match(mime):
        page = Page(body, url=url, declared=declared)
        platform = platform_for(page, platforms)
        if platform.charset:
            page = Page(body, url=url, override=platform.charset)
        charset = page.charset
        if status < 400:
            seen, wall = read_kept(platform, page, status=status, now=fetched_at)
            reading = seen if wall is None else Reading()
    capture = Capture(
        url=url, final_url=url, fetched_at=fetched_at, status=status, sha256=sha256(body), size=len(body), mime=mime or "text/html",
        charset=charset, via=via,
    )  # fmt: skip
    return Harvest(capture=capture, body=body, postings=tuple(reading.postings), response_headers=response_headers)
