"""Pages that lie, break, drip or never end: the sweep stays alive, the fault is counted and named, the rest is kept."""

from __future__ import annotations

import gzip
import time
import zlib
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from crawlers.page import Page

GOOD = "<html><head><title>好页面</title></head><body><h1>好页面</h1><p>" + "这一页没有问题，应当照常取得，" * 12 + "</p></body></html>"
GZIP = {"Content-Encoding": "gzip"}


def start(site: Any, *paths: str) -> dict[str, Any]:
    """A platform that begins at these paths and at one good page."""
    site.pages["/good"] = GOOD.encode()
    return {"kind": "generic", "start": [site.home + path for path in (*paths, "good")], "budget": {"depth": 0}}


def titles(found: Any) -> set[str]:
    return {posting.title for posting in found.postings}


def test_packing_that_lies_is_taken_as_far_as_it_goes(site: Any, sweep: Any) -> None:
    packed = gzip.compress(("<h1>切断的包</h1><p>" + "".join(f"第{n}句话，内容各不相同。" for n in range(9000)) + "</p>").encode())
    site.pages |= {
        "/cut": (200, GZIP, packed[: len(packed) // 2]),
        "/lie": (200, GZIP, "<h1>并未压缩</h1><p>".encode() + "声称压缩其实没有，".encode() * 20),
        "/raw": (200, {"Content-Encoding": "deflate"}, zlib.compress(GOOD.replace("好页面", "另一种").encode())[2:-4]),
        "/odd": (200, {"Content-Encoding": "x-unknown"}, GOOD.replace("好页面", "未知编码").encode()),
        "/none": (200, GZIP, b""),
    }
    found = sweep(start(site, "cut", "lie", "raw", "odd", "none"))
    assert {"好页面", "并未压缩", "另一种", "未知编码", "切断的包"} <= titles(found), found.log
    assert found.count("misdeclared") >= 1 and found.count("pages") == 6 and found.code == 0


def test_bomb_and_giant_end_at_the_limit(site: Any, sweep: Any) -> None:
    def giant(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(100 * 1024 * 1024))
        request.end_headers()
        try:
            for _ in range(100):
                request.wfile.write(b"x" * (1024 * 1024))
        except OSError:
            request.close_connection = True

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Connection", "close")
        request.end_headers()
        request.close_connection = True
        try:
            for _ in range(100):
                request.wfile.write(b"y" * (1024 * 1024))
        except OSError:
            pass

    site.pages |= {"/bomb": (200, GZIP, gzip.compress(b"0" * 50_000_000)), "/giant": giant, "/endless": endless}
    found = sweep(start(site, "bomb", "giant", "endless"), env={"WANGXUN_MAX_BODY_MB": "1"})
    assert found.count("too_big") == 3 and titles(found) == {"好页面"}, found.log


def test_drip_ends_at_its_deadline_and_a_cut_body_is_kept(site: Any, sweep: Any) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", "100000")
        request.end_headers()
        try:
            for _ in range(400):
                request.wfile.write(b".")
                request.wfile.flush()
                time.sleep(0.05)  # the server's own slowness is the subject
        except OSError:
            request.close_connection = True

    def cut(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", "100000")
        request.end_headers()
        request.wfile.write(GOOD.replace("好页面", "中途断开").encode())
        request.close_connection = True

    site.pages |= {"/drip": drip, "/cut": cut}
    found = sweep({**start(site, "drip", "cut"), "answer_s": 1})
    assert found.count("timed_out") == 1 and found.count("cut_short") == 1, found.log
    assert titles(found) == {"好页面", "中途断开"}


def test_redirects_without_end_and_broken_ones(site: Any, sweep: Any) -> None:
    site.pages |= {
        "/loop": (302, {"Location": "/loop"}, b""),
        "/a": (302, {"Location": "/b"}, b""),
        "/b": (301, {"Location": "/a"}, b""),
        "/nowhere": (302, {}, b""),
        "/script": (302, {"Location": "javascript:alert(1)"}, b""),
        "/file": (302, {"Location": "file:///etc/passwd"}, b""),
    }
    found = sweep(start(site, "loop", "a", "nowhere", "script", "file"))
    assert titles(found) == {"好页面"} and found.code == 0, found.log
    assert all(b"root:" not in harvest.body for harvest in found.harvests)
    assert found.count("errors") >= 2


def test_what_is_no_page_is_counted(site: Any, sweep: Any) -> None:
    site.pages |= {
        "/pdf": (200, {"Content-Type": "application/pdf"}, b"%PDF-1.7 ..."),
        "/png-as-html": (200, {}, b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
        "/zip": (200, {"Content-Type": "application/octet-stream"}, b"PK\x03\x04"),
        "/empty": b"",
        "/nul": ("\x00<h1>零\x00字节</h1><p>" + "夹着零字节的正文，\x00" * 20).encode(),
    }
    found = sweep(start(site, "pdf", "png-as-html", "zip", "empty", "nul"))
    assert found.count("not_html") == 3 and titles(found) == {"好页面", "零字节"}, found.log
    assert all("\x00" not in posting.text for posting in found.postings)


def test_calendar_without_end_is_left(site: Any, sweep: Any) -> None:
    def month(request: BaseHTTPRequestHandler) -> None:
        number = int(request.path.rpartition("=")[2] if "=" in request.path else 1)
        body = f"<p>{number}月</p><a href='/cal?m={number + 1}'>下月</a><a href='/cal?m={number + 1000}'>明年</a>".encode()
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    site.pages |= {"/cal": month, "/good": GOOD.encode()}
    found = sweep({"kind": "generic", "start": [site.home + "cal", site.home + "good"], "budget": {"pages": 2000, "depth": 1000}})
    assert len(site.asked) < 60 and found.count("trap") > 0 and titles(found) == {"好页面"}, found.log


def test_walls_end_the_sweep_politely(site: Any, sweep: Any) -> None:
    site.pages["/"] = "<title>安全验证</title><p>请输入验证码后继续访问</p>".encode()
    found = sweep(
        {"kind": "generic", "start": [site.home] + [f"{site.home}{n}" for n in range(40)], "pace": {"delay_s": 0.05, "concurrency": 1}}
    )
    assert found.outcome == "walled" and found.count("blocked") == 1 and len(site.asked) < 10, found.log
    assert len(found.harvests) == found.count("pages")  # the wall itself is kept as evidence of the sweep


@pytest.mark.parametrize(
    ("page", "platform"),
    [
        ((302, {"Location": "/passport/login?next=/"}, b""), {}),
        ((200, {}, "<p>请先登录</p>".encode()), {}),
        (
            (200, {}, ("<div class=teaser>" + "前言" * 400 + "</div><p>成为会员后可见全文</p>").encode()),
            {"walls": {"login": ["成为会员后可见"]}},
        ),
        ((401, {}, b"no"), {}),
    ],
)
def test_login_is_seen_in_its_usual_forms(site: Any, sweep: Any, page: Any, platform: dict[str, Any]) -> None:
    site.pages |= {"/": page, "/passport/login": b"<form><input type=password></form>"}
    found = sweep({"kind": "generic", **platform})
    assert found.outcome == "walled" and found.count("login_wall") == 1 and not found.postings, found.log


def test_busy_site_is_waited_for_and_then_left(site: Any, sweep: Any) -> None:
    answers = iter([429, 200])

    def busy(request: BaseHTTPRequestHandler) -> None:
        status = next(answers)
        body = GOOD.replace("好页面", "等到了").encode()
        request.send_response(status)
        request.send_header("Retry-After", "1")
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    site.pages |= {"/busy": busy, "/never": (429, {"Retry-After": "86400"}, b"slow down")}
    waited = sweep({"kind": "generic", "start": [site.home + "busy"]})
    assert titles(waited) == {"等到了"} and waited.count("asked_to_wait") == 1, waited.log
    left = sweep({"kind": "generic", "start": [site.home + "never"]})
    assert left.outcome == "walled" and site.asked.count("/never") == 1, left.log


def test_nesting_without_end_keeps_the_text_and_the_time() -> None:
    began = time.monotonic()
    page = Page(b"<div>" * 100_000 + "深处的字".encode() + b"</div>" * 100_000, url="http://example.com/")
    assert page.flattened and "深处的字" in page.shown and page.tree.css_first("pre") is not None
    assert time.monotonic() - began < 10  # parsed as it is, it takes half a minute
    assert not Page(b"<ul>" + b"<li><p><b>x</b>" * 20_000, url="http://example.com/").flattened


def test_empty_start_is_an_outcome_of_its_own(site: Any, sweep: Any) -> None:
    site.pages["/"] = b"<html><body></body></html>"
    found = sweep({"list": {"item": "li"}})
    assert found.outcome == "empty" and found.count("drift") == 0


def test_dead_site_is_a_failed_sweep(site: Any, sweep: Any) -> None:
    found = sweep({"home": "http://127.0.0.1:9/", "allow_hosts": ["127.0.0.1:9"]})
    assert found.outcome == "failed" and found.count("errors") == 1 and "url=http://127.0.0.1:9/" in found.log


def test_site_that_refuses_without_words_is_left_after_a_few_pages(site: Any, sweep: Any) -> None:
    urls = [f"{site.home}{n}" for n in range(40)]
    site.pages |= {f"/{n}": (403, {}, b"") for n in range(40)}
    found = sweep({"kind": "generic", "start": urls, "pace": {"delay_s": 0.05, "concurrency": 1}})
    assert found.outcome == "walled" and len(site.asked) < 15 and "status 403" in found.stats["sweep/why"], found.log
