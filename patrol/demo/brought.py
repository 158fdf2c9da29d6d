"""What is brought to the demo office from outside the patrol: a phone's recorded traffic, photographs of leaflets, a list of ads.

All of it is made on this machine when the demo begins, handed in at the inbox as an officer would hand it in, and has its own key. One
piece in each is not fit to be taken in, so that the reports have something to refuse.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from domain.clock import for_people
from domain.identity import canonical_url, sha256
from patrol.demo import poster
from patrol.demo.postings import POSTS, Post, Poster, Truth, all_posts
from pipelines import inbox
from store.engine import Store

OFFICER = "demo-chen"
SCALE, QUALITY = 0.9, 88
"""A photograph of a poster is a little smaller than what was printed, and a JPEG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """The files, and what a careful person would find in them."""

    files: dict[str, Path]
    """Kind of import -> file."""
    truth: dict[str, Truth]
    """Address of each posting in them -> its truth."""


def prepare(folder: Path, *, now: datetime, reported: Mapping[str, Post] | None = None) -> Brought:
    """Write the files to `folder`/brought, and tell what is in them. Raises poster.FontMissing.

    `reported` are pages of the city that citizens saw on their phones and put on the list: address -> what they read there.
    """
    place = folder / "brought"
    (place / "传单照片").mkdir(parents=True, exist_ok=True)
    truth: dict[str, Truth] = {}
    listed = [*_rows("list"), *(_reported(url, post) for url, post in (reported or {}).items())]
    for row in (*_rows("phone"), *listed):
        truth[canonical_url(row["url"])] = row["truth"]
    (place / "手机录制.har").write_text(json.dumps(_har(now), ensure_ascii=False), encoding="utf-8")
    (place / "群众举报清单.csv").write_bytes(_list(listed, now).encode("gb18030"))
    for row, data in _photos():
        (place / "传单照片" / row["file"]).write_bytes(data)
        truth[f"photo:{sha256(data)}"] = row["truth"]
    (place / "传单照片" / "照片信息.csv").write_bytes(_side(now).encode("gb18030"))
    (place / "传单照片" / "IMG_0419.jpg").write_bytes(b"%PDF-1.7\n")  # a scan that somebody renamed
    _packed(place / "传单照片", place / "传单照片.zip")
    files = {"har": place / "手机录制.har", "photos": place / "传单照片.zip", "list": place / "群众举报清单.csv"}
    return Brought(files=files, truth=truth)


def hand_in(store: Store, brought: Brought, *, now: datetime) -> list[str]:
    """Put the files in the inbox; the ids of the uploads."""
    ids = []
    for kind, path in brought.files.items():
        with path.open("rb") as file:
            ids.append(inbox.receive(store, file, name=path.name, kind=kind, officer=OFFICER, now=now, most=path.stat().st_size))
    return ids


@cache
def _rows(name: str) -> tuple[dict[str, Any], ...]:
    path = POSTS / "brought" / f"{name}.jsonl"
    return tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def every() -> Iterator[dict[str, Any]]:
    """Every row that is brought, of all files."""
    for name in ("phone", "leaflets", "list"):
        yield from _rows(name)


# --- the phone


def _har(now: datetime) -> dict[str, Any]:
    """Traffic of a neighbourhood app as a proxy on the officer's own phone records it, the account's own traffic among it."""
    cards = [
        {
            "id": row["url"].rpartition("/")[2], "title": row["title"], "content": row["body"], "share_url": row["url"],
            "create_time": _when(now, row), "user": {"nickname": row["author"]},
        }
        for row in _rows("phone")
    ]  # fmt: skip
    half = len(cards) // 2
    answers: list[tuple[str, dict[str, Any]]] = [
        ("https://api.qtbang.example/feed/list?page=1&token=t-88", {"ok": True, "data": {"list": cards[:half], "next": 2}}),
        ("https://api.qtbang.example/v1/account/me", {"ok": True, "data": {"nickname": "演示手机"}}),  # private: refused
        ("https://api.qtbang.example/feed/list?page=2&token=t-88", {"ok": True, "data": {"list": cards[half:], "next": 0}}),
        ("https://api.qtbang.example/config/tabs", {"tabs": ["附近", "二手", "帮忙"]}),
    ]
    entries = [_entry(url, answer, at=now - timedelta(minutes=40 - number)) for number, (url, answer) in enumerate(answers)]
    return {"log": {"version": "1.2", "creator": {"name": "demo phone", "version": "1"}, "entries": entries}}


def _entry(url: str, answer: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    text = json.dumps(answer, ensure_ascii=False)
    content = {"size": len(text.encode()), "mimeType": "application/json; charset=utf-8", "text": text}
    headers = [{"name": "Cookie", "value": "sid=demo-phone"}]
    return {
        "startedDateTime": at.isoformat(), "time": 80,
        "request": {"method": "GET", "url": url, "httpVersion": "HTTP/2", "headers": headers, "queryString": [], "cookies": []},
        "response": {"status": 200, "statusText": "OK", "headers": [], "cookies": [], "content": content},
    }  # fmt: skip


# --- the leaflets


def _photos() -> Iterator[tuple[dict[str, Any], bytes]]:
    posts = {post.id: post for post in all_posts()}
    for row in _rows("leaflets"):
        given = row["image"]
        drawn = Poster(lines=tuple(given["lines"]), qr=given["qr"], style=given["style"]) if given else posts[row["like"]].image
        assert drawn is not None, row["file"]
        yield row, photographed(drawn)


def photographed(drawn: Poster) -> bytes:
    """The poster as a phone's JPEG: the same picture in other bytes."""
    picture = Image.open(io.BytesIO(poster.draw(drawn))).convert("RGB")
    picture = picture.resize((round(picture.width * SCALE), round(picture.height * SCALE)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _side(now: datetime) -> str:
    rows = [["文件名", "地点", "拍摄时间", "采集人", "载体", "发布单位"]]
    rows += [[row["file"], row["place"], _when(now, row), "演示巡查员", row["carrier"], row["publisher"]] for row in _rows("leaflets")]
    return _csv(rows)


def _packed(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for one in sorted(folder.iterdir()):
            archive.write(one, one.name)


# --- the list


def _reported(url: str, post: Post) -> dict[str, Any]:
    told = {"title": post.title, "body": post.body, "author": post.author, "truth": post.truth, "scheme": post.scheme}
    return {"url": url, **told, "hours_ago": post.hours_ago}


def _list(listed: Sequence[dict[str, Any]], now: datetime) -> str:
    rows = [["标题", "正文", "链接", "发布者", "发布时间"]]
    rows += [[row["title"], row["body"], row["url"], row["author"], _when(now, row)] for row in listed]
    rows.insert(4, ["", "", "https://www.qtrx.example/item/88100", "匿名", ""])  # a line that was never filled in
    return _csv(rows)


def _csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _when(now: datetime, row: dict[str, Any]) -> str:
    return for_people(now - timedelta(hours=row["hours_ago"]))
