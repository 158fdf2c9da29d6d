"""The block of a page that holds its running text, and the text in it without what does not belong to the article.

The block is the one whose own running text, with few links in it, weighs most (the idea of Readability, counted in Chinese
punctuation). What is hidden from readers weighs nothing: sites stuff pages with words that only search engines shall see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from crawlers.page import Page, line, plain

CANDIDATES = 12
"""Blocks that are weighed closely; the article is among the first few of any real page."""
MOST_BLOCKS = 6_000
"""Blocks of text that are weighed at all: the longest real page has 2,000."""
MOST_LINKS = 10_000
CLIMBS = 6
MOST_ASIDES = 8_000_000
"""Characters looked at, at most, to tell what in a text is none of it."""
MOSTLY_LINKS = 0.6
DEEPEST_WALK = 200
LEAST_WEIGHT = 40.0
"""Under this there is no text at all, only labels: the shortest article of 80 characters weighs about 100."""
LITTLE_WEIGHT = 150.0
"""Under this a block is a caption: one sentence weighs about 60."""
_PROSE = "p,div,section,article,td,pre,blockquote,li,span,font,center,dd"
_NUMERALS = " \t\r\n\u00a0\u30000123456789-/:.年月日[]()（）|"
_INLINE = frozenset({"span", "font"})
_HOLDERS = frozenset({"div", "td", "article", "section", "pre"})
_NOT_PROSE = frozenset(["script", "style", "a", "button", "select", "option", "nav", "noscript", "textarea"])
_BOILER = re.compile(
    r"comment|foot|nav(?!y)|menu|side(?!r)|copyright|relat|recommend|login|toolbar|breadcrumb|hot-?list|rank|share|qrcode|评论", re.I
)
_BOXES = "[class*=share i],[class*=video i],[class*=player i],[class*=qrcode i],[class*=vote i],[id*=video i],[id*=player i]"
_HIDDEN_CSS = '[style*="display:none" i],[style*="display: none" i],[hidden]'
_APART_CSS = "footer,[class*=comment i],[id*=comment i],[class*=footer i],[class*=recommend i],[class*=related i]"
_APART = re.compile(r"comment|footer|recommend|related|copyright", re.I)
_HIDDEN = re.compile(r"display\s*:\s*none", re.I)
_STOPS = re.compile(r"[。！？；!?]")
_MARKS = re.compile(r"[，。！？；：、,.!?;:]")
_HEAD_LINE = re.compile(
    r"^(?:[（(]?原标题\s*[:：].{0,120}|分享到?\s*[:：]?|T \+ -|字号.{0,12}|点击进入.{0,40}>>|视频[-—].{0,60}|图集|"
    r"转播到腾讯微博|(?:核心)?(?:提示|摘要)\s*[:：]?)$"
)
_TAIL_LINE = re.compile(
    r"^(?:[\[(（【]?\s*(?:责任编辑|责编|编辑|编校|审核|校对|(?:本文)?来源)\s*[/:：丨].{0,50}|[+\d]{1,4}|【?(?:纠错|详细|打印本页|关闭窗口)】?.{0,10}|"
    r"(?:【\d+】)+|分享到?\s*[:：]?.{0,30}|收藏|举报|阅读原文|返回(?:列表|首页|顶部)|点击进入(?:专题)?.{0,30}|"
    r"[【（]?上一[篇页].{0,200}|下一[篇页].{0,100}|(?:点击)?查看更多.{0,12}|展开全文|我要反馈|赞\s*\d*|(?:文章)?(?:标签|关键[词字])\s*[:：>].{0,80}|"
    r"版权声明\s*[:：]?|新华网|人民网|澎湃新闻报料.{0,60})$"
)
_ASIDE_LINE = re.compile(
    r"^[【\[]?(?:延伸|相关|推荐|更多|拓展|精彩|热门|往期)?(?:阅读|新闻|文章|推荐|报道|链接|专题|视频推荐|回顾|搜索)[】\]]?[:：]?$"
)
_PAGER = re.compile(r"^(?:上一页|下一页|首页|尾页|末页|[\d\s/<>＜＞«»])+$")


def container_of(page: Page) -> LexborNode | None:
    """The element that holds the running text; None where there is none. Hidden text is an article only where there is no other."""
    apart = _Apart()
    found, score = _weighed(page, apart)
    if score < LITTLE_WEIGHT and apart.left_out:
        hidden, more = _weighed(page, None)
        found = hidden if more > 4 * score else found
    return _whole(found, apart) if found is not None else None


class _Apart:
    """What of a page is not displayed, or is no article by its own name: comments, other articles, the foot of the page."""

    def __init__(self) -> None:
        self.left_out = False
        """Whether anything was found to stand apart."""
        self._known: dict[int, bool] = {}

    def has(self, node: LexborNode) -> bool:
        """Whether `node` stands in there. Only the few boxes about running text are asked: a selector would ask all of the page."""
        way: list[int] = []
        at: LexborNode | None = node
        answer = False
        while at is not None and at.tag not in ("body", "html", None) and len(way) < DEEPEST_WALK:
            known = self._known.get(at.mem_id)
            answer = _apart(at) if known is None else known
            if known is None:
                way.append(at.mem_id)
            if answer or known is not None:
                break
            at = at.parent
        self._known.update(dict.fromkeys(way, answer))
        self.left_out |= answer
        return answer


def _apart(node: LexborNode) -> bool:
    attributes = node.attributes
    style = attributes.get("style")
    if "hidden" in attributes or (style and _HIDDEN.search(style)):
        return True
    named = node.tag == "footer" or _APART.search(f"{attributes.get('id') or ''} {attributes.get('class') or ''}")
    return bool(named) and node.css_first("h1") is None


def _whole(holder: LexborNode, apart: _Apart) -> LexborNode:
    """The element that holds `holder` and its like: editors wrap each part of a text in boxes of one kind, many levels deep."""
    at = holder
    for _ in range(CLIMBS):
        parent = at.parent
        if parent is None or parent.tag in ("body", "html", "tr", "table", None):
            break
        own = len(at.text())
        more = sum(len(node.text()) for node in _like(at, parent) if _is_prose(node) and not apart.has(node))
        if more * 4 >= own:
            holder = parent
        elif len(parent.text()) > 1.2 * own + 40:
            break  # no mere box about it: something else stands there
        at = parent
    return holder


def _like(holder: LexborNode, parent: LexborNode) -> list[LexborNode]:
    """Its siblings of the same tag and class, at most 60."""
    found: list[LexborNode] = []
    name = holder.attributes.get("class")
    at = parent.child
    while at is not None and len(found) < 60:
        if at.tag == holder.tag and at.mem_id != holder.mem_id and at.attributes.get("class") == name:
            found.append(at)
        at = at.next
    return found


def _is_prose(node: LexborNode) -> bool:
    text = node.text()
    return len(text) >= 20 and len(_STOPS.findall(text)) >= 1 and _link_share(node) < 0.3


def _weighed(page: Page, apart: _Apart | None) -> tuple[LexborNode | None, float]:
    scores: dict[int, float] = {}
    nodes: dict[int, LexborNode] = {}
    for node in page.tree.css(_PROSE)[:MOST_BLOCKS]:
        own = node.text(deep=False)
        if len(own) < 10 or len(own := own.strip(_NUMERALS)) < 8:
            continue
        block = node
        while block.tag in _INLINE and block.parent is not None:
            block = block.parent
        if block.tag in _NOT_PROSE or block.parent is None or (apart is not None and apart.has(block)):
            continue
        share = len(own) + 8.0 * len(_MARKS.findall(own))
        holder: LexborNode | None = block if block.tag in _HOLDERS else block.parent
        for _ in range(3):
            if holder is None or holder.tag in ("html", None):
                break
            key = holder.mem_id
            if key in scores:
                scores[key] += share
            else:
                scores[key], nodes[key] = share, holder
            holder, share = holder.parent, share * 0.6
    return _best(scores, nodes)


def _best(scores: dict[int, float], nodes: dict[int, LexborNode]) -> tuple[LexborNode | None, float]:
    best, best_score = None, 0.0
    for key in sorted(scores, key=scores.__getitem__, reverse=True)[:CANDIDATES]:
        if scores[key] <= best_score:
            break  # what follows weighs less before anything is taken off
        node = nodes[key]
        attributes = node.attributes
        linked = _link_share(node)
        if linked > MOSTLY_LINKS:
            continue  # a list of other pages
        score = scores[key] * (1 - linked)
        if _BOILER.search(f"{attributes.get('id') or ''} {attributes.get('class') or ''}"):
            score *= 0.3
        if score > best_score:
            best, best_score = node, score
    return (best, best_score) if best_score >= LEAST_WEIGHT else (None, 0.0)


def _link_share(node: LexborNode) -> float:
    whole = len(node.text()) or 1
    return sum(len(link.text()) for link in node.css("a")) / whole


def text_in(holder: LexborNode, markup: str) -> str:
    """The article's text in `holder`, whose serialised form is `markup`: without hidden parts, lists of other pages and signatures."""
    for part in _asides(holder, markup):
        markup = markup.replace(part, "\n", 1)
    return trimmed(plain(markup), linked=_linked(holder) if "<a" in markup else frozenset())


def _asides(holder: LexborNode, markup: str) -> list[str]:
    """Serialised parts that a reader does not take for the article. A part that holds more than half of the text is the article."""
    most = len(holder.text()) / 2
    found: list[str] = []
    taken = {holder.mem_id}
    spent = 0
    for node, least in _suspects(holder, markup):
        if node.mem_id in taken or _stands_in(node, taken - {holder.mem_id}):
            continue
        size = len(node.text())
        spent += size
        if spent > MOST_ASIDES:
            break  # boxes that nest without end are looked at once a level
        if size < most * least:
            taken.add(node.mem_id)
            found.append(node.html or "")
            spent += len(found[-1])
    return found


def _suspects(holder: LexborNode, markup: str) -> Iterator[tuple[LexborNode, float]]:
    """What may be an aside, with the share of half of the text under which it is one."""
    if "none" in markup or "hidden" in markup:
        yield from ((node, 1.0) for node in holder.css(_HIDDEN_CSS)[:200])
    yield from ((node, 1.0) for node in holder.css(_APART_CSS)[:200])
    yield from ((node, 1 / 6) for node in holder.css(_BOXES)[:200])
    if markup.count("<a ") > 2:
        looked = 0
        for node in holder.css("ul,ol,div,aside,section,dl,table")[:400]:
            links = len(node.css("a"))
            looked += links
            if links < 2:
                continue
            if looked > MOST_LINKS:
                return
            share, attributes = _link_share(node), node.attributes
            named = _BOILER.search(f"{attributes.get('id') or ''} {attributes.get('class') or ''}") is not None
            if (links >= 3 and share > 0.75) or (named and share > 0.4):
                yield node, 1.0


def _stands_in(node: LexborNode, holders: set[int]) -> bool:
    if not holders:
        return False
    at = node.parent
    for _ in range(DEEPEST_WALK):
        if at is None:
            return False
        if at.mem_id in holders:
            return True
        at = at.parent
    return False


def _linked(holder: LexborNode) -> frozenset[str]:
    return frozenset(line(node.text()) for node in holder.css("a")[:300])


def trimmed(text: str, *, linked: frozenset[str]) -> str:
    """`text` without the lines before and after it that are a page's furniture: sharing, signatures, pages, other articles.

    `linked` are the lines that are links as a whole. Only lines at both ends go; what stands between is the writer's.
    """
    lines = text.split("\n")
    start, end = 0, len(lines)
    while start < end and (_HEAD_LINE.match(lines[start]) or _PAGER.match(lines[start])):
        start += 1
    moved = True
    while moved and end > start:
        moved = False
        while end > start and (_TAIL_LINE.match(lines[end - 1]) or _PAGER.match(lines[end - 1])):
            end, moved = end - 1, True
        aside = end
        while aside > start and lines[aside - 1] in linked:
            aside -= 1
        if aside > start and _ASIDE_LINE.match(lines[aside - 1]):
            end, moved = aside - 1, True
    return "\n".join(lines[start:end])


def images_in(page: Page, holder: LexborNode) -> tuple[str, ...]:
    """Addresses of the pictures in an element, lazy ones too, at most 40."""
    found: dict[str, None] = {}
    for node in holder.css("img"):
        attributes = node.attributes
        source = (
            attributes.get("data-src") or attributes.get("data-original") or attributes.get("original") or attributes.get("data-lazy-src")
            or attributes.get("src")
        )  # fmt: skip
        address = page.link(source) if source else None
        if address:
            found[address] = None
    return tuple(found)[:40]


def links_in(page: Page, holder: LexborNode) -> tuple[str, ...]:
    """Addresses that an element links to, at most 100."""
    found = {address: None for node in holder.css("a[href]") if (address := page.link(node.attributes.get("href") or ""))}
    return tuple(found)[:100]
