"""The vault: who can open it, what an altered file, a wrong key, a kill and two writers at once leave behind; which cookie fits where."""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from crawlers.chromium import find_browser
from crawlers.platform import PlatformFile
from crawlers.sessions import Vault
from crawlers.sessions_browser import screen
from crawlers.sessions_cookies import Cookie, Jar, cookies_of
from crawlers.sessions_entry import enter, find_window
from crawlers.sessions_key import SessionFault, WrongKey, begin_change, key_path, load_keys
from domain.clock import utc_now
from domain.errors import Refused
from domain.settings import Settings
from tests.crawlers.conftest import ROOT
from tests.crawlers.members import SID, Members, bytes_of, put, state

OFFICE = {"id": "town", "title": "会员站", "home": "https://bbs.example.com/", "kind": "forum", "session": "office"}
PLAIN = {**OFFICE, "home": "http://bbs.example.com/"}


def of(**given: Any) -> PlatformFile:
    return PlatformFile.model_validate({**OFFICE, **given})


def example(value: str = SID, **given: Any) -> dict[str, Any]:
    return state(value, **{"domain": ".example.com", **given})


def test_a_session_is_encrypted_and_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        put(tmp_path, OFFICE, example())
    finally:
        os.umask(old)
    vault = Vault(Settings(dir=tmp_path))
    assert vault.open("office").state["cookies"][0]["value"] == SID
    assert SID.encode() not in bytes_of(tmp_path) and base64.b64encode(SID.encode()) not in bytes_of(tmp_path)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "sessions", *tmp_path.rglob("*")) if path.name != tmp_path.name
    }
    assert modes == {"sessions": 0o700, "office.session": 0o600, ".lock": 0o600, "session.key": 0o600}
    assert SID not in repr(vault.open("office")) and SID not in repr(cookies_of(example()))


def test_any_altered_byte_is_noticed(tmp_path: Path) -> None:
    put(tmp_path, OFFICE, example())
    vault, path = Vault(Settings(dir=tmp_path)), tmp_path / "sessions" / "office.session"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(SessionFault):
            vault.open("office")
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(SessionFault, match="altered"):
            vault.open("office")


def test_one_session_cannot_stand_for_another(tmp_path: Path) -> None:
    put(tmp_path, OFFICE, example())
    put(tmp_path, {**OFFICE, "id": "other", "session": "second"}, example("another-value-0123456789"))
    folder = tmp_path / "sessions"
    (folder / "second.session").write_bytes((folder / "office.session").read_bytes())
    with pytest.raises(SessionFault, match="stands for another"):
        Vault(Settings(dir=tmp_path)).open("second")


def test_a_wrong_key_is_said_and_the_right_one_opens_again(tmp_path: Path) -> None:
    put(tmp_path, OFFICE, example())
    path, vault = tmp_path / "session.key", Vault(Settings(dir=tmp_path))
    right = path.read_bytes()
    path.write_bytes(base64.b64encode(os.urandom(32)))
    with pytest.raises(WrongKey, match="WANGXUN_SESSION_KEY"):
        vault.open("office")
    path.unlink()
    with pytest.raises(SessionFault, match="cannot be read"):
        vault.open("office")
    path.write_bytes(right)
    path.chmod(0o600)
    assert vault.open("office").entry.platform == "town"
    inside = Settings(dir=tmp_path, session_key=right.decode().strip())
    path.unlink()
    assert Vault(inside).open("office").entry.name == "office"


@pytest.mark.parametrize("text", ["", "short", "c2hvcnQ=", "A" * 44 + "!", "ü" * 44])
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "session.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SessionFault) as caught:
        load_keys(Settings(dir=tmp_path))
    assert "not a key" in str(caught.value) and (not text or text not in str(caught.value))


def test_a_key_that_others_can_read_or_that_lies_beside_is_refused(tmp_path: Path) -> None:
    put(tmp_path, OFFICE, example())
    (tmp_path / "session.key").chmod(0o640)
    with pytest.raises(SessionFault, match="chmod 600"):
        Vault(Settings(dir=tmp_path)).open("office")
    with pytest.raises(SessionFault, match=r"outside of DIR/sessions"):
        load_keys(Settings(dir=tmp_path, session_key_file=tmp_path / "sessions" / "key"), make=True)


def test_a_second_account_for_a_platform_is_refused_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path, OFFICE, example())
    with pytest.raises(SessionFault, match="one account a platform, no pools"):
        put(tmp_path, {**OFFICE, "session": "second"}, example())
    with pytest.raises(SessionFault, match="belongs to platform town"):
        put(tmp_path, {**OFFICE, "id": "other"}, example())
    with pytest.raises(SessionFault, match="does not say session"):
        Vault(Settings(dir=tmp_path)).may_add("office", platform=PlatformFile.model_validate({**OFFICE, "session": None}))
    assert Vault(Settings(dir=tmp_path)).names() == ["office"]


def test_of_two_officers_at_once_one_is_told_that_the_other_was_first(tmp_path: Path) -> None:
    vault, came, told = Vault(Settings(dir=tmp_path)), [], []
    begun = threading.Barrier(2)

    def add(who: str) -> None:
        seen = vault.known("office")
        begun.wait()
        try:
            with vault.turn():
                given = example(f"value-of-{who}-0123456789")
                came.append(
                    vault.put("office", given, platform=of(), by=who, at=utc_now(), origin="file", seen=seen.serial if seen else None)
                )
        except SessionFault as error:
            told.append(str(error))

    threads = [threading.Thread(target=add, args=(who,)) for who in ("li", "wang")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    (first,) = came
    assert len(told) == 1 and f"meanwhile {first.entered_by} entered it" in told[0]
    assert vault.open("office").state["cookies"][0]["value"] == f"value-of-{first.entered_by}-0123456789"


KILLED = """
import sys
from pathlib import Path
from tests.crawlers.members import put, state
folder = Path(sys.argv[1])
given = {"id": "town", "title": "t", "home": "https://bbs.example.com/", "kind": "forum", "session": "office"}
print("go", flush=True)
for number in range(100_000):
    put(folder, given, state(f"value-{number:06d}-" + "x" * 200, domain=".example.com"))
    print(number, flush=True)
"""


def test_a_kill_at_any_instant_leaves_one_whole_session(tmp_path: Path) -> None:
    vault = Vault(Settings(dir=tmp_path))
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == "30":
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    value = vault.open("office").state["cookies"][0]["value"]
    assert value.startswith("value-0000") and value.endswith("x" * 200) and int(value[6:12]) >= 30
    assert b"value-0000" not in bytes_of(tmp_path)
    put(tmp_path, OFFICE, example())  # what the kill left is in nobody's way
    assert {path.name for path in (tmp_path / "sessions").iterdir()} == {"office.session", ".lock"}


def test_a_change_of_keys_broken_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(dir=tmp_path)
    vault = Vault(settings)
    for number in range(3):
        put(tmp_path, {**OFFICE, "id": f"town{number}", "session": f"s{number}"}, example(f"value-{number}-0123456789"))
    old = key_path(settings).read_bytes()
    real, written = vault._write, []

    def broken(*given: Any) -> None:
        if written:
            raise OSError("the power is gone")
        written.append(real(*given))

    monkeypatch.setattr(vault, "_write", broken)
    with pytest.raises(OSError, match="power"), vault.turn():
        vault.change_key()
    assert len({vault.open(f"s{number}").entry.key for number in range(3)}) == 2, "one of three has the new key, all open"
    with pytest.raises(SessionFault):
        Vault(Settings(dir=tmp_path, session_key=old.decode().strip())).open("s0")
    monkeypatch.undo()
    coming = begin_change(settings).current
    put(tmp_path, {**OFFICE, "id": "town9", "session": "s9"}, example())  # one entered in between
    with vault.turn():
        assert vault.change_key() == 3
    assert {vault.open(name).entry.key for name in vault.names()} == {coming}
    assert key_path(settings).read_bytes() != old and not key_path(settings).with_name("session.key.next").exists()
    assert stat.S_IMODE(key_path(settings).stat().st_mode) == 0o600


def test_keys_of_the_environment_change_by_the_one_in_front(tmp_path: Path) -> None:
    first, second = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
    vault = Vault(Settings(dir=tmp_path, session_key=first))
    with vault.turn():
        vault.put("office", example(), platform=of(), by="li", at=utc_now(), origin="file", seen=None)
    both = Vault(Settings(dir=tmp_path, session_key=f"{second},{first}"))
    with both.turn():
        assert both.change_key() == 1 and both.change_key() == 0
    assert Vault(Settings(dir=tmp_path, session_key=second)).open("office").entry.cookies == 1
    assert not (tmp_path / "session.key").exists() and first not in repr(Settings(dir=tmp_path, session_key=first))


@pytest.mark.parametrize(
    ("cookie", "url", "goes"),
    [
        ({"domain": ".example.com"}, "https://bbs.example.com/x", True),
        ({"domain": "bbs.example.com"}, "https://bbs.example.com/x", True),
        ({"domain": "bbs.example.com"}, "https://a.bbs.example.com/", False),
        ({"domain": ".bbs.example.com"}, "https://a.bbs.example.com/", True),
        ({"domain": ".example.com"}, "https://mail.example.com/", False),
        ({"domain": ".example.com"}, "http://bbs.example.com/", False),
        ({"domain": ".example.com"}, "https://bbs.example.com.evil.cn/", False),
        ({"domain": ".example.com"}, "https://evilbbs.example.com/", False),
        ({"domain": ".example.com"}, "https://bbs.example.com@evil.cn/", False),
        ({"domain": ".example.com"}, "https://BBS.example.com:443/", True),
        ({"domain": ".com"}, "https://bbs.example.com/", True),
        ({"domain": "example.com"}, "https://bbs.example.com/", False),
        ({"domain": ".example.com", "path": "/a"}, "https://bbs.example.com/ab", False),
        ({"domain": ".example.com", "path": "/a"}, "https://bbs.example.com/a/b", True),
        ({"domain": ".example.com", "expires": 5}, "https://bbs.example.com/", False),
    ],
)  # fmt: skip
def test_a_cookie_goes_where_it_belongs_and_nowhere_else(cookie: dict[str, Any], url: str, goes: bool) -> None:
    jar = Jar([Cookie(name="SID", value="v", **cookie)], of())
    assert bool(jar.header(url)) is goes


def test_a_plain_platform_gets_plain_cookies_alone() -> None:
    jar = Jar(
        [Cookie(name="a", value="1", domain=".example.com"), Cookie(name="b", value="2", domain=".example.com", secure=True)], of(**PLAIN)
    )
    assert jar.header("http://bbs.example.com/") == "a=1" and jar.header("https://bbs.example.com/") == "a=1; b=2"


def test_no_cookie_reaches_beyond_the_platform_in_a_browser() -> None:
    wide = [
        Cookie(name=str(number), value="v", domain=domain) for number, domain in enumerate((".example.com", "bbs.example.com", "other.cn"))
    ]
    given = Jar(wide, of()).for_browser(now_s=0)
    assert [(one["name"], one["domain"], one["secure"]) for one in given] == [
        ("0", ".bbs.example.com", True),
        ("1", "bbs.example.com", True),
    ]


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("SID=new; Path=/; Domain=example.com", "SID=new"),
        ("SID=; Path=/; Domain=.example.com; Max-Age=0", ""),
        ("SID=x; Path=/; Domain=example.com; Expires=Thu, 01-Jan-1970 00:00:00 GMT", ""),
        ("SID=x; Domain=evil.cn", "SID=old"),
        ("SID=x; Domain=example.com; Max-Age=99999999999999999999", "SID=x"),
        ("=x; Path=/", "SID=old"),
        ("SID=a\x00b; Path=/; Domain=example.com", "SID=old"),
    ],
)  # fmt: skip
def test_what_a_site_sets_counts_for_its_own_hosts(line: str, after: str) -> None:
    jar = Jar([Cookie(name="SID", value="old", domain=".example.com")], of())
    jar.take("https://bbs.example.com/", [line])
    assert jar.header("https://bbs.example.com/", now_s=100.0) == after
    jar.take("https://evil.cn/", ["SID=theirs; Path=/"])
    assert "theirs" not in jar.header("https://bbs.example.com/")


@pytest.mark.parametrize(
    "given",
    [
        [], "x", {}, {"cookies": "x"}, {"cookies": [1]}, {"cookies": [{}]}, {"cookies": []}, example(value="a\r\nX: y" + SID),
        example(value=SID + ";x"), example(name="a b"), example(domain=""), example(expires=float("nan")), example(domain="evil.cn"),
        example(sameSite="Sometimes"), {"cookies": [{}] * 20_000},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_storage_state_of_the_platform_is_refused_without_its_values(tmp_path: Path, given: Any) -> None:
    with pytest.raises(SessionFault) as caught:
        put(tmp_path, OFFICE, given or {"x": 1})
    assert SID not in str(caught.value) and caught.value.__cause__ is None
    assert not Vault(Settings(dir=tmp_path)).names()


def test_of_a_storage_state_the_platforms_part_alone_is_kept(tmp_path: Path) -> None:
    given = example()
    given["cookies"] += [{"name": "bank", "value": "of-another-site", "domain": ".bank.cn", "path": "/"}]
    given["origins"] = [
        {"origin": origin, "localStorage": [{"name": "token", "value": "t"}]} for origin in ("https://bbs.example.com", "https://bank.cn")
    ] + ["x", {"origin": "https://bbs.example.com", "localStorage": [1]}]
    put(tmp_path, OFFICE, given)
    kept = Vault(Settings(dir=tmp_path)).open("office").state
    assert [one["name"] for one in kept["cookies"]] == ["SID"] and [one["origin"] for one in kept["origins"]] == ["https://bbs.example.com"]


@pytest.mark.parametrize("name", ["../x", "A", "", "a" * 25, "a/b", ".x", "会话", "a\n"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(SessionFault, match="not a name"):
        Vault(Settings(dir=tmp_path)).open(name)
    with pytest.raises(ValidationError):
        of(session=name)


def test_a_session_needs_hosts_and_a_check_its_mark() -> None:
    for wrong in ({"hosts": "*"}, {"session": {"name": "office", "check": "https://bbs.example.com/home"}}):
        with pytest.raises(ValidationError, match="session"):
            of(**wrong)


def test_a_broken_pause_or_one_of_an_earlier_session_pauses_nothing(tmp_path: Path) -> None:
    entry, vault = put(tmp_path, OFFICE, example()), Vault(Settings(dir=tmp_path))
    vault.pause("office", serial="of-another", at=utc_now(), why="x")
    assert vault.paused("office") is None
    (tmp_path / "sessions" / "office.paused").write_text("{")
    assert vault.paused("office") is None
    vault.pause("office", serial=entry.serial, at=utc_now(), why="login: 请登录")
    assert (
        json.loads((tmp_path / "sessions" / "office.paused").read_text())["serial"] == entry.serial and vault.paused("office") is not None
    )


def test_a_full_disk_keeps_the_old_session_and_says_so(tmp_path: Path) -> None:
    put(tmp_path, OFFICE, example())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(SessionFault, match="cannot be written"):
            put(tmp_path, OFFICE, example("another-value-0123456789"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert Vault(Settings(dir=tmp_path)).open("office").state["cookies"][0]["value"] == SID
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".part-")]


@pytest.mark.parametrize(
    ("value", "alone", "secret"),
    [
        ("0123456789abcdef", True, True), ("https://bbs.example.com/1", True, False), ("bootstrap-dark-mode", True, False),
        ("zh-CN", True, False), ("short-12", False, True), ("short", False, False), ("ab+/cd==0123456789&", False, True),
    ],
)  # fmt: skip
def test_what_must_stand_nowhere_is_a_token_and_no_word_of_every_page(value: str, alone: bool, secret: bool) -> None:
    jar = Jar([Cookie(name="SID", value=value, domain=".example.com", httpOnly=not alone)], of())
    assert (value.encode() in set(jar.secrets())) is secret
    if "&" in value:
        assert {value.replace("&", "&amp;").encode(), b"ab%2B%2Fcd%3D%3D0123456789%26"} <= set(jar.secrets())


def test_a_site_that_renews_with_each_page_fills_no_memory() -> None:
    jar = Jar([], of())
    for number in range(2000):
        jar.take("https://bbs.example.com/", [f"SID=token-{number:020d}; Path=/", f"n{number}={number:020d}"])
    assert len(jar.living(0)) == 300 and len({*jar.secrets()}) <= 400 and jar.header("https://bbs.example.com/").count("SID=") == 1


def test_the_gate_lets_cookies_through_to_the_platforms_own_hosts_alone(tmp_path: Path) -> None:
    town = {**OFFICE, "hosts": ["bbs.example.com:8443", "img.example.com"], "home": "https://bbs.example.com:8443/"}
    put(tmp_path, town, example())
    spider = SimpleNamespace(platform=PlatformFile.model_validate(town), deployment=Settings(dir=tmp_path), course=None, visit=None)
    kept = screen(spider)
    assert kept is not None and kept("https://bbs.example.com:8443/", []) == [] == kept("https://cdn.cn:443/", [])
    for strays in ("https://bbs.example.com:443/", "https://a.bbs.example.com/"):
        with pytest.raises(Refused, match="another port"):
            kept(strays, [])
    lines = ["Accept: */*", "cookie: SID=x", "AUTHORIZATION : y"]
    assert kept("http://bbs.example.com:8443/", lines) == kept("http://cdn.cn/", lines) == ["Accept: */*"]


@pytest.mark.browser
@pytest.mark.skipif(find_browser(Settings()) is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("closes", [False, True])
def test_what_a_person_logged_in_to_is_the_session(site: Any, closes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a script in place of a person, in the same browser without its window: to Enter, or to the window's end."""
    for name in ("TMPDIR", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    Members(site)
    site.pages["/welcome"] = (200, {"Set-Cookie": f"SID={SID}; Path=/; HttpOnly"}, b"<b class=me>x</b><script>localStorage.t='1'</script>")
    browser, looks = find_browser(Settings()), []
    assert browser is not None
    tabs: list[Any] = []

    def person(tab: Any) -> None:
        tabs.append(tab)
        tab.goto(site.home + "welcome")

    def done() -> bool:
        looks.append(1)
        assert SID.encode() not in bytes_of(tmp_path), "in its profile on the disk"
        if closes and len(looks) == 2:
            tabs[0].context.browser.close()
        return not closes and len(looks) == 2

    got = enter(site.home + "login", browser=browser, done=done, headless=True, seen=person)
    assert [(one["name"], one["value"], one["httpOnly"]) for one in got["cookies"]] == [("SID", SID, True)]
    assert got["origins"][0]["localStorage"] == [{"name": "t", "value": "1"}]


def test_without_a_display_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SessionFault, match=r"no display here.*--from FILE"):
        find_window(Settings(dir=tmp_path))
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(SessionFault, match=r"apt-get install chromium.*--from FILE"):
        find_window(Settings(dir=tmp_path))
