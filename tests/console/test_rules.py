"""规则: the table, one rule's page, and what officers do about a flood."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select

from console.pages.rules import chart
from rules import telling
from rules.loader import RuleSet, load
from store import alarms, figures, tables, tallies
from store.engine import Store
from store.figures import Figures
from tests.console import seed
from tests.console.conftest import Hand, Officer

Enter = Callable[[str], Officer]
PACK = load()
RULE = next(rule.id for rule in PACK.rules if rule.family == "illegal_fundraising" and rule.scheme)
SIGN = next(rule.id for rule in PACK.rules if rule.family == "signs")


def add_figures(store: Store, *, now: datetime) -> None:
    """A rule with four decided hits, three of them confirmed, on a day on which its cap holds two texts back."""
    hits = [seed.add_hit(store, now=now, serial=serial) for serial in range(1, 7)]
    with store.write() as conn:
        day = {"day": tallies.day_of(now), "lifted": False}
        conn.execute(insert(tables.rule_days).values(**day, rule=RULE, matched=9, hits=4, held=2, stopped_at=now))
        conn.execute(insert(tables.rule_days).values(**day, rule=SIGN, matched=1234, hits=0, held=0))
        for number, state in zip(hits[:4], ("confirmed", "closed", "confirmed", "dismissed"), strict=True):
            conn.execute(tables.hits.update().where(tables.hits.c.id == number).values(state=state))  # as officers left them
            conn.execute(insert(tables.hit_rules).values(hit_id=number, rule=RULE))
        for number in hits[4:]:
            posting = conn.execute(select(tables.hits.c.posting_id).where(tables.hits.c.id == number)).scalar_one()
            conn.execute(tables.hits.delete().where(tables.hits.c.id == number))
            conn.execute(insert(tables.held).values(posting_id=posting, rule=RULE, at=now))
        alarms.raise_alarm(conn, kind="rule_flood", subject=RULE, text="规则今日命中已满", now=now)


def test_table_shows_figures_and_puts_what_waits_first(officer: Enter, staffed: Store, clock: Hand) -> None:
    add_figures(staffed, now=clock())
    page = officer("wu").get("/rules").text
    assert "2 条内容因规则当日命中已满而暂缓" in page
    first = page.split("<tbody>")[1].split("</tr>")[0]
    assert f"/rules/{RULE}" in first and "待放行 2" in first and "75%" in first
    assert "1,234" in page


def test_table_is_filtered_by_state_and_scheme(officer: Enter, staffed: Store) -> None:
    reader, rule = officer("he"), PACK.rule(RULE)
    assert "没有符合条件的规则" in reader.get(f"/rules?status={'draft' if rule.status != 'draft' else 'live'}&scheme={rule.scheme}").text
    page = reader.get(f"/rules?scheme={rule.scheme}&sort=id").text
    assert page.count('<a href="/rules/') == sum(one.scheme == rule.scheme for one in PACK.rules)


@pytest.mark.parametrize("query", ["?sort=nonsense", "?status=<script>", "?scheme=%00"])
def test_odd_filters_do_no_harm(officer: Enter, staffed: Store, query: str) -> None:
    answer = officer("wu").get("/rules" + query)
    assert answer.status_code == 200 and "<script>" not in answer.text.replace('<script src="/static', "")


def test_one_rule_is_told_in_chinese_with_what_its_cap_holds(officer: Enter, staffed: Store, clock: Hand) -> None:
    add_figures(staffed, now=clock())
    page = officer("chen").get(f"/rules/{RULE}").text
    rule = PACK.rule(RULE)
    assert all(article.label in page for article in telling.articles(rule, PACK))
    assert rule.examples.hit[0].text in page and "应当放过" in page and "暂缓的内容" in page
    assert "13800001234" not in page


def test_unknown_rule_is_404(officer: Enter, staffed: Store) -> None:
    assert officer("chen").get("/rules/no.such").status_code == 404


def test_release_queues_the_texts_and_clears_the_alarm(officer: Enter, staffed: Store, clock: Hand) -> None:
    add_figures(staffed, now=clock())
    assert officer("chen").post(f"/rules/{RULE}/release", how="release").status_code == 303
    with staffed.read() as conn:
        assert figures.held_now(conn) == {} and alarms.open_alarms(conn) == []
        assert len(conn.execute(select(tables.postings.c.id).where(tables.postings.c.assessed_at.is_(None))).all()) == 2
        told = select(tables.audit.c.actor, tables.audit.c.action).where(tables.audit.c.subject == f"rule:{RULE}")
        assert conn.execute(told).one() == ("chen", "rule.release")


def test_auditor_may_look_and_not_release(officer: Enter, staffed: Store, clock: Hand) -> None:
    add_figures(staffed, now=clock())
    auditor = officer("he")
    assert "误命中，不放行" not in auditor.get(f"/rules/{RULE}").text
    assert auditor.post(f"/rules/{RULE}/release", how="drop").status_code == 403
    with staffed.read() as conn:
        assert figures.held_now(conn) == {RULE: 2}


def test_table_says_when_the_files_were_changed_since(
    officer: Enter, staffed: Store, pack: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.pages.rules.digest_of", lambda folder: pack.digest)
    assert "规则文件已改动" not in officer("chen").get("/rules").text
    monkeypatch.setattr("console.pages.rules.digest_of", lambda folder: "wangxun@0123456789ab")
    assert "规则文件已改动" in officer("chen").get("/rules").text


def test_board_leads_from_the_alarm_to_the_rule(officer: Enter, staffed: Store, clock: Hand) -> None:
    add_figures(staffed, now=clock())
    assert f'href="/rules/{RULE}"' in officer("wu").get("/board").text


def test_nobody_sees_rules_without_login(visitor: object, base: str) -> None:
    assert visitor.get("/rules").status_code == 303  # type: ignore[attr-defined]


def test_chart_shows_the_smallest_day_beside_the_largest(fixed_now: datetime) -> None:
    days = [
        (tallies.day_of(fixed_now + timedelta(days=step)), one)
        for step, one in enumerate([Figures(), Figures(matched=1), Figures(matched=900, hits=90)])
    ]
    bars = chart(days)
    assert [bar.matched for bar in bars] == [0, 2, 64]
    assert bars[2].hits == 6 and "匹配 900" in bars[2].told
