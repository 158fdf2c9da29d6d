"""Reading pages, apart from the network."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.api import read_json
from crawlers.charset import decode
from crawlers.dates import moment
from crawlers.extract import Role, read
from crawlers.page import Page, plain
from crawlers.platform import PlatformFile
from crawlers.trap import Trap
from crawlers.walls import wall_of

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LISTED = PlatformFile.model_validate(
    {
        "id": "town",
        "title": "小城",
        "home": "http://town.example/",
        "kind": "forum",
        "list": {"item": ["li", "xpath://dd"], "fields": {"title": "a", "body": "p", "published_at": "time"}, "next": "a.next"},
        "detail": {
            "match": "/d/",
            "item": "div",
            "fields": {"body": "p", "images": "img", "publisher": {"select": "b", "pattern": "(x+)"}},
        },
        "page": {"title": "regex:<title>(.*?)</title>"},
    }
)
BARE = PlatformFile(id="bare", title="小城", home="http://town.example/", kind="generic")
FEED = PlatformFile.model_validate(
    {
        "id": "feed",
        "title": "小城",
        "home": "http://town.example/",
        "kind": "microblog",
        "api": {
            "items": "data.list",
            "next": {"param": "c", "cursor": "data.c"},
            "fields": {"body": "t", "link": "/p/{id}", "images": "p[].u"},
        },
    }
)
PIECES = st.sampled_from(
    [
        "<li>",
        "</li>",
        "<dd>",
        "<a href='http://[::1'>x",
        "<a href='//:0/'>",
        "<a href='/d/1?page=²'>标题六个字以上",
        "<a class=next href=?page=9>",
        "<base href='http://[bad'>",
        "<base href='javascript:1'>",
        "<p>",
        "</p>",
        "<time>31-31-31 99:99",
        "<time>9999999999",
        "<b>xx",
        "<img src=data:x>",
        "<img src='http://a b/'>",
        "<script>if(a<b){}",
        "<!--",
        "-->",
        "&#0;",
        "&#xD800;",
        "<table><tr><td>",
        "<svg><style>",
        "<code class=pagelet_html><!--",
        "<plaintext>",
        "<h1>",
        "<title>",
        "保本高息，稳赚不赔。",
        "2026年13月40日",
        "<div>",
        "</div>",
        "\x00",
        "<xmp><<<<",
        "]]>",
        "<?xml encoding='utf-9'?>",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces=st.lists(PIECES, max_size=40), tail=st.binary(max_size=12), role=st.sampled_from(["start", "list", "detail", "visit"]))
def test_no_page_is_too_odd_to_be_read(pieces: list[str], tail: bytes, role: Role) -> None:
    for platform in (LISTED, BARE):
        for url in ("http://town.example/", "http://town.example/d/1?page=2"):
            page = Page("".join(pieces).encode() + tail, url=url)
            reading = read(platform, page, role=role, now=NOW)
            wall_of(platform, page, status=200, asked=url, found=False)
            for posting in reading.postings:
                posting.text.encode("utf-8")  # a database takes it
                assert posting.title or posting.body or posting.images
            assert all(follow.url.startswith("http") for follow in reading.follow)


@settings(max_examples=100, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["t", "id", "p", "u", "c", "list", "data"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_no_answer_is_too_odd_to_be_read(value: Any) -> None:
    import json

    for data in (value, {"data": {"list": [value, {"t": value, "id": value, "p": value}], "c": value}}):
        assert FEED.api is not None
        page = Page(json.dumps(data).encode(), url="http://town.example/api")
        for posting in read_json(FEED, FEED.api, page, now=NOW).postings:
            posting.text.encode("utf-8")


@pytest.mark.parametrize(
    ("body", "drift"),
    [
        (b'callback({"data":{"list":[{"t":"x","id":1}]}});', ""),
        (b'{"data":{"list":[]}}', ""),
        (b"<html>", "the answer is no JSON"),
        (b'{"error":1}', "nothing stands at data.list"),
        (b"[" * 100_000, "the answer is no JSON"),
    ],
)
def test_answers_that_do_not_fit_are_drift(body: bytes, drift: str) -> None:
    assert FEED.api is not None
    assert read_json(FEED, FEED.api, Page(body, url="http://town.example/api"), now=NOW).drift == drift


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23 16:05", "2026-11-23T08:05"),
        ("2026年11月3日下午3点20分", "2026-11-03T07:20"),
        ("11月3日", "2026-11-02T16:00"),
        ("12-25", "2025-12-24T16:00"),
        ("昨天 12:30", "2026-11-22T04:30"),
        ("3分钟前", "2026-11-23T07:57"),
        ("2天前", "2026-11-21T08:00"),
        ("1763856000", "2025-11-23T00:00"),
        ("1763856000000", "2025-11-23T00:00"),
        ("2026-11-03T10:00:00+08:00", "2026-11-03T02:00"),
        ("发表于 2019/9/7 07:12:01", "2019-09-06T23:12"),
        ("Tue, 03 Nov 2026 10:00:00 GMT", "2026-11-03T10:00"),
        ("版本 3.5.2", None),
        ("2031-01-01", None),
        ("", None),
        ("²²²²²²²²²²", None),
        ("25:99", None),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: str | None) -> None:
    found = moment(text, now=NOW)
    assert (found.isoformat()[:16] if found else None) == expected


SIMPLE = "保本保息的投资理财产品，年收益高，欢迎大家来了解，我们是正规公司。"
OTHER = "這個投資理財產品保本保息，年收益很高，歡迎大家來了解，我們是正規公司。"


@pytest.mark.parametrize(
    ("body", "declared", "name", "text"),
    [
        (SIMPLE.encode(), "gbk", "utf-8", SIMPLE),
        (SIMPLE.encode("gbk"), "utf-8", "gb18030", SIMPLE),
        (OTHER.encode("big5"), "gb2312", "big5", OTHER),
        (OTHER.encode("gb18030"), "big5", "gb18030", OTHER),
        (SIMPLE.encode("utf-16"), None, "utf-16-le", SIMPLE),
        (b"\xef\xbb\xbfabc", None, "utf-8", "abc"),
        ("Привет мир как дела".encode("cp1251"), "windows-1251", "cp1251", "Привет мир как дела"),
        (b"", None, "utf-8", ""),
        (b"abc", "no-such", "utf-8", "abc"),
        (SIMPLE.encode()[:-1], None, "utf-8", SIMPLE[:-1] + "\ufffd"),
        (b"\xff" + SIMPLE.encode(), "utf-8", "utf-8", "\ufffd" + SIMPLE),
    ],
)
def test_encoding_is_found_whatever_is_declared(body: bytes, declared: str | None, name: str, text: str) -> None:
    assert decode(body, declared=declared) == (text, name)


def test_words_split_over_tags_stay_whole_and_scripts_are_left_out() -> None:
    assert plain("<p>保<b>本</b>高<span>息</span></p><script>var 稳赚=1</script><p>第二段&amp;</p>") == "保本高息\n第二段&"


def test_path_that_nests_into_itself_is_shunned() -> None:
    trap = Trap()
    assert trap.shuns("http://a.example/" + "a/b/" * 6) and trap.shuns("http://a.example/?" + "x" * 3000)
    assert not trap.shuns("http://a.example/2026/11/23/news/1.html")
