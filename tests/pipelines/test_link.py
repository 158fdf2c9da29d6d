from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select

from domain.errors import StoreFault
from domain.model import Assessment, Contact, Image, Level
from pipelines.link import Key, cut, keys, link_new
from store import audit, captures, hits, tables, ties
from store.archive import Archive
from store.engine import Store
from tests.conftest import MakeHarvest


@pytest.fixture
def open_hit(any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime):  # type: ignore[no-untyped-def]
    """open_hit(contacts=..., body=...): a posting with a hit; gives the hit's number."""
    count = 0

    def make(**fields: object) -> int:
        nonlocal count
        count += 1
        page = make_harvest(count, postings=1)
        one = replace(page.postings[0], **fields)
        captures.keep(any_store, [replace(page, postings=(one,))], sweep_id=sweep_id, archive=archive)
        with any_store.read() as connection:
            number = connection.execute(select(func.max(tables.postings.c.id))).scalar_one()
        [made] = hits.record(any_store, [(number, Assessment(level=Level.ALERT, score=0.9))], now=fixed_now)
        return made

    return make


def campaign(store: Store, hit_id: int) -> int:
    with store.read() as connection:
        return int(connection.execute(select(tables.hits.c.campaign_id).where(tables.hits.c.id == hit_id)).scalar_one())


def phone(value: str = "13800138000") -> tuple[Contact, ...]:
    return (Contact(kind="phone", value=value),)


def test_a_shared_contact_ties_across_time(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    first, stranger = open_hit(contacts=phone()), open_hit(contacts=phone("13900139000"))
    assert link_new(any_store, now=fixed_now) == 0
    second = open_hit(contacts=phone())
    assert link_new(any_store, now=fixed_now) == 1
    assert campaign(any_store, first) == campaign(any_store, second) != campaign(any_store, stranger)
    assert link_new(any_store, now=fixed_now) == 0
    with any_store.read() as connection:
        told = ties.of_campaign(connection, campaign(any_store, first))
    assert [(row["hit_id"], row["kind"], row["value"]) for row in told] == [
        (first, "phone", "13800138000"),
        (second, "phone", "13800138000"),
    ]


def test_the_same_text_in_other_spelling_ties(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    text = "稳健理财项目，保本保息，名额有限，先到先得，详情私信了解"
    first = open_hit(title="", body=text)
    second = open_hit(title="", body=text.replace("保本", "保 本").replace("财", "財").replace("，", "，\n"))
    link_new(any_store, now=fixed_now)
    assert campaign(any_store, first) == campaign(any_store, second)


def test_a_hit_that_knows_two_campaigns_makes_them_one(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    first, second = (
        open_hit(contacts=phone()),
        open_hit(images=(Image(url="http://f.example/1.png", qr=("https://pay.scam-invest.cn/u/7",)),)),
    )
    link_new(any_store, now=fixed_now)
    older = campaign(any_store, first)
    assert older != campaign(any_store, second)
    third = open_hit(contacts=phone(), links=("https://www.scam-invest.cn/join",))
    assert link_new(any_store, now=fixed_now) == 1
    assert {campaign(any_store, one) for one in (first, second, third)} == {older}
    with any_store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.campaigns)).scalar() == 1


def test_a_platforms_own_and_everybodys_domains_tie_nobody(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    links = ("https://forum.example/about", "https://mp.weixin.qq.com/s/abc", "https://www.baidu.com/link?url=1")
    numbers = [
        open_hit(links=links, contacts=(Contact(kind="phone", value="96110"), Contact(kind="icp", value="京ICP备1号"))) for _ in range(3)
    ]
    assert link_new(any_store, now=fixed_now) == 0
    assert len({campaign(any_store, one) for one in numbers}) == 3


def test_a_cut_tie_stays_cut(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    first, second, third = (open_hit(contacts=phone()) for _ in range(3))
    link_new(any_store, now=fixed_now)
    with any_store.read() as connection:
        tie = next(row["id"] for row in ties.of_campaign(connection, campaign(any_store, second)) if row["hit_id"] == second)
    old = campaign(any_store, first)
    assert cut(any_store, tie, officer="li", reason="代理商的公用电话", now=fixed_now)[0] == old
    assert campaign(any_store, first) == campaign(any_store, third) == old != campaign(any_store, second)
    fourth = open_hit(contacts=phone())
    assert link_new(any_store, now=fixed_now) == 1
    assert campaign(any_store, fourth) == old != campaign(any_store, second)
    with any_store.read() as connection:
        assert audit.verify(connection)[1] == []
        assert ties.size(connection, old) == 3


def test_what_other_ties_hold_stays_together(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    both = (*phone(), Contact(kind="wechat", value="abc12345"))
    first, second = open_hit(contacts=both), open_hit(contacts=both)
    link_new(any_store, now=fixed_now)
    with any_store.read() as connection:
        by_kind = {row["kind"]: row["id"] for row in ties.of_campaign(connection, campaign(any_store, first)) if row["hit_id"] == second}
    cut(any_store, by_kind["phone"], officer="li", reason="误识别", now=fixed_now)
    assert campaign(any_store, first) == campaign(any_store, second)
    cut(any_store, by_kind["wechat"], officer="li", reason="误识别", now=fixed_now)
    assert campaign(any_store, first) != campaign(any_store, second)


def test_a_cut_needs_a_tie_and_a_reason(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StoreFault, match="no such tie"):
        cut(any_store, 1, officer="li", reason="x", now=fixed_now)
    open_hit(contacts=phone())
    link_new(any_store, now=fixed_now)
    with pytest.raises(StoreFault, match="no reason"):
        cut(any_store, 1, officer="li", reason=" ", now=fixed_now)


def test_linking_beside_itself_ties_each_hit_once(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    numbers = [open_hit(contacts=phone(f"1380013800{number % 3}")) for number in range(12)]
    totals: list[int] = []
    threads = [threading.Thread(target=lambda: totals.append(link_new(any_store, now=fixed_now, batch=2))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(totals) == 9
    assert len({campaign(any_store, one) for one in numbers}) == 3
    with any_store.read() as connection:
        twice = select(tables.ties.c.hit_id).group_by(tables.ties.c.hit_id, tables.ties.c.kind).having(func.count() > 1)
        assert connection.execute(twice).all() == []


def row(**fields: object) -> dict[str, object]:
    return {"url": "https://forum.example/1", "title": "", "body": "", "contacts": [], "links": [], "images": [], **fields}


def test_keys_of_addresses_are_registrable_domains() -> None:
    links = [
        "https://a.b.scam.com.cn/x",
        "http://10.0.0.9:8080/x",
        "https://sub.forum.example/y",
        "http://[bad",
        "javascript:alert(1)",
        "weixin://x",
    ]
    found = keys(row(links=links))
    assert found == [Key(kind="domain", value="10.0.0.9:8080"), Key(kind="domain", value="scam.com.cn")]


def test_a_short_text_and_a_short_code_are_no_keys() -> None:
    assert keys(row(body="加我微信了解", images=[{"url": "u", "qr": ["12"]}])) == []
