"""Sessions through the command line and the jobs: entered, audited, paused where they expire, gone on with where a person came."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import select

from crawlers.chromium import find_browser
from crawlers.sessions import Vault
from crawlers.sessions_entry import enter
from domain.clock import utc_now
from domain.settings import Settings
from patrol import jobs, session_pause
from patrol.cli import main
from patrol.commands.sessions import kept
from patrol.demo.city import City, platform_id
from patrol.demo.sites.walls import ACCOUNT
from patrol.schedule_plan import heeded
from patrol.work import Work, open_work
from store import alarms, audit, captures, sources, tables
from store.engine import Store
from tests.crawlers.conftest import Site
from tests.crawlers.members import SID, Members, bytes_of, platform_of, state


@pytest.fixture
def site() -> Iterator[Site]:
    place = Site()
    yield place
    place.close()


@pytest.fixture
def run(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """`wangxun sessions ...` in this process, over a migrated store."""
    folder = tmp_path / "platforms"
    folder.mkdir()
    monkeypatch.setenv("WANGXUN_DIR", str(settings.dir))
    monkeypatch.setenv("WANGXUN_PLATFORMS_DIR", str(folder))

    def command(*words: str) -> Any:
        return CliRunner().invoke(main, ["sessions", *words])

    return command


@pytest.fixture
def opened(settings: Settings, tmp_path: Path) -> Iterator[Callable[[], Work]]:
    held: list[Work] = []

    def open_() -> Work:
        held.append(open_work(settings.model_copy(update={"platforms_dir": tmp_path / "platforms"})))
        return held[-1]

    yield open_
    for work in held:
        work.close()


def write(folder: Path, platform: dict[str, Any]) -> None:
    (folder / "platforms" / f"{platform['id']}.yml").write_text(yaml.safe_dump(platform, allow_unicode=True), encoding="utf-8")


def given(folder: Path, value: str = SID, **more: Any) -> str:
    path = folder / "state.json"
    path.write_text(json.dumps(state(value, **more)), encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def audited(store: Store) -> list[tuple[str, str, str, dict[str, Any]]]:
    with store.read() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                select(tables.audit.c.actor, tables.audit.c.action, tables.audit.c.subject, tables.audit.c.detail)
            )
        ]  # type: ignore[misc]


ADD = ("add", "office", "--platform", "town", "--officer", "li", "--json")


def test_a_session_is_entered_listed_checked_and_removed_and_never_shown(
    run: Callable[..., Any], site: Site, store: Store, tmp_path: Path
) -> None:  # fmt: skip
    write(tmp_path, platform_of(site))
    source = given(tmp_path, expires=4_000_000_000)
    shown = [run(*ADD, "--from", source), run("list"), run("list", "--json"), run("check"), run("check", "--json")]
    assert [one.exit_code for one in shown] == [0] * 5, [(one.output, one.exception) for one in shown]
    assert "明文" in shown[0].stderr and "shred" in shown[0].stderr and "不代为处理" in shown[0].stderr
    row = json.loads(shown[2].stdout)["sessions"][0]
    assert (row["name"], row["platform"], row["entered_by"], row["cookies"], row["paused"]) == ("office", "town", "li", 1, "")
    assert row["hosts"] == [f"127.0.0.1:{site.port}"] and row["entered_at"] and "2096" in row["ends"]
    assert json.loads(shown[4].stdout) == {"ok": True, "sessions": [{"name": "office", "faults": []}]}
    again = run(*ADD, "--from", source)
    assert json.loads(again.stdout)["renewed"] is True
    gone = run("remove", "office", "--officer", "wang")
    assert gone.exit_code == 0 and run("list").stdout.startswith("没有会话") and run("remove", "office", "--officer", "li").exit_code == 2
    said = audited(store)
    assert [row[:3] for row in said if row[1] != "session.check"] == [
        ("li", "session.add", "session:office"), ("li", "session.renew", "session:office"), ("wang", "session.remove", "session:office")
    ]  # fmt: skip
    assert len([row for row in said if row[1] == "session.check"]) == 2
    Path(source).unlink()
    for text in (*(one.output.encode() for one in (*shown, again, gone)), json.dumps(said).encode(), bytes_of(tmp_path)):
        assert SID.encode() not in text
    with store.read() as connection:
        assert audit.verify(connection)[1] == []


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("mode", "chmod 600"), ("folder", "chmod 700"), ("altered", "altered"), ("unaudited", "审计日志里没有这次录入"),
        ("ended", "全部 Cookie 已到期"), ("hosts", "平台的主机已改为"), ("unused", "没有平台使用"), ("paused", "已失效"),
    ],
)  # fmt: skip
def test_check_finds_what_is_wrong(run: Callable[..., Any], site: Site, store: Store, tmp_path: Path, harm: str, words: str) -> None:
    write(tmp_path, platform_of(site))
    path, vault = tmp_path / "sessions" / "office.session", Vault(Settings(dir=tmp_path))
    assert run(*ADD, "--from", given(tmp_path, expires=1_700_000_000 if harm == "ended" else -1)).exit_code == 0
    if harm == "mode":
        path.chmod(0o644)
    elif harm == "folder":
        path.parent.chmod(0o755)
    elif harm == "altered":
        path.write_bytes(path.read_bytes() + b"x")
    elif harm == "unaudited":
        with store.write() as connection:
            connection.execute(tables.audit.delete())
    elif harm == "hosts":
        write(tmp_path, platform_of(site, hosts=["127.0.0.1"]))
    elif harm == "unused":
        write(tmp_path, {key: value for key, value in platform_of(site).items() if key != "session"})
    elif harm == "paused":
        vault.pause("office", serial=vault.open("office").entry.serial, at=utc_now(), why="login: 请登录")
    found = run("check", "office")
    assert found.exit_code == 1 and words in found.output, found.output


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"cookies": [{"name": "SID", "value": "top-secret\\n"}]}']
)
def test_a_file_that_is_no_session_is_refused_in_words(
    run: Callable[..., Any], site: Site, store: Store, tmp_path: Path, content: bytes
) -> None:
    write(tmp_path, platform_of(site))
    source = tmp_path / "state.json"
    source.write_bytes(content)
    found = run(*ADD, "--from", str(source))
    assert found.exit_code == 1 and type(found.exception).__name__ == "SessionFault" and "top-secret" not in str(found.exception)
    assert audited(store) == [] and Vault(Settings(dir=tmp_path)).names() == []


def test_a_platform_that_names_no_session_and_an_unknown_one_are_said(run: Callable[..., Any], site: Site, tmp_path: Path) -> None:
    write(tmp_path, platform_of(site, session="another"))
    assert "does not say session: office" in str(run(*ADD, "--from", given(tmp_path)).exception)
    assert run("add", "office", "--platform", "nowhere", "--officer", "li").exit_code == 2


def test_adding_without_a_display_names_the_way_out(
    run: Callable[..., Any], site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, platform_of(site))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert "--from FILE" in str(run(*ADD).exception)


def test_keys_are_changed_and_audited(run: Callable[..., Any], site: Site, store: Store, tmp_path: Path) -> None:
    write(tmp_path, platform_of(site))
    run(*ADD, "--from", given(tmp_path))
    before = (tmp_path / "session.key").read_bytes()
    assert json.loads(run("rotate", "--officer", "wang", "--json").stdout) == {"changed": 1}
    assert (tmp_path / "session.key").read_bytes() != before and run("check", "office").exit_code == 0
    assert ("wang", "session.rotate", "session:*", {"changed": 1}) in audited(store)


def open_alarms(work: Work) -> list[tuple[str, str]]:
    with work.store.read() as connection:
        return sorted((row["kind"], row["subject"]) for row in alarms.open_alarms(connection))


def test_an_expired_platform_is_paused_alarmed_and_goes_on_after_a_person_came(
    run: Callable[..., Any], opened: Callable[[], Work], site: Site, tmp_path: Path
) -> None:  # fmt: skip
    town = Members(site, most=3)
    write(tmp_path, platform_of(site))
    work = opened()
    assert jobs.sweep(work, "town") == (0, "skipped") and open_alarms(work) == [("session", "platform:town")], "nobody entered it yet"
    assert session_pause.paused(work) == {"town"} and not site.asked

    run(*ADD, "--from", given(tmp_path))
    assert open_alarms(work) == [] and session_pause.paused(work) == set()
    sweep_id, outcome = jobs.sweep(work, "town")
    with work.store.read() as connection:
        row = captures.sweep(connection, sweep_id)
        assert (
            outcome == "walled" and row["why"].startswith("session office expired: login") and row["counts"]["sweep/session_expired"] == 1
        )
        text = alarms.open_alarms(connection)[0]["text"]
    assert open_alarms(work) == [("session", "platform:town")], "one alarm says it, not two"
    assert "已失效" in text and "wangxun sessions add office --platform town" in text and SID not in text
    assert (
        heeded(None, outcome=session_pause.heeded_as(outcome, row["counts"]), counts=row["counts"], now=work.clock())["blocked_until"]
        is None
    )

    heard = len(town.heard)
    assert jobs.sweep(work, "town") == (0, "skipped") and jobs.sweep(work, "town", purpose="recheck", visit=tmp_path / "none") == (
        0,
        "skipped",
    )
    assert len(town.heard) == heard, "paused: nothing is asked"

    town.valid.add(SID + "-new")
    town.most = 10_000
    known: set[str] = set()
    assert session_pause.resuming(work, known) == set(), "not while it is paused"
    run(*ADD, "--from", given(tmp_path, SID + "-new"))
    assert open_alarms(work) == [] and session_pause.resuming(work, known, busy={"town"}) == set()
    assert session_pause.resuming(work, known) == {"town"} and session_pause.resuming(work, known) == set(), "once an entry"
    town.heard.clear()
    assert jobs.sweep(work, "town")[1] == "ok"
    assert all(path.startswith("/t/") for path, _ in town.heard[:2]), "what was left goes first"
    with work.store.read() as connection:
        titles = set(connection.execute(select(tables.postings.c.title)).scalars())
        vias = set(connection.execute(select(tables.captures.c.via)).scalars())
    assert titles == {"帖子1", "帖子2", "帖子3", "帖子4"} and vias == {"session:office"}
    (tmp_path / "state.json").unlink()
    everything = bytes_of(tmp_path)
    assert b"WARC/1.1" in everything and SID.encode() not in everything and b"set-cookie" not in everything.lower()


def test_an_alarm_cleared_by_hand_does_not_ask_the_site_again(
    run: Callable[..., Any], opened: Callable[[], Work], site: Site, tmp_path: Path
) -> None:
    town = Members(site, most=0)
    write(tmp_path, platform_of(site))
    work = opened()
    run(*ADD, "--from", given(tmp_path))
    assert jobs.sweep(work, "town")[1] == "walled"
    with work.store.write() as connection:
        alarms.clear(connection, kind="session", subject="platform:town", by="li", now=work.clock())
    asked = len(town.site.asked)
    assert session_pause.paused(work) == {"town"} and open_alarms(work) == [("session", "platform:town")]
    assert jobs.sweep(work, "town") == (0, "skipped") and len(town.site.asked) == asked


def test_a_wait_of_the_schedule_ends_when_a_person_came(
    run: Callable[..., Any], store: Store, site: Site, tmp_path: Path, fixed_now: Any
) -> None:
    write(tmp_path, platform_of(site))
    with store.write() as connection:
        sources.keep_manners(connection, "town", blocked_until=fixed_now, walls=3, why="wall", crawl_delay_s=4.0)
    run(*ADD, "--from", given(tmp_path))
    with store.read() as connection:
        row = sources.manners(connection)["town"]
    assert (row["blocked_until"], row["walls"], row["why"], row["crawl_delay_s"]) == (None, 0, "", 4.0)


@pytest.mark.browser
@pytest.mark.skipif(find_browser(Settings()) is None, reason="no Chromium on this machine")
def test_the_demos_members_site_is_patrolled_by_whoever_logged_in(
    run: Callable[..., Any], opened: Callable[[], Work], store: Store, tmp_path: Path
) -> None:  # fmt: skip
    """In the city's own browser-facing form: a person types, the session is kept, the feed is read; logged out, it is a wall again."""
    with City() as city:
        city.start(tmp_path / "city")
        name = platform_id("login")
        path = next(one for one in city.platform_files(tmp_path / "city") if one.stem == name)
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
        member = {**plain, "session": {"name": "office", "login": city.address("login") + "/passport/login", "must": ".me"},
                  "list": {"item": ".piece", "fields": {"title": "h3", "body": "p"}, "keep": True}}  # fmt: skip
        write(tmp_path, member)
        work, browser = opened(), find_browser(Settings())
        assert browser is not None and plain["id"] == name

        def person(tab: Any) -> None:
            tab.fill("[name=user]", ACCOUNT[0])
            tab.fill("[name=password]", ACCOUNT[1])
            tab.click("button")
            tab.wait_for_selector(".me")

        login = work.platforms[name].session.login  # type: ignore[union-attr]
        got = enter(str(login), browser=browser, done=lambda: True, headless=True, seen=person)
        kept(store, Vault(work.settings), "office", got, platform=work.platforms[name], by="li", origin="browser", before=None)
        outcome = jobs.sweep(work, name)[1]
        assert outcome == "ok", (tmp_path / "logs" / f"sweep-{name}.log").read_text()
        with work.store.read() as connection:
            titles = set(connection.execute(select(tables.postings.c.title)).scalars())
        assert titles == {"圈内互助理财名额开放", "周末骑行集合"}
        httpx.get(city.address("login") + "/passport/leave", trust_env=False)
        assert jobs.sweep(work, name)[1] == "walled" and open_alarms(work) == [("session", f"platform:{name}")]
