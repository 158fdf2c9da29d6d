"""Which pages of an unknown site are looked at, one after another: its home, some sections, some articles, what it names for machines.

Never more than the errand allows, and none after a wall: what the site lets a reader see by hand is what a patrol will see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from crawlers.discover import leads
from crawlers.extract import read
from crawlers.feeds import kind_of
from crawlers.page import Page
from crawlers.platform import PlatformFile
from crawlers.probe_links import links_on, pieces, sections
from crawlers.probe_pages import Errand, Fetched, Robots, Why
from crawlers.reading import Reading, Role
from crawlers.templates import Templates
from crawlers.walls import Wall, wall_of
from domain.knowledge import Page as Document
from domain.knowledge import check

SECTIONS, ARTICLES = 2, 3
"""Pages of each that tell what the others look like."""
LEAST_ITEMS = 5
"""Entries that a template must read on a page that does not name its maker."""
_MAKERS = {
    "discuz": re.compile(r"""content=["'](?:[^"']{0,40}\s)?Discuz!|Powered by.{0,80}Discuz!|discuz_uid\s*=""", re.I | re.S),
    "phpwind": re.compile(r"""content=["'][^"']{0,40}phpwind|Powered by.{0,80}phpwind""", re.I | re.S),
}
"""How the makers of forums sign their pages."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page to fetch next."""

    url: str
    why: Why
    role: Role


def plain_platform(
    home: str, *, allow: Sequence[str] = (), pace_s: float = 1.0, seconds: float = 180.0, browser: bool = False
) -> PlatformFile:
    """A site of which nothing is known yet."""
    return PlatformFile.model_validate({
        "id": "probe", "title": urlsplit(home).hostname, "home": home, "hosts": [bare_host(home)], "kind": "generic",
        "allow_hosts": list(allow),
        "pace": {"delay_s": pace_s, "concurrency": 1}, "budget": {"seconds": seconds}, "fetch": "auto" if browser else "http",
    })  # fmt: skip


def bare_host(home: str) -> str:
    """Whose subdomains belong to the site too: portals keep each section on one of its own."""
    return urlsplit(home).netloc.lower().removeprefix("www.")


def templates_for(home: str, folders: Sequence[Path]) -> dict[str, PlatformFile]:
    """What this site would be under each template of the platform folders."""
    known = Templates(folders)
    found: dict[str, PlatformFile] = {}
    for name in known.names:
        filled, _faults = known.filled(Document(Path("probe.yml"), {"like": name, "home": home}, {}))
        platform = check(filled, PlatformFile)[0] if filled is not None else None
        if platform is not None:
            found[name] = platform
    return found


def template_of(page: Page, templates: Mapping[str, PlatformFile]) -> str | None:
    """The template that `page` is like: its maker's signature, a layout that knows itself, or a list that its selectors read whole."""
    signed = next((name for name, sign in _MAKERS.items() if name in templates and sign.search(page.source[:200_000])), None)
    if signed is not None:
        return signed
    for name, platform in templates.items():
        for section in (*platform.detail, *platform.list):
            fits = section.match is None or section.regex.search(page.url) is not None
            if section.when is not None and fits and page.nodes(section.when) and section.item and page.nodes(section.item):
                return name
    return next((name for name, platform in templates.items() if name not in _MAKERS and _reads_all(platform, page)), None)


def _reads_all(platform: PlatformFile, page: Page) -> bool:
    for section in platform.list:
        items = page.nodes(section.item) if section.item else []
        titles = {title for item in items if section.fields.title and len(title := page.first(section.fields.title, under=item)) >= 4}
        if section.fields.title and len(items) >= LEAST_ITEMS and len(titles) >= 0.8 * len(items):
            return True
    return False


class Probe:
    """One look at a site: `next` says what to fetch, `took` is told what came."""

    def __init__(self, errand: Errand, *, folders: Sequence[Path]) -> None:
        self._errand, self._folders = errand, folders
        self.platform = plain_platform(
            errand.home, allow=errand.allow, pace_s=errand.delay_s, seconds=errand.seconds, browser=errand.browser
        )
        self.template: str | None = None
        self.made: PlatformFile | None = None
        """The site under its template."""
        self.wall: Wall | None = None
        self.robots = Robots()
        self.got: list[Fetched] = []
        self._waiting: dict[Why, list[Wanted]] = {
            "home": [Wanted(errand.home, "home", "start")],
            "section": [],
            "article": [],
            "feed": [],
            "sitemap": [],
        }
        self._asked: set[str] = set()

    def next(self) -> Wanted | None:
        """What to fetch next; None where enough is known, or the errand's requests are spent."""
        if self.wall is not None or len(self._asked) >= self._errand.requests:
            return None
        if not self._waiting["sitemap"] and self.robots.sitemaps and not self._count("sitemap"):
            self._waiting["sitemap"] = [Wanted(url, "sitemap", "list") for url in self.robots.sitemaps if self.platform.owns(url)]
        for why in self._turns():
            while self._waiting[why]:
                wanted = self._waiting[why].pop(0)
                if wanted.url not in self._asked:
                    self._asked.add(wanted.url)
                    return wanted
        return None

    def _turns(self) -> list[Why]:
        turns: list[Why] = ["home"]
        articles, listed = self._count("article"), self._count("section")
        if articles <= listed and articles < ARTICLES:
            turns.append("article")
        if listed < SECTIONS:
            turns.append("section")
        if articles < ARTICLES:
            turns.append("article")
        return [*turns, *(one for one in ("feed", "sitemap") if not self._count(one))]

    def _count(self, why: str) -> int:
        return sum(1 for one in self.got if one.why == why)

    def took(self, one: Fetched) -> None:
        """What an answer says of where to look next."""
        self.got.append(one)
        if one.fault or one.status >= 400:
            if one.why == "home" and one.status:
                self._walled(one, one.page(), Reading())
            return
        page = one.page()
        if one.why == "home":
            self._at_home(one, page)
        platform = self.made or self.platform
        reading = read(platform, page, role=one.role, now=one.at)
        if self._walled(one, page, reading):
            return
        if self.made is not None:
            self._follow(reading, self.made)
        elif kind_of(page) is not None:
            steps = [step.url for step in reading.follow if platform.owns(step.url) and not step.onward]
            self._waiting["article"] += [Wanted(url, "article", "detail") for url in steps[:ARTICLES]]
        elif one.why in ("home", "section"):
            self._lead_on(page)

    def _walled(self, one: Fetched, page: Page, reading: Reading) -> bool:
        found = bool(reading.postings or reading.items)
        wall = wall_of(self.made or self.platform, page, status=one.status, asked=one.asked, found=found)
        if wall is None and one.why == "home" and one.status in (403, 412, 418, 451):
            wall = ("refused", f"status {one.status}")
        self.wall = wall
        return wall is not None

    def _at_home(self, one: Fetched, page: Page) -> None:
        if not self.platform.owns(page.url):  # sent on to the site's real address
            errand = self._errand
            self.platform = plain_platform(
                page.url, allow=errand.allow, pace_s=errand.delay_s, seconds=errand.seconds, browser=errand.browser
            )
        templates = templates_for(page.url, self._folders)
        self.template = template_of(page, templates)
        self.made = templates[self.template] if self.template else None

    def _follow(self, reading: Reading, made: PlatformFile) -> None:
        """Boards and threads, as the template leads."""
        steps = [step for step in reading.follow if not step.onward and made.owns(step.url)]
        deep = {step.url for step in steps if any(detail.match and detail.regex.search(step.url) for detail in made.detail)}
        self._waiting["article"] = [Wanted(step.url, "article", step.role) for step in steps if step.url in deep][
            :ARTICLES
        ] + self._waiting["article"]
        self._waiting["section"] += [Wanted(step.url, "section", step.role) for step in steps if step.url not in deep][: 2 * SECTIONS]

    def _lead_on(self, page: Page) -> None:
        links = links_on(page, self.platform)
        found = [Wanted(link.url, "article", "detail") for link in pieces(links)]
        # The newest of a section, before what is left of the home: articles of several sections tell more of the site.
        self._waiting["article"] = found[:ARTICLES] + self._waiting["article"]
        if not self._count("section"):
            self._waiting["section"] += [Wanted(link.url, "section", "start") for link in sections(links, home=self.platform.home)[:6]]
            self._waiting["feed"] += [Wanted(step.url, "feed", "list") for step in leads(page, self.platform) if step.role == "list"]
