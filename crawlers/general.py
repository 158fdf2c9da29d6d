"""Reads a page that no selector knows: an article, or a list of links with their snippets.

The container of the article is the block whose own running text, with few links in it, weighs most (the idea of
Readability, counted in Chinese punctuation); time and account are looked for about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from selectolax.lexbor import LexborNode

from crawlers.dates import moment
from crawlers.page import Page, line, plain

LEAST_BODY = 80
"""Characters that make an article; less is a caption or a notice."""
LEAST_ENTRIES = 4
CANDIDATES = 12
"""Blocks that are weighed closely; the article is among the first few of any real page."""
MOST_MARKUP = 8_000_000
"""Characters of markup looked at for a list: blocks that nest are looked at once a level, and a page can nest on purpose."""
_PROSE = "p,div,section,article,td,pre,blockquote,li,span,font,center,dd"
_INLINE = frozenset({"span", "font"})
_NOT_PROSE = frozenset(["script", "style", "a", "button", "select", "option", "nav", "noscript", "textarea"])
_BOILER = re.compile(r"comment|foot|nav|menu|side|copyright|related|recommend|login|toolbar|breadcrumb|hot-?list|rank|评论", re.I)
_FOOTER = re.compile(r"©|copyright|版权所有|ICP备|公网安备|关于我们[\s|]*联系我们", re.I)
_MARKS = re.compile(r"[，。！？；：、,.!?;:]")
_TITLE_META = ('meta[property="og:title"]', 'meta[name="twitter:title"]', 'meta[name="title"]')
_TIME_META = (
    'meta[property="article:published_time"]', 'meta[name="publishdate"]', 'meta[name="PubDate" i]', 'meta[itemprop="datePublished"]',
    'meta[name="weibo: article:create_at"]', 'meta[property="og:release_date"]', 'meta[name="apub:time"]', "time[datetime]",
)  # fmt: skip
_NAME_META = ('meta[name="author" i]', 'meta[property="article:author"]', 'meta[property="og:article:author"]', 'meta[name="mediaid"]')
_WHEN = re.compile(
    r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}日?(?:\s*[T ]?\s*(?:上午|下午)?\s*\d{1,2}[:：时]\d{1,2}(?:[:：]\d{1,2})?)?"
    r"|\d{1,2}月\d{1,2}日(?:\s*\d{1,2}:\d{1,2})?|\d{1,3}\s?(?:分钟|小时|天)前|(?:昨天|前天|今天)\s*\d{1,2}:\d{1,2}"
)
_WHO = re.compile(r"(?:来源|作者|发布者|公众号|编辑)\s*[:：丨|]\s*([^\s:：|丨()（）【】]{2,30})")
_SITE_TAIL = re.compile(r"\s*[-_|—–·]{1,2}\s*[^-_|—–·]{2,24}$")


@dataclass(frozen=True, slots=True)
class Found:
    """What was read: parts of one posting, empty where nothing was found."""

    title: str = ""
    body: str = ""
    link: str | None = None
    published_at: datetime | None = None
    publisher: str | None = None
    images: tuple[str, ...] = ()
    links: tuple[str, ...] = field(default=())


def title_of(page: Page) -> str:
    """The article's own title, without the name of the site where the heading shows that it is a tail."""
    tree = page.tree
    head = tree.css_first("title")
    full = line(head.text()) if head is not None else ""
    headings = [text for node in tree.css("h1")[:5] if 2 <= len(text := line(node.text())) <= 120]
    for heading in headings:
        if heading in full or (full and full in heading):
            return heading
    for query in _TITLE_META:
        node = tree.css_first(query)
        if node is not None and (text := line(node.attributes.get("content") or "")):
            return _SITE_TAIL.sub("", text) if text == full else text
    if full:
        cut = full
        while (shorter := _SITE_TAIL.sub("", cut)) != cut and len(shorter) >= 6:
            cut = shorter
        return cut
    return headings[0] if headings else ""


def container_of(page: Page) -> LexborNode | None:
    """The element that holds the running text; None where there is none."""
    scores: dict[int, float] = {}
    nodes: dict[int, LexborNode] = {}
    for node in page.tree.css(_PROSE):
        own = node.text(deep=False)
        if len(own) < 10 or not (own := own.strip()) or len(own) < 10:
            continue
        block = node
        while block.tag in _INLINE and block.parent is not None:
            block = block.parent
        if block.tag in _NOT_PROSE or block.parent is None:
            continue
        weight = len(own) + 8 * len(_MARKS.findall(own))
        share = 1.0
        holder: LexborNode | None = block if block.tag in ("div", "td", "article", "section", "pre") else block.parent
        for _ in range(3):
            if holder is None or holder.tag in ("html", None):
                break
            key = holder.mem_id
            scores[key] = scores.get(key, 0.0) + weight * share
            nodes[key] = holder
            holder, share = holder.parent, share * 0.6
    best, best_score = None, 0.0
    for key in sorted(scores, key=scores.__getitem__, reverse=True)[:CANDIDATES]:
        node = nodes[key]
        attributes = node.attributes
        score = scores[key] * (1 - min(1.0, _link_share(node)))
        if _BOILER.search(f"{attributes.get('id') or ''} {attributes.get('class') or ''}"):
            score *= 0.3
        if score > best_score:
            best, best_score = node, score
    return best


def _link_share(node: LexborNode) -> float:
    whole = len(node.text()) or 1
    return sum(len(link.text()) for link in node.css("a")) / whole


def article(page: Page, *, now: datetime) -> Found:
    """The page as one article. `body` is empty where no running text of at least LEAST_BODY characters stands on it."""
    holder = container_of(page)
    body = plain(holder.html or "") if holder is not None else ""
    if page.flattened:
        body = page.shown
    if len(body) < LEAST_BODY or (len(body) < 600 and _FOOTER.search(body)):
        body, holder = "", None
    images: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    if holder is not None:
        images = images_in(page, holder)
        links = links_in(page, holder)
    return Found(title=title_of(page), body=body, published_at=time_of(page, now=now), publisher=name_of(page), images=images, links=links)


def images_in(page: Page, holder: LexborNode) -> tuple[str, ...]:
    """Addresses of the pictures in an element, lazy ones too, at most 40."""
    found: dict[str, None] = {}
    for node in holder.css("img"):
        attributes = node.attributes
        source = attributes.get("data-src") or attributes.get("data-original") or attributes.get("original") or attributes.get("src")
        address = page.link(source) if source else None
        if address:
            found[address] = None
    return tuple(found)[:40]


def links_in(page: Page, holder: LexborNode) -> tuple[str, ...]:
    """Addresses that an element links to, at most 100."""
    found = {address: None for node in holder.css("a[href]") if (address := page.link(node.attributes.get("href") or ""))}
    return tuple(found)[:100]


def time_of(page: Page, *, now: datetime) -> datetime | None:
    """When it was published: what the head says, else the first date near the top of what is shown."""
    for query in _TIME_META:
        node = page.tree.css_first(query)
        if node is not None:
            found = moment(node.attributes.get("content") or node.attributes.get("datetime") or "", now=now)
            if found:
                return found
    for match in _WHEN.finditer(page.shown[:6000]):
        found = moment(match[0], now=now)
        if found:
            return found
    return None


def name_of(page: Page) -> str | None:
    """The account or source that the page names."""
    found = _WHO.search(page.shown[:6000])
    if found:
        return found[1]
    for query in _NAME_META:
        node = page.tree.css_first(query)
        if node is not None and 1 < len(text := line(node.attributes.get("content") or "")) <= 40:
            return text
    return None


def entries(page: Page, *, now: datetime) -> list[Found]:
    """The page as a list: siblings of one shape that each hold a link with words. Empty where no such group is.

    Of all groups the one with the most words wins; menus lose since their words are few.
    """
    groups: dict[tuple[int, str, str], list[LexborNode]] = {}
    for node in page.tree.css("li,div,dl,tr,article,section,dd,p,h2,h3"):
        parent = node.parent
        if parent is None:
            continue
        name = (node.attributes.get("class") or "").split(" ")[0]
        groups.setdefault((parent.mem_id, node.tag or "", name), []).append(node)
    best: list[Found] = []
    weight = spent = 0
    for nodes in groups.values():
        if len(nodes) < LEAST_ENTRIES:
            continue
        spent += len(nodes[0].parent.html or "") if nodes[0].parent is not None else 0
        if spent > MOST_MARKUP:
            break
        found = [entry for node in nodes[:500] if (entry := _entry(page, node, now)) is not None]
        total = sum(min(len(entry.title) + len(entry.body), 400) for entry in found)
        if len(found) >= LEAST_ENTRIES and total > weight and total >= 12 * len(found):
            best, weight = found, total
    return best


def _entry(page: Page, node: LexborNode, now: datetime) -> Found | None:
    best, address = "", None
    for link in node.css("a[href]")[:30]:
        text = line(link.text()) or line(link.attributes.get("title") or "")
        if len(text) > len(best) and (target := page.link(link.attributes.get("href") or "")):
            best, address = text, target
            if link.parent is not None and link.parent.tag in ("h1", "h2", "h3", "h4"):
                break
    if address is None or len(best) < 6:
        return None
    body = plain(node.html or "")
    when = _WHEN.search(body)
    return Found(
        title=best[:200], body=body if body != best else "", link=address, images=images_in(page, node),
        published_at=moment(when[0], now=now) if when else None,
    )  # fmt: skip
