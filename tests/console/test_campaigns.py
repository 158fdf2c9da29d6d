from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from domain.settings import Settings
from pipelines import review
from pipelines.link import link_new
from store import audit, campaigns, campaignviews, tables
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer
from tests.console.test_browser import browser, enter

__all__ = ["browser", "enter"]
Enter = Callable[[str], Officer]
REASON = "同一话术同一电话，面向公众承诺回报"


def ring(store: Store, now: datetime, *, count: int = 4, first: int = 1) -> list[int]:
    """Hits with one telephone and one text, linked."""
    made = [seed.add_hit(store, now=now, serial=first + number, platform=seed.PLATFORMS[number % 3]) for number in range(count)]
    link_new(store, now=now)
    return made


def _campaign(store: Store, hit: int) -> int:
    with store.read() as conn:
        return campaigns.of_hit(conn, hit)


def _tie(store: Store, hit: int, kind: str) -> int:
    with store.read() as conn:
        return next(row.id for row in campaignviews.own_ties(conn, campaigns.of_hit(conn, hit))[hit] if row.kind == kind)


def test_a_campaign_shows_its_hits_their_keys_and_the_picture(officer: Enter, staffed: Store, clock: Hand) -> None:
    made = ring(staffed, clock())
    number = _campaign(staffed, made[0])
    text = officer("chen").get(f"/campaigns/{number}").text
    assert all(f'href="/hits/{hit}"' in text for hit in made)
    assert "同一电话" in text
    assert re.search(rf"文字相近 100% 与 #{made[0]}", text)
    assert 'class="bond-graph"' in text and "4 条：" in text
    assert "13800001234" not in text and "jinsui_8866" not in text
    assert 'style="' not in text  # the policy lets no inline style in


def test_the_list_shows_the_largest_first_and_leads_on(officer: Enter, staffed: Store, clock: Hand) -> None:
    ring(staffed, clock(), count=3)
    number = _campaign(staffed, 1)
    text = officer("wu").get("/campaigns").text
    assert f'<a href="/campaigns/{number}">' in text
    assert '<span class="many">3</span>' in text


def test_a_cut_parts_is_audited_and_is_taken_back(officer: Enter, staffed: Store, clock: Hand) -> None:
    made = ring(staffed, clock(), count=3)
    number, chen = _campaign(staffed, made[0]), officer("chen")
    assert chen.post(f"/campaigns/{number}/ties/{_tie(staffed, made[2], 'phone')}/cut", reason="短").status_code == 422
    for kind in ("phone", "wechat"):
        answer = chen.post(f"/campaigns/{number}/ties/{_tie(staffed, made[2], kind)}/cut", reason="核实为另一家门店")
        assert answer.headers["location"] == f"/campaigns/{number}?said=tie_cut"
    assert _campaign(staffed, made[2]) != number == _campaign(staffed, made[1])
    page = chen.get(f"/campaigns/{number}").text
    assert page.count('/restore"') == 3  # the text tie went with the first one
    again = seed.add_hit(staffed, now=clock(), serial=9)
    link_new(staffed, now=clock())
    assert _campaign(staffed, again) == number != _campaign(staffed, made[2])
    with staffed.read() as conn:
        cut = next(one.tie_id for one in campaignviews.cuts(conn, number) if one.kind == "wechat")
        assert audit.verify(conn)[1] == []
    assert chen.post(f"/campaigns/{number}/ties/{cut}/restore", reason="复核后确系同一伙人").status_code == 303
    assert _campaign(staffed, made[2]) == number


def test_a_hit_is_taken_out_whole(officer: Enter, staffed: Store, clock: Hand) -> None:
    made = ring(staffed, clock(), count=3)
    number = _campaign(staffed, made[0])
    assert officer("lin").post(f"/campaigns/{number}/hits/{made[1]}/cut", reason="系转载的反诈提示").status_code == 303
    assert _campaign(staffed, made[1]) != number == _campaign(staffed, made[2])


def test_a_muted_key_ties_nobody_until_it_is_taken_back(officer: Enter, staffed: Store, clock: Hand) -> None:
    made = ring(staffed, clock(), count=2)
    number, chen = _campaign(staffed, made[0]), officer("chen")
    for kind in ("phone", "wechat", "text"):
        chen.post(f"/campaigns/{number}/ties/{_tie(staffed, made[0], kind)}/mute", reason="平台统一客服，人人可用")
    assert _campaign(staffed, made[0]) != _campaign(staffed, made[1])
    third = ring(staffed, clock(), count=1, first=7)[0]
    assert len({_campaign(staffed, hit) for hit in (*made, third)}) == 3
    chen.post(f"/campaigns/{number}/ties/{_tie(staffed, made[0], 'phone')}/unmute", reason="经核实不是客服电话")
    assert len({_campaign(staffed, hit) for hit in (*made, third)}) == 1


def test_a_whole_campaign_is_decided_hit_by_hit(officer: Enter, staffed: Store, clock: Hand) -> None:
    made = ring(staffed, clock(), count=4)
    number = _campaign(staffed, made[0])
    review.claim(staffed, made[3], officer="lin", now=clock())
    chen = officer("chen")
    assert chen.post(f"/campaigns/{number}/decide", outcome="confirmed", reason=REASON).status_code == 422  # nothing chosen
    answer = chen.post(f"/campaigns/{number}/decide", outcome="confirmed", reason=REASON, hits=made[1:])
    assert "已决定 2 条" in answer.text
    assert f'<a href="/hits/{made[3]}">#{made[3]}</a> 该条目刚被他人处理或占用' in answer.text
    with staffed.read() as conn:
        rows = conn.execute(select(tables.decisions.c.hit_id, tables.decisions.c.officer, tables.decisions.c.reason)).all()
        states = dict(conn.execute(select(tables.hits.c.id, tables.hits.c.state)).all())  # type: ignore[arg-type]
    assert [tuple(row) for row in rows] == [(made[1], "chen", REASON), (made[2], "chen", REASON)]
    assert [states[hit] for hit in made] == ["open", "confirmed", "confirmed", "claimed"]


def test_two_persons_stay_two_for_a_whole_campaign(staffed: Store, clock: Hand) -> None:
    from pipelines.linked import decide_campaign

    staffed.settings = Settings(**{**staffed.settings.model_dump(), "two_person_review": True})
    made = ring(staffed, clock(), count=3)
    number = _campaign(staffed, made[0])

    def word(name: str) -> Any:
        return decide_campaign(staffed, number, officer=name, outcome="confirmed", reason=REASON, now=clock())

    assert word("chen").first == made
    assert set(word("chen").passed) == set(made)
    assert word("lin").decided == made


@pytest.mark.parametrize("name", ["wu", "he", "lian"])
def test_roles_that_do_not_review_look_and_do_nothing(officer: Enter, staffed: Store, clock: Hand, name: str) -> None:
    made = ring(staffed, clock(), count=2)
    number, one = _campaign(staffed, made[0]), officer(name)
    page = one.get(f"/campaigns/{number}").text
    assert "/cut" not in page and "整案复核" not in page
    for path in (f"ties/{_tie(staffed, made[0], 'phone')}/cut", f"hits/{made[0]}/cut", "decide"):
        assert one.post(f"/campaigns/{number}/{path}", reason=REASON, outcome="confirmed", hits=made).status_code == 403
    assert _campaign(staffed, made[0]) == _campaign(staffed, made[1])


def test_the_number_of_a_merged_campaign_leads_to_the_one_that_lives_on(officer: Enter, staffed: Store, clock: Hand) -> None:
    first, second = (seed.add_campaign(staffed, now=clock(), title=title) for title in ("甲", "乙"))
    with staffed.write() as conn:
        campaigns.join(conn, [first, second], by="hit:1", now=clock())
    assert officer("chen").get(f"/campaigns/{second}").headers["location"] == f"/campaigns/{first}?said=campaign_moved"
    assert officer("chen").get("/campaigns/999").status_code == 409


def test_the_queue_is_grouped_by_campaign_and_stays_so(officer: Enter, staffed: Store, clock: Hand) -> None:
    made = ring(staffed, clock(), count=3)
    alone = seed.add_hit(staffed, now=clock(), sample=seed.SAMPLES[2], serial=20, platform="demo-video")
    chen = officer("chen")
    ids = [int(found) for found in re.findall(r'<tr data-id="(\d+)"', chen.get("/queue?by=campaign").text)]
    assert len(ids) == 2 and alone in ids
    assert len(set(ids) & set(made)) == 1
    assert 'data-open="/hits/' in chen.get("/queue/rows?by=campaign").text
    assert "by=campaign" in chen.get("/queue?by=campaign").text
    assert len(re.findall(r'<tr data-id="', chen.get("/queue").text)) == 4
    assert len(re.findall(r'<tr data-id="', chen.get("/queue?by=campaign&scheme=wealth_mgmt&state=learn").text)) <= 1


def test_markup_in_a_campaign_is_shown_as_text(officer: Enter, staffed: Store, clock: Hand) -> None:
    nasty = replace(seed.SAMPLES[0], title='<script>alert(1)</script>"><svg onload=alert(2)>', marks=())
    for serial in (1, 2):
        seed.add_hit(staffed, now=clock(), sample=nasty, serial=serial, publisher="<img src=x>", platform="<iframe>")
    link_new(staffed, now=clock())
    chen = officer("chen")
    for path in ("/campaigns", f"/campaigns/{_campaign(staffed, 1)}"):
        text = chen.get(path).text
        assert not re.search(r"<script>alert|<svg onload|<img src=x|<iframe", text)


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1366, 768), (700, 900)])
def test_no_campaign_page_is_wider_than_the_screen(enter: Callable[[str], Any], staffed: Store, clock: Hand, size: tuple[int, int]) -> None:
    made = ring(staffed, clock(), count=12)
    tab = enter("chen")
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    for path in ("/campaigns", f"/campaigns/{_campaign(staffed, made[0])}"):
        tab.goto(path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= size[0], path
    assert tab.faults == []
