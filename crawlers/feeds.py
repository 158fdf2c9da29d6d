"""RSS 0.9-2.0, RDF, Atom, JSON Feed and sitemaps, recognised by what they are and not by where they stand.

An entry that carries its whole text (content:encoded, Atom content) is a posting as it is. Any other is followed, with what the
feed says of it as hints. A sitemap's pages are followed, newest first; an index's sitemaps too.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # comes with parsel, without types

from crawlers.cut import Site, posting_of
from crawlers.dates import moment
from crawlers.page import Page, line, plain
from crawlers.platform import PlatformFile
from crawlers.reading import MOST_ITEMS, Follow, Hints, Reading, Role

WHOLE = 200
"""Characters from which a feed's text is the article and not its beginning."""
MOST_SITEMAPS = 200
MOST_UNPACKED = 16 * 1024 * 1024
"""Bytes of an unpacked sitemap. The protocol allows 50 MB, whose tree would fill half of a sweep's memory: it is read this far."""
_ROOT = re.compile(
    r"^\s*(?:<\?xml[^>]{0,300}\?>\s*)?(?:<!--.{0,2000}?-->\s*|<\?xml-stylesheet[^>]{0,500}\?>\s*|<!DOCTYPE[^>\[]{0,300}>\s*){0,9}"
    r"<(?:\w+:)?(rss|feed|RDF|urlset|sitemapindex)[\s>]",
    re.S,
)
_TEXTS = ("encoded", "content", "content_html", "content_text")
_SUMMARIES = ("description", "summary", "subtitle")
_WHEN = ("pubDate", "published", "date", "issued", "created", "updated", "modified", "date_published", "date_modified")
_IMG = re.compile(r"<img\b[^>]{0,600}?\s(?:data-src|src)\s*=\s*[\"']?([^\"'\s>]{4,1000})", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a feed, or one page of a sitemap."""

    link: str
    title: str = ""
    text: str = ""
    whole: bool = False
    """Whether `text` is all of it."""
    published_at: datetime | None = None
    publisher: str | None = None
    images: tuple[str, ...] = ()
    dated: bool = True
    """Whether `published_at` is when it was published; a sitemap's lastmod only says when it changed."""


def unpacked(body: bytes) -> bytes:
    """The bytes in a gzip file (sitemap.xml.gz), at most MOST_UNPACKED; `body` itself where it is none or is broken from the start."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, MOST_UNPACKED) or body  # a cut one gives what came
    except zlib.error:
        return body


def kind_of(page: Page) -> str | None:
    """`rss`, `feed`, `RDF`, `urlset`, `sitemapindex` or `json`; None for any other page."""
    head = page.source[:6000]
    if head.lstrip("\ufeff \t\r\n")[:1] == "{":
        return "json" if "jsonfeed.org/version" in head else None
    found = _ROOT.match(head.lstrip("\ufeff"))
    return found[1] if found else None


def read_feed(platform: PlatformFile, page: Page, *, role: Role, now: datetime) -> Reading | None:
    """What a feed or a sitemap holds; None where `page` is none. Never raises for what stands in it."""
    kind = kind_of(page)
    if kind is None:
        return None
    site = Site(platform, page, now)
    if kind == "json":
        return _of_entries(site, list(_json_entries(page, now)), role)
    root = _parsed(page.source)
    if root is None:
        return Reading(layout="feed", drift="the feed is no XML")
    if kind == "sitemapindex":
        return _of_index(site, root)
    if kind == "urlset":
        return _of_sitemap(site, root)
    entries = [entry for node in islice(_all(root, ("item", "entry")), MOST_ITEMS) if (entry := _entry(page, node, now)) is not None]
    reading = _of_entries(site, entries, role)
    reading.follow += [
        Follow(url=address, role="list", onward=True)
        for node in _children(root, "link")
        if node.get("rel") == "next" and (address := page.link(node.get("href") or ""))
    ]
    return reading


def _of_entries(site: Site, entries: list[Entry], role: Role) -> Reading:
    reading = Reading(layout="feed", items=len(entries))
    for entry in entries:
        if (entry.whole and not site.platform.detail) or role == "visit" or not entry.link:
            values = {
                "title": entry.title, "body": entry.text, "published_at": entry.published_at, "publisher": entry.publisher,
                "images": entry.images,
            }  # fmt: skip
            posting = posting_of(site, None, values, url=entry.link or site.page.url)
            reading.postings += [posting] if posting is not None else []
        else:
            reading.follow.append(_behind(entry))
    return reading


def _behind(entry: Entry) -> Follow:
    hints = Hints(title=entry.title, publisher=entry.publisher, published_at=entry.published_at if entry.dated else None)
    return Follow(url=entry.link, role="detail", hints=hints)


def _of_sitemap(site: Site, root: Any) -> Reading:
    # Newest first: a sweep's budget ends before a sitemap does. Pages without a date come last, in their order.
    nodes = sorted((node for node in root if _name(node) == "url"), key=_changed, reverse=True)
    found = [entry for node in nodes[:MOST_ITEMS] if (entry := _mapped(site, node)) is not None]
    return Reading(layout="sitemap", items=len(nodes), follow=[_behind(entry) for entry in found])


def _of_index(site: Site, root: Any) -> Reading:
    nodes = sorted((node for node in root if _name(node) == "sitemap"), key=_changed, reverse=True)
    found = [entry for node in nodes[:MOST_SITEMAPS] if (entry := _mapped(site, node)) is not None]
    return Reading(layout="sitemap", items=len(nodes), follow=[Follow(url=entry.link, role="list", onward=True) for entry in found])


def _changed(node: Any) -> str:
    """What says when it changed, as it stands there: such dates sort as text, and reading 300,000 of them would take seconds."""
    for part in node.iter():
        if isinstance(part.tag, str) and part.tag.endswith(("}lastmod", "}publication_date", "lastmod")) and part.text:
            return str(part.text).strip()
    return ""


def _mapped(site: Site, node: Any) -> Entry | None:
    address = site.page.link(_first(node, ("loc",)))
    if address is None:
        return None
    news = next(iter(_all(node, ("news",))), None)
    title = publisher = when = ""
    if news is not None:
        title, when = _first(news, ("title",)), _first(news, ("publication_date",))
        publisher = next((_first(part, ("name",)) for part in _all(news, ("publication",))), "")
    changed = moment(when or _first(node, ("lastmod",)), now=site.now)
    return Entry(link=address, title=line(title), published_at=changed, publisher=line(publisher) or None, dated=bool(when))


# --- entries


def _entry(page: Page, node: Any, now: datetime) -> Entry | None:
    link = page.link(_link(node)) or ""
    title = line(plain(_first(node, ("title",))))
    texts = [text for name in _TEXTS for part in _children(node, name) if (text := _markup(part))]
    markup = max(texts, key=len, default="")
    summary = max((_markup(part) for name in _SUMMARIES for part in _children(node, name)), key=len, default="")
    text, short = plain(markup), plain(summary)
    whole = len(text) >= WHOLE or (bool(text) and len(text) > len(short) * 2 and len(text) >= 80)
    if not link and not title and not text and not short:
        return None
    when = next((found for name in _WHEN if (value := _first(node, (name,))) and (found := moment(value, now=now))), None)
    return Entry(
        link=link, title=title, text=text if len(text) >= len(short) else short, whole=whole, published_at=when,
        publisher=_who(node), images=_pictures(page, node, markup or summary),
    )  # fmt: skip


def _link(node: Any) -> str:
    """RSS: the text of link, else a guid that is an address; Atom: the href of the alternate one."""
    others = []
    for part in _children(node, "link"):
        if (href := part.get("href")) is None:
            if part.text and part.text.strip():
                return str(part.text)
        elif part.get("rel") in (None, "alternate"):
            return str(href)
        elif part.get("rel") != "self":
            others.append(str(href))
    guid = _first(node, ("guid", "id"))
    return guid if guid.startswith(("http://", "https://")) else (others[0] if others else "")


def _who(node: Any) -> str | None:
    for name in ("creator", "author", "source"):
        for part in _children(node, name):
            text = line(_first(part, ("name",)) or "".join(part.itertext()))
            # RSS asks for an e-mail address with the name in brackets.
            if found := re.fullmatch(r"\S+@\S+\s*[（(](.+)[)）]", text):
                return found[1]
            if 1 < len(text) <= 40 and "@" not in text:
                return text
    return None


def _pictures(page: Page, node: Any, markup: str) -> tuple[str, ...]:
    found = {address: None for source in _IMG.findall(markup) if (address := page.link(source))}
    for part in node.iter():
        if not isinstance(part.tag, str) or _name(part) not in ("enclosure", "content", "thumbnail"):
            continue
        kind = (part.get("type") or part.get("medium") or "").partition("/")[0]
        if (kind == "image" or _name(part) == "thumbnail") and (address := page.link(part.get("url") or "")):
            found[address] = None
    return tuple(found)[:40]


def _markup(node: Any) -> str:
    """The markup that an element carries: as text (escaped or CDATA), or as elements of its own (xhtml)."""
    if len(node):
        inner = "".join(etree.tostring(part, encoding="unicode") for part in node)
        return f"{node.text or ''}{inner}"
    return str(node.text or "")


# --- XML


def _parsed(source: str) -> Any:
    """The root, without entities of its own, nothing loaded, broken markup mended; None where nothing can be read."""
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, recover=True, huge_tree=False, encoding="utf-8", remove_comments=True
    )
    text = source.lstrip("\ufeff \t\r\n")
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _name(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _all(root: Any, names: tuple[str, ...]) -> Iterator[Any]:
    return (node for node in root.iter() if _name(node) in names)


def _children(node: Any, name: str) -> Iterator[Any]:
    return (part for part in node if _name(part) == name)


def _first(node: Any, names: tuple[str, ...]) -> str:
    for name in names:
        for part in _children(node, name):
            if text := "".join(part.itertext()).strip():
                return text
    return ""


# --- JSON Feed


def _json_entries(page: Page, now: datetime) -> Iterator[Entry]:
    try:
        data = json.loads(page.source, strict=False)
    except (ValueError, RecursionError):
        return
    items = data.get("items") if isinstance(data, dict) else None
    for item in (items if isinstance(items, list) else [])[:MOST_ITEMS]:
        if not isinstance(item, dict):
            continue
        texts = {name: value for name in (*_TEXTS, "summary", "title", "url", *_WHEN) if isinstance(value := item.get(name), str)}
        markup = texts.get("content_html") or texts.get("content_text") or ""
        text = plain(markup) or plain(texts.get("summary", ""))
        authors = item.get("authors") or [item.get("author")]
        who = next((one["name"] for one in authors if isinstance(one, dict) and isinstance(one.get("name"), str)), None)
        when = next((found for name in _WHEN if name in texts and (found := moment(texts[name], now=now))), None)
        yield Entry(
            link=page.link(texts.get("url", "")) or "", title=line(texts.get("title", "")), text=text, whole=len(plain(markup)) >= WHOLE,
            published_at=when, publisher=who,
            images=tuple(address for source in _IMG.findall(markup) if (address := page.link(source)))[:40],
        )  # fmt: skip
