"""`fetch: auto`: what HTTP gives decides which layouts go to the browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from crawlers.browsing_need import AGAIN, lacks_text, layout_of, promoted
from crawlers.chromium import find_browser
from crawlers.page import Page
from crawlers.platform import PlatformFile
from domain.settings import Settings
from patrol import jobs
from patrol.work import open_work
from store import captures

NOW = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)
PROSE = "这是一篇写得够长的文章，讲的是小区里的早餐店。" * 12
PLATFORM = PlatformFile.model_validate(
    {
        "id": "town", "title": "小城", "home": "http://127.0.0.1/", "kind": "portal",
        "list": {"item": ".card", "fields": {"title": "a", "link": "a::attr(href)"}},
        "detail": {"match": r"/p/\d+", "fields": {"title": "h1", "body": ".body"}},
    }
)  # fmt: skip
NO_BROWSER = pytest.mark.skipif(find_browser(Settings()) is None, reason="no Chromium: apt-get install chromium-headless-shell")


@pytest.mark.parametrize(
    ("url", "role", "body", "lacks"),
    [
        ("/p/1", "detail", "<div id=app></div><script src=/a.js></script>", True),
        ("/p/1", "detail", f"<h1>题</h1><div class=body>{PROSE}</div><script>1</script>", False),
        ("/p/1", "detail", "<h1>已删除</h1>", False),  # short, and no script would make it longer
        ("/", "start", "<div id='root'><p>加载中</p></div><script></script>", True),
        ("/", "start", "<div class=card><a href=/p/1>甲</a></div><script></script>", False),
        ("/", "start", f"<nav>{PROSE}</nav><script></script>", True),  # long, but nothing of what repeats there
        ("/", "start", '{"cards": []}', False),
    ],
)
def test_text_is_missing_where_only_scripts_could_bring_it(url: str, role: str, body: str, lacks: bool) -> None:
    page = Page(body.encode(), url="http://127.0.0.1" + url)
    assert lacks_text(page, platform=PLATFORM, role=role, now=NOW) is lacks


def test_layout_is_named_by_the_section_that_finds_the_address() -> None:
    assert layout_of(PLATFORM, "http://127.0.0.1/p/3", "detail") == "detail1"
    assert layout_of(PLATFORM, "http://127.0.0.1/", "start") == "list"
    assert promoted({"sweep/pages": 3, "sweep/browser:list": 2}) == {"list": 2}


SHELL = (
    b"<title>%s</title><div id=app></div><script>fetch('/data' + location.pathname).then(a => a.json()).then(rows => {"
    b"document.getElementById('app').innerHTML ="
    b"rows.map(r => '<div class=card><a href=/p/' + r.id + '>' + r.title + '</a></div>').join('')"
    b"})</script>"
)


@pytest.fixture
def patrolled(site: Any, tmp_path: Path, migrated_sqlite: Path) -> Callable[..., dict[str, Any]]:
    """Patrols `site` through the job, after a sweep with the counts `before`: the counts of the sweep."""

    def run(platform: dict[str, Any], *, before: dict[str, int]) -> dict[str, Any]:
        folder = tmp_path / "platforms"
        folder.mkdir()
        base = {
            "id": "town", "title": "小城", "home": site.home, "kind": "portal", "allow_hosts": [f"127.0.0.1:{site.port}"],
            "pace": {"delay_s": 0}, "robots": {"ignore": "a test's own server"},
        }  # fmt: skip
        (folder / "town.yml").write_text(yaml.safe_dump({**base, **platform}), encoding="utf-8")
        shutil.copy(migrated_sqlite, tmp_path / "wangxun.db")
        work = open_work(Settings(dir=tmp_path, platforms_dir=folder, disk_min_mb=0))
        with work.store.write() as connection:
            first = captures.begin_sweep(connection, platform="town", purpose="patrol", at=NOW, pid=None)
            captures.end_sweep(connection, first, outcome="ok", why="", counts=before, at=NOW)
        sweep_id, outcome = jobs.sweep(work, "town")
        with work.store.read() as connection:
            counts = dict(captures.sweep(connection, sweep_id)["counts"])
        work.close()
        assert outcome == "ok", counts
        return counts

    return run


def town(site: Any) -> None:
    rows = [{"id": n, "title": f"第{n}条"} for n in range(1, 5)]
    answer = (200, {"Content-Type": "application/json"}, json.dumps(rows).encode())
    site.pages |= {"/": SHELL % "列表".encode(), "/data/": answer}
    site.pages |= {f"/p/{n}": f"<h1>第{n}条</h1><div class=body>{n} {PROSE}</div><script>1</script>".encode() for n in range(1, 5)}


AUTO: dict[str, Any] = {
    "fetch": "auto",
    "browser": {"wait_for": ".card", "screenshot": "none"},
    "list": {"item": ".card", "fields": {"title": "a", "link": "a::attr(href)"}},
    "detail": {"match": r"/p/\d+", "fields": {"title": "h1", "body": ".body"}},
}


@pytest.mark.browser
@NO_BROWSER
def test_only_the_layout_that_needs_it_goes_to_the_browser(site: Any, sweep: Any) -> None:
    town(site)
    found = sweep(AUTO)
    assert sorted(posting.title for posting in found.postings) == ["第1条", "第2条", "第3条", "第4条"], found.log
    assert found.count("browser:list") == 1 and found.count("browser:detail1") == 0
    assert found.count("second_looks") == 1 and found.count("browser_pages") == 1
    assert site.asked.count("/") == 2
    assert {harvest.capture.via for harvest in found.harvests} == {"browser", "http"}


@pytest.mark.browser
@NO_BROWSER
@pytest.mark.parametrize(("age", "asked", "after"), [(1, 1, 2), (AGAIN, 2, 1)], ids=["begins so", "looks again"])
def test_next_sweep_begins_with_what_the_last_one_learned(site: Any, patrolled: Any, age: int, asked: int, after: int) -> None:
    """Through the store: the counts of the last sweep are what is remembered."""
    town(site)
    counts = patrolled(AUTO, before={"sweep/pages": 5, "sweep/browser:list": age})
    assert counts["sweep/browser:list"] == after and counts["sweep/postings"] == 4
    assert site.asked.count("/") == asked


def test_without_a_browser_http_is_all_and_it_is_counted(site: Any, sweep: Any, tmp_path: Any) -> None:
    town(site)
    found = sweep(AUTO, env={"WANGXUN_BROWSER_PATH": str(tmp_path / "none")})
    assert found.count("no_browser") == 1 and found.count("pages") == 1
