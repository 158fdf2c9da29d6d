"""Traffic of a phone: what is public comes, what is the phone's own never does; large and hostile files stay small in memory."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlers.imports.base import Asked, Refused
from crawlers.imports.har import Har, entry
from crawlers.imports.public import private_reason, public_url, without_secrets
from domain.settings import Settings
from store.archive import Archive
from store.engine import open_store
from store.tables import captures
from tests.crawlers.imports.conftest import NOW, grown_by, pieces

FEED = {
    "data": {"list": [{"title": "夜市开张", "content": "城东夜市本周六开张，欢迎来逛。", "user": {"nickname": "某号", "uid": "USER-ID"}}]}
}
PAGE = "<html><head><title>公告</title></head><body><h1>公告</h1><p>" + "这是写给测试的一段公告。" * 12 + "</p></body></html>"


def har(*entries: dict[str, Any]) -> io.BytesIO:
    return io.BytesIO(json.dumps({"log": {"version": "1.2", "entries": entries}}, ensure_ascii=False).encode())


def feed(url: str = "https://api.example/feed", data: Any = None, **fields: Any) -> dict[str, Any]:
    return entry(url, json.dumps(FEED if data is None else data, ensure_ascii=False).encode(), "application/json", **fields)


def test_json_answers_and_pages_become_postings() -> None:
    found, refused = pieces(Har(), har(feed(packed=True), entry("https://h5.example/a", PAGE.encode(), "text/html")))
    assert refused == []
    posting = found[0].postings[0]
    assert (posting.title, posting.body, posting.publisher) == ("夜市开张", "城东夜市本周六开张，欢迎来逛。", "某号")
    assert posting.url == "https://api.example/feed#3"
    assert "写给测试" in found[1].postings[0].body


def test_nothing_of_the_phone_itself_is_kept(tmp_path: Path, take: Callable[..., dict[str, Any]], settings: Settings) -> None:
    """Bytes on the disk, all of them: the archive unpacked, and the database file."""
    body = FEED | {"access_token": "BODY-TOKEN-123", "csrf_token": "CSRF-TOKEN-123", "session_id": "SESSION-123456"}
    urls = [
        "https://user:URLPASS@api.example/feed?page=2&token=QUERY-SECRET&openid=OPEN-SECRET&lat=36.5",
        "https://api.example/x;jsessionid=PATHSID",
    ]
    jwt = "https://api.example/y?state=eyJhbGciOiJIUzI1NiJ9.eyJ1IjoxfQ.JWTSECRET#access_token=FRAGMENT"
    path = tmp_path / "phone.har"
    path.write_bytes(har(*(feed(url, body) for url in [*urls, jwt])).getvalue())
    assert take(path)["captures"] == 3
    store = open_store(settings)
    archive = Archive(settings.archive_dir)
    kept = (settings.dir / "wangxun.db").read_bytes()
    with store.read() as connection:
        rows = connection.execute(captures.select()).all()
    for row in rows:
        kept += row.url.encode() + archive.read(row.warc, row.warc_offset, row.warc_length, row.sha256)
        kept += archive.members(row.warc, row.warc_offset, row.warc_length)
    store.close()
    mine = "COOKIE-SECRET HEADER-SECRET BODY-SECRET QUERY-SECRET OPEN-SECRET URLPASS PATHSID JWTSECRET FRAGMENT 36.5"
    for secret in (*mine.split(), "BODY-TOKEN-123", "CSRF-TOKEN-123", "SESSION-123456"):
        assert secret.encode() not in kept, secret
    assert {row.url for row in rows} == {"https://api.example/feed?page=2", "https://api.example/x", "https://api.example/y"}


def test_secrets_are_cut_and_the_words_around_them_stay() -> None:
    assert public_url("https://a.example/p?id=7&key=K&page=2") == "https://a.example/p?id=7&page=2"
    assert public_url("https://mp.weixin.qq.com/s?__biz=MzA=&mid=1&idx=1&sn=ab&pass_ticket=P&uin=U").endswith(
        "/s?__biz=MzA=&mid=1&idx=1&sn=ab"
    )
    body = '{"a": "词元 token 很便宜", "user_token": "abc\\"", "inner": "{\\"sessionId\\":\\"zzz\\"}", "tokens": 3}'.encode()
    cut = without_secrets(body).decode()
    assert "词元 token 很便宜" in cut and "abc" not in cut and "zzz" not in cut and '"tokens": 3' in cut


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://api.example/v1/account/me", True),
        ("https://im.example.com/pull", True),
        ("https://api.example/getUserInfo/orderList", True),
        ("https://api.example/user/login?next=/", True),
        ("https://api.example/dm/list", True),
        ("https://api.example/feed/list", False),
        ("https://api.example/shop/detail/12", False),
        ("https://news.example/important/imagery/paying-attention", False),
        ("https://news.example/metro/mystery", False),
    ],
)
def test_answers_about_the_phones_owner_are_left_alone(url: str, private: bool) -> None:
    assert bool(private_reason(url)) is private
    found, refused = pieces(Har(), har(feed(url)))
    assert (len(found), len(refused)) == ((0, 1) if private else (1, 0))


def test_only_pictures_of_a_posting_are_kept() -> None:
    item = FEED["data"]["list"][0] | {"images": [{"url": "https://cdn.example/a.jpg?sign=S&w=1"}], "avatar": "https://cdn.example/face.jpg"}
    pictures = [
        entry(f"https://cdn.example/{name}", b"\xff\xd8\xff\xe0 picture", "image/jpeg", packed=True)
        for name in ("a.jpg?sign=S2&w=1", "face.jpg", "icon.png")
    ]
    found, _ = pieces(Har(), har(feed(data={"data": [item]}), *pictures))
    assert [one.capture.url for one in found] == ["https://api.example/feed", "https://cdn.example/a.jpg?w=1"]
    assert found[0].postings[0].images[0].url == found[1].capture.url


def test_answers_without_content_are_not_kept() -> None:
    for data in (
        {"code": 0, "msg": "请求成功，欢迎使用本系统服务"},
        {"config": {"title": "这是一个配置项目的标题文字"}},
        [],
        {"user": {"desc": "一段很长很长的个人简介文字在这里"}},
    ):
        assert pieces(Har(), har(feed(data=data)))[0] == []


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.999])
def test_a_cut_file_gives_what_stands_before_the_cut(cut: float) -> None:
    data = har(*(feed(f"https://api.example/{n}") for n in range(10))).getvalue()
    found, refused = pieces(Har(), io.BytesIO(data[: int(len(data) * cut)]))
    assert int(10 * cut) - 1 <= len(found) <= 10
    assert len(refused) == 1 and "中断" in refused[0].reason


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"request": {"url": "http://[::1", "method": "GET"}}, "网址不合法"),
        ({"request": {"method": "GET"}}, "没有网址"),
        ({"request": 7}, "没有网址"),
        ({"response": {"content": {"text": "!!!", "encoding": "base64", "mimeType": "text/html"}}}, "base64"),
    ],
)
def test_a_broken_entry_costs_itself_alone(broken: dict[str, Any], reason: str) -> None:
    found, refused = pieces(Har(), har(feed(), feed() | broken, feed("https://api.example/later")))
    assert [one.capture.url for one in found] == ["https://api.example/feed", "https://api.example/later"]
    assert len(refused) == 1 and refused[0].number == 2 and reason in refused[0].reason


def test_odd_bytes_do_not_end_the_file() -> None:
    data = har(feed(), feed("https://api.example/2")).getvalue().replace("夜市开张".encode(), b"\xff\xfe\x00\x01" + "夜市开张".encode(), 1)
    found, refused = pieces(Har(), io.BytesIO(b"\xef\xbb\xbf" + data))
    assert (len(found), refused) == (2, [])


def test_a_nest_ends_the_file_quickly() -> None:
    nest = b'{"log": {"entries": [' + json.dumps(feed()).encode() + b', {"a":' + b'{"a":' * 200_000
    found, refused = pieces(Har(), io.BytesIO(nest))
    assert len(found) == 1 and len(refused) == 1


def test_thirty_megabytes_are_read_in_a_few(tmp_path: Path) -> None:
    path = tmp_path / "large.har"
    script = entry("https://a.example/x.js", b"var filling = 1;" * 40_000, "application/javascript")
    with path.open("wb") as file:
        file.write(b'{"log": {"entries": [' + json.dumps(feed()).encode())
        for _ in range(48):
            file.write(b"," + json.dumps(script).encode())
        file.write(b"," + json.dumps(feed("https://api.example/last")).encode() + b"]}}")
    assert path.stat().st_size > 30_000_000

    def work() -> None:
        found = [one for one in Har().read(path, Asked(now=NOW)) if not isinstance(one, Refused)]
        assert len(found) == 2

    assert grown_by(work) < 20


def test_one_string_of_forty_megabytes_is_refused_and_not_held(tmp_path: Path) -> None:
    path = tmp_path / "string.har"
    whole = json.dumps({"log": {"entries": [feed("https://a.example/big"), feed("https://a.example/next")]}}, ensure_ascii=False)
    head, middle, rest = whole.partition('"mimeType": "application/json", "text": "')
    with path.open("w", encoding="utf-8") as file:
        file.write(head + middle)
        for _ in range(40):
            file.write("\\u4e2d\\n" * 125_000)
        file.write(rest)

    def work() -> None:
        found = list(Har().read(path, Asked(now=NOW, largest=2_000_000)))
        assert [type(one) for one in found] == [Refused, type(found[1])]
        assert "超过上限" in found[0].reason and found[1].capture.url == "https://a.example/next"

    assert grown_by(work) < 45


def test_a_bodys_size_is_bounded() -> None:
    text = base64.b64encode(b"x" * 5000).decode()
    big = entry("https://a.example/p", b"", "text/html") | {
        "response": {"status": 200, "content": {"mimeType": "text/html", "text": text, "encoding": "base64"}}
    }
    found, refused = pieces(Har(), har(big), largest=4000)
    assert found == [] and "超过上限" in refused[0].reason
