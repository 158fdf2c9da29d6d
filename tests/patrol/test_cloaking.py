"""Pages that show one thing to a patrol and another to phones from a search: found, proved twice, shown, and looked at again as such."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from crawlers.chromium import find_browser
from crawlers.views import VIEWS, views_of
from domain.model import Level
from domain.settings import Settings
from patrol import cloaking, jobs
from patrol.demo.city import City
from patrol.work import Work, open_work
from pipelines import cloak, recheck
from pipelines.cloak import Compared, Shown, Wanted
from rules.schema import Cloaking
from store import cloaks, tables

PAGE = Wanted(platform="town", url="http://127.0.0.1/p")
POLICY = Cloaking()


def shown(view: str, *, text: str = "家常话", promo: tuple[str, ...] = (), level: Level = Level.CLEAR, known: bool = True) -> Shown:
    whole = "。".join([text, *promo])
    return Shown(view=view, capture_id=1, status=200, text=whole, promo=dict.fromkeys(promo, ("rule",)), level=level, known=known)


def compared(*sentences: tuple[str, tuple[str, ...]], verdict: str = "differs") -> Compared:
    return Compared(wanted=PAGE, sweep_id=1, verdict=verdict, sentences=tuple((text, views, ()) for text, views in sentences))


def test_difference_counts_only_where_the_second_look_shows_it_to_the_same_visitors() -> None:
    first = compared(("保本付息", ("phone-search",)), ("轮换广告", ("desktop",)))
    assert cloak.steady(first, compared(("保本付息", ("phone-search",)))).verdict == "differs"
    assert cloak.steady(first, compared(("轮换广告", ("phone",)))).verdict == "unsteady"
    assert cloak.steady(first, compared(verdict="same")).verdict == "unsteady"
    assert cloak.steady(first, compared(verdict="unclear")).verdict == "unclear"
    assert [text for text, _, _ in cloak.steady(first, compared(("保本付息", ("phone-search",)), ("别的", ("phone",)))).sentences] == [
        "保本付息"
    ]


def test_moments_and_layout_are_no_difference_and_a_view_that_did_not_come_tells_nothing() -> None:
    same = [shown(name, text=f"现在是 {n} 点", promo=("月息三分，保本 保息",)) for n, name in enumerate(VIEWS)]
    assert cloak._sentences_apart(same) == ()
    spaced = [*same[:3], shown("phone-search", promo=("月息三分， 保本保息",))]
    assert cloak._sentences_apart(spaced) == ()
    apart = [*same[:3], shown("phone-search")]
    assert cloak._sentences_apart(apart)[0][1] == ("desktop", "desktop-search", "phone")


def test_a_view_list_names_views_for_pages_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text('{"url": "http://a/#2", "views": ["phone", "no such"]}\nbroken\n{"url": "http://b/"}\n[]\n{"views": 3, "url": "c"}\n')
    assert views_of(path) == {"http://a/": ("phone",)}


def test_every_view_carries_the_patrols_name_and_no_robots() -> None:
    for view in VIEWS.values():
        agent = view.headers("WangxunPatrol/0.1")["User-Agent"]
        assert agent.endswith("WangxunPatrol/0.1") and ("Mobile" in agent) is view.phone
        assert not any(word in agent.lower() for word in ("bot", "spider", "baidu"))
        assert ("Referer" in view.headers("x")) is view.search


@pytest.fixture
def town(tmp_path: Path, migrated_sqlite: Path) -> Iterator[tuple[City, Work]]:
    """The demo city's shop alone, and what patrols it."""
    with City() as city:
        city.start(tmp_path / "city")
        folder = tmp_path / "platforms"
        city.platform_files(folder)
        for path in folder.glob("*.yml"):
            if path.stem != "demo-shop":
                path.unlink()
        shutil.copy(migrated_sqlite, tmp_path / "wangxun.db")
        work = open_work(Settings(dir=tmp_path, platforms_dir=folder, disk_min_mb=0, user_agent="WangxunDemo/0.1"))
        yield city, work
        work.close()


@pytest.mark.browser
@pytest.mark.skipif(find_browser(Settings()) is None, reason="no Chromium: apt-get install chromium-headless-shell")
def test_cloaked_promotion_is_found_by_sampling_and_proved(town: tuple[City, Work]) -> None:
    city, work = town
    assert jobs.sweep(work, "demo-shop")[1] == "ok"
    assert jobs.judge(work)["hits"] == 0  # the patrol sees goods
    page = city.address("shop") + "/item/1002.html"
    wanted = [Wanted(platform="demo-shop", url=page), Wanted(platform="demo-shop", url=city.address("shop") + "/item/1003.html")]
    counts: dict[str, int] = {}
    cloaking._of_platform(work, "demo-shop", wanted, counts=counts)
    assert counts == {"pages": 2, "differs": 1, "same": 1, "requests": 12}
    assert cloak.lift_waiting(work.store, policy=POLICY, now=work.clock()) == 1
    with work.store.read() as connection:
        hit = connection.execute(select(tables.hits)).one()
        row = cloaks.of_hit(connection, hit.id)
        reasons = connection.execute(select(tables.assessments.c.reasons).where(tables.assessments.c.id == hit.assessment_id)).scalar_one()
        captures = connection.execute(select(tables.captures).where(tables.captures.c.sweep_id == row["sweep_id"])).all()
        assert cloaks.revealing_view(connection, hit.id) == "phone-search"
    assert row["url"] == page and row["origin"] == "sample" and city.truth(page) == "promo"
    assert reasons[0]["text"].startswith("涉嫌对不同访客显示不同内容：手机从搜索进入可见")
    assert {one.via for one in captures} == set(VIEWS) and all(one.sealed and one.screenshot_sha256 for one in captures)
    assert {one["kind"] for one in row["differences"]["contacts"]} >= {"phone", "wechat"}
    assert cloak.lift_waiting(work.store, policy=POLICY, now=work.clock()) == 0  # safe to repeat
    assert cloaking.stamp(work)["stamped"] >= 3 and cloaking.stamp(work) == {}


def hit_of(work: Work, page: str, body: str) -> int:
    """A hit of the store, as a patrol and the judge make it."""
    from datetime import UTC, datetime

    from domain.identity import sha256
    from domain.model import Capture, Harvest, Posting, PostingKind
    from store import captures
    from store.archive import Archive

    now = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)
    raw = body.encode()
    capture = Capture(url=page, final_url=page, fetched_at=now, status=200, sha256=sha256(raw), size=len(raw))
    posting = Posting(platform="demo-shop", url=page, kind=PostingKind.LISTING, title="认养", body=body)
    with work.store.write() as connection:
        sweep = captures.begin_sweep(connection, platform="demo-shop", purpose="patrol", at=now, pid=None)
    captures.keep(
        work.store, [Harvest(capture=capture, body=raw, postings=(posting,))], sweep_id=sweep, archive=Archive(work.settings.archive_dir)
    )
    jobs.judge(work)
    with work.store.read() as connection:
        return int(connection.execute(select(tables.hits.c.id)).scalar_one())


PROMO = "认养茶园一亩起投五万，年化收益18%按季付息，到期原价回购，保本保息零风险，推荐亲友返佣8%，微信 qingtang_cha66。"


def test_hit_is_raised_once_and_again_after_it_is_judged_anew(town: tuple[City, Work]) -> None:
    _, work = town
    hit_id = hit_of(work, "http://127.0.0.1/p", PROMO)
    with work.store.write() as connection:
        connection.execute(tables.hits.update().values(grade="一般"))
        sweep = connection.execute(select(tables.sweeps.c.id)).scalar_one()
        views = [
            {"view": "phone", "capture_id": 1, "status": 200, "known": True, "text": "", "level": "alert", "contacts": [], "promo": []}
        ]
        sentence = {"text": "年化收益18%", "views": ["phone"], "rules": []}
        cloaks.keep(
            connection, hit_id=hit_id, platform="demo-shop", url="http://127.0.0.1/p", origin="hit", sweep_id=sweep, at=work.clock(),
            verdict="differs", views=views, differences={"sentences": [sentence], "contacts": []}, reason="涉嫌对不同访客显示不同内容：甲",
        )  # fmt: skip
    for grade in ("中危", "中危"):  # once; then after a judge that knows nothing of it
        assert cloak.lift_waiting(work.store, policy=POLICY, now=work.clock()) == 1
        with work.store.write() as connection:
            row = connection.execute(
                select(tables.hits, tables.assessments.c.reasons).join(
                    tables.assessments, tables.assessments.c.id == tables.hits.c.assessment_id
                )
            ).one()
            assert row.grade == grade and row.reasons[0]["text"].startswith("涉嫌对不同访客")
            assert sum("不同访客" in reason["text"] for reason in row.reasons) == 1
            first = connection.execute(select(tables.assessments.c.id).order_by(tables.assessments.c.id)).scalars().first()
            connection.execute(tables.hits.update().values(assessment_id=first, grade="一般"))
    with work.store.read() as connection:
        due = recheck.Due(notice_id=1, platform="demo-shop", url="http://127.0.0.1/p", view=cloaks.revealing_view(connection, hit_id))
    path = recheck.write_visits(work.settings.dir / "visit.jsonl", [due])
    assert json.loads(path.read_text())["views"] == ["phone"]


def test_run_keeps_to_its_budget_and_takes_hits_first(town: tuple[City, Work]) -> None:
    _, work = town
    hit_of(work, "http://127.0.0.1/p#3", PROMO)
    due = cloak.due(work.store, work.platforms, policy=Cloaking(requests_per_run=8), now=work.clock(), draw=random.Random(1))
    assert [(one.url, one.hit_id) for one in due] == [("http://127.0.0.1/p", 1)]
    assert cloak.due(work.store, work.platforms, policy=Cloaking(requests_per_run=0), now=work.clock(), draw=random.Random(1)) == []
