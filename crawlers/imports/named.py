"""Fields by their names: what the columns and keys of other people's files mean, in Chinese and English."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from crawlers.cut import MOST_BODY
from crawlers.dates import moment
from crawlers.imports.base import Asked
from crawlers.imports.public import pictures, public_url, with_print
from crawlers.page import line, plain
from crawlers.platform import PlatformFile
from domain.clock import SHANGHAI
from domain.identity import canonical_url, sha256
from domain.lightfold import table
from domain.model import Capture, Harvest, Posting, PostingKind

NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "标题", "题目", "主题", "subject", "headline", "名称", "广告标题", "note_title"),
    "text": (
        "text", "body", "content", "content_text", "正文", "内容", "文本", "文案", "广告内容", "desc", "description", "描述", "详情",
        "caption", "summary", "摘要", "简介", "detail", "article", "评论内容", "帖子内容",
    ),
    "url": (
        "url", "link", "链接", "网址", "href", "note_url", "aweme_url", "content_url", "source_url", "share_url", "原文链接", "来源链接",
        "页面地址", "网页地址", "video_url",
    ),
    "publisher": (
        "publisher", "author", "account", "nickname", "user_nickname", "screen_name", "uname", "发布者", "发布人", "发布账号", "账号",
        "账号名称", "作者", "公众号", "昵称", "博主", "author_name", "account_name", "nick_name",
    ),
    "advertiser": ("advertiser", "广告主", "企业名称", "公司名称", "公司", "企业", "company"),
    "time": (
        "published_at", "publish_time", "time", "date", "create_time", "created_at", "created_time", "create_date_time", "发布时间",
        "发表时间", "时间", "日期", "pubdate", "pub_time", "ctime",
    ),
    "seen": ("fetched_at", "采集时间", "抓取时间", "监测时间", "发现时间", "last_modify_ts"),
    "images": (
        "images", "image", "image_list", "图片", "图片链接", "pictures", "pics", "cover_url", "video_cover_url", "note_download_url",
        "cover",
    ),
    "platform": ("platform", "平台", "平台名称", "来源平台", "网站", "网站名称"),
    "kind": ("kind", "类型", "内容类型", "载体类型"),
}  # fmt: skip
"""Field of ours -> names that mean it, the surest first."""
_KINDS = {
    "广告": PostingKind.AD, "帖子": PostingKind.POST, "文章": PostingKind.ARTICLE, "公众号文章": PostingKind.ARTICLE,
    "商品": PostingKind.LISTING, "直播": PostingKind.LIVE, "短视频": PostingKind.LIVE, "视频": PostingKind.LIVE, "应用": PostingKind.APP,
    "小程序": PostingKind.APP, "传单": PostingKind.LEAFLET, "户外广告": PostingKind.LEAFLET, "报纸": PostingKind.LEAFLET,
    **{one.value: one for one in PostingKind},
}  # fmt: skip
_FIELD_OF = {name: ours for ours, names in reversed(NAMES.items()) for name in names}
_RANK = {name: rank for names in NAMES.values() for rank, name in enumerate(names)}
_SPLIT = re.compile(r"[,，;；|\s]+(?=https?://)")


@dataclass(slots=True, kw_only=True)
class Values:
    """What one row says, as text; empty where it says nothing."""

    title: str = ""
    text: str = ""
    url: str = ""
    publisher: str = ""
    advertiser: str = ""
    time: str = ""
    seen: str = ""
    images: list[str] = field(default_factory=list)
    platform: str = ""
    kind: str = ""


def key_of(name: str) -> str:
    """A column's name as it is compared: simplified characters, no case, no spaces, no star or bracketed remark."""
    return re.sub(r"[\s*＊]+|[（(].*?[)）]|^\ufeff", "", name).translate(table()).lower()


def columns_of(header: list[str], asked: Mapping[str, str]) -> dict[int, str]:
    """Index of a column -> field of ours. `asked` goes before what the names say; of two that mean the same, the surer one."""
    found: dict[int, str] = {}
    by_name = {key_of(name): index for index, name in reversed(list(enumerate(header)))}
    for ours, name in asked.items():
        if key_of(name) in by_name:
            found[by_name[key_of(name)]] = ours
    best: dict[str, tuple[int, int]] = {}
    for index, name in enumerate(header):
        key = key_of(name)
        ours = _FIELD_OF.get(key, "")
        if ours and ours not in asked and index not in found and (ours not in best or _RANK[key] < best[ours][0]):
            best[ours] = (_RANK[key], index)
    return found | {index: ours for ours, (_, index) in best.items()}


def text_of(value: Any) -> str:
    """A cell or a JSON value as text; empty for what is none."""
    if isinstance(value, str):
        return value.replace("\x00", "").strip()
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=SHANGHAI)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value) if math.isfinite(value) else ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def urls_in(value: Any, *, depth: int = 3) -> list[str]:
    """The web addresses that a value holds: one, several in one text, a list, or objects with a `url`."""
    if isinstance(value, str):
        return [part for part in _SPLIT.split(value.strip()) if part.startswith(("http://", "https://"))]
    if isinstance(value, list) and depth:
        return [one for part in value[:60] for one in urls_in(part, depth=depth - 1)]
    if isinstance(value, dict) and depth:
        return next(
            (found for name in ("url", "url_default", "src", "url_list", "origin") if (found := urls_in(value.get(name), depth=depth - 1))),
            [],
        )
    return []


def owner_of(url: str, asked: Asked) -> PlatformFile | None:
    """The platform that an address belongs to, the one that names its host most closely."""
    host = urlsplit(url).netloc.lower()
    if host not in asked.owners:
        found = [one for one in asked.platforms.values() if not one.adopt and one.owns(url)]
        asked.owners[host] = max(found, key=lambda one: one.claim(url)) if found else None
    return asked.owners[host]


def place_of(url: str, asked: Asked) -> str:
    """Id of the platform that an address belongs to, else its host, as pages without a platform have it."""
    owner = owner_of(url, asked)
    if owner is not None:
        return owner.id
    name = re.sub(r"[^a-z0-9_.-]", "-", (urlsplit(url).hostname or "").lower()).strip("-.")[:64]
    return name if len(name) > 1 else "unknown"


def harvest_of(values: Values, asked: Asked, *, via: str, kind: PostingKind = PostingKind.POST) -> Harvest | str:
    """The Harvest of one row: its bytes are its fields as JSON, and no more than its fields. A text says why there is none."""
    title, body = line(plain(values.title)), (plain(values.text) if "<" in values.text else values.text).strip()
    images = pictures(values.images)
    if not title and not body and not images:
        return "没有标题、正文和图片；公式单元格请先在表格软件中计算并保存"
    if len(body) > MOST_BODY:
        return f"正文 {len(body)} 字，超过 {MOST_BODY} 字，不是一条内容"
    address = _address(values.url)
    published, seen = (moment(text, now=asked.now) if text else None for text in (values.time, values.seen))
    kept = {
        "title": title, "text": body, "url": address or values.url, "publisher": values.publisher, "advertiser": values.advertiser,
        "time": values.time, "images": [image.url for image in images], "platform": values.platform,
    }  # fmt: skip
    kept = {name: value for name, value in kept.items() if value}
    data = json.dumps(kept, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    digest = sha256(data)
    url = address or f"row:{digest[:32]}"
    posting = Posting(
        platform=place_of(address, asked) if address else _named_platform(values.platform, asked.platforms), url=url,
        kind=_KINDS.get(values.kind.strip().lower(), kind), title="" if title == line(body) else title, body=body, images=images,
        publisher=line(values.publisher)[:200] or None, advertiser=line(values.advertiser)[:200] or None, published_at=published,
    )  # fmt: skip
    capture = Capture(
        url=url, final_url=url, fetched_at=seen or asked.now, status=0, sha256=digest, size=len(data), mime="application/json",
        charset="utf-8", via=via,
    )  # fmt: skip
    return Harvest(capture=capture, body=data, postings=(with_print(posting),))


def _address(url: str) -> str:
    try:
        base, mark, anchor = url.strip().partition("#comment-")
        return canonical_url(public_url(base)) + mark + anchor
    except ValueError:
        return ""


def _named_platform(name: str, platforms: Mapping[str, PlatformFile]) -> str:
    wanted = name.strip().lower()
    return next((one.id for one in platforms.values() if wanted and wanted in (one.id, one.title.lower())), "list")
