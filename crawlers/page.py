"""A fetched page, parsed once and only as far as somebody asks."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from parsel import Selector
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlers.charset import decode
from crawlers.picks import Pick

DEEPEST = 2000
"""Nested elements that are parsed as they are. Parsing costs the square of the depth: 100,000 would take half a minute."""
MOST_SOURCE = 4_000_000
"""Characters of markup that are parsed; the bytes are kept whole. The largest honest page we met has 800,000."""
MOST_SHOWN = 16_000_000
"""Characters of markup that the selectors of one page may turn into words: items that nest in each other would cost its square."""
MOST_HEAD = 100_000
"""Characters among which a page says what its links are joined to."""
_CLIMB = 30
"""Levels between an element and one about it that holds the same words."""
_MANY_TAGS = 12_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_SHALLOW = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",  # void
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "html", "head", "body", "script", "style",  # closed by what follows
})  # fmt: skip
_HIDDEN = re.compile(r"<(script|style|noscript|template|svg|head|textarea)\b.*?</\1\s*>|<!--.*?-->", re.S | re.I)
_BLOCK = re.compile(
    r"<(?:br|/?(?:p|div|li|ul|ol|tr|table|section|article|h[1-6]|dd|dt|dl|blockquote|pre|header|footer|figure|figcaption|form|hr))\b[^>]*>",
    re.I,
)
_PAGELET = re.compile(r"<code\b[^>]*pagelet_html[^>]*>\s*<!--(.*?)-->\s*</code>", re.S)
_LOOSE = re.compile(r"<[^<>]*>")
"""Tags of markup that was never parsed: takes linear time whatever is left open."""
_ANY = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"[ \t\r\f\v\u00a0\u3000]+")
_LINES = re.compile(r"\s*\n\s*")
_PLAIN_PATH = re.compile(r"/(?:[\w-][\w./?=&%-]*)?$", re.A)
"""Needs no joining: absolute, and no part of it starts with a dot."""
_CELL = re.compile(r"</t[dh]>", re.I)


def plain(markup: str) -> str:
    """What a reader sees of serialised markup: a line a block, no scripts, single spaces. Words split over inline tags stay whole."""
    if markup.count("<") > 2 * markup.count(">") + 1000:
        return _LINES.sub("\n", html.unescape(_LOOSE.sub("", markup))).strip()  # no markup of ours: the patterns below would crawl
    if "<" in markup:
        if "<script" in markup or "<style" in markup or "<!--" in markup or "<svg" in markup or "<noscript" in markup or "<head" in markup:
            markup = _HIDDEN.sub("", markup)
        markup = markup.replace("\n", " ")
        markup = _ANY.sub("", _BLOCK.sub("\n", _CELL.sub(" ", markup)))
    if "&" in markup:
        markup = html.unescape(markup)
    return _LINES.sub("\n", _SPACES.sub(" ", markup)).strip()


def without_scripts(markup: str) -> str:
    """Serialised markup without what no reader sees: scripts, styles, comments."""
    return _HIDDEN.sub("", markup) if "<script" in markup or "<style" in markup or "<!--" in markup else markup


def shown_in(node: LexborNode) -> str:
    """As `plain`, of one element."""
    return _shown_of(node.inner_html or "")


def _shown_of(inner: str) -> str:
    if "<" not in inner:
        return " ".join((html.unescape(inner) if "&" in inner else inner).split())
    return plain(inner)


def line(text: str) -> str:
    """One line with single spaces."""
    return " ".join(text.split())


def too_deep(source: str) -> bool:
    """Whether elements nest deeper than any honest page does."""
    if source.count("<") < _MANY_TAGS:
        return False
    depth = deepest = 0
    for close, name in _TAG.findall(source):
        if name.lower() in _SHALLOW:
            continue
        depth = max(0, depth - 1) if close else depth + 1
        if depth > deepest:
            deepest = depth
            if deepest > DEEPEST:
                return True
    return False


class Page:
    """The text and the trees of one body. `url` is the address it came from in the end; relative links are joined to it."""

    def __init__(self, body: bytes, *, url: str, declared: str | None = None, override: str | None = None) -> None:
        self.url = url
        self.source, self.charset = decode(body, declared=declared, override=override)
        self._spent = 0
        self.flattened = too_deep(self.source)
        """Whether its tags were dropped because they nest too deep; its text is kept."""

    @cached_property
    def tree(self) -> LexborHTMLParser:
        if self.flattened:
            return LexborHTMLParser(f"<html><body><pre>{html.escape(self._loose)}</pre></body></html>")
        source = self.source[:MOST_SOURCE]
        if 0 < source.count("pagelet_html") < 500:
            # Sites on BigPipe (Tieba) send their parts inside comments and let a script put them in.
            return LexborHTMLParser(_PAGELET.sub(r"<div>\1</div>", source))
        return LexborHTMLParser(source)

    @property
    def _loose(self) -> str:
        return _LOOSE.sub(" ", self.source[:MOST_SOURCE])

    @cached_property
    def shown(self) -> str:
        """All that a reader sees, with menus and footers."""
        body = self.tree.body
        return plain(body.html or "") if body is not None else ""

    @cached_property
    def base(self) -> str:
        head = self.source[:MOST_HEAD]
        if "<base" in head or "<BASE" in head:
            node = self.tree.css_first("base[href]")
            try:
                joined = urljoin(self.url, (node.attributes.get("href") or "") if node is not None else "")
                if urlsplit(joined).scheme in ("http", "https"):
                    return joined
            except ValueError:
                pass  # a base that is no address is no base
        return self.url

    @cached_property
    def _origin(self) -> str:
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}"

    def link(self, address: str) -> str | None:
        """Absolute address; None where it is no web address."""
        address = address.strip()
        if not address or address.startswith(("#", "javascript:", "mailto:", "tel:", "data:", "about:")):
            return None
        if _PLAIN_PATH.match(address) is not None:
            return self._origin + address
        try:
            joined = urljoin(self.base, address)
        except ValueError:
            return None
        return joined if joined.startswith(("http://", "https://")) else None

    def first(self, picks: Sequence[Pick], *, under: Any = None, default_attribute: tuple[str, ...] = ()) -> str:
        """The first of `values`, found faster; empty where nothing is found."""
        for pick in picks:
            if pick.kind == "css" and pick.regex is None and pick.without is None:
                node = (under if type(under) is LexborNode else self.tree).css_first(pick.query)
                if node is None:
                    continue
                names = (pick.attribute,) if pick.attribute else default_attribute
                value = line((_attribute(node, names) or "") if names else node.text())
                if value:
                    return value
            if pick.kind == "css" and pick.regex is not None and pick.without is None and not pick.attribute and not default_attribute:
                # Row after row of a table of facts, until one says it: the rest need not be turned into words.
                rows = (pick.regex.search(text) for node in self.nodes((pick,), under=under) if (text := self._text(node)))
                value = next((value for row in rows if row and row[1] and (value := line(row[1]))), "")
                if value:
                    return value
                continue
            if pick.kind == "regex":
                cut = pick.matches(_source_of(under, self.source))
                if value := next((value for match in cut if (value := line(html.unescape(match[1] or "")))), ""):
                    return value
                continue
            found = self.values((pick,), under=under, default_attribute=default_attribute)
            if found:
                return found[0]
        return ""

    def nodes(self, picks: Sequence[Pick], *, under: Any = None) -> list[Any]:
        """Elements that the first fruitful alternative finds: lexbor nodes, or parsel selectors for `xpath:`."""
        for pick in picks:
            if pick.kind == "xpath":
                found: list[Any] = list(self._selector(under).xpath(pick.query))
            elif pick.kind == "css":
                found = (under if isinstance(under, LexborNode) else self.tree).css(pick.query)
                if "," in pick.query:  # lexbor gives an element once for each part of the selector that it fits
                    found = list({node.mem_id: node for node in found}.values())
            else:
                continue
            if found:
                return found
        return []

    def values(
        self, picks: Sequence[Pick] | None, *, under: Any = None, as_body: bool = False, default_attribute: tuple[str, ...] = ()
    ) -> list[str]:
        """Texts that the first fruitful alternative finds, cleaned; `as_body` keeps lines. Empty where nothing is found."""
        for pick in picks or ():
            found = [value for value in self._values(pick, under, as_body, default_attribute) if value]
            if pick.regex is not None and pick.kind != "regex":
                cut = (pick.regex.search(value) for value in found)
                found = [line(match[1]) for match in cut if match and match[1]]
            if found:
                return found
        return []

    def _values(self, pick: Pick, under: Any, as_body: bool, default_attribute: tuple[str, ...]) -> list[str]:
        if pick.kind == "fixed":
            return [pick.query]
        if pick.kind == "regex":
            assert pick.regex is not None
            return [line(html.unescape(match[1] or "")) for match in islice(pick.matches(_source_of(under, self.source)), 200)]
        if pick.kind == "xpath":
            return [(plain if as_body else _flat)(value) for value in self._selector(under).xpath(pick.query).getall()]
        found = self.nodes((pick,), under=under)
        if as_body:
            found = self._outermost(found)
        if pick.without is not None:
            found = [self._less(node, pick.without) for node in found]
        names = (pick.attribute,) if pick.attribute else default_attribute
        if names:
            return [line(value) for node in found if (value := _attribute(node, names))]
        if as_body:
            return [self._words(node) for node in found]
        return [self._text(node) for node in found]

    def _text(self, node: LexborNode) -> str:
        if self._spent > MOST_SHOWN:
            return ""
        text = node.text()
        self._spent += len(text)
        return line(text)

    def _outermost(self, nodes: list[Any]) -> list[Any]:
        """`nodes` without those that lie inside another of them: their words would stand twice."""
        if len(nodes) < 2:
            return nodes
        self._spent += len(nodes) * _CLIMB * 4  # a step up costs about as much as four characters
        if self._spent > MOST_SHOWN:
            return []
        known, kept = {node.mem_id for node in nodes}, []
        for node in nodes:
            above, steps = node.parent, 0
            while above is not None and above.mem_id not in known and steps < _CLIMB:
                above, steps = above.parent, steps + 1
            if above is None or above.mem_id not in known:
                kept.append(node)
        return kept

    def _words(self, node: LexborNode) -> str:
        if self._spent > MOST_SHOWN:
            return ""
        inner = node.inner_html or ""
        self._spent += len(inner)
        return _shown_of(inner)

    def _less(self, node: LexborNode, query: str) -> LexborNode:
        """A copy of `node` without what `query` finds in it; itself where it finds nothing."""
        if self._spent > MOST_SHOWN or node.css_first(query) is None:
            return node
        markup = node.html or ""
        self._spent += len(markup)
        body = LexborHTMLParser(f"<body>{markup}").body
        for part in body.css(query) if body is not None else ():
            part.decompose()
        return body if body is not None else node

    def _selector(self, under: Any) -> Selector:
        if isinstance(under, Selector):
            return under
        if isinstance(under, LexborNode):
            return Selector(text=under.html or "<p></p>")
        return self._parsel

    @cached_property
    def _parsel(self) -> Selector:
        return Selector(text=self.source if not self.flattened else html.escape(self._loose))


def _flat(markup: str) -> str:
    return line(plain(markup))


def _source_of(under: Any, source: str) -> str:
    if isinstance(under, LexborNode):
        return under.html or ""
    return under.get() or "" if isinstance(under, Selector) else source


def _attribute(node: LexborNode, names: Sequence[str]) -> str | None:
    attributes = node.attributes
    return next((value for name in names if (value := attributes.get(name))), None)
