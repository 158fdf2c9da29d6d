"""Lists and exports: what people's table programs and other people's crawlers wrote, whole, odd and broken."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from crawlers.imports.base import Asked, Refused
from crawlers.imports.exported import Exported
from crawlers.imports.listed import Listed, workbook
from crawlers.imports.registry import recognised
from crawlers.loader import PACKAGED, load_sound
from domain.model import Harvest, PostingKind
from patrol.bench.importing import write_book
from tests.crawlers.imports.conftest import NOW, grown_by, pieces


def csv_of(text: str, encoding: str = "utf-8", **asked: Any) -> tuple[list[Harvest], list[Refused]]:
    return pieces(Listed(), io.BytesIO(text.encode(encoding)), **asked)


def only(found: list[Harvest]) -> Any:
    (one,) = found
    return one.postings[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "big5"])
def test_whatever_encoding_a_table_program_saved(encoding: str) -> None:
    text = "標題,正文\r\n" if encoding == "big5" else "标题,正文\r\n"
    text += (
        '"一家店的開張","這家店在城東，歡迎大家來，我們是新開的店。"\r\n'
        if encoding == "big5"
        else '"一家店的开张","他说：""欢迎来""，\n第二行"\r\n'
    )
    posting = only(csv_of("\ufeff" + text if encoding in ("utf-16-le", "utf-16-be") else text, encoding)[0])
    assert posting.title in ("一家店的开张", "一家店的開張")
    assert posting.body in ('他说："欢迎来"，\n第二行', "這家店在城東，歡迎大家來，我們是新開的店。")


def test_gb18030_with_a_mark_in_front_with_nuls_and_quotes() -> None:
    data = "\ufeff链接,正文,备注\r\n".encode("gb18030") + '"https://a.example/1","第一\x00条，""引号""",x\r\n'.encode("gb18030")
    found, refused = pieces(Listed(), io.BytesIO(data))
    assert refused == []
    assert (found[0].postings[0].url, found[0].postings[0].body) == ("https://a.example/1", '第一条，"引号"')


@pytest.mark.parametrize("mark", ["\t", ";", "|", "，"])
def test_other_separators_are_found(mark: str) -> None:
    assert only(csv_of(f"标题{mark}正文\n开张{mark}欢迎来\n")[0]).body == "欢迎来"


def test_columns_by_name_in_two_languages_and_by_hand() -> None:
    text = "序号,广告内容*,页面地址,发布账号（昵称）,发表时间,内容类型\n1,欢迎来,https://a.example/1?spm=1,某号,2026/11/20 8:30,短视频\n"
    posting = only(csv_of(text)[0])
    assert (posting.body, posting.url, posting.publisher, posting.kind) == ("欢迎来", "https://a.example/1", "某号", PostingKind.LIVE)
    assert posting.published_at is not None and posting.published_at.isoformat() == "2026-11-20T00:30:00+00:00"
    strange = "甲,乙\n欢迎来,https://a.example/2\n"
    found, refused = csv_of(strange)
    assert found == [] and "--map" in refused[0].reason and "甲、乙" in refused[0].reason
    assert only(csv_of(strange, columns={"text": "甲", "url": "乙"})[0]).url == "https://a.example/2"


def test_the_header_may_stand_below_a_heading_and_each_sheet_has_its_own() -> None:
    from openpyxl import Workbook

    book = Workbook()
    first, second, third = book.active, book.create_sheet("说明"), book.create_sheet("乙")
    assert first is not None
    for sheet, rows in (
        (first, [["某单位监测清单"], [], ["标题", "正文"], ["一", "甲"]]),
        (second, [["只是说明"]]),
        (third, [["正文"], ["乙"], [None]]),
    ):
        for row in rows:
            sheet.append(row)
    hidden = book.create_sheet("隐藏")
    hidden.append(["正文"])
    hidden.append(["看不见"])
    hidden.sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    found, refused = pieces(Listed(), buffer)
    assert [one.postings[0].body for one in found] == ["甲", "乙"]
    assert len(refused) == 1 and refused[0].where == "说明"


def test_a_row_is_known_by_what_it_says_where_it_has_no_address() -> None:
    first, again = csv_of("正文\n欢迎来\n")[0], csv_of("序号,正文\n7,欢迎来\n")[0]
    assert first[0].capture.url == again[0].capture.url
    assert first[0].capture.url.startswith("row:") and first[0].postings[0].platform == "list"
    assert json.loads(first[0].body) == {"text": "欢迎来"}


def test_an_address_finds_its_platform() -> None:
    platforms = load_sound([PACKAGED])[0]
    found, _ = csv_of("正文,链接\n欢迎来,https://tieba.baidu.com/p/1\n欢迎再来,https://x.example/1\n", platforms=platforms)
    assert [one.postings[0].platform for one in found] == ["tieba", "x.example"]


def test_a_quote_that_nobody_closed_costs_its_rows_and_says_so() -> None:
    found, refused = csv_of('标题,正文\n一,甲\n二,"乙\n三,丙\n')
    assert [one.postings[0].body for one in found] == ["甲"]
    assert len(refused) == 1 and "引号" in refused[0].reason and "第 3 行" in refused[0].reason
    long = '标题,正文\n一,"' + ("甲" * 100 + "\n") * 1400 + "\n二,乙\n"
    found, refused = csv_of(long)
    assert refused and "引号" in refused[0].reason


@pytest.mark.parametrize(("cell", "kept"), [("=1+1", False), ("#REF!", True), ("<b>欢迎</b>来", True), ("", False), (" ", False)])
def test_cells_are_read_as_values_and_never_run(cell: str, kept: bool) -> None:
    found, refused = pieces(Listed(), io.BytesIO(workbook([["正文", "链接"], [cell, "javascript:alert(1)"]])))
    assert (len(found), len(refused)) == ((1, 0) if kept else (0, 1))
    for one in found:
        assert "javascript" not in one.postings[0].url and "<" not in one.postings[0].body


def test_formulas_give_what_they_came_to_and_shared_texts_stay_off_the_memory(tmp_path: Path) -> None:
    """A workbook as Excel saves it; its texts alone would take 30 MB."""
    write_book(tmp_path / "a.xlsx", rows=1500, sentences=300)
    asked = Asked(now=NOW, columns={"advertiser": "收益"})

    def work() -> None:
        count = 0
        for one in Listed().read(tmp_path / "a.xlsx", asked):
            assert isinstance(one, Harvest), one
            count += 1
        assert count == 1500

    write_book(tmp_path / "b.xlsx", rows=2)
    small = [one for one in Listed().read(tmp_path / "b.xlsx", asked) if isinstance(one, Harvest)]
    assert [one.postings[0].title for one in small] == ["第0条", "第1条"]
    assert grown_by(work) < 18


def test_a_workbook_that_is_a_bomb_an_old_one_or_broken_is_refused(tmp_path: Path) -> None:
    good = workbook([["正文"], ["欢迎来"]])
    bomb = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, b"<a>" + b" " * 30_000_000 if name.endswith("sheet1.xml") else source.read(name))
    for data, reason in ((bomb.getvalue(), "炸弹"), (b"\xd0\xcf\x11\xe0" + b"\0" * 600, ".xls"), (good[:-40], "zip")):
        found, refused = pieces(Listed(), io.BytesIO(data))
        assert found == [] and reason in refused[0].reason


def test_entities_in_a_workbook_are_never_expanded() -> None:
    good = workbook([["正文"], ["欢迎来"]])
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    hostile = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(hostile, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(
                name, laughs + data.replace("欢迎来".encode(), b"&c;&b;").partition(b"?>")[2] if name.endswith("sheet1.xml") else data
            )
    found, refused = pieces(Listed(), hostile)
    assert refused or found
    assert all("root:" not in one.postings[0].body and "aaaa" not in one.postings[0].body for one in found)


XHS, DOUYIN, KUAISHOU = (
    "https://www.xiaohongshu.com/explore/a1",
    "https://www.douyin.com/video/7",
    "https://www.kuaishou.com/short-video/k1",
)
BILI, WEIBO, TIEBA = "https://www.bilibili.com/video/av9", "https://m.weibo.cn/detail/5", "https://tieba.baidu.com/p/6"
ROWS: list[tuple[dict[str, Any], str, str]] = [
    ({"note_id": "a1", "desc": "欢迎来", "nickname": "号", "image_list": "https://i.example/1.jpg,https://i.example/2.jpg"}, XHS, "欢迎来"),
    ({"aweme_id": "7", "title": "标题", "desc": "标题", "aweme_url": DOUYIN, "nickname": "号"}, DOUYIN, "标题"),
    ({"video_id": "k1", "title": "t", "desc": "d", "video_url": KUAISHOU, "nickname": "号"}, KUAISHOU, "d"),
    ({"video_id": "9", "content": "评", "comment_id": "c", "sex": "男", "sign": "签", "nickname": "号"}, BILI + "#comment-c", "评"),
    (
        {"note_id": "5", "content": "微博", "create_date_time": "2026-11-20", "profile_url": "https://m.weibo.cn/u/1", "nickname": "号"},
        WEIBO,
        "微博",
    ),
    ({"note_id": "6", "title": "贴", "desc": "吧", "note_url": TIEBA, "tieba_name": "某吧", "user_nickname": "号"}, TIEBA, "吧"),
    (
        {"content_id": "3", "content_text": "全文", "desc": "摘要", "content_url": "https://www.zhihu.com/answer/3", "user_nickname": "号"},
        "https://www.zhihu.com/answer/3",
        "全文",
    ),
]


@pytest.mark.parametrize(("row", "url", "body"), ROWS, ids=["xhs", "douyin", "kuaishou", "bilibili", "weibo", "tieba", "zhihu"])
@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "xlsx"])
def test_seven_platforms_in_four_forms(row: dict[str, Any], url: str, body: str, form: str) -> None:
    if form in ("json", "jsonl"):
        data = json.dumps([row] if form == "json" else row, ensure_ascii=False).encode()
    elif form == "csv":
        data = ",".join(row).encode() + b"\n" + ",".join(f'"{value}"' for value in row.values()).encode()
    else:
        data = workbook([list(row), list(row.values())])
    kind = recognised(io.BytesIO(data))
    assert kind is not None and kind.name == ("list" if form == "xlsx" else "export")
    found, refused = pieces(kind, io.BytesIO(data))
    assert refused == []
    posting = only(found)
    assert (posting.url, posting.body, posting.publisher) == (url, body, "号")


def test_what_describes_people_is_not_kept() -> None:
    row = {
        "comment_id": "c1", "note_id": "a1", "content": "评论文字", "nickname": "路人", "user_id": "UID-1", "ip_location": "某省某市",
        "gender": "女", "avatar": "https://i.example/face.jpg", "profile_url": "https://x.example/u/UID-2", "sign": "签名档",
        "user_link": "https://x.example/UID-3", "sec_uid": "UID-4", "user_signature": "个人简介",
    }  # fmt: skip
    (found,), _ = pieces(Exported(), io.BytesIO(json.dumps([row], ensure_ascii=False).encode()))
    kept = found.body.decode() + repr(found.capture) + repr(found.postings)
    assert "评论文字" in kept and "路人" in kept
    for private in ("UID-", "某省", "女", "face.jpg", "签名档", "个人简介"):
        assert private not in kept


def test_files_of_people_are_refused() -> None:
    creators = [{"user_id": "1", "nickname": "某人", "desc": "个人简介写在这里", "fans": 10, "follows": 3}]
    found, refused = pieces(Exported(), io.BytesIO(json.dumps(creators, ensure_ascii=False).encode()))
    assert found == [] and "账号" in refused[0].reason


@pytest.mark.parametrize(
    "item",
    [
        7,
        "text",
        None,
        [],
        [1],
        {},
        {"note_id": {}, "title": 5.5, "desc": {"a": 1}},
        {"desc": ["x"], "title": True},
        {"desc": None, "time": "soon"},
    ],
)
def test_wrong_types_cost_their_piece_alone(item: Any) -> None:
    rows = [{"note_id": "1", "desc": "第一条"}, item, {"note_id": "2", "desc": "第二条", "time": [], "image_list": 7, "nickname": {"a": 1}}]
    for data in (json.dumps(rows, ensure_ascii=False), "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)):
        found, refused = pieces(Exported(), io.BytesIO(data.encode()))
        bodies = [one.postings[0].body for one in found]
        assert bodies[0] == "第一条" and bodies[-1] == "第二条"
        assert len(found) + len(refused) >= 2


def test_an_object_of_a_million_parts_is_refused_and_the_next_comes() -> None:
    head, tail = b'[{"note_id": "1", "desc": "x", "more": [', b']}, {"note_id": "2", "desc": "next"}]'
    found, refused = pieces(Exported(), io.BytesIO(head + b",".join([b"1"] * 300_000) + tail))
    assert [one.postings[0].body for one in found] == ["next"] and "字段过多" in refused[0].reason


@pytest.mark.parametrize("data", [b"[", b"{}", b"[]", b'{"a": 1', b"[[[[", b'[{"desc": "\xff\xfe"', b"nul", b'[{"desc":"a"} {"desc":"b"}]'])
def test_what_is_no_whole_json_is_refused(data: bytes) -> None:
    assert pieces(Exported(), io.BytesIO(data))[1]
