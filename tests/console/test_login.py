from __future__ import annotations

import socket
import stat
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from console.app import serve
from console.auth import BackOff, Sessions, load_key
from domain.errors import PatrolError
from domain.settings import Settings
from store import officers, tables
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer, sign_in


def test_key_is_made_once_and_private(settings: Settings) -> None:
    first = load_key(settings)
    assert len(first) >= 32
    assert load_key(settings) == first
    assert stat.S_IMODE((settings.dir / "console.key").stat().st_mode) == 0o600


def test_key_left_open_to_others_is_closed(settings: Settings) -> None:
    load_key(settings)
    (settings.dir / "console.key").chmod(0o644)
    load_key(settings)
    assert stat.S_IMODE((settings.dir / "console.key").stat().st_mode) == 0o600


def test_setting_goes_before_the_key_file(tmp_path: Path) -> None:
    assert load_key(Settings(dir=tmp_path, console_secret="from-the-setting")) == b"from-the-setting"  # type: ignore[arg-type]
    assert not (tmp_path / "console.key").exists()


def test_session_of_another_key_is_not_read() -> None:
    cookie = Sessions(b"one").open(officer="chen", secret="s")
    assert Sessions(b"one").read(cookie) is not None
    assert Sessions(b"two").read(cookie) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "a.b.c", "x" * 5000, "中文"])
def test_nonsense_cookie_is_nobody(cookie: str | None) -> None:
    assert Sessions(b"one").read(cookie) is None


def test_pages_send_strangers_to_the_login(visitor: httpx.Client) -> None:
    for path in ("/queue", "/hits/1", "/documents", "/board", "/notices/1", "/leads/1"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login"), path


def test_fragment_tells_that_the_session_ended(visitor: httpx.Client) -> None:
    assert visitor.get("/queue/rows", headers={"x-fragment": "1"}).status_code == 401


def test_login_sets_a_strict_hidden_cookie(visitor: httpx.Client, base: str) -> None:
    answer = sign_in(visitor, base, name="chen")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("wangxun_session="))
    assert answer.headers["location"] == "/queue"
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "陈默" in visitor.get("/queue").text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/login"])
def test_login_leads_nowhere_else(visitor: httpx.Client, base: str, target: str) -> None:
    assert sign_in(visitor, base, name="chen", target=target).headers["location"] == "/queue"


def test_login_goes_on_to_the_page_that_was_asked_for(visitor: httpx.Client, base: str) -> None:
    assert sign_in(visitor, base, name="chen", target="/hits/3?level=alert").headers["location"] == "/hits/3?level=alert"


@pytest.mark.parametrize(
    ("name", "password"), [("chen", "wrong-password"), ("nobody", seed.PASSWORD), ("ch\x00en", "x"), ("<script>", "x")]
)
def test_wrong_name_and_wrong_password_read_the_same(visitor: httpx.Client, base: str, name: str, password: str) -> None:
    answer = sign_in(visitor, base, name=name, password=password)
    assert answer.status_code == 401
    assert "账号或口令不正确" in answer.text
    assert "<script>" not in answer.text


def test_guessing_is_slowed_and_time_forgives(visitor: httpx.Client, base: str, clock: Hand) -> None:
    for _ in range(3):
        assert sign_in(visitor, base, name="chen", password="wrong-password").status_code == 401
    waiting = sign_in(visitor, base, name="chen")
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) > 0
    assert "秒后再试" in waiting.text
    clock.forward(minutes=16)
    assert sign_in(visitor, base, name="chen").status_code == 303


def test_wait_doubles_to_a_quarter_of_an_hour(clock: Hand) -> None:
    slow, waits = BackOff(clock), []
    for _ in range(16):
        slow.failed("name:x")
        waits.append(slow.wait_s("name:x"))
        clock.forward(seconds=waits[-1])
    assert waits[:2] == [0, 0]
    assert waits[2] < waits[3] < waits[4]
    assert max(waits) <= 901


def test_one_address_may_fail_more_often_than_one_name(clock: Hand) -> None:
    slow = BackOff(clock)
    for _ in range(19):
        slow.failed("from:10.0.0.1")
    assert slow.wait_s("from:10.0.0.1") == 0
    slow.failed("from:10.0.0.1")
    assert slow.wait_s("from:10.0.0.1") > 0


def test_failed_login_is_audited_without_what_was_typed(visitor: httpx.Client, base: str, staffed: Store) -> None:
    sign_in(visitor, base, name="my-secret-password", password="oops")
    with staffed.read() as conn:
        row = conn.execute(select(tables.audit).where(tables.audit.c.action == "login.failed")).one()
    assert "my-secret-password" not in str(row)


def test_login_form_of_another_site_is_refused(visitor: httpx.Client, base: str) -> None:
    visitor.get("/login")
    fields = {"name": "chen", "password": seed.PASSWORD, "token": visitor.cookies["wangxun_login"]}
    assert visitor.post("/login", data=fields, headers={"origin": "https://evil.example"}).status_code == 403
    assert visitor.post("/login", data=fields).status_code == 403
    assert visitor.post("/login", data=fields | {"token": "made-up"}, headers={"origin": base}).status_code == 403


def test_logout_ends_copies_of_the_cookie_too(officer: Callable[[str], Officer], base: str) -> None:
    chen = officer("chen")
    copy = dict(chen.client.cookies)
    chen.post("/logout")
    assert httpx.get(f"{base}/queue", cookies=copy).status_code == 303


def test_new_password_ends_old_sessions(officer: Callable[[str], Officer], staffed: Store) -> None:
    chen = officer("chen")
    assert chen.get("/queue").status_code == 200
    with staffed.write() as conn:
        conn.execute(
            update(tables.officers).where(tables.officers.c.name == "chen").values(secret=officers.hash_password("another-pass-1"))
        )
    assert chen.get("/queue").status_code == 303


def test_closed_account_is_out_at_once(officer: Callable[[str], Officer], staffed: Store) -> None:
    chen = officer("chen")
    with staffed.write() as conn:
        conn.execute(update(tables.officers).where(tables.officers.c.name == "chen").values(active=False))
    assert chen.get("/queue").status_code == 303


def test_form_without_its_token_or_from_elsewhere_does_nothing(officer: Callable[[str], Officer], staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    chen, lin = officer("chen"), officer("lin")
    path = f"/hits/{hit}/claim"
    assert chen.post(path, token="").status_code == 403
    assert chen.post(path, token=lin.token()).status_code == 403
    assert chen.post(path, origin="https://evil.example").status_code == 403
    assert chen.client.post(path, data={"csrf": chen.token()}).status_code == 403
    with staffed.read() as conn:
        assert conn.execute(select(tables.hits.c.state)).scalar_one() == "open"


def test_every_answer_carries_the_security_headers(officer: Callable[[str], Officer], visitor: httpx.Client) -> None:
    chen = officer("chen")
    for answer in (visitor.get("/login"), visitor.get("/queue"), chen.get("/queue"), chen.get("/hits/99"), chen.get("/static/console.js")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    assert chen.get("/queue").headers["cache-control"] == "no-store"


def test_no_page_has_inline_script_or_style(officer: Callable[[str], Officer], staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    seed.add_day(staffed, now=clock())
    chen = officer("chen")
    for path in ("/queue", f"/hits/{hit}", "/documents", "/documents?tab=leads", "/board"):
        text = chen.get(path).text
        assert "<script>" not in text
        assert " style=" not in text
        assert " onclick" not in text
        assert "http://" not in text.replace("http://www.w3.org", "")


def test_overlong_form_is_refused_unread(officer: Callable[[str], Officer]) -> None:
    chen = officer("chen")
    assert chen.post("/hits/1/decide", outcome="dismissed", reason="长" * 200_000).status_code == 413
    chunked = chen.client.post("/hits/1/decide", content=iter([b"a=b"]), headers={"origin": chen.base})
    assert chunked.status_code == 411


def test_taken_port_is_named(store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PatrolError, match=f"console: 127.0.0.1:{other.getsockname()[1]} "):
        serve(store, host="127.0.0.1", port=other.getsockname()[1])
