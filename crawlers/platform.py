"""The schema of a platform file: one YAML is one place that we patrol. docs/platforms.md explains it with an example a kind."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

from pydantic import BeforeValidator, Field, model_validator

from crawlers.picks import Fields
from crawlers.platform_parts import (
    Budget,
    Detail,
    Host,
    JsonApi,
    JsonPages,
    Pace,
    PageParam,
    Part,
    Robots,
    Section,
    Strings,
    Walls,
    Web,
    as_list,
    web_address,
)  # fmt: skip
from crawlers.sessions_part import NamedSession
from domain.model import PostingKind

__all__ = ["Browser", "Budget", "Detail", "JsonApi", "JsonPages", "Pace", "PageParam", "PlatformFile", "Robots", "Section", "Walls"]

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Browser(Part):
    """What the browser does on a page (`fetch: browser`)."""

    wait_for: str | None = None
    """CSS of what must be there before the page is taken."""
    scroll: int = Field(default=0, ge=0, le=100)
    """Times it scrolls to the end; it stops early where nothing comes any more."""
    screenshot: Literal["none", "view", "full"] = "full"
    block: tuple[Literal["image", "media", "font", "stylesheet"], ...] = ("media", "font")
    timeout_s: float = Field(default=30, gt=0, le=300)
    width: int = Field(default=1280, ge=320, le=3840)
    height: int = Field(default=900, ge=320, le=3840)


KINDS: dict[str, PostingKind] = {
    "portal": PostingKind.ARTICLE, "forum": PostingKind.POST, "classifieds": PostingKind.LISTING, "microblog": PostingKind.POST,
    "articles": PostingKind.ARTICLE, "video": PostingKind.LIVE, "search": PostingKind.ARTICLE, "apps": PostingKind.APP,
    "generic": PostingKind.ARTICLE,
}  # fmt: skip


class PlatformFile(Part):
    """One platform. Only id, title, home and kind are needed; the general extractor reads what no selector names."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{1,63}$")
    title: str = Field(min_length=1)
    home: Web
    like: str | None = None
    """Name of the template whose keys it takes over (crawlers/templates.py)."""
    kind: Literal["portal", "forum", "classifieds", "microblog", "articles", "video", "search", "apps", "generic"]
    enabled: bool = True
    fetch: Literal["http", "browser", "auto"] = "http"
    """auto: HTTP, and the browser for the layouts whose text is missing without it (crawlers.browsing_need)."""
    start: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()
    """Where a sweep begins; without it the home. `{query}` is filled with each of `queries`."""
    queries: Strings = ()
    query_charset: Literal["utf-8", "gb18030"] = "utf-8"
    hosts: Annotated[tuple[Host, ...], BeforeValidator(as_list)] = ()
    """Whose pages belong to it: `example.com` with subdomains, `127.0.0.1:8001` this port alone, `*` all. Without it: home and start."""
    allow_hosts: Annotated[tuple[Host, ...], BeforeValidator(as_list)] = ()
    """Names and addresses that the guard lets through although they are not public."""
    every: str = Field(default="1h", pattern=r"^\d+(s|m|h|d)$")
    """Longest time between two visits of each start address; with `schedule: fixed` the time itself."""
    schedule: Literal["auto", "fixed"] = "auto"
    """auto: sooner where the observed rate asks for it, within `requests_per_hour`."""
    quiet: str | None = Field(default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")
    """Hours in Shanghai in which nothing is asked of it, such as 01:00-06:00."""
    follow: Literal["none", "promoted"] = "none"
    """promoted (search): the pages behind the results are read too, one hop, each as a posting of its own."""
    pace: Pace = Pace()
    robots: Literal["obey"] | Robots | None = None
    budget: Budget = Budget()
    answer_s: float = Field(default=30, gt=0, le=600)
    """Seconds for one whole answer, body included: a slow drip ends here."""
    list: Annotated[tuple[Section, ...], BeforeValidator(as_list)] = ()
    """One layout, or several: the first that fits the page is used."""
    detail: Annotated[tuple[Detail, ...], BeforeValidator(as_list)] = ()
    api: Annotated[tuple[JsonApi, ...], BeforeValidator(as_list)] = ()
    """JSON answers: the first whose `match` fits and whose items are there is used."""
    page: Fields = Fields()
    """Fields that hold for every posting of a page, read from the whole page."""
    browser: Browser = Browser()
    images: Literal["read", "skip"] = "skip"
    video: Literal["read", "skip"] = "skip"
    """read: a posting's video file on the platform's own hosts is fetched and read as its pictures are."""
    adopt: bool = False
    """Whether pages behind the list are read as the platform that owns their host would read them (a replay of kept pages)."""
    walls: Walls = Walls()
    charset: str | None = None
    """Only where the bytes themselves mislead."""
    session: NamedSession | None = None
    """The office's own account that it is read with; see docs/operating.md, Sessions."""
    proxy: Web | None = None
    """A forward proxy to sweep through. It resolves names itself: the guard then checks literals alone."""
    proxy_plain: bool = False
    """Whether https:// addresses are asked for as http:// at that proxy (a replay of kept pages)."""
    notes: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> PlatformFile:
        wants = any("{query}" in address for address in self.start)
        if wants and not self.queries:
            raise ValueError("start has {query}, but there are no queries")
        for address in self.start:
            web_address(address.replace("{query}", "x"))
        if self.charset is not None:
            try:
                "".encode(self.charset)
            except LookupError as error:
                raise ValueError(f"charset {self.charset!r} is unknown") from error
        if self.session is not None and "*" in self.site:
            raise ValueError("session with hosts '*'; name the hosts that the account belongs to")
        if self.video == "read" and self.images == "skip":
            raise ValueError("video: read without images: read; a video is read where pictures are")
        if self.proxy_plain and self.proxy is None:
            raise ValueError("proxy_plain without proxy")
        return self

    @property
    def every_s(self) -> int:
        """Seconds between two sweeps."""
        return int(self.every[:-1]) * UNITS_S[self.every[-1]]

    @property
    def posting_kind(self) -> PostingKind:
        return KINDS[self.kind]

    @property
    def entries(self) -> tuple[str, ...]:
        """Addresses that a sweep begins with, queries filled in."""
        found: dict[str, None] = {}
        for address in tuple(address for api in self.api for address in api.start) or self.start or (self.home,):
            for query in self.queries if "{query}" in address else ("",):
                found[self.filled(address, query)] = None
        return tuple(found)

    def filled(self, address: str, query: str) -> str:
        """A start address with this query in it."""
        return address.replace("{query}", quote(query, encoding=self.query_charset, errors="replace"))

    @property
    def rotates(self) -> bool:
        """Whether its queries are drawn from the rotation (`queries: auto`)."""
        return self.queries == ("auto",)

    @property
    def site(self) -> tuple[str, ...]:
        """Hosts whose pages belong to it."""
        if self.hosts:
            return self.hosts
        addresses = (self.home, *self.start, *(address for api in self.api for address in api.start))
        return tuple(dict.fromkeys(urlsplit(address).netloc.lower() for address in addresses))

    def owns(self, url: str) -> bool:
        """Whether `url` is a page of this platform."""
        return self.claim(url) > 0

    def claim(self, url: str) -> int:
        """How closely one of its hosts names that of `url`: characters of the entry; 1 for `*`; 0 where none does."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return 0
        port = port or (443 if parts.scheme == "https" else 80)
        best = 0
        for entry in self.site:
            name, colon, number = entry.rpartition(":") if entry.count(":") == 1 else (entry, "", "")
            if colon and number != str(port):
                continue
            name = name or entry
            if entry == "*":
                best = max(best, 1)
            elif host.removeprefix("www.") == name.removeprefix("www.") or (
                host.endswith("." + name) and not name.replace(".", "").isdigit()
            ):
                best = max(best, len(entry) + 1)
        return best
