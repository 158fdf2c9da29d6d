"""How a platform file says where a thing stands on a page: one short grammar for all fields.

    .title a                    CSS: the text of what it finds
    .title a::attr(href)        CSS: an attribute of it
    xpath://h1/text()           XPath, slower: only where CSS cannot say it
    regex:var ct = "(\\d+)"      the first group, in the page's source
    fixed:某某网                 always this

A field is one such line, a list of them (the first that finds something wins), or `{select: ..., pattern: ..., without: ...}`, where
the first group of `pattern` is cut out of what was found, less the elements that the CSS of `without` names. In a JSON answer
a field is a path: `user.name`, `pics[].url`, `data.0.id`, `photos.*.url`; a path with braces is a template:
`https://example.com/p/{id}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated, Any, Literal

from parsel import Selector
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from selectolax.lexbor import LexborHTMLParser

ATTRIBUTE = re.compile(r"^(?P<css>.*?)\s*::\s*(?:attr\(\s*(?P<name>[\w:.-]+)\s*\)|text)$", re.S)
PATH = re.compile(r"^[^\s{}\[\].]+(\[\])?(\.[^\s{}\[\].]+(\[\])?)*$")

_BEGINS = re.compile(r"(?:\\b)?([A-Za-z_][A-Za-z_ ]+)")

Kind = Literal["css", "xpath", "regex", "fixed"]


@cache
def _blank() -> LexborHTMLParser:
    return LexborHTMLParser("<html><body></body></html>")


@cache
def _blank_xpath() -> Selector:
    return Selector(text="<html></html>")


@dataclass(frozen=True, slots=True)
class Pick:
    """One place on a page, compiled once when the platform file is read. Plain, since every posting asks it."""

    select: str
    """As the file has it."""
    kind: Kind
    query: str
    """CSS, XPath or regular expression without prefix and `::attr()`; the words of `fixed:`."""
    attribute: str | None = None
    regex: re.Pattern[str] | None = None
    """Of `regex:`, or of `pattern`."""
    without: str | None = None
    """CSS of what is left out of what was found: a button, an icon, a hint."""
    needle: str = ""
    """Of `regex:`: the plain words that every match begins with; empty where it may begin otherwise."""

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Of `regex:`, in order. Where the words are known they are looked for first: `\\bct` alone tries every character of a page."""
        assert self.regex is not None
        if not self.needle:
            yield from self.regex.finditer(text)
            return
        at = text.find(self.needle)
        while at >= 0:
            match = self.regex.match(text, at)
            if match is not None:
                yield match
            at = text.find(self.needle, match.end() if match is not None and match.end() > at else at + 1)


def pick_from(value: Any) -> Pick:
    """The Pick that a line, or `{select, pattern, without}`, of a platform file means. Raises ValueError for what is none."""
    pattern = without = None
    if isinstance(value, dict):
        if set(value) - {"select", "pattern", "without"} or "select" not in value:
            raise ValueError(f"{sorted(map(str, value))} stand here; write a line, or select with pattern or without")
        value, pattern, without = value["select"], value.get("pattern"), value.get("without")
    if isinstance(value, Pick):
        return value
    if not isinstance(value, str) or not value.strip() or not isinstance(pattern, str | None):
        raise ValueError(f"no selector: {value!r}; write CSS, or xpath:, regex: or fixed: and what follows it")
    text = value.strip()
    head, colon, rest = text.partition(":")
    kind: Kind = "css"
    if colon and head in ("xpath", "regex", "fixed"):
        kind, query, attribute = head, rest.strip(), None  # type: ignore[assignment]  # narrowed by the test above
    else:
        found = ATTRIBUTE.match(text)
        query, attribute = (found["css"], found["name"]) if found else (text, None)
    if not query:
        raise ValueError(f"nothing stands after {head}:; write what shall be found")
    _try(kind, query)
    if without is not None:
        if kind != "css" or attribute is not None or not isinstance(without, str):
            raise ValueError(f"without stands with {text!r}; it is CSS, and leaves parts out of what plain CSS finds")
        _try("css", without)
    regex = _compiled(query) if kind == "regex" else _compiled(pattern) if pattern else None
    needle = _needle(query) if kind == "regex" else ""
    return Pick(select=text, kind=kind, query=query, attribute=attribute, regex=regex, without=without, needle=needle)


def _needle(pattern: str) -> str:
    """What a match must begin with: letters and spaces up to the first sign that means something."""
    found = _BEGINS.match(pattern)
    if found is None or "|" in pattern:
        return ""
    words = found[1]
    return words[:-1] if pattern[found.end() : found.end() + 1] in ("*", "?", "{") else words


def _try(kind: Kind, query: str) -> None:
    try:
        if kind == "css":
            _blank().css(query)
        elif kind == "xpath":
            _blank_xpath().xpath(query)
    except Exception as error:  # both libraries raise types of their own making
        raise ValueError(f"not a {kind.upper()} selector: {query!r} ({error}); check its spelling") from error


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.S)
    except re.error as error:
        raise ValueError(f"not a regular expression: {pattern!r} ({error})") from error
    if compiled.groups < 1:
        raise ValueError(f"no group in {pattern!r}; put round brackets about what shall be cut out")
    return compiled


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _checked_paths(value: Any) -> Any:
    for path in _as_list(value):
        if not isinstance(path, str):
            raise ValueError("a path is text, such as user.name")
        for name in re.findall(r"\{([^{}]*)\}", path) if "{" in path else [] if path.startswith("fixed:") else [path]:
            if not PATH.match(name):
                raise ValueError(f"not a path: {name!r}; write user.name, pics[].url or data.0.id")
    return _as_list(value)


Picks = Annotated[tuple[Annotated[Pick, BeforeValidator(pick_from)], ...], BeforeValidator(_as_list), Field(min_length=1)]
"""Alternatives: the first that finds something wins."""

Paths = Annotated[tuple[str, ...], BeforeValidator(_checked_paths), Field(min_length=1)]
"""Alternatives in a JSON answer."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fields(_Strict):
    """Where the parts of a Posting stand. What is left out is looked for by the general extractor, or stays empty."""

    title: Picks | None = None
    body: Picks | None = None
    """All that the first alternative finds, joined by line feeds."""
    link: Picks | None = None
    """Address of the posting; without it the first link of the item."""
    published_at: Picks | None = None
    """Any usual spelling: 2026-11-23 16:05, 11月3日, 昨天 12:30, 3分钟前, seconds or milliseconds since 1970."""
    publisher: Picks | None = None
    publisher_address: Picks | None = None
    advertiser: Picks | None = None
    images: Picks | None = None
    video: Picks | None = None
    """Address of the posting's video file; without it what `<video>` or `og:video` of a page of one posting names."""
    marked_ad: Picks | None = None
    """Whether the page itself marks it 广告 or 推广: true where anything is found."""

    @cached_property
    def named(self) -> tuple[tuple[str, tuple[Pick, ...]], ...]:
        """(field, alternatives) of those that the file names."""
        return tuple((name, picks) for name in type(self).model_fields if (picks := getattr(self, name)) is not None)


class JsonFields(_Strict):
    """The same parts as paths into one item of a JSON answer."""

    title: Paths | None = None
    body: Paths | None = None
    link: Paths | None = None
    published_at: Paths | None = None
    publisher: Paths | None = None
    publisher_address: Paths | None = None
    advertiser: Paths | None = None
    images: Paths | None = None
    video: Paths | None = None
    marked_ad: Paths | None = None
