"""The parts of a platform file: what its sections, pace, budget, pages and JSON answers are made of."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crawlers.picks import Fields, JsonFields, Paths, Picks, pick_from
from domain.model import PostingKind


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def web_address(value: str) -> str:
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


def css_alone(value: str) -> str:
    """Raises ValueError where `value` is no plain CSS."""
    pick = pick_from(value)
    if pick.kind != "css" or pick.attribute is not None:
        raise ValueError(f"not plain CSS: {value!r}; write script#ID")
    return value


def as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) or value is None else [value]


Web = Annotated[str, AfterValidator(web_address)]
Host = Annotated[str, AfterValidator(_host)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Strings = Annotated[tuple[str, ...], BeforeValidator(as_list)]


class Pace(Part):
    """How gently a site is read. Auto-throttle goes slower than this where the site is slow, never faster."""

    delay_s: float = Field(default=1.0, ge=0, le=600)
    """Seconds between two requests to one host."""
    concurrency: int = Field(default=2, ge=1, le=64)
    """Requests under way at once."""
    jitter: bool = True
    """Whether the delay is drawn between half and one and a half of itself."""


class Budget(Part):
    """What one sweep may cost; a calendar without end stops here."""

    pages: int = Field(default=100, ge=1, le=1_000_000)
    depth: int = Field(default=3, ge=0, le=1_000_000)
    """Links followed from a start page; a next page lies no deeper than the page it stands on."""
    seconds: float = Field(default=900, gt=0, le=86400)


class Robots(Part):
    ignore: str = Field(min_length=4)
    """Why robots.txt is not obeyed here, for those who answer for it."""


class PageParam(Part):
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


class Script(Part):
    """Data that the page carries in a script, in place of selectors."""

    select: Annotated[str, AfterValidator(css_alone)] = "script"
    """CSS of the script elements that may hold it."""
    pattern: Pattern | None = None
    """The data begin where this regular expression ends; without it, where the script begins. What follows them is passed over."""
    percent: bool = False
    """Whether they are percent-coded (%7B for a brace)."""
    items: Paths | None = None
    """Path of the objects, one posting each."""
    fields: JsonFields = JsonFields()
    html: Paths | None = None
    """Or path of markup: `item`, `fields` and `next` of the section then look in there."""

    @cached_property
    def regex(self) -> re.Pattern[str] | None:
        """Of `pattern`."""
        return re.compile(self.pattern) if self.pattern else None

    @model_validator(mode="after")
    def _one_kind(self) -> Script:
        if (self.items is None) == (self.html is None):
            raise ValueError("name either items (objects) or html (markup)")
        return self


class Section(Part):
    """One layout of pages: a list (with `item`) or a single piece (without)."""

    match: Pattern | None = None
    """Only pages whose address this regular expression finds. Without it: any page of that role."""
    when: Picks | None = None
    """Only pages on which this finds something: tells layouts at one address apart."""
    script: Script | None = None
    """Data in a script in place of `item`; the section fits where they are found."""
    item: Picks | None = None
    """What repeats: one posting each."""
    anchor: Picks | None = None
    """What tells items without an address apart for good, such as the number of a floor; without it their place on the page."""
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


class JsonPages(Part):
    """Where the next part of a JSON answer is."""

    param: str = Field(min_length=1)
    """Query key that carries the cursor or the number."""
    cursor: Paths | None = None
    """Path of the next cursor; the end is where it is missing, empty, 0 or false."""
    first: int = 1
    """Without cursor: number of the start page; it goes on while items are found."""
    step: int = Field(default=1, ge=1)
    last: int = Field(default=50, ge=0)


class JsonApi(Part):
    """A JSON answer in place of pages."""

    match: Pattern | None = None
    start: Annotated[tuple[Web, ...], BeforeValidator(as_list)] = ()
    """First addresses; without them the platform's `start`."""
    items: Paths
    """Path of the list, such as data.cards."""
    fields: JsonFields = JsonFields()
    kind: PostingKind | None = None
    next: JsonPages | None = None
    keep: bool | None = None


class Walls(Part):
    """How this site says no: words that the page shows, `css:` for an element, `url:` for a part of the address, `source:` for
    words in its source."""

    captcha: Strings = ()
    login: Strings = ()
