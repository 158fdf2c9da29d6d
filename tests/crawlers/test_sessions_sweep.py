"""Sweeps with a session by the real spider: to whom its cookies go, that they stand nowhere, how it expires, how it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawlers.chromium import find_browser
from crawlers.sessions import Vault
from domain.settings import Settings
from store.records import members as records_of
from tests.crawlers.conftest import Site
from tests.crawlers.members import SID, Members, answer, bytes_of, platform_of, put, state

needs_browser = pytest.mark.skipif(find_browser(Settings()) is None, reason="no Chromium on this machine")


@pytest.fixture
def other() -> Iterator[Site]:
    place = Site()
    yield place
    place.close()


def warc(found: Any) -> bytes:
    import zlib

    data, out = b"".join(records_of(one) for one in found.harvests), b""
    while data:
        inflater = zlib.decompressobj(31)
        out += inflater.decompress(data)
        data = inflater.unused_data
    return out


def test_a_sweep_is_known_by_its_session_and_keeps_nothing_of_it(site: Any, sweep: Any, tmp_path: Path) -> None:
    town = Members(site, extra=f"<!-- {SID} -->")
    put(tmp_path, platform_of(site))
    found = sweep(platform_of(site), env={"WANGXUN_LOG_LEVEL": "DEBUG"})
    assert sorted(posting.title for posting in found.postings) == ["帖子1", "帖子2", "帖子3", "帖子4"], found.log
    assert {cookie.split("SID=")[1].split(";")[0] for _path, cookie in town.heard} == {SID}
    assert {harvest.capture.via for harvest in found.harvests} == {"session:office"}
    written = warc(found)
    assert b"GET " in written and "帖子1".encode() in written
    for data in (written, bytes_of(tmp_path), found.log.encode()):
        assert SID.encode() not in data and SID[::-1].encode() not in data
    assert b"set-cookie" not in written.lower() and b"\r\ncookie:" not in written.lower()
    assert b"X-Wangxun-Masked: 1" in written and found.count("session_masked") == 5


def test_what_the_site_renews_is_sent_from_then_on(site: Any, sweep: Any, tmp_path: Path) -> None:
    town = Members(site)
    put(tmp_path, platform_of(site))
    sweep(platform_of(site))
    assert town.heard[0] == ("/", f"SID={SID}") and all(f"seen={SID[::-1]}" in cookie for _path, cookie in town.heard[1:])


def test_cookies_go_to_no_other_host_even_by_redirect(site: Any, other: Any, sweep: Any, tmp_path: Path) -> None:
    Members(site)
    heard: list[str] = []

    def listen(request: Any) -> None:
        heard.append(str(request.headers.get("Cookie")))
        answer(request, 302, {"Location": site.home + "back"}, b"")

    back: list[str] = []

    def came_back(request: Any) -> None:
        back.append(str(request.headers.get("Cookie")))
        answer(request, 200, {}, b"<h1>x</h1>")

    other.pages["/away"] = listen
    site.pages |= {"/go": (302, {"Location": f"{other.home}away"}, b""), "/back": came_back}
    given = platform_of(site, start=[site.home + "go", other.home + "away"], allow_hosts=["127.0.0.1"])
    put(tmp_path, given)
    found = sweep(given)
    assert heard == ["None", "None"] and back == ["None", "None"], found.log


@needs_browser
@pytest.mark.browser
def test_the_browser_is_known_and_gives_its_cookies_to_no_other_port(site: Any, other: Any, sweep: Any, tmp_path: Path) -> None:
    town = Members(site, threads=2, extra=f"<img src={other.home}pixel.png><script src={other.home}x.js></script>")
    heard: list[tuple[str, str]] = []

    def listen(request: Any) -> None:
        heard.append((request.path, str(request.headers.get("Cookie"))))
        answer(request, 200, {}, b"")

    other.pages |= {"/pixel.png": listen, "/x.js": listen, "/away": listen}
    site.pages["/go"] = (302, {"Location": f"{other.home}away"}, b"")
    given = platform_of(
        site, fetch="browser", browser={"block": [], "screenshot": "none"}, start=[site.home, site.home + "go"], allow_hosts=["127.0.0.1"]
    )
    put(tmp_path, given)
    found = sweep(given)
    assert {"帖子1", "帖子2"} <= {posting.title for posting in found.postings}, found.log
    assert all(f"SID={SID}" in cookie for _path, cookie in town.heard) and len(town.heard) >= 3
    assert any(f"seen={SID[::-1]}" in cookie for _path, cookie in town.heard[1:]), "renewed from page to page"
    assert {path for path, _ in heard} == {"/pixel.png", "/x.js", "/away"} and {cookie for _, cookie in heard} == {"None"}
    assert {one.capture.via for one in found.harvests if "/t/" in one.capture.url} == {"session:office/browser"}
    assert SID.encode() not in warc(found) and SID.encode() not in bytes_of(tmp_path)


@needs_browser
@pytest.mark.browser
def test_a_page_that_needs_scripts_has_the_session_by_http_and_in_the_browser(site: Any, sweep: Any, tmp_path: Path) -> None:
    """`fetch: auto`: a shell over HTTP, then its feed by script, for those whose browser holds the token of the login."""
    feed = "document.getElementById('app').innerHTML = localStorage.token === 'given' ? '<ul><li><a href=/t/1>站内帖子</a></li></ul>' : ''"
    Members(site, threads=1)
    inner = Members(site, threads=0)
    page = f"<b class=me>x</b><div id=app></div><script>{feed}</script>"
    site.pages["/"] = lambda request: inner._show(request, page)
    given = platform_of(site, fetch="auto", browser={"screenshot": "none"}, budget={"depth": 0})
    given["list"]["keep"] = True
    token = {"origin": site.home.rstrip("/"), "localStorage": [{"name": "token", "value": "given"}]}
    put(tmp_path, given, state() | {"origins": [token, {"origin": "https://elsewhere.cn", "localStorage": []}]})
    found = sweep(given)
    assert [posting.title for posting in found.postings] == ["站内帖子"], found.log
    assert len(inner.heard) == 2 and all(SID in cookie for _path, cookie in inner.heard)


def waiting(folder: Path) -> list[str]:
    return [row["url"].rpartition("/")[2] for row in Vault(Settings(dir=folder)).waiting("town")]


@pytest.mark.parametrize("fetch", ["http", pytest.param("browser", marks=[needs_browser, pytest.mark.browser])])
def test_an_expiry_in_mid_sweep_ends_it_and_the_next_goes_on_where_it_stood(site: Any, sweep: Any, tmp_path: Path, fetch: str) -> None:
    town = Members(site, most=3)
    given = platform_of(site, fetch=fetch, browser={"screenshot": "none"})
    entry = put(tmp_path, given)
    first = sweep(given)
    assert first.outcome == "walled" and first.count("session_expired") == 1, first.log
    assert first.stats["sweep/why"].startswith("session office expired: login")
    vault = Vault(Settings(dir=tmp_path))
    pause = vault.paused("office")
    assert pause is not None and pause.serial == entry.serial
    left = set(waiting(tmp_path))
    done = {posting.title for posting in first.postings}
    assert left == {"1", "2", "3", "4"} - {title[-1] for title in done} and len(left) == 2

    town.heard.clear()
    town.valid.add(SID + "-new")
    town.most = 10_000
    put(tmp_path, given, state(SID + "-new"))
    assert vault.paused("office") is None
    second = sweep(given)
    begun = [path.rpartition("/")[2] for path, _ in town.heard[:3]]  # requests on their way at once may overtake each other by one
    assert begun[0] in left and left <= set(begun), "what was left goes first"
    assert done | {posting.title for posting in second.postings} == {"帖子1", "帖子2", "帖子3", "帖子4"}
    assert second.count("session_resumed") == 2 and not waiting(tmp_path)


def test_a_check_page_is_asked_first_and_an_expired_session_asks_for_nothing_more(site: Any, sweep: Any, tmp_path: Path) -> None:
    town = Members(site)
    site.pages["/home"] = "<p>这里是大家都能看的主页</p>".encode()
    given = platform_of(site, session={"name": "office", "check": site.home + "home", "must": "b.me"})
    put(tmp_path, given)
    found = sweep(given)
    assert found.outcome == "walled" and "nothing is at b.me" in found.stats["sweep/why"], found.log
    assert not town.heard and not found.harvests and waiting(tmp_path) == [""]
    site.pages["/home"] = b"<b class=me>office-account-77</b>"
    put(tmp_path, given)
    again = sweep(given)
    assert len(again.postings) == 4 and b"office-account-77" not in warc(again)


def test_a_page_without_the_mark_of_members_is_an_expiry(site: Any, sweep: Any, tmp_path: Path) -> None:
    Members(site)
    site.pages["/t/2"] = "<h1>帖子2</h1><p>游客只能看到这一点</p>".encode()
    given = platform_of(site, session={"name": "office", "must": "b.me"})
    put(tmp_path, given)
    found = sweep(given)
    assert found.outcome == "walled" and "nothing is at b.me" in found.stats["sweep/why"], found.log
    assert "游客" not in "".join(posting.body for posting in found.postings)


def test_an_api_that_says_so_in_json_is_an_expiry(site: Any, sweep: Any, tmp_path: Path) -> None:
    headers = {"Content-Type": "application/json"}
    site.pages |= {
        "/api?page=1": (200, headers, json.dumps({"data": [{"id": 1, "text": "第一条内容"}]}).encode()),
        "/api?page=2": (200, headers, json.dumps({"code": -101, "message": "账号未登录"}, ensure_ascii=False).encode()),
    }
    api = {"start": site.home + "api?page=1", "items": "data", "fields": {"title": "text"}, "next": {"param": "page", "last": 5}}
    given = platform_of(site, list=[], detail=[], api=api)
    put(tmp_path, given)
    found = sweep(given)
    assert found.outcome == "walled" and "账号未登录" in found.stats["sweep/why"] and len(found.postings) == 1, found.log
    assert [row["url"].rpartition("/")[2] for row in Vault(Settings(dir=tmp_path)).waiting("town")] == ["api?page=2"]


def test_cookies_that_have_ended_ask_for_nothing(site: Any, sweep: Any, tmp_path: Path) -> None:
    town = Members(site)
    put(tmp_path, platform_of(site), state(expires=1_700_000_000))
    found = sweep(platform_of(site))
    assert found.outcome == "walled" and "all its cookies have ended" in found.stats["sweep/why"] and not town.heard


@pytest.mark.parametrize("harm", ["missing", "key", "altered"])
def test_without_its_session_the_sweep_fails_in_words_and_asks_for_nothing(site: Any, sweep: Any, tmp_path: Path, harm: str) -> None:
    town, words = Members(site), {"missing": "not entered yet", "key": "encrypted with the key", "altered": "altered"}
    put(tmp_path, platform_of(site))
    path = tmp_path / "sessions" / "office.session"
    if harm == "missing":
        path.unlink()
    elif harm == "altered":
        path.write_bytes(path.read_bytes()[:-3] + b"abc")
    else:
        (tmp_path / "session.key").write_text("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n")
    found = sweep(platform_of(site))
    assert found.outcome == "failed" and words[harm] in found.stats["sweep/why"], found.log
    assert not town.heard and not town.site.asked


def test_a_wall_to_strangers_is_no_expiry(site: Any, sweep: Any, tmp_path: Path) -> None:
    """Who looks for cloaking comes without the session, and is led to the login."""
    town = Members(site)
    put(tmp_path, platform_of(site))
    found = sweep(platform_of(site), visit=json.dumps({"url": site.home + "t/1", "views": ["desktop", "phone"]}) + "\n")
    assert town.heard and all(cookie == "" for _path, cookie in town.heard), found.log
    assert found.count("session_expired") == 0 and Vault(Settings(dir=tmp_path)).paused("office") is None


def test_a_login_on_another_host_is_an_expiry(site: Any, other: Any, sweep: Any, tmp_path: Path) -> None:
    site.pages["/"] = (302, {"Location": f"{other.home}login"}, b"")
    other.pages["/login"] = "<form>请登录</form>".encode()
    given = platform_of(site, allow_hosts=["127.0.0.1"])
    put(tmp_path, given)
    found = sweep(given)
    assert found.outcome == "walled" and found.count("session_expired") == 1, found.log


def test_a_wall_without_a_session_is_the_wall_it_was(site: Any, sweep: Any, tmp_path: Path) -> None:
    Members(site)
    given = {key: value for key, value in platform_of(site).items() if key != "session"}
    found = sweep(given)
    assert found.outcome == "walled" and found.count("session_expired") == 0 and not (tmp_path / "sessions").exists()


def test_lines_of_the_waiting_file_that_nobody_of_ours_wrote_are_left_out(site: Any, sweep: Any, tmp_path: Path) -> None:
    town = Members(site)
    put(tmp_path, platform_of(site))
    rows = [{"url": "http://127.0.0.1:1/x", "role": "detail", "depth": 1, "worth": 0, "hints": None}, {"url": site.home + "t/3"}, ["x"]]
    good = {"url": site.home + "t/4", "role": "detail", "depth": 1, "worth": 0, "hints": None}
    text = "".join(json.dumps(row) + "\n" for row in [*rows, good]) + "{broken\n"
    (tmp_path / "sessions" / "town.waiting").write_text(text)
    found = sweep(platform_of(site))
    assert found.count("session_resumed") == 1 and town.heard[0][0] == "/t/4" and len(found.postings) == 4, found.log
