"""`wangxun platforms list`: which layouts of `fetch: auto` go to the browser, from the counts of the last sweep."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from domain.settings import Settings
from patrol.cli import main
from store import captures
from store.engine import Store

FILE = "id: {name}\ntitle: 小城{name}\nhome: http://{name}.example/\nkind: portal\nfetch: {fetch}\n"


@pytest.fixture
def settings_with_two(settings: Settings) -> Settings:
    folder = settings.dir / "platforms"
    folder.mkdir(parents=True, exist_ok=True)
    for name, fetch in (("app-town", "auto"), ("plain-town", "http")):
        (folder / f"{name}.yml").write_text(FILE.format(name=name, fetch=fetch), encoding="utf-8")
    return settings


def listed(settings: Settings, *words: str) -> Any:
    answer = CliRunner().invoke(main, ["platforms", "list", *words], env=settings.environment(), catch_exceptions=False)
    assert answer.exit_code == 0
    return answer


def swept(store: Store, name: str, counts: dict[str, int] | None, *, at: datetime) -> None:
    with store.write() as connection:
        number = captures.begin_sweep(connection, platform=name, purpose="patrol", at=at, pid=None)
        captures.end_sweep(connection, number, outcome="ok", why="", counts=counts, at=at)


def test_promoted_layouts_are_those_of_the_last_sweep_with_counts(store: Store, settings_with_two: Settings, fixed_now: datetime) -> None:
    swept(store, "app-town", {"sweep/browser:list": 3}, at=fixed_now)
    swept(store, "app-town", {"sweep/pages": 4, "sweep/browser:detail1": 2}, at=fixed_now + timedelta(hours=1))
    swept(store, "app-town", None, at=fixed_now + timedelta(hours=2))
    swept(store, "plain-town", {"sweep/browser:list": 1}, at=fixed_now)
    rows = {row["id"]: row["browser"] for row in json.loads(listed(settings_with_two, "--json").stdout)["platforms"]}
    assert (rows["app-town"], rows["plain-town"]) == ({"detail1": 2}, {})
    assert "detail1 经浏览器抓取（不运行脚本则无正文，2 轮前核实）" in listed(settings_with_two).stdout


def test_without_a_database_the_list_comes_all_the_same(settings_with_two: Settings) -> None:
    answer = listed(settings_with_two, "--json")
    assert {row["id"]: row["browser"] for row in json.loads(answer.stdout)["platforms"]}["app-town"] == {}
    assert "wangxun db upgrade" in answer.stderr
