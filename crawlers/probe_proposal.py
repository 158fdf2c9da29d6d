"""A platform file for an unknown site, from the pages that a probe brought home, and what it would extract of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import yaml

from crawlers import general
from crawlers.browsing_need import lacks_text
from crawlers.extract import read
from crawlers.feeds import kind_of
from crawlers.page import Page, line
from crawlers.platform import PlatformFile
from crawlers.probe import Probe, bare_host
from crawlers.probe_article import Piece, fields_of, title_selector
from crawlers.probe_css import names_of
from crawlers.probe_floors import floors_on
from crawlers.probe_items import Items, items_on, sound
from crawlers.probe_links import links_on, pattern_of, pieces, sections
from crawlers.probe_pages import Fetched
from crawlers.reading import Hints, Reading
from domain.knowledge import Page as Document
from domain.knowledge import check
from domain.model import Posting

Fetches = Sequence[tuple[Fetched, Page]]
FEEDS = ("rss", "feed", "RDF", "json")
LEAST_TEXT = 10
"""Characters of a posting's text that are a text."""
How = Literal["template", "lists", "feed", "discovered"]
MOST_STARTS = 12
"""Sections that a sweep begins with besides the home."""
COVERED = 0.5
"""Share of a page's links to pieces that the lists found on it must have, or it is left to be discovered."""
_NEXT = re.compile(r"^(?:下一?页|后一?页|next|›|»|>)$", re.I)
_FORUM = re.compile(r"bbs|forum|thread|viewtopic|/topic|tieba|luntan|社区|论坛|贴吧", re.I)
_TITLE_CUT = re.compile(r"\s*[-_|—–,，:：·]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One page as the proposed file reads it."""

    fetched: Fetched
    reading: Reading
    shares: Mapping[str, float] = field(default_factory=dict)
    """Of the entries of a list that have the part, 0-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A platform file, and what it makes of the pages that were fetched."""

    how: How
    data: dict[str, Any]
    platform: PlatformFile
    pages: tuple[Read, ...]
    template: str = ""
    scripted: bool = False
    """Whether pages have no text without JavaScript."""
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()

    @property
    def postings(self) -> list[Posting]:
        return [posting for one in self.pages for posting in one.reading.postings]

    @property
    def announced(self) -> list[tuple[str, Hints]]:
        """What lists say of pages that were not fetched: address and hints."""
        seen = {posting.url for posting in self.postings} | {one.fetched.asked for one in self.pages}
        steps = {step.url: step.hints for one in self.pages for step in one.reading.follow if step.hints and step.hints.title}
        return [(url, hints) for url, hints in steps.items() if url not in seen and hints is not None]


def id_of(home: str) -> str:
    """An id for the site at `home`: its host and port."""
    parts = urlsplit(home)
    host = (parts.hostname or "site").lower().removeprefix("www.")
    port = f"-{parts.port}" if parts.port not in (None, 80, 443) else ""
    name = re.sub(r"[^a-z0-9]+", "-", host + port).strip("-")[:60]
    return name if len(name) > 1 else f"{name or 'site'}-site"


def propose(probe: Probe, *, name: str, kind: str | None = None, allow: Sequence[str] = ()) -> Proposal:
    """The file for the site of `probe`, whose home page came."""
    home = probe.got[0]
    pages = [(one, one.page()) for one in probe.got if not one.fault and one.status < 400]
    head: dict[str, Any] = {"id": name, "title": title_of_site(pages[0][1], others=[page for _one, page in pages[1:]]), "home": home.url}
    if any(urlsplit(one.url).netloc != urlsplit(home.url).netloc for one, _page in pages):
        head["hosts"] = [bare_host(home.url)]
    if allow:
        head["allow_hosts"] = list(allow)
    if probe.template is not None and probe.made is not None:
        made = _settled({**head, "like": probe.template}, probe.made, how="template", pages=pages, template=probe.template)
        if any(one.reading.items and not one.reading.drift for one in made.pages):
            return made
    if kind_of(pages[0][1]) is not None:
        root = urlunsplit((*urlsplit(home.url)[:2], "/", "", ""))
        return _settled({**head, "home": root, "kind": kind or "portal", "start": [home.url]}, probe.platform, how="feed", pages=pages)
    made = _by_lists(probe, pages, head, kind) or _discovered(probe, pages, head, kind)
    bare = [
        page for one, page in pages if one.url not in _told(made) and lacks_text(page, platform=probe.platform, role=one.role, now=one.at)
    ]
    if not bare and not any(one.browser for one, _page in pages):
        return made
    data = {key: value for key, value in made.data.items() if key not in ("list", "detail", "page")}
    data |= {"fetch": "auto"} | {key: made.data[key] for key in ("list", "detail", "page") if key in made.data}
    return replace(made, data=data, scripted=bool(bare))


def _told(made: Proposal) -> set[str]:
    """Pages on which the file finds something to read or to follow."""
    return {
        one.fetched.url for one in made.pages
        if (one.reading.layout == "list" and one.reading.items) or any(len(posting.body) >= LEAST_TEXT for posting in one.reading.postings)
    }  # fmt: skip


def _by_lists(probe: Probe, pages: Fetches, head: Mapping[str, Any], kind: str | None) -> Proposal | None:
    """Selectors for lists and for what is behind them; None where they do not hold on the pages they came from."""
    found = _lists(probe, pages)
    if found is None:
        return None
    seen = " ".join([head["home"], head["title"], *(one.url for one, _page in pages if one.why == "article")])
    feeds = [one.url for one, page in pages if one.why == "feed" and kind_of(page) in FEEDS]
    starts = _starts(probe, pages, found) + feeds
    data = {**head, "kind": kind or ("forum" if _FORUM.search(seen) else "portal"), "start": starts, **_sections(probe, pages, found)}
    shares = {url: items.shares for url, items in found.items()}
    made = _settled(data, probe.platform, how="lists", pages=pages, shares=shares, feeds=tuple(feeds))
    return None if any(one.reading.drift for one in made.pages if one.fetched.why in ("home", "section")) else made


def _discovered(probe: Probe, pages: Fetches, head: Mapping[str, Any], kind: str | None) -> Proposal:
    """No selectors: the site is discovered from its home, and from what it names for machines."""
    feeds = [one.url for one, page in pages if one.why == "feed" and kind_of(page) in FEEDS]
    maps = [one.url for one, page in pages if one.why == "sitemap" and kind_of(page) is not None]
    led = any(pieces(links_on(page, probe.platform)) for _one, page in pages)
    elsewhere = feeds or ([] if led else maps)
    data = {**head, "kind": kind or "generic"} | ({"start": [head["home"], *elsewhere]} if elsewhere else {})
    return _settled(data, probe.platform, how="discovered", pages=pages, feeds=tuple(feeds), sitemaps=tuple(maps))


def _settled(
    data: dict[str, Any], platform: PlatformFile, *, how: How, pages: Fetches, shares: Mapping[str, Any] | None = None, **more: Any
) -> Proposal:  # fmt: skip
    """The proposal with every page read as its own file reads it."""
    if how != "template":
        made, faults = check(Document(Path(f"{data['id']}.yml"), data, {}), PlatformFile)
        if made is None:
            raise ValueError("; ".join(map(str, faults)))
        platform = made
    else:
        platform = platform.model_copy(update={"id": data["id"], "title": data["title"], "home": data["home"]})
    hints: dict[str, Hints] = {}
    found = []
    for one, page in pages:
        reading = read(platform, page, role=one.role, now=one.at, hints=hints.get(one.asked))
        hints |= {step.url: step.hints for step in reading.follow if step.hints is not None}
        found.append(Read(fetched=one, reading=reading, shares=(shares or {}).get(one.url, {})))
    return Proposal(how=how, data=data, platform=platform, pages=tuple(found), **more)


def title_of_site(page: Page, *, others: Sequence[Page] = ()) -> str:
    """The site's own name: what it calls itself for sharing, else what its titles share, else the first that is a name."""
    node = page.tree.css_first('meta[property="og:site_name"]')
    if node is not None and (name := line(node.attributes.get("content") or "")):
        return name[:40]
    parts = _parts(page)
    shared = [part for part in parts if others and sum(part in _parts(other) for other in others) * 2 > len(others)]
    named = [part for part in shared or parts if re.search(r"[\u4e00-\u9fff]", part)]
    return (named or [*parts, urlsplit(page.url).hostname or page.url])[0][:40]


def _parts(page: Page) -> list[str]:
    """Of a page's title, or of a feed's."""
    fed = re.search(r"<title[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]{1,80})", page.source[:20_000]) if kind_of(page) is not None else None
    head = page.tree.css_first("title")
    full = line(fed[1]) if fed else line(head.text()) if head is not None else ""
    return [part for part in _TITLE_CUT.split(full) if 2 <= len(part) <= 40]


# --- lists and what is behind them


def _lists(probe: Probe, pages: Fetches) -> dict[str, Items] | None:
    """By address of the list page; None where the lists found hold too little of what the pages lead to."""
    found: dict[str, Items] = {}
    for one, page in pages:
        if one.why not in ("home", "section"):
            continue
        wanted = frozenset(link.url for link in pieces(links_on(page, probe.platform)))
        items = items_on(page, wanted, now=one.at) if wanted else None
        if items is not None and sound(items.fields) and items.count >= COVERED * len(wanted):
            found[one.url] = items
    return found or None


def _sections(probe: Probe, pages: Fetches, found: Mapping[str, Items]) -> dict[str, Any]:
    """`list` and `detail` of the file."""
    made: dict[str, dict[str, Any]] = {}
    urls: list[str] = []
    home, home_at = pages[0][0].url, pages[0][0].at
    for one, page in pages:
        if (items := found.get(one.url)) is None:
            continue
        urls += [link.url for link in pieces(links_on(page, probe.platform))]
        fields = {name: value for name, value in items.fields.items() if name != "body"}  # the page behind it has the whole text
        section = made.setdefault(items.select, {"item": items.select, "fields": fields})
        if (onward := _next_of(page)) is not None:
            section.setdefault("next", onward)
    lists = list(made.values())
    if len(lists) > 1 and home in found:
        lists[0] = {"match": rf"^https?://[^/]+{re.escape(urlsplit(home).path.rstrip('/'))}/?(?:index\.\w+)?$", **lists[0]}
    told = [Piece(page, general.article(page, now=one.at)) for one, page in pages if one.why == "article"]
    detail: dict[str, Any] = {}
    if pattern := pattern_of(urls):
        detail["match"] = pattern
    more: dict[str, Any] = {}
    if (floors := floors_on(told, now=home_at)) is not None and sound(floors.fields):
        detail |= {"item": floors.select, "fields": floors.fields}
        onward = next((query for piece in told if (query := _next_of(piece.page)) is not None), None)
        detail |= {"next": onward} if onward else {}
        title = title_selector(told)
        more = {"page": {"title": title}} if title else {}
    elif told and (fields := fields_of(told, now=home_at)) and sound(fields):
        detail["fields"] = fields
    return {"list": lists, "detail": detail or {"fields": {}}, **more}


def _next_of(page: Page) -> str | None:
    """CSS of the link to the next page."""
    for node in page.tree.css("a[href]")[:1500]:
        if _NEXT.match(line(node.text())) and (address := page.link(node.attributes.get("href") or "")) and address != page.url:
            words = line(node.text())
            above = [f"{name} a" for name in names_of(node.parent)] if node.parent is not None else []
            marked = ["a[rel=next]"] if node.attributes.get("rel") == "next" else []
            worded = [f'a:lexbor-contains("{words}")'] if re.fullmatch(r"[\w一-鿿]+", words) else []
            for query in [*marked, *names_of(node), *worded, *above]:
                first = page.tree.css_first(query)
                if first is not None and first.mem_id == node.mem_id and (query.startswith("a:") or len(page.tree.css(query)) == 1):
                    return query
    return None


def _starts(probe: Probe, pages: Fetches, found: Mapping[str, Items]) -> list[str]:
    """The home, and the sections that it links to where those that were tried are lists."""
    home, page = pages[0]
    tried = [one.url for one, _page in pages if one.why == "section"]
    starts = [home.url] if not tried or any(page.tree.css_first(items.select) is not None for items in found.values()) else []
    if any(url in found for url in tried):
        bare = {one.asked for one, _page in pages if one.why == "section" and one.url not in found}
        more = [link.url for link in sections(links_on(page, probe.platform), home=probe.platform.home) if link.url not in bare]
        starts += [url for url in dict.fromkeys([*(url for url in tried if url in found), *more]) if url not in starts][:MOST_STARTS]
    return starts or [home.url]


# --- the file


def written(proposal: Proposal, *, command: str) -> str:
    """The YAML of the file, with a word on where it comes from."""
    data = dict(proposal.data)
    if proposal.how == "template":
        data = {"like": data.pop("like"), **data}
    body = yaml.dump(data, Dumper=_Short, allow_unicode=True, sort_keys=False, width=150, default_flow_style=False)
    return f"# {command}\n# 由网站自己的网页推得；改过之后用 wangxun platforms check 检查\n{body}"


class _Short(yaml.SafeDumper):
    """Fields and short lists on one line, as people write them."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        flat = isinstance(mapping, dict) and bool(mapping) and all(isinstance(value, str) for value in mapping.values())
        return super().represent_mapping(tag, mapping, flow_style=True if flat and set(mapping) <= {"select", "pattern"} else flow_style)
