from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select

from domain.errors import StoreFault
from domain.model import Assessment, Contact, Image, Level
from pipelines.link import Key, cut, cut_hit, keys, link_new, mute, restore, unmute
from store import audit, campaigns, campaignviews, captures, hits, tables, ties
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
        words = {"title": f"第{count}帖", "body": "".join(chr(0x4E00 + (count * 997 + at * 61) % 20000) for at in range(60))}
        one = replace(page.postings[0], **{"publisher": f"账号{count}", **words, **fields})
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
        rows = connection.execute(select(tables.campaigns).order_by(tables.campaigns.c.id)).all()
        assert [(row.id, row.merged_into, row.merged_by) for row in rows] == [(older, None, None), (rows[1].id, older, f"hit:{third}")]
        assert campaigns.now_called(connection, rows[1].id).id == older


def test_a_platforms_own_and_everybodys_domains_tie_nobody(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    links = ("https://forum.example/about", "https://mp.weixin.qq.com/s/abc", "https://www.baidu.com/link?url=1")
    numbers = [open_hit(links=links, contacts=(Contact(kind="phone", value="96110"),)) for _ in range(3)]
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


TEXT = "城西茶山认养计划今日启动，凡邻居老友均可参与，每月到账，合同公证，实地可查，名额只有三十个，请速到店登记领取纪念茶礼一份"


def test_near_texts_tie_however_they_are_dressed(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    """Contacts and amounts exchanged, an emoji between all characters, sentences in another order, noise behind, the end cut off."""
    parts = TEXT.split("，")
    dressed = [
        TEXT,
        TEXT.replace("三十", "3 0") + "加微信 abc-999",
        "🔥".join(TEXT),
        "，".join(reversed(parts)),
        TEXT + "。今天菜场的萝卜便宜了两毛，巷口的猫在晒太阳，晚上有雨记得收衣服",
        "，".join(parts[:6]),
    ]
    made = [open_hit(title="", body=body) for body in dressed]
    stranger = open_hit(
        title="", body="二手书架转让，九成新，自提，有意者傍晚来看，楼下有停车位，另送一盏台灯和两个收纳箱，不议价不邮寄谢谢"
    )
    assert link_new(any_store, now=fixed_now) == len(made) - 1
    assert {campaign(any_store, one) for one in made} == {campaign(any_store, made[0])} != {campaign(any_store, stranger)}
    with any_store.read() as connection:
        near = {one.hit_id: one for one in campaignviews.nearness(connection, campaign(any_store, made[0]))}
    assert near[made[2]].share == 1.0
    assert near[made[4]].other_hit in made and 0.2 < near[made[4]].share < 1.0


def test_what_was_cut_comes_back_by_no_near_text(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    """Two texts have nothing in common until a third one joins them; the hit that was cut stays out, and so does the next of its kind."""
    other = "".join(chr(0x5000 + 37 * at) for at in range(70))
    first, second = open_hit(title="", body=TEXT, contacts=phone()), open_hit(title="", body=other, contacts=phone())
    link_new(any_store, now=fixed_now)
    with any_store.read() as connection:
        tie = next(row["id"] for row in ties.of_campaign(connection, campaign(any_store, first)) if row["hit_id"] == second)
    cut(any_store, tie, officer="li", reason="误识别", now=fixed_now)
    third = open_hit(title="", body=TEXT + other)
    link_new(any_store, now=fixed_now)
    assert campaign(any_store, third) == campaign(any_store, first) != campaign(any_store, second)
    restore(any_store, tie, officer="li", reason="查实", now=fixed_now)
    assert campaign(any_store, third) == campaign(any_store, first) == campaign(any_store, second)


def test_a_hit_taken_out_ties_with_nobody_again(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    first, second = (open_hit(title="", body=TEXT, contacts=phone()) for _ in range(2))
    link_new(any_store, now=fixed_now)
    cut_hit(any_store, second, officer="li", reason="转载", now=fixed_now)
    third = open_hit(title="", body=TEXT, contacts=phone())
    link_new(any_store, now=fixed_now)
    assert campaign(any_store, third) == campaign(any_store, first) != campaign(any_store, second)
    with pytest.raises(StoreFault, match="stands alone"):
        cut_hit(any_store, second, officer="li", reason="转载", now=fixed_now)


def test_a_forwarded_warning_is_seen_to_be_everybodys(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    """Sixteen accounts with one text and no contact of their own: tied while they could be a ring, loose from the sixteenth on."""
    made = [open_hit(title="", body=TEXT, publisher=f"转发{number}") for number in range(15)]
    link_new(any_store, now=fixed_now)
    assert len({campaign(any_store, one) for one in made}) == 1
    made.append(open_hit(title="", body=TEXT, publisher="转发最后"))
    link_new(any_store, now=fixed_now)
    assert len({campaign(any_store, one) for one in made}) == 16


def test_a_ring_with_many_accounts_and_one_telephone_holds(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    made = [open_hit(title="", body=TEXT, contacts=phone(), publisher=f"马甲{number}") for number in range(20)]
    link_new(any_store, now=fixed_now, batch=3)
    assert len({campaign(any_store, one) for one in made}) == 1


def test_a_muted_key_holds_nothing_and_comes_back(any_store: Store, open_hit, fixed_now: datetime) -> None:  # type: ignore[no-untyped-def]
    made = [open_hit(contacts=phone()) for _ in range(3)]
    link_new(any_store, now=fixed_now)
    with any_store.read() as connection:
        tie = ties.of_campaign(connection, campaign(any_store, made[0]))[0]["id"]
    assert len(mute(any_store, tie, officer="li", reason="客服", now=fixed_now)) == 3
    made.append(open_hit(contacts=phone()))
    link_new(any_store, now=fixed_now)
    assert len({campaign(any_store, one) for one in made}) == 4
    unmute(any_store, tie, officer="li", reason="查实", now=fixed_now)
    assert len({campaign(any_store, one) for one in made}) == 1


def test_a_batch_that_dies_leaves_nothing_half(any_store: Store, open_hit, fixed_now: datetime, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    made = [open_hit(title="", body=TEXT, contacts=phone()) for _ in range(3)]
    with monkeypatch.context() as broken:
        broken.setattr("store.ties.keep_keys", lambda *_given, **_named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            link_new(any_store, now=fixed_now)
    with any_store.read() as connection:
        assert ties.count_unlinked(connection) == 3
        assert connection.execute(select(func.count()).select_from(tables.ties)).scalar() == 0
    assert link_new(any_store, now=fixed_now) == 2
    assert len({campaign(any_store, one) for one in made}) == 1


@pytest.mark.parametrize("body", ["\x00" * 50, "\ud800" * 60, "𠮷" * 80, "a" * 200_000, "٩" * 100, "\u202e" * 90, "🀄" * 70])
def test_hostile_texts_are_linked_like_others(any_store: Store, open_hit, fixed_now: datetime, body: str) -> None:  # type: ignore[no-untyped-def]
    made = [open_hit(title="", body=body, contacts=(Contact(kind="wechat", value="\x00" + "长" * 5000),)) for _ in range(2)]
    link_new(any_store, now=fixed_now)
    assert campaign(any_store, made[0]) == campaign(any_store, made[1])


def test_what_a_picture_looks_like_ties_where_it_says_something() -> None:
    def image(phash: str) -> list[dict[str, object]]:
        return [{"url": "u", "sha256": None, "qr": [], "phash": phash}]

    assert keys(row(images=image("c3d2a5960f1e7b84"))) == [Key(kind="phash", value="c3d2a5960f1e7b84")]
    assert [keys(row(images=image(flat))) for flat in ("0000000000000000", "ffffffffffffffff", "8000000000000000", "nonsense", "")] == [
        []
    ] * 5
