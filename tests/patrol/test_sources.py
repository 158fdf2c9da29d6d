"""Whole sweeps by the real spider: sources credited, queries rotated, results followed one hop, patience told to the schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from sqlalchemy import select

from crawlers.sources import begin_with, read_beginnings
from domain.settings import Settings
from patrol import jobs
from patrol.schedule_errand import counts_of, refill_all
from patrol.schedule_plan import Planner
from patrol.work import Work, open_work
from store import captures, queries, schedule_tables, sources, tables
from store.engine import Store
from tests.crawlers.conftest import Site


@pytest.fixture
def site() -> Iterator[Site]:
    place = Site()
    yield place
    place.close()


@pytest.fixture
def other() -> Iterator[Site]:
    place = Site()
    yield place
    place.close()


@pytest.fixture
def opened(store: Store, settings: Settings, site: Site, other: Site) -> Iterator[Callable[..., Work]]:
    held: list[Work] = []

    def open_(**platform: Any) -> Work:
        folder = settings.dir / "platforms"
        folder.mkdir(exist_ok=True)
        base = {
            "id": "town", "title": "小城", "home": site.home, "kind": "forum", "pace": {"delay_s": 0, "concurrency": 4, "jitter": False},
            "allow_hosts": [f"127.0.0.1:{site.port}", f"127.0.0.1:{other.port}"], "hosts": [f"127.0.0.1:{site.port}"],
            "list": {"item": "li", "fields": {"title": "a", "link": "a::attr(href)"}, "keep": True},
        }  # fmt: skip
        (folder / "town.yml").write_text(yaml.safe_dump({**base, **platform}, allow_unicode=True), encoding="utf-8")
        work = open_work(settings.model_copy(update={"platforms_dir": folder, "places": "青棠"}))
        held.append(work)
        return work

    yield open_
    for work in held:
        work.close()


def listed(*titles: str) -> bytes:
    return ("<meta charset=utf-8><ul>" + "".join(f"<li><a href='/p/{title}'>{title}</a></li>" for title in titles) + "</ul>").encode()


def by_name(work: Work) -> dict[str, dict[str, Any]]:
    """Sources by the last part of their address, with the sums of their visits."""
    table = schedule_tables.source_visits
    with work.store.read() as connection:
        rows = connection.execute(select(table)).mappings().all()
        names = {row["id"]: urlsplit(row["url"]).path.rpartition("/")[2] for row in sources.of_platform(connection, "town")}
    return {names[row["source_id"]]: dict(row) for row in rows}


def test_a_sweep_goes_over_the_sources_it_was_given_and_credits_each(opened: Callable[..., Work], site: Site) -> None:
    site.pages |= {"/a": listed("一楼的话题", "二楼的话题"), "/b": listed("二楼的话题", "三楼的话题"), "/c": listed("四楼的话题")}
    work = opened(start=[site.home + name for name in ("a", "b", "c", "gone")])
    made = Planner(work)
    made.sync()
    numbers = {row["url"].rpartition("/")[2]: row["id"] for row in made.rows}
    sweep, outcome = jobs.sweep(work, "town", numbers=[numbers["a"], numbers["gone"], numbers["b"]])
    assert outcome == "ok"
    assert "/c" not in site.asked
    found = by_name(work)
    assert {name: (one["reached"], one["requests"]) for name, one in found.items()} == {"a": (True, 1), "b": (True, 1), "gone": (False, 1)}
    assert found["a"]["found"] + found["b"]["found"] == 3, "what two boards show is new on one of them"
    assert counts_of(work, sweep)["sweep/pages"] == 3
    assert made.learn() == 3
    assert (work.settings.dir / "visits").is_dir()
    assert list((work.settings.dir / "visits").iterdir()) == []


def test_details_count_for_the_source_that_led_to_them(opened: Callable[..., Work], site: Site) -> None:
    site.pages |= {"/a": listed("甲", "乙"), "/b": listed("丙")}
    site.pages |= {f"/p/{name}": f"<meta charset=utf-8><h1>{name}的标题</h1><p>{name}的正文很长</p>".encode() for name in "甲乙丙"}
    site.pages = {
        **site.pages,
        **{"/p/" + "".join(f"%{byte:02X}" for byte in name.encode()): site.pages[f"/p/{name}"] for name in "甲乙丙"},
    }
    work = opened(
        start=[site.home + "a", site.home + "b"],
        list={"item": "li", "fields": {"title": "a", "link": "a::attr(href)"}},
        detail={"fields": {"title": "h1", "body": "p"}},
    )
    assert jobs.sweep(work, "town")[1] == "ok"
    assert {name: (one["requests"], one["found"]) for name, one in by_name(work).items()} == {"a": (3, 2), "b": (2, 1)}


def test_queries_of_the_rotation_are_asked_and_credited_and_not_asked_again(opened: Callable[..., Work], site: Site) -> None:
    site.pages["/s"] = listed("某公司稳赚不赔项目招募")
    work = opened(kind="search", start=[site.home + "s?q={query}&since={since_s}"], queries="auto")
    assert jobs.sweep(work, "town")[1] == "ok"
    asked = [parse_qs(urlsplit(path).query) for path in site.asked if path.startswith("/s")]
    words = [one["q"][0] for one in asked]
    assert len(words) == len(set(words)) == 5
    assert all(word.startswith("青棠 ") for word in words)
    with work.store.read() as connection:
        used = [row for row in queries.rotation(connection, "town") if row["asked"]]
    assert sorted(row["text"] for row in used) == sorted(words)
    assert [(row["requests"], row["asked"]) for row in used] == [(1, 1)] * 5
    assert sum(row["found"] for row in used) == 1
    now_s = work.clock().timestamp()
    spans = {row["text"]: row["span_h"] for row in used}
    assert all(abs(now_s - int(one["since"][0]) - spans[one["q"][0]] * 3600) < 300 for one in asked)
    jobs.sweep(work, "town")
    with work.store.read() as connection:
        assert [row["asked"] for row in queries.rotation(connection, "town") if row["asked"]] == [1] * 10
    assert refill_all(work) == 0


def test_where_every_query_was_asked_no_spider_is_started(opened: Callable[..., Work], site: Site) -> None:
    work = opened(kind="search", start=[site.home + "s?q={query}"], queries="auto")
    refill_all(work)
    with work.store.write() as connection:
        connection.execute(schedule_tables.queries.update().values(last_at=work.clock()))
    sweep, outcome = jobs.sweep(work, "town")
    assert outcome == "ok"
    assert site.asked == []
    with work.store.read() as connection:
        assert "window" in captures.sweep(connection, sweep)["why"]


def test_results_are_followed_one_hop_and_no_further(opened: Callable[..., Work], site: Site, other: Site) -> None:
    home = other.home
    body = "本店开业酬宾，进店有礼，欢迎街坊邻居前来选购日用百货。" * 6
    other.pages |= {
        "/promo": f"<meta charset=utf-8><title>开业酬宾</title><h1>开业酬宾</h1><p>{body}</p><a href='{home}deeper'>更多</a>".encode(),
        "/wall": (403, {}, "<p>请输入验证码</p>".encode()),
        "/robots.txt": b"User-agent: *\nDisallow: /hidden",
    }
    links = [
        f"{home}promo",
        f"{home}wall",
        f"{home}hidden",
        "http://10.0.0.8/inside",
        "http://169.254.169.254/latest",
        "javascript:alert(1)",
    ]
    site.pages["/s"] = (
        "<meta charset=utf-8>" + "".join(f"<li><a href='{link}'>结果{number}号标题</a></li>" for number, link in enumerate(links))
    ).encode()
    work = opened(kind="search", start=[site.home + "s?q={query}"], queries=["酬宾"], follow="promoted", every="6h", robots="obey")
    sweep, outcome = jobs.sweep(work, "town")
    assert outcome == "ok"
    assert sorted(path for path in other.asked if path != "/robots.txt") == ["/promo", "/wall"]
    counts = counts_of(work, sweep)
    assert counts["sweep/promoted"] == 2
    assert counts["sweep/refused"] == 2
    assert counts["sweep/robots"] == 1
    finds = schedule_tables.finds
    with work.store.read() as connection:
        rows = connection.execute(
            select(tables.captures.c.final_url, finds.c.origin, tables.postings.c.title)
            .join(finds, finds.c.capture_id == tables.captures.c.id)
            .outerjoin(tables.postings, tables.postings.c.first_capture_id == tables.captures.c.id)
            .where(finds.c.origin.is_not(None))
        ).all()
    promoted = {row.final_url: (unquote(row.origin), row.title) for row in rows}
    assert promoted[f"{home}promo"] == (site.home + "s?q=酬宾", "开业酬宾")
    assert promoted[f"{home}wall"][1] is None


def test_without_the_option_no_result_is_followed(opened: Callable[..., Work], site: Site, other: Site) -> None:
    site.pages["/s"] = f"<meta charset=utf-8><li><a href='{other.home}promo'>某结果的标题</a></li>".encode()
    work = opened(kind="search", start=[site.home + "s?q={query}"], queries=["酬宾"])
    jobs.sweep(work, "town")
    assert other.asked == []


@pytest.mark.parametrize(("after", "told"), [("3600", 3600), ("99999999", 86400), ("Wed, 01 Jan 2200 00:00:00 GMT", 86400)])
def test_a_long_retry_after_is_told_to_the_schedule(opened: Callable[..., Work], site: Site, after: str, told: int) -> None:
    site.pages["/"] = (429, {"Retry-After": after}, b"slow down")
    work = opened()
    sweep, outcome = jobs.sweep(work, "town")
    assert outcome == "walled"
    assert counts_of(work, sweep)["sweep/come_again_s"] == told


def test_a_crawl_delay_is_told_to_the_schedule(opened: Callable[..., Work], site: Site) -> None:
    site.pages |= {"/robots.txt": b"User-agent: *\nCrawl-delay: 2", "/": listed("一楼的话题")}
    work = opened(robots="obey")
    sweep, _ = jobs.sweep(work, "town")
    assert counts_of(work, sweep)["sweep/crawl_delay_s"] == 2


def test_a_broken_sources_file_begins_with_what_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"url": "http://a/", "source": 3}\nnot json\n{"url": 1}\n[]\n{"url": "http://b/", "source": "4", "query": 7}\n')
    found = read_beginnings(path)
    assert [(one.url, one.source, one.query) for one in found] == [("http://a/", 3, None), ("http://b/", 4, 7)]


def test_a_spider_without_a_file_of_its_own_draws_no_queries() -> None:
    class Platform:
        rotates = True
        entries = ("http://x/?q=auto",)

    class Spider:
        platform = Platform()

    assert begin_with(Spider()) == ()
    Platform.rotates = False
    assert begin_with(Spider()) == ("http://x/?q=auto",)
