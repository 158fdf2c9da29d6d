"""WARC files that others wrote, whole and broken."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers.imports.base import Asked, Refused
from crawlers.imports.warc import Warc
from crawlers.loader import PACKAGED, load_sound
from domain.model import Harvest

ARTICLE = """<html><head><title>{n}号文章_某地新闻网</title></head><body><h1>{n}号文章</h1>
<p>2026-11-0{n} 08:00 来源：某地新闻网</p><div>{body}</div></body></html>"""
BODY = "写给测试的一段正文，说的是城里的一件小事。" * 8
SEARCH = """<html><body><div id="main"><ul class="result">
<li class="res-list"><h3 class="res-title"><a href="https://example.com/a">普通结果</a></h3><p class="res-desc">一段摘要</p></li></ul>
<ul class="e_result"><li><h3><a href="https://example.com/b">推广结果</a></h3><p class="res-desc">另一段摘要</p><span>广告</span></li></ul>
</div></body></html>"""


def read(path: Path, **asked: Any) -> Iterator[Harvest | Refused]:
    return Warc().read(path, Asked(**asked))


def write(path: Path, pages: list[tuple[str, bytes, str]], *, packed: bool = True, status: str = "200 OK") -> Path:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=packed)
    for url, body, mime in pages:
        headers = StatusAndHeaders(status, [("Content-Type", mime), ("Content-Length", str(len(body)))], protocol="HTTP/1.1")
        writer.write_record(writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=headers))
    path.write_bytes(buffer.getvalue())
    return path


def articles(count: int) -> list[tuple[str, bytes, str]]:
    return [(f"http://news.example/{n}.html", ARTICLE.format(n=n, body=BODY).encode(), "text/html") for n in range(1, count + 1)]


@pytest.mark.parametrize("packed", [True, False])
def test_every_page_becomes_a_harvest(tmp_path: Path, packed: bool) -> None:
    found = list(read(write(tmp_path / "a.warc", articles(3), packed=packed)))
    assert [type(one) for one in found] == [Harvest] * 3
    first = found[0]
    assert isinstance(first, Harvest)
    assert (first.capture.url, first.capture.status, first.capture.via) == ("http://news.example/1.html", 200, "warc")
    posting = first.postings[0]
    assert (posting.title, posting.publisher, posting.platform) == ("1号文章", "某地新闻网", "news.example") and BODY in posting.body


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.warc.gz", articles(2))
    first, again = ([one.postings for one in read(path) if isinstance(one, Harvest)] for _ in range(2))
    assert first == again


def test_search_page_is_read_with_its_platform_and_ads_marked(tmp_path: Path) -> None:
    path = write(tmp_path / "s.warc.gz", [("https://www.so.com/s?q=x", SEARCH.encode(), "text/html")])
    found = next(iter(read(path, platforms=load_sound([PACKAGED])[0])))
    assert isinstance(found, Harvest)
    assert [(one.platform, one.title, one.marked_ad, one.body) for one in found.postings] == [
        ("so", "普通结果", False, "一段摘要"),
        ("so", "推广结果", True, "另一段摘要"),
    ]


def test_odd_charsets_are_found(tmp_path: Path) -> None:
    pages = [
        ("http://a.example/1.html", ARTICLE.format(n=1, body=BODY).encode("gb18030"), "text/html; charset=utf-8"),
        ("http://a.example/2.html", ARTICLE.format(n=2, body=BODY).encode("utf-8"), "text/html; charset=gb2312"),
        (
            "http://a.example/3.html",
            "<title>投資理財</title><p>這個投資理財產品保本保息，年收益很高，歡迎大家來了解，我們是正規公司。".encode("big5"),
            "text/html",
        ),
    ]
    found = [one.capture.charset for one in read(write(tmp_path / "c.warc.gz", pages)) if isinstance(one, Harvest)]
    assert found == ["gb18030", "utf-8", "big5"]


@pytest.mark.parametrize("packed", [True, False])
def test_cut_file_gives_what_stands_before_the_cut(tmp_path: Path, packed: bool) -> None:
    path = write(tmp_path / "a.warc", articles(4), packed=packed)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.7)])
    found = list(read(path))
    assert [one.capture.url for one in found if isinstance(one, Harvest)] == ["http://news.example/1.html", "http://news.example/2.html"]
    refused = [one for one in found if isinstance(one, Refused)]
    assert len(refused) == 1 and refused[0].number == 3
    assert "中断" in refused[0].reason or "截断" in refused[0].reason


def test_what_is_no_warc_is_refused_with_a_reason(tmp_path: Path) -> None:
    for name, data in (
        ("text", b"hello " * 100),
        ("empty", b""),
        ("packed", gzip.compress(b"hello")),
        ("zip", b"PK\x03\x04" + b"\0" * 100),
    ):
        (tmp_path / name).write_bytes(data)
        found = list(read(tmp_path / name))
        assert len(found) == 1 and isinstance(found[0], Refused) and found[0].reason, name
    (missing,) = read(tmp_path / "missing.warc")
    assert isinstance(missing, Refused) and missing.number == 0


def test_large_and_other_records_are_refused_or_passed_over(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    writer.write_record(writer.create_warcinfo_record("a.warc.gz", {"software": "test"}))
    writer.write_record(writer.create_warc_record("http://a.example/", "request", payload=io.BytesIO(b"GET / HTTP/1.1\r\n\r\n")))
    writer.write_record(writer.create_revisit_record("http://a.example/", "sha1:A", "http://a.example/", "2026-01-01T00:00:00Z"))
    headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
    writer.write_record(
        writer.create_warc_record("http://a.example/big", "response", payload=io.BytesIO(b"x" * 5000), http_headers=headers)
    )
    writer.write_record(writer.create_warc_record("http://a.example/ok", "response", payload=io.BytesIO(b"ok"), http_headers=headers))
    (tmp_path / "a.warc.gz").write_bytes(buffer.getvalue())
    found = list(read(tmp_path / "a.warc.gz", largest=1000))
    assert [one.reason if isinstance(one, Refused) else one.capture.url for one in found] == [
        "revisit 类记录不含页面",
        "大小 0.0 MB，超过上限 0 MB；请压缩后再导入，或调高 WANGXUN_MAX_BODY_MB",
        "http://a.example/ok",
    ]


def test_wall_and_missing_page_are_captures_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "w.warc.gz", [("http://a.example/", "<p>请输入验证码</p>".encode(), "text/html")])
    gone = write(tmp_path / "g.warc.gz", articles(1), status="404 Not Found")
    for found in (*read(path), *read(gone)):
        assert isinstance(found, Harvest) and not found.postings


def _record(url: str, *, date: str = "2026-01-01T00:00:00Z") -> bytes:
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body><p>x</p></body></html>"
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: {date}\r\nWARC-Record-ID: <urn:uuid:1>\r\n"
    return f"{head}Content-Type: application/http;msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n".encode() + http + b"\r\n\r\n"


def test_hostile_address_costs_its_own_record_alone(tmp_path: Path) -> None:
    (tmp_path / "a.warc").write_bytes(_record("http://[::1") + _record("http://ok.example/"))
    refused, taken = read(tmp_path / "a.warc")
    assert isinstance(refused, Refused) and "Invalid IPv6" in refused.reason
    assert isinstance(taken, Harvest)


@pytest.mark.parametrize(
    "date", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "1601-01-01T00:00:00Z", "soon"]
)
def test_impossible_date_is_now(tmp_path: Path, date: str) -> None:
    (tmp_path / "a.warc").write_bytes(_record("http://ok.example/", date=date))
    (taken,) = read(tmp_path / "a.warc")
    assert isinstance(taken, Harvest)
    assert abs(taken.capture.fetched_at - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize("packed", [True, False])
def test_a_cut_inside_a_record_is_never_silent(tmp_path: Path, packed: bool) -> None:
    """Where the cut lies in a head, the reader of records takes it for the end."""
    whole = write(tmp_path / "a.warc", articles(3), packed=packed).read_bytes()
    silent = []
    for cut in range(1, len(whole), 7):
        (tmp_path / "cut.warc").write_bytes(whole[:cut])
        found = list(read(tmp_path / "cut.warc"))
        if not any(isinstance(one, Refused) for one in found):
            silent.append(cut)
    # Only a cut between two records, where nothing is missing of either, cannot be told.
    assert len(silent) <= 3
    for cut in silent:
        assert whole[cut : cut + 2] in (b"\x1f\x8b", b"\r\n", b"\n\r", b"WA", b"\nW")


def test_styles_scripts_and_films_are_passed_over(tmp_path: Path) -> None:
    pages = [("http://a.example/a.css", b"p{}", "text/css"), ("http://a.example/a.js", b"var a = 1;", "application/javascript")]
    pages += [("http://a.example/a.mp4", b"\0\0", "video/mp4"), *articles(1)]
    (found,) = read(write(tmp_path / "a.warc.gz", pages))
    assert isinstance(found, Harvest) and found.capture.url.endswith("1.html")


def test_json_answers_are_read_by_the_names_of_their_fields(tmp_path: Path) -> None:
    body = (
        '{"data": [{"title": "某地集市开张", "content": "本周六上午九点，城东的集市开张。", "author": {"name": "某号", "id": 7}}]}'.encode()
    )
    (found,) = read(write(tmp_path / "a.warc.gz", [("http://api.example/list", body, "application/json")]))
    assert isinstance(found, Harvest)
    (posting,) = found.postings
    assert (posting.title, posting.body, posting.publisher) == ("某地集市开张", "本周六上午九点，城东的集市开张。", "某号")
