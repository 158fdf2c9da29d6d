"""The article's own title: what the head says, without the site's name, or the heading that stands over the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

from crawlers.page import Page, line

_META = (
    'meta[property="og:title"]', 'meta[name="og:title"]', 'meta[name="ArticleTitle" i]', 'meta[name="twitter:title"]', 'meta[name="title"]',
    'meta[itemprop="headline"]',
)  # fmt: skip
_HEADINGS = "h1,h2,h3,h4,h5,[class*=title i],[id*=title i],[class*=headline i],[class*=biaoti i],[id*=activity-name]"
_SITE_TAIL = re.compile(r"\s*[-_|—–·丨]{1,2}\s*[^-_|—–·丨]{2,24}$")
_SITE_HEAD = re.compile(r"^[^-_|—–·丨]{2,12}\s*[-_|—–·丨]{1,2}\s*")
_NOT_WORD = re.compile(r"[\W_]+")
_OF_SITE = re.compile(
    r"首页|官网|官方网站|网站$|门户|新闻动态|新闻中心|公司新闻|行业动态|通知公告|政务公开|内容页|详细(?:页面|内容)?|详情页?|正文|文章页|(?:政府|公司|委员会|[^格布]局|银行|[协学]会|大学|学院|中心|日报|晚报|在线|网)$|无标题|untitled|^资讯$|^新闻$|^公告$",
    re.I,
)
_BYLINE = re.compile(r"发布(?:时间|日期|于)|(?:来源|作者|时间|日期|字号)\s*[:：]|\d{4}[-年/]\d\d?[-月/]\d\d?")
MOST_LOOKED_AT = 60


def title_of(page: Page, *, over: str = "") -> str:
    """The title; `over` is the text that stands before the article (empty: not known).

    A heading that the head repeats wins, then what the head gives for sharing, then the head's own without the site's name. Where
    the head names only the site or the section, it is the heading that stands closest over the text.
    """
    tree = page.tree
    head = tree.css_first("title")
    full = line(head.text()) if head is not None else ""
    folded = fold(full)
    firsts = [text for node in tree.css("h1")[:5] if 2 <= len(text := line(node.text())) <= 120]
    for heading in firsts:
        if (own := fold(heading)) and (own in folded or (folded and folded in own)):
            return heading
    shared = next(_metas(tree), "")
    headings = _headings(tree)
    if shared and not _of_site(shared):
        bare = _without_site(shared)
        return bare if fold(shared) == folded or bare in headings else shared
    stem = _without_site(full)
    if (not stem or _of_site(stem)) and (near := closest(headings, over)):
        return near
    core = fold(stem)
    repeated = [text for text in headings if len(text) >= 6 and fold(text) and fold(text) in core]
    if repeated and len(longest := max(repeated, key=len)) * 5 >= len(full) * 2:
        return longest
    if not stem or _of_site(stem):
        return (firsts[0] if firsts else "") or stem or full
    return stem


def fold(text: str) -> str:
    """Letters, digits and characters alone: headings and heads differ in quotes and spaces."""
    return _NOT_WORD.sub("", text).casefold()


def _metas(tree: LexborHTMLParser) -> Iterator[str]:
    for query in _META:
        node = tree.css_first(query)
        if node is not None and (text := line(node.attributes.get("content") or "")):
            yield text


def _headings(tree: LexborHTMLParser) -> list[str]:
    nodes = {node.mem_id: node for node in tree.css(_HEADINGS)[:MOST_LOOKED_AT]}
    return [text for node in nodes.values() if 4 <= len(text := line(node.text())) <= 120]


def closest(headings: list[str], over: str) -> str:
    """The heading whose text is the last among the lines of `over`; empty where none is."""
    known = set(headings)
    for text in reversed(over.split("\n")[-60:]):
        if len(text) >= 6 and text in known and not _of_site(text) and not _BYLINE.search(text):
            return text
    return ""


def _of_site(text: str) -> bool:
    return len(text) <= 24 and (len(text) < 5 or _OF_SITE.search(text) is not None)


def _without_site(full: str) -> str:
    cut = full
    while (shorter := _SITE_TAIL.sub("", cut)) != cut and len(shorter) >= 5:
        cut = shorter
    if _of_site(cut) and len(rest := _SITE_HEAD.sub("", full)) > len(cut) and not _of_site(rest):
        return rest
    return cut
