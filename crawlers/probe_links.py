"""The links of an unknown page, sorted into those to pieces of content and those to sections that list them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawlers.discover import MOST_LINKS, is_idle, is_view, shape_of
from crawlers.page import Page, line
from crawlers.platform import PlatformFile

LEAST_OF_A_SHAPE = 4
"""Links of one shape with words of content: fewer are a menu's."""
LEAST_WORDS = 7
"""Characters of an average title: sections are called with two to six."""
_SECTION = re.compile(r"/$|/(?:index|list|default|channel|category|node|col|forum|board)[\w-]*(?:\.\w{2,5})?$", re.I)
_NOBODYS = re.compile(
    r"关于|联系|版权|隐私|免责|法律声明|帮助|招聘|广告服务|首页|登录|注册|登陆|客户端|下载|友情|反馈|举报|更多|more|RSS|无障碍|视频|图片|直播|English|排行|上一页|下一页|尾页",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Link:
    """One address on a page, with the longest words that lead to it."""

    url: str
    words: str
    shape: str


def links_on(page: Page, platform: PlatformFile) -> list[Link]:
    """Links within the site, each address once, in the order of the page; doors, files and endless views left out."""
    found: dict[str, str] = {}
    for node in page.tree.css("a[href]")[:MOST_LINKS]:
        address = page.link(node.attributes.get("href") or "")
        if address is None or not platform.owns(address):
            continue
        address = address.partition("#")[0]
        if len(address) > 500 or is_idle(address) or is_view(address):
            continue
        words = line(node.attributes.get("title") or "") or line(node.text())
        if len(words) > len(found.get(address, "")) or address not in found:
            found[address] = words
    found.pop(page.url.partition("#")[0], None)
    return [Link(url, words, shape_of(url)) for url, words in found.items()]


def pieces(links: list[Link]) -> list[Link]:
    """Those that lead to pieces of content: shapes that repeat with long words and carry a number or a code. The main shape comes first."""
    groups: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        if "#" in link.shape or link.shape.count("-") > 3:
            groups[link.shape].append(link)
    weighed = []
    for shape, group in groups.items():
        titles = [len(link.words) for link in group if len(link.words) >= LEAST_WORDS]
        if len(titles) >= LEAST_OF_A_SHAPE and len(titles) * 2 >= len(group) and not _SECTION.search(urlsplit(group[0].url).path):
            weighed.append((sum(min(length, 30) for length in titles), shape))
    return [link for _weight, shape in sorted(weighed, reverse=True) for link in groups[shape]]


def sections(links: list[Link], *, home: str) -> list[Link]:
    """Those that lead to lists, in the order of the page."""
    main = {link.url for link in pieces(links)}
    return [
        link for link in links
        if link.url not in main and link.url.rstrip("/") != home.rstrip("/") and 2 <= len(link.words) <= 8
        and _SECTION.search(urlsplit(link.url).path) and not _NOBODYS.search(link.words)
    ]  # fmt: skip


def pattern_of(urls: list[str]) -> str:
    """A regular expression that finds the addresses of these pieces and of others like them, and no section's."""
    tails: dict[str, None] = {}
    for url in urls:
        parts = urlsplit(url)
        path = "/".join(_loosened(part) for part in parts.path.split("/"))
        keys = [pair.partition("=") for pair in parts.query.split("&") if pair]
        number = next((f"[?&]{re.escape(key)}=\\d+" for key, _, value in keys if value.isdigit()), "")
        tails[f"{path}.*{number}" if number else f"{path}$"] = None
    if len(tails) <= 3:
        return "|".join(sorted(tails))
    ends = {tail.rpartition("/")[2] for tail in tails}
    return "|".join(sorted(f"/{end}" for end in ends)) if len(ends) <= 3 else ""


def _loosened(part: str) -> str:
    """A part of a path, with `\\d+` for its numbers and `\\w+` for its codes."""
    name, dot, ending = part.rpartition(".") if re.search(r"\.(?:s?html?|php|aspx?|jsp)$", part, re.I) else (part, "", "")
    if re.search(r"[a-z]\d|\d[a-z]", name, re.I) and re.fullmatch(r"[0-9A-Za-z]{6,}", name) and not re.fullmatch(r"[a-z]\d+", name, re.I):
        body = r"\w+"
    else:
        body = re.sub(r"\d+", r"\\d+", re.sub(r"([.+*?()\[\]{}^$|\\])", r"\\\1", name))
    return f"{body}\\.{ending}" if dot else body
