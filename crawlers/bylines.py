"""When an article was published and by whom: read between its title and its text, where every site writes it.

What the head declares for machines comes first; then the lines between title and text, those right behind the text, what scripts
carry, and the day in the address. A date in a menu, in the text itself or beside another article is none of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from selectolax.lexbor import LexborNode

from crawlers.dates import in_address, moment
from crawlers.page import Page, line, plain, without_scripts
from crawlers.titles import fold

BEFORE = 8_000
"""Characters of markup without scripts before the text that are looked at."""
AFTER = 2_000
SHOWN = 1_500
"""Characters shown before the text among which a byline stands."""
_UNSEEN = frozenset({"script", "style", "noscript", "-comment", "_comment", "template", "iframe"})
_TIME_META = (
    'meta[property="article:published_time"]', 'meta[name="publishdate" i]', 'meta[name="PubDate" i]', 'meta[itemprop="datePublished"]',
    'meta[name="weibo: article:create_at"]', 'meta[property="og:release_date"]', 'meta[name="og:time"]', 'meta[name="apub:time"]',
    'meta[name="publish_time"]', 'meta[property="bytedance:published_time"]', 'meta[name="dcterms.created"]', 'meta[name="DC.date" i]',
    'meta[itemprop="dateUpdate"]', "[itemprop=datePublished][content]", "time[datetime]",
)  # fmt: skip
_NAME_META = (
    'meta[name="ContentSource" i]', 'meta[property="og:article:author"]', 'meta[property="article:author"]', 'meta[name="author" i]',
    'meta[name="source"]',
)  # fmt: skip
WHEN = re.compile(
    r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?"
    r"(?:[\s,，]*[T ]?\s*(?:上午|下午)?\s*\d{1,2}[:：时]\d{1,2}(?:[:：]\d{1,2})?)?"
    r"|(?<!\d)\d{1,2}月\d{1,2}日(?:\s*\d{1,2}:\d{1,2})?|(?<![\d.-])\d\d-\d\d\s*\d\d:\d\d"
    r"|\d{1,3}\s?(?:分钟|小时|天)前|(?:昨天|前天|今天)\s*\d{1,2}:\d{1,2}"
)
_LABEL = re.compile(r"(?:发布|发表|更新|时间|日期|来源|作者|编辑|时间戳|发稿)")
_SCRIPT_KEYS = (
    "var ct", "datePublished", "publish_time", "publishTime", "publishtime", "pubDate", "pubdate", "pub_time", "pubTime", "pubtime",
    "publishDate", "publish_date", "publishedAt", "create_time", "createTime", "createdAt", "ctime",
)  # fmt: skip
_SCRIPT_TIME = re.compile(
    r"""["']?\s*[:=]\s*["']?(\d{4}-\d\d?-\d\d?[T ]\d\d?:\d\d[\d:.+Z]{0,12}|\d{4}年\d\d?月\d\d?日\s?\d\d?:\d\d|\d{13}|\d{10})(?!\d)"""
)
_SOURCE = re.compile(r"(?:文章|信息|稿件|新闻|内容)?来源(?:于)?\s*[:：丨|]\s*([^\s:：|丨]{2,30})")
_SOURCE_BARE = re.compile(r"(?:^|[\s|])来源\s?([^\s:：|丨]{2,20})")
_NOBODY = frozenset({"未知", "佚名", "不详", "无", "admin", "管理员", "匿名"})
_NAMED = "[class*=author i],[class*=source i],[id*=source i],[class*=nickname i],[id*=nickname i],[id=js_name],[class*=media-name i]"
_AUTHOR = re.compile(r"(?:作者|发布者|公众号|发布人|撰稿|供稿)\s*[:：丨|]\s*([^\s:：|丨]{2,30})")
_EDITOR = re.compile(r"(?:责任编辑|编辑)\s*[:：丨|]\s*([^\s:：|丨\]）)]{2,12})")
_NOISE = re.compile(
    r"原创|首发|关注|分享.*|收藏.*|字号.*|评论.*|阅读.*|浏览.*|点击.*|转发|微博|微信|QQ\S*|Qzone|打印.*|举报|超?大|标准|中|小|T|[-+|丨/\s\d,，:：·•A]+|"
    r"发布时间|发布日期|发布于|发表于|发布|时间|日期|更新时间|更新|来源|作者|编辑|正文|首页|大字|小字|朋友圈|登录\S*|注册|展开|人气|次|条|参与|我要\S*|企鹅号|"
    r"上午|下午|星期.|周.|缩小字体|放大字体|\S*认证|优质\S*|官方\S*|海报|扫\S*|用微信\S*|更多"
)
_NOT_NAME = re.compile(r"^\d+$|^https?:|\d:\d|次阅读|标准时间|[。！？，]|功能介绍|微信号")
_TRIM = "()（）[]【】<>《》　 :：|丨-—,，"


@dataclass(frozen=True, slots=True)
class Around:
    """What is shown about an article's text."""

    before: str = ""
    """The lines before it, the closest last, at most SHOWN characters."""
    opening: str = ""
    """Its own first lines: some sites put the byline inside."""
    after: str = ""


def around(holder: LexborNode, markup: str) -> Around:
    """What is shown before and after the element, whose serialised form is `markup`."""
    before = "".join(reversed(list(_beside(holder, back=True))))[-BEFORE:]
    after = "".join(_beside(holder, back=False))[:AFTER]
    return Around(
        before=plain(before.partition(">")[2] if len(before) == BEFORE else before)[-SHOWN:],
        opening=plain(without_scripts(markup[:3000].rpartition("<")[0]))[:400],
        after=plain(after.rpartition("<")[0] if len(after) == AFTER else after)[:500],
    )


def _beside(holder: LexborNode, *, back: bool) -> Iterator[str]:
    """Markup of what stands before (`back`) or after an element, the nearest first, until there is enough."""
    left = BEFORE if back else AFTER
    at: LexborNode | None = holder
    while at is not None and at.tag not in ("body", "html") and left > 0:
        sibling = at.prev if back else at.next
        while sibling is not None and left > 0:
            if sibling.tag not in _UNSEEN:
                part = without_scripts(sibling.html or "")
                left -= len(part)
                yield part
            sibling = sibling.prev if back else sibling.next
        at = at.parent


def byline(title: str, near: Around) -> list[str]:
    """The lines between the title and the text, then the text's own first ones and those behind it that look like a byline."""
    lines = near.before.split("\n")
    own = fold(title)[:16]
    start = max((at for at, text in enumerate(lines) if own and own in fold(text)), default=-1)
    between = lines[start + 1 :] if start >= 0 else lines[-8:]
    if start >= 0 and (rest := lines[start].replace(title, "").strip()):
        between = [rest, *between]
    inside = [text for text in near.opening.split("\n")[:4] if len(text) < 80 and _LABEL.search(text)]
    behind = [text for text in near.after.split("\n")[:12] if len(text) < 80 and _LABEL.search(text)]
    return [*between, *inside, *behind]


def time_of(page: Page, lines: list[str], *, now: datetime) -> datetime | None:
    """When it was published; `lines` are those of its byline."""
    for query in _TIME_META:
        node = page.tree.css_first(query)
        if node is not None:
            found = moment(node.attributes.get("content") or node.attributes.get("datetime") or "", now=now)
            if found:
                return found
    scripted = _scripted(page, now) if not any(WHEN.search(text) for text in lines) or _only_relative(lines) else None
    if scripted:
        return scripted
    # A line with a year names the day for sure; without one it is a guess that depends on when the page is read.
    for sure in (True, False):
        for text in lines:
            for match in WHEN.finditer(text):
                if (match[0][:2] in ("19", "20") and match[0][2:4].isdigit()) == sure and (found := moment(match[0], now=now)):
                    return found
    return in_address(page.url, now=now)


def _only_relative(lines: list[str]) -> bool:
    return not any(match[0][:4].isdigit() for text in lines for match in WHEN.finditer(text))


def _scripted(page: Page, now: datetime) -> datetime | None:
    for key in _SCRIPT_KEYS:
        at = page.source.find(key)
        for _ in range(5):
            if at < 0:
                break
            if (match := _SCRIPT_TIME.match(page.source, at + len(key))) and (found := moment(match[1], now=now)):
                return found
            at = page.source.find(key, at + len(key))
    return None


def name_of(page: Page, lines: list[str]) -> str | None:
    """The account or source that the page names."""
    joined = "\n".join(lines)
    for pattern in (_SOURCE, _SOURCE_BARE, _AUTHOR):
        for found in pattern.finditer(joined):
            if name := _name(found[1]):
                return name
    for at, text in enumerate(lines):
        if WHEN.search(text):
            for near in (text, *lines[max(0, at - 2) : at][::-1]):
                if name := _left(near):
                    return name
            break
    for node in page.tree.css(_NAMED)[:20]:
        if (name := _name(line(node.text()))) and name in joined and not _NOISE.fullmatch(name):
            return name
    for query in _NAME_META:
        meta = page.tree.css_first(query)
        if meta is not None and (name := _name(line(meta.attributes.get("content") or ""))):
            return name
    editor = _EDITOR.search(joined)
    return _name(editor[1]) or None if editor else None


def _left(text: str) -> str:
    """What is left of a line of a byline when time, labels and buttons are taken away: a name of 2 to 20 characters, or nothing."""
    if len(text) > 60:
        return ""
    for word in WHEN.sub(" ", text).split():
        if not _NOISE.fullmatch(word) and (name := _name(_NOISE.sub("", word) if "：" in word else word)):
            return name
    return ""


def _name(text: str) -> str:
    text = text.strip(_TRIM)
    for opening, closing in ("[]", "()", "（）", "【】", "《》"):
        text += closing if text.count(opening) > text.count(closing) else ""
    return text if 2 <= len(text) <= 24 and text not in _NOBODY and not _NOT_NAME.search(text) else ""
