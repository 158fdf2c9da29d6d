from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from pipelines import review
from store import tables
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer

Enter = Callable[[str], Officer]


def _row(store: Store, table: Any, number: int) -> Any:
    with store.read() as conn:
        return conn.execute(select(table).where(table.c.id == number)).one()


def _confirmed(store: Store, clock: Hand, *, serial: int = 1, campaign: int | None = None) -> int:
    hit = seed.add_hit(store, now=clock(), serial=serial, campaign=campaign)
    review.claim(store, hit, officer="lin", now=clock())
    review.decide(store, hit, officer="lin", outcome="confirmed", reason="承诺保本付息并公开招揽", now=clock())
    return hit


@pytest.fixture
def hit(staffed: Store, clock: Hand) -> int:
    return _confirmed(staffed, clock)


def test_notice_goes_from_draft_to_signed_by_another(officer: Enter, staffed: Store, hit: int) -> None:
    zhao, chen = officer("zhao"), officer("chen")
    assert chen.post(f"/hits/{hit}/notice", channel="email").headers["location"] == "/notices/1?said=drafted"
    assert "涉嫌" in zhao.get("/notices/1").text
    assert chen.post("/notices/1/approve").status_code == 403
    assert zhao.post("/notices/1/approve").status_code == 303
    row = _row(staffed, tables.notices, 1)
    assert (row.state, row.drafted_by, row.approved_by) == ("queued", "chen", "zhao")
    assert row.number in zhao.get("/documents").text


def test_drafter_cannot_sign_their_own_notice(officer: Enter, staffed: Store, hit: int) -> None:
    zhao = officer("zhao")
    zhao.post(f"/hits/{hit}/notice", channel="email")
    answer = zhao.post("/notices/1/approve")
    assert answer.status_code == 403
    assert "拟稿人不能签发" in answer.text
    assert _row(staffed, tables.notices, 1).state == "draft"


def test_papers_come_out_as_downloads_and_each_copy_is_audited(officer: Enter, staffed: Store, hit: int) -> None:
    officer("chen").post(f"/hits/{hit}/notice", channel="email")
    zhao = officer("zhao")
    assert zhao.get("/notices/1/pdf").status_code == 404
    zhao.post("/notices/1/approve")
    pdf, docx = zhao.get("/notices/1/pdf"), zhao.get("/notices/1/docx")
    assert pdf.content.startswith(b"%PDF")
    assert docx.content.startswith(b"PK")
    assert pdf.headers["content-disposition"].startswith("attachment")
    with staffed.read() as conn:
        copies = conn.execute(select(tables.audit.c.detail).where(tables.audit.c.action == "notice.exported")).scalars().all()
    assert [copy["part"] for copy in copies] == ["pdf", "docx"]
    assert officer("wu").get("/notices/1/pdf").status_code == 403


def test_unconfirmed_hit_gives_no_notice(officer: Enter, staffed: Store, clock: Hand) -> None:
    open_hit = seed.add_hit(staffed, now=clock())
    assert officer("chen").post(f"/hits/{open_hit}/notice", channel="email").status_code == 409


def test_withdrawal_needs_a_reason(officer: Enter, staffed: Store, hit: int) -> None:
    chen = officer("chen")
    chen.post(f"/hits/{hit}/notice", channel="email")
    assert chen.post("/notices/1/withdraw", reason="").status_code == 422
    assert chen.post("/notices/1/withdraw", reason="对象有误，重新拟稿").status_code == 303
    assert _row(staffed, tables.notices, 1).state == "withdrawn"
    assert chen.get("/notices/1").status_code == 200


def test_lead_takes_two_preparers_and_a_third_to_approve(officer: Enter, staffed: Store, clock: Hand) -> None:
    campaign = seed.add_campaign(staffed, now=clock(), title="金穗堂")
    first, other = (_confirmed(staffed, clock, serial=serial, campaign=campaign) for serial in (1, 2))
    chen, lin, zhao = officer("chen"), officer("lin"), officer("zhao")
    assert f'name="others" value="{other}"' in chen.get(f"/hits/{first}").text
    made = chen.post(f"/hits/{first}/lead", authority="police", others=str(other), summary="两处发布同一计划")
    assert made.headers["location"] == "/leads/1?said=drafted"
    alone = chen.post("/leads/1/submit")
    assert "由另一名工作人员会签" in alone.text
    assert chen.post("/leads/1/second").status_code == 403
    assert lin.post("/leads/1/second").status_code == 303
    assert chen.post("/leads/1/submit").status_code == 303
    assert lin.post("/leads/1/approve").status_code == 403
    assert zhao.post("/leads/1/approve").status_code == 303
    row = _row(staffed, tables.leads, 1)
    assert (row.state, row.prepared_by, row.second_preparer, row.approved_by) == ("approved", "chen", "lin", "zhao")
    assert zhao.get("/leads/1/dossier").content.startswith(b"PK")
    assert zhao.get("/leads/1").text.count('href="/hits/') == 2
    assert row.summary == "两处发布同一计划"
    assert row.number in zhao.get("/documents?tab=leads").text


def test_approver_who_prepared_it_cannot_approve(officer: Enter, staffed: Store, hit: int) -> None:
    zhao, lin = officer("zhao"), officer("lin")
    zhao.post(f"/hits/{hit}/lead", authority="police")
    lin.post("/leads/1/second")
    lin.post("/leads/1/submit")
    answer = zhao.post("/leads/1/approve")
    assert answer.status_code == 403
    assert "承办人不能审批" in answer.text
    assert _row(staffed, tables.leads, 1).state == "submitted"


def test_declined_lead_says_why(officer: Enter, staffed: Store, hit: int) -> None:
    chen, lin, zhao = officer("chen"), officer("lin"), officer("zhao")
    chen.post(f"/hits/{hit}/lead", authority="police")
    lin.post("/leads/1/second")
    lin.post("/leads/1/submit")
    assert zhao.post("/leads/1/decline", reason="").status_code == 422
    assert zhao.post("/leads/1/decline", reason="证据不足，补充后再报").status_code == 303
    assert "证据不足，补充后再报" in chen.get("/leads/1").text
    assert chen.post("/leads/1/redraft").status_code == 303


def test_unknown_authority_and_unknown_step_are_refused(officer: Enter, hit: int) -> None:
    chen = officer("chen")
    assert chen.post(f"/hits/{hit}/lead", authority="nobody").status_code == 422
    assert chen.post("/leads/1/explode").status_code == 422


def test_delivery_in_doubt_is_settled_by_those_who_may(officer: Enter, staffed: Store, clock: Hand, hit: int) -> None:
    officer("chen").post(f"/hits/{hit}/notice", channel="email")
    officer("zhao").post("/notices/1/approve")
    with staffed.write() as conn:
        doubtful = {"state": "uncertain", "handed_at": clock(), "attempts": 1, "last_error": "连接中断"}
        conn.execute(update(tables.deliveries).values(**doubtful))
    assert "经核实已送达" not in officer("chen").get("/notices/1").text
    fields = {"how": "delivered", "subject": "notice", "subject_id": "1"}
    assert officer("chen").post("/deliveries/1/settle", **fields).status_code == 403
    lian = officer("lian")
    assert "经核实已送达" in lian.get("/notices/1").text
    assert lian.post("/deliveries/1/settle", **fields).headers["location"] == "/notices/1?said=settled"
    assert _row(staffed, tables.deliveries, 1).state == "delivered"


def test_answer_of_the_publisher_is_text(officer: Enter, staffed: Store, clock: Hand, hit: int) -> None:
    officer("chen").post(f"/hits/{hit}/notice", channel="email")
    with staffed.write() as conn:
        conn.execute(update(tables.notices).values(state="sent", sent_at=clock()))
    lian = officer("lian")
    assert lian.post("/notices/1/answer", kind="appeal", text="我方有许可<script>alert(1)</script>").status_code == 303
    page = lian.get("/notices/1").text
    assert "我方有许可&lt;script&gt;" in page
    assert _row(staffed, tables.notices, 1).state == "appealed"
    assert "对方已申诉" in officer("zhao").get("/notices/1").text


def test_empty_lists_say_where_to_begin(officer: Enter) -> None:
    chen = officer("chen")
    assert "还没有预警提示函" in chen.get("/documents").text
    assert "还没有线索" in chen.get("/documents?tab=leads&state=nonsense").text


def test_paper_of_unknown_number_is_told(officer: Enter) -> None:
    chen = officer("chen")
    for path in ("/notices/9", "/leads/9", "/notices/9/pdf", "/leads/9/dossier"):
        assert chen.get(path).status_code == 404
