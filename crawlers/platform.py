"""The schema of a platform file: one YAML is one place that we patrol. docs/platforms.md explains it with an example a kind."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crawlers.picks import Fields, JsonFields, Paths, Picks
from domain.model import PostingKind

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _web(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not a web address: {value!r}; it starts with http:// or https:// and has a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address with a password in it; only public pages are patrolled")
    return value


def _host(value: str) -> str:
    if "/" in value or not value or value != value.strip() or "@" in value:
        raise ValueError(f"not a host name: {value!r}; write example.com, example.com:8080 or an IP address")
    return value.lower()


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {value!r} ({error})") from error
    return value


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) or value is None else [value]


Web = Annotated[str, AfterValidator(_web)]
Host = Annotated[str, AfterValidator(_host)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Strings = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class Pace(_Part):
    """How gently a site is read. Auto-throttle goes slower than this where the site is slow, never faster."""

    delay_s: float = Field(default=1.0, ge=0, le=600)
    """Seconds between two requests to one host."""
    concurrency: int = Field(default=2, ge=1, le=64)
    """Requests under way at once."""
    jitter: bool = True
    """Whether the delay is drawn between half and one and a half of itself."""


class Budget(_Part):
    """What one sweep may cost; a calendar without end stops here."""

    pages: int = Field(default=100, ge=1, le=1_000_000)
    depth: int = Field(default=3, ge=0, le=1_000_000)
    """Links followed from a start page; a next page lies no deeper than the page it stands on."""
    seconds: float = Field(default=900, gt=0, le=86400)


class Robots(_Part):
    ignore: str = Field(min_length=4)
    """Why robots.txt is not obeyed here, for those who answer for it."""


class PageParam(_Part):
    """Paging by a number in the address."""

    param: str | None = Field(default=None, min_length=1)
    """Query key of the number, such as `page` or `pn`."""
    template: Web | None = None
    """Or the whole address with `{page}` in it."""
    first: int = 1
    """Number of the start page."""
    step: int = Field(default=1, ge=1)
    last: int = Field(default=10, ge=0)

    @model_validator(mode="after")
    def _one_way(self) -> PageParam:
        if (self.param is None) == (self.template is None):
            raise ValueError("name either param or template")
        if self.template is not None and "{page}" not in self.template:
            raise ValueError("the template has no {page}")
        return self


class Section(_Part):
    """One layout of pages: a list (with `item`) or a single piece (without)."""

    match: Pattern | None = None
    """Only pages whose address this regular expression finds. Without it: any page of that role."""
    when: Picks | None = None
    """Only pages on which this finds something: tells layouts at one address apart."""
    item: Picks | None = None
    """What repeats: one posting each."""
    fields: Fields = Fields()
    kind: PostingKind | None = None
    """Kind of these postings; without it that of the platform's kind."""
    next: Picks | None = None
    """Link to the next page."""
    pages: PageParam | None = None
    """Or the next page by number; it goes on while items are found."""
    keep: bool | None = None
    """Whether its items are postings themselves. Without it: yes where no detail page is followed."""
    empty: Strings = ()
    """Words by which the site says that there is nothing; then no items is no drift."""
    optional: bool = False
    """Whether the absence of items is usual here, and no drift."""

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Of `match`; everything where there is none."""
        return re.compile(self.match or "")


class Detail(Section):
    """Pages behind the items of a list."""

    follow: Picks | None = None
    """Links to follow on list pages; without it the `link` of each item."""
    inherit: bool = True
    """Whether what the list gave (title, time, account) fills what the page itself does not give."""


class JsonPages(_Part):
    """Where the next part of a JSON answer is."""

    param: str = Field(min_length=1)
    """Query key that carries the cursor or the number."""
    cursor: Paths | None = None
    """Path of the next cursor; the end is where it is missing, empty, 0 or false."""
    first: int = 1
    """Without cursor: number of the start page; it goes on while items are found."""
    step: int = Field(default=1, ge=1)
    last: int = Field(default=50, ge=0)


class JsonApi(_Part):
    """A JSON answer in place of pages."""

    match: Pattern | None = None
    start: Annotated[tuple[Web, ...], BeforeValidator(_as_list)] = ()
    """First addresses; without them the platform's `start`."""
    items: Paths
    """Path of the list, such as data.cards."""
    fields: JsonFields = JsonFields()
    kind: PostingKind | None = None
    next: JsonPages | None = None
    keep: bool | None = None


class Browser(_Part):
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


class Walls(_Part):
    """How this site says no: words that the page shows, `css:` for an element, `url:` for a part of the address."""

    captcha: Strings = ()
    login: Strings = ()


KINDS: dict[str, PostingKind] = {
    "portal": PostingKind.ARTICLE, "forum": PostingKind.POST, "classifieds": PostingKind.LISTING, "microblog": PostingKind.POST,
    "articles": PostingKind.ARTICLE, "video": PostingKind.LIVE, "search": PostingKind.ARTICLE, "generic": PostingKind.ARTICLE,
}  # fmt: skip


class PlatformFile(_Part):
    """One platform. Only id, title, home and kind are needed; the general extractor reads what no selector names."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{1,63}$")
    title: str = Field(min_length=1)
    home: Web
    kind: Literal["portal", "forum", "classifieds", "microblog", "articles", "video", "search", "generic"]
    enabled: bool = True
    fetch: Literal["http", "browser"] = "http"
    start: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    """Where a sweep begins; without it the home. `{query}` is filled with each of `queries`."""
    queries: Strings = ()
    query_charset: Literal["utf-8", "gb18030"] = "utf-8"
    hosts: Annotated[tuple[Host, ...], BeforeValidator(_as_list)] = ()
    """Whose pages belong to it: `example.com` with subdomains, `127.0.0.1:8001` this port alone, `*` all. Without it: home and start."""
    allow_hosts: Annotated[tuple[Host, ...], BeforeValidator(_as_list)] = ()
    """Names and addresses that the guard lets through although they are not public."""
    every: str = Field(default="1h", pattern=r"^\d+(s|m|h|d)$")
    pace: Pace = Pace()
    robots: Literal["obey"] | Robots | None = None
    budget: Budget = Budget()
    answer_s: float = Field(default=30, gt=0, le=600)
    """Seconds for one whole answer, body included: a slow drip ends here."""
    list: Annotated[tuple[Section, ...], BeforeValidator(_as_list)] = ()
    """One layout, or several: the first that fits the page is used."""
    detail: Annotated[tuple[Detail, ...], BeforeValidator(_as_list)] = ()
    api: JsonApi | None = None
    page: Fields = Fields()
    """Fields that hold for every posting of a page, read from the whole page."""
    browser: Browser = Browser()
    images: Literal["read", "skip"] = "skip"
    adopt: bool = False
    """Whether pages behind the list are read as the platform that owns their host would read them (a replay of kept pages)."""
    walls: Walls = Walls()
    charset: str | None = None
    """Only where the bytes themselves mislead."""
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
            _web(address.replace("{query}", "x"))
        if self.charset is not None:
            try:
                "".encode(self.charset)
            except LookupError as error:
                raise ValueError(f"charset {self.charset!r} is unknown") from error
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
        for address in (self.api.start if self.api else ()) or self.start or (self.home,):
            for query in self.queries if "{query}" in address else ("",):
                found[address.replace("{query}", quote(query, encoding=self.query_charset, errors="replace"))] = None
        return tuple(found)

    @property
    def site(self) -> tuple[str, ...]:
        """Hosts whose pages belong to it."""
        if self.hosts:
            return self.hosts
        addresses = (self.home, *self.start, *(self.api.start if self.api else ()))
        return tuple(dict.fromkeys(urlsplit(address).netloc.lower() for address in addresses))

    def owns(self, url: str) -> bool:
        """Whether `url` is a page of this platform."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        port = port or (443 if parts.scheme == "https" else 80)
        for entry in self.site:
            if entry == "*":
                return True
            name, colon, number = entry.rpartition(":") if entry.count(":") == 1 else (entry, "", "")
            if colon and number != str(port):
                continue
            name = name or entry
            if host == name or (host.endswith("." + name) and not name.replace(".", "").isdigit()):
                return True
        return False
