"""Exports of the MediaCrawler shape (JSON, JSONL, CSV) -> Harvests: posts and comments of seven platforms, by their field names.

What describes people is left out: numbers and links of accounts, avatars, gender, signature, place of the IP address. Of a commenter
only the public account name stays, which a posting needs. Files of creators, fans and contacts are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from crawlers.imports import tables
from crawlers.imports.base import Asked, Example, Look, OneFile, Refused
from crawlers.imports.json_stream import JSONError, objects
from crawlers.imports.named import NAMES, Values, harvest_of, text_of, urls_in
from crawlers.imports.warc import CUT
from domain.model import Harvest, PostingKind

_PATHS = frozenset(
    f"{head}item" for head in ("", "data.", "items.", "list.", "records.", "contents.", "comments.", "notes.", "data.list.", "data.items.")
)
_IDS = frozenset(["note_id", "aweme_id", "video_id", "content_id", "comment_id"])
_BESIDE = frozenset(["nickname", "user_nickname", "note_url", "aweme_url", "content_url", "video_url", "source_keyword", "content", "desc"])
_PEOPLE = frozenset(["fans", "follows", "fan_id", "up_id", "total_fans"])
_HOMES = {
    "xhs": "https://www.xiaohongshu.com/explore/{}", "douyin": "https://www.douyin.com/video/{}",
    "kuaishou": "https://www.kuaishou.com/short-video/{}", "bilibili": "https://www.bilibili.com/video/av{}",
    "weibo": "https://m.weibo.cn/detail/{}", "tieba": "https://tieba.baidu.com/p/{}",
}  # fmt: skip
"""Where a post stands whose row names only its number."""
LINE_MOST = 4_000_000


class Exported(OneFile):
    """What MediaCrawler, and tools that write its fields, saved."""

    name, title, suffixes = "export", "MediaCrawler 一类采集工具的导出文件", (".json", ".jsonl", ".ndjson", ".csv")

    def knows(self, look: Look) -> bool:
        head = look.head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if look.packed or look.names:
            return False
        if head.startswith((b"[", b"{")):
            return not (b'"log"' in head[:4096] and b'"entries"' in head)
        first = head.partition(b"\n")[0].decode("utf-8", "replace").replace('"', "")
        return is_exported([cell.strip() for cell in first.split(",")])

    def pieces(self, file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
        head = file.read(tables.SAMPLE).lstrip(b"\xef\xbb\xbf \t\r\n")
        file.seek(0)
        if not head.startswith((b"[", b"{")):
            yield from _csv(file, asked)
        elif head.startswith(b"{") and _is_lines(head):
            yield from _lines(file, asked)
        else:
            yield from _array(file, asked)

    def examples(self) -> tuple[Example, ...]:
        notes: list[Any] = [
            {
                "note_id": f"n{n}", "title": f"笔记{n}", "desc": "为示例写的笔记，讲周末去哪里走走。", "nickname": "某账号",
                "user_id": "u-1",
                "ip_location": "某省", "avatar": "https://a.example/1.jpg", "time": 1763625600000,
                "note_url": f"https://www.xiaohongshu.com/explore/n{n}?xsec_token=T",
            }
            for n in range(3)
        ]  # fmt: skip
        hurt = [*notes[:2], 7, {"note_id": "x", "title": None, "desc": ["a"]}]
        lines = [
            {"comment_id": f"c{n}", "aweme_id": "a1", "content": f"为示例写的第{n}条评论。", "nickname": "路人", "user_id": "u-2"}
            for n in range(2)
        ]
        listed, told = (json.dumps(one, ensure_ascii=False).encode() for one in (notes, hurt))
        rows = b"\n".join(json.dumps(one, ensure_ascii=False).encode() for one in lines)
        return (
            Example(files={"search_contents.json": listed}, captures=3, postings=3, broken={"search_contents.json": told}),
            Example(files={"search_comments.jsonl": rows}, captures=2, postings=2, broken={"search_comments.jsonl": rows + b'\n{"cut'}),
        )


def is_exported(header: Iterable[str]) -> bool:
    """Whether these column names are those of such an export."""
    names = {name.strip().lower() for name in header}
    return bool(names & _IDS and names & _BESIDE)


def taken(row: Mapping[str, Any], asked: Asked, *, via: str = "export") -> Harvest | str:
    """The Harvest of one row; a text says why there is none."""
    if _PEOPLE & set(row) and not _IDS & set(row):
        return "账号、粉丝或关注资料，不是发布内容，不导入"
    comment = bool(text_of(row.get("comment_id")))
    values = Values(
        title="" if comment else _first(row, "title"), text=_first(row, "text"), publisher=_first(row, "publisher"),
        time=_first(row, "time"), url=_url(row, asked, comment=comment),
        seen=text_of(row.get("last_modify_ts")), images=[one for name in NAMES["images"] for one in urls_in(row.get(name))],
    )  # fmt: skip
    return harvest_of(values, asked, via=via, kind=PostingKind.POST)


def _first(row: Mapping[str, Any], field: str) -> str:
    return next((text for name in NAMES[field] if (text := text_of(row.get(name)))), "")


def _url(row: Mapping[str, Any], asked: Asked, *, comment: bool) -> str:
    """Address of the post, and of a comment below it; empty where the row gives neither an address nor a known number."""
    home = _HOMES.get(_platform(row), "")
    video = text_of(row.get("video_url"))
    url = next((text for name in ("note_url", "aweme_url", "content_url", "url", "link") if (text := text_of(row.get(name)))), "")
    if not url and text_of(row.get("video_id")) and video.startswith("http"):
        url = video  # of Bilibili and Kuaishou this is the page; of Xiaohongshu, which has a note_url, the film itself
    number = next((text for name in ("aweme_id", "video_id", "note_id") if (text := text_of(row.get(name)))), "")
    if not url and home and number.isalnum():
        url = home.format(number)
    return f"{url}#comment-{text_of(row.get('comment_id'))[:40]}" if comment and url else url


def _platform(row: Mapping[str, Any]) -> str:
    """Which platform a row is of, by the keys that only it has."""
    if "aweme_id" in row:
        return "douyin"
    if "video_id" in row:
        return "bilibili" if {"sex", "sign", "video_danmaku"} & set(row) else "kuaishou"
    if "tieba_name" in row or "tieba_id" in row:
        return "tieba"
    if {"create_date_time", "profile_url"} & set(row):
        return "weibo"
    return "xhs" if "note_id" in row else ""


def _array(file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
    number = 0
    try:
        for number, item in enumerate(objects(file, most=LINE_MOST, paths=_PATHS), 1):
            yield _piece(number, item, asked)
        if number == 0:
            yield Refused(0, asked.name, "没有找到内容列表；应为对象的数组，或 data、items、list 之下的数组")
    except JSONError as error:
        yield Refused(number + 1, "", CUT.format(str(error).splitlines()[0][:120]))


def _is_lines(head: bytes) -> bool:
    """Whether the first line is an object of its own."""
    first, _, rest = head.partition(b"\n")
    try:
        return isinstance(json.loads(first), dict) and (bool(rest.strip()) or bool(_IDS & set(json.loads(first))))
    except (ValueError, RecursionError):
        return False


def _lines(file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
    number, skipping = 0, False
    while line := file.readline(LINE_MOST):
        whole = line.endswith(b"\n") or len(line) < LINE_MOST
        if skipping:
            skipping = not whole
            continue
        number += 1
        skipping = not whole
        if skipping:
            yield Refused(number, "", f"一行超过 {LINE_MOST // 1_000_000} MB，不是一条内容")
        elif line.strip():
            try:
                item = json.loads(line.decode("utf-8-sig", "replace"), strict=False)
            except (ValueError, RecursionError) as error:
                yield Refused(number, "", f"这一行不是 JSON（{str(error)[:80]}）")
                continue
            yield _piece(number, item, asked)


def _piece(number: int, item: Any, asked: Asked) -> Harvest | Refused:
    if not isinstance(item, dict):
        return Refused(number, "", "字段过多，不是一条内容" if item is None else "不是一条内容（应为对象）")
    found = taken(item, asked)
    return found if isinstance(found, Harvest) else Refused(number, text_of(item.get("note_url"))[:200], found)


def _csv(file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
    header: list[str] = []
    for row in tables.csv_rows(file):
        if isinstance(row, Refused):
            yield row
        elif not header:
            header = [text_of(cell) for cell in row[1]]
        elif is_exported(header):
            yield _piece(row[0], dict(zip(header, row[1], strict=False)), asked)
    if not is_exported(header):
        yield Refused(0, asked.name, "不是采集工具的导出文件（没有 note_id、aweme_id 一类的列）；一般清单请用 list")
