"""Which links of an unknown site lead to articles, and which to more of them: for platforms that name no selectors.

A link is weighed by the shape of its address, the length of its words, and how often its shape repeats on the page: a list of
articles is a shape that repeats with long words. Doors that lead nowhere (login, calendars, sort orders, files) are left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawlers.page import Page, line
from crawlers.platform import PlatformFile
from crawlers.reading import Follow

MOST_LINKS = 1_500
"""Links weighed of one page."""
REPEATS = 4
"""Links of one shape that make a list."""
_FILE = re.compile(
    r"\.(?:jpe?g|png|gif|webp|bmp|svg|ico|css|js|pdf|docx?|xlsx?|pptx?|zip|rar|7z|tar|gz|exe|apk|ipa|dmg|mp[34]|avi|mov|flv|wmv|m3u8|swf|"
    r"ttf|woff2?)$",
    re.I,
)
_DOOR = re.compile(
    r"/(?:log(?:in|out)|sign(?:in|up|out)|register|reg|passport|member|user|ucenter|account|cart|checkout|order|pay|wp-admin|admin|cgi-bin|"
    r"print|share|email|feedback|captcha|comment-page-\d+|ajax|download)(?:[/.?]|$)|[?&](?:mod=(?:logging|register|spacecp)|action=)",
    re.I,
)
_FILTER = re.compile(
    r"^(?:sort(?:by)?|order(?:_?by)?|filter|view|date|month|year|day|week|lang|print|replytocom|share|from_date|to_date|start|end|min|max|"
    r"price|color|size|display|dir|style|theme|random|t|timestamp|_|sessionid|sid|phpsessid|jsessionid)$"
)
_CALENDAR = re.compile(r"/calendar(?:/|$)|/(?:19|20)\d\d/(?:0?[1-9]|1[0-2])(?:/(?:0?[1-9]|[12]\d|3[01]))?/?$", re.I)
_ARTICLE = re.compile(
    r"/(?:19|20)\d\d[-/_]?(?:0[1-9]|1[0-2])|/\d\d/\d{4}/|/(?=[a-z]*\d)[0-9a-z]{10,}\.s?html?$|\d{4,}[\w-]*\.(?:s?html?|aspx?|php|jsp)$|t20\d{6}_\d+|"
    r"/(?:article|content|news|post|posts|p|detail|details|show|view|thread|info|a|art|newsinfo|newsdetail|archives?|item|doc|read)"
    r"[-_/](?:[\w-]*[-_/])?\d+|[?&](?:id|aid|tid|newsid|articleid|nid|contentid|infoid)=\d+|/[\w%]+(?:-[\w%]+){3,}/?$|/[0-9a-f]{16,}",
    re.I,
)
_SECTION = re.compile(
    r"/(?:index|list|default|channel|category|node|col)[\w-]*(?:\.\w{2,5})?$|/(?:list|channel|category|tag|col)[/_-]|/$|^$", re.I
)
_SERVICE = re.compile(
    r"^(?:关于我们|关于本站|联系我们|联系方式|版权声明|隐私政策|免责声明|法律声明|帮助中心|帮助|网站声明|诚聘英才|人才招聘|招聘|广告服务|设为首页|加入收藏|"
    r"登录|注册|登陆|退出|English|繁体|手机版|客户端|下载|友情链接|意见反馈|举报中心|返回首页|首页|更多>*|more|RSS|无障碍|打印|分享|收藏)$",
    re.I,
)
_NEXT = re.compile(r"^(?:下一?页|后一页|next|›|»|>)", re.I)
_FEEDS = 'link[rel="alternate"][type*="rss"],link[rel="alternate"][type*="atom"],link[rel="alternate"][type*="feed+json"]'


_NAMES = re.compile(r"(?=[A-Za-z]*\d)[0-9A-Za-z]{6,}|\d+")


def shape_of(url: str) -> str:
    """What addresses of one kind share: host, path with its numbers and its codes (FIV54ATS000181BR) as `#`, keys of the query."""
    parts = urlsplit(url)
    keys = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    return f"{parts.netloc}{_NAMES.sub('#', parts.path)}?{'&'.join(keys)}"


@dataclass(slots=True)
class _Link:
    url: str
    words: str
    shape: str
    onward: bool


def wanders(platform: PlatformFile) -> bool:
    """Whether the platform's file names nothing of its pages, so that they are found by themselves."""
    return not (platform.list or platform.detail or platform.api)


def leads(page: Page, platform: PlatformFile) -> list[Follow]:
    """Where to go from `page` within its site, each address once, the most promising first. `worth` is 1-100."""
    links = _links(page, platform)
    words_of: dict[str, list[int]] = defaultdict(list)
    for link in links.values():
        words_of[link.shape].append(len(link.words))
    found = [Follow(url=link.url, role="start", worth=_worth(link, words_of[link.shape]), onward=link.onward) for link in links.values()]
    feeds = {address for node in page.tree.css(_FEEDS)[:3] if (address := page.link(node.attributes.get("href") or ""))}
    found += [Follow(url=address, role="list", worth=95) for address in feeds if platform.owns(address) and "comment" not in address]
    return sorted(found, key=lambda step: -step.worth)


def _links(page: Page, platform: PlatformFile) -> dict[str, _Link]:
    """By address; of several links to one address the longest words count."""
    found: dict[str, _Link] = {}
    for node in page.tree.css("a[href]")[:MOST_LINKS]:
        address = page.link(node.attributes.get("href") or "")
        if address is None or not platform.owns(address):
            continue
        address = address.partition("#")[0]
        words = line(node.text()) or line(node.attributes.get("title") or "")
        if len(address) > 500 or is_idle(address) or _SERVICE.match(words):
            continue
        known = found.get(address)
        if known is None:
            onward = bool(_NEXT.match(words)) or node.attributes.get("rel") == "next"
            found[address] = _Link(address, words, shape_of(address), onward)
        elif len(words) > len(known.words):
            known.words = words
    found.pop(page.url.partition("#")[0], None)
    return found


def is_idle(url: str) -> bool:
    """Whether the address is a file or a door for members."""
    parts = urlsplit(url)
    return _FILE.search(parts.path) is not None or _DOOR.search(f"{parts.path}?{parts.query}") is not None


def is_view(url: str) -> bool:
    """Whether the address is one of the endless views of a calendar or of a list: by day, by order, by filter."""
    parts = urlsplit(url)
    if _CALENDAR.search(parts.path):
        return True
    keys = [pair.partition("=")[0].lower() for pair in parts.query.split("&") if pair]
    return len(keys) > 4 or any(_FILTER.match(key) for key in keys)


def _worth(link: _Link, lengths: list[int]) -> int:
    path = urlsplit(link.url)
    words = len(link.words)
    if link.onward:
        return 45
    worth = 20
    if _ARTICLE.search(f"{path.path}?{path.query}" if path.query else path.path):
        worth += 25
    if words >= 8:
        worth += 15 if words < 14 else 25
    if len(lengths) >= REPEATS and sum(lengths) / len(lengths) >= 8:
        worth += 20
    if 2 <= words <= 6 and not path.query and _SECTION.search(path.path):
        # A section: worth less than an article in sight, more than whatever else; deeper ones less.
        worth += 30 - 4 * max(0, path.path.count("/") - 2)
    return max(1, min(100, worth))
