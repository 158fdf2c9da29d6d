from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from console import marks
from store import tables
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer

Enter = Callable[[str], Officer]
WEALTH, EVASIVE, ELDER, FARM, REBATE, WARNING = seed.SAMPLES
REASON = "承诺保本付息并公开招揽"


def _ids(text: str) -> list[int]:
    return [int(found) for found in re.findall(r'<tr data-id="(\d+)"', text)]


def _actions(store: Store, subject: str) -> list[str]:
    with store.read() as conn:
        return list(
            conn.execute(select(tables.audit.c.action).where(tables.audit.c.subject == subject).order_by(tables.audit.c.seq)).scalars()
        )


def _state(store: Store, hit: int) -> str:
    with store.read() as conn:
        return conn.execute(select(tables.hits.c.state).where(tables.hits.c.id == hit)).scalar_one()


# ---- the queue


def test_queue_is_in_the_order_of_work(officer: Enter, staffed: Store, clock: Hand) -> None:
    weak = seed.add_hit(staffed, now=clock(), sample=ELDER, serial=1, score=0.7, age=timedelta(hours=9))
    young = seed.add_hit(staffed, now=clock(), sample=WEALTH, serial=2, score=0.95, age=timedelta(minutes=1))
    old = seed.add_hit(staffed, now=clock(), sample=WEALTH, serial=3, score=0.95, age=timedelta(hours=2))
    strong = seed.add_hit(staffed, now=clock(), sample=ELDER, serial=4, score=0.99)
    assert _ids(officer("chen").get("/queue").text) == [old, young, strong, weak]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("level=alert", [1, 2]), ("grade=中危", [3]), ("scheme=wealth_mgmt", [1]), ("scheme=wealth%25", []), ("platform=demo-weibo", [2]),
        ("platform=nowhere", []), ("level=nonsense", [1, 2, 3]), ("state=mine", []), ("page=99", []),
    ],
)  # fmt: skip
def test_queue_filters(officer: Enter, staffed: Store, clock: Hand, query: str, expected: Sequence[int]) -> None:
    seed.add_hit(staffed, now=clock(), sample=WEALTH, serial=1)
    seed.add_hit(staffed, now=clock(), sample=EVASIVE, serial=2, platform="demo-weibo")
    seed.add_hit(staffed, now=clock(), sample=ELDER, serial=3)
    assert sorted(_ids(officer("chen").get(f"/queue?{query}").text)) == expected


def test_queue_shows_the_size_of_the_campaign(officer: Enter, staffed: Store, clock: Hand) -> None:
    campaign = seed.add_campaign(staffed, now=clock(), title="金穗堂")
    for serial in range(3):
        seed.add_hit(staffed, now=clock(), serial=serial, campaign=campaign)
    assert officer("chen").get("/queue").text.count("同一线索下共 3 条") == 3


def test_lists_hide_contacts(officer: Enter, staffed: Store, clock: Hand) -> None:
    seed.add_hit(staffed, now=clock())
    text = officer("chen").get("/queue").text
    assert "13800001234" not in text
    assert "保本保息" in text


def test_renewal_brings_rows_alone(officer: Enter, staffed: Store, clock: Hand) -> None:
    chen = officer("chen")
    assert _ids(chen.get("/queue/rows").text) == []
    hit = seed.add_hit(staffed, now=clock())
    text = chen.get("/queue/rows").text
    assert _ids(text) == [hit]
    assert "<html" not in text


# ---- one hit


def test_hit_shows_spans_reasons_and_articles(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock(), sample=WARNING)
    text = officer("chen").get(f"/hits/{hit}").text
    assert re.search(r'<mark class="evidence"[^>]*>承诺保本付息</mark>', text)
    assert re.search(r'<mark class="excuse"[^>]*>谨防</mark>', text)
    assert "广告法 第25条；防范和处置非法集资条例 第11条" in text


def test_disguised_words_stand_beside_their_reading(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock(), sample=EVASIVE)
    text = officer("chen").get(f"/hits/{hit}").text
    assert re.search(r"葆本葆息</mark></td>.*?<b>保本保息</b>", text, re.DOTALL)


def test_address_of_the_page_is_no_link(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock(), serial=5)
    text = officer("chen").get(f"/hits/{hit}").text
    assert "https://www.example.cn/demo-forum/thread-5.html" in text
    assert not re.search(r'(href|src)="(?!/)', text)


def test_markup_in_a_posting_is_shown_as_text(officer: Enter, staffed: Store, clock: Hand) -> None:
    nasty = seed.Sample(
        '<script>alert(1)</script>"><img src=x onerror=alert(2)>', "{{ 7*7 }} <b>x</b> &lt;i&gt;", "wealth_mgmt", "alert", "高危", ()
    )
    hit = seed.add_hit(staffed, now=clock(), sample=nasty, publisher="<svg onload=alert(3)>", platform="<iframe>")
    chen = officer("chen")
    for path in ("/queue", f"/hits/{hit}", "/board"):
        text = chen.get(path).text
        for tag in ("<script>alert", "<img src=x", "<svg onload", "<iframe", "<b>x</b>"):
            assert tag not in text, path
    assert "{{ 7*7 }}" in chen.get(f"/hits/{hit}").text


def test_contacts_are_hidden_until_asked_for_and_then_audited(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    chen = officer("chen")
    hidden = chen.get(f"/hits/{hit}").text
    assert "13800001234" not in hidden
    assert "jinsui_8866" not in hidden
    shown = chen.post(f"/hits/{hit}/contacts").text
    assert "13800001234" in shown
    assert "hit.contacts_viewed" in _actions(staffed, f"hit:{hit}")


def test_roles_without_need_never_see_contacts(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    for name in ("wu", "he"):
        answer = officer(name).post(f"/hits/{hit}/contacts")
        assert answer.status_code == 403
        assert "13800001234" not in answer.text
    assert "hit.contacts_viewed" not in _actions(staffed, f"hit:{hit}")


def test_screenshot_is_a_picture_for_officers_alone(officer: Enter, staffed: Store, clock: Hand, base: str) -> None:
    import httpx

    image = seed.picture("page")
    hit = seed.add_hit(staffed, now=clock(), screenshot=image)
    other = seed.add_hit(staffed, now=clock(), serial=2)
    with staffed.read() as conn:
        digest = conn.execute(
            select(tables.captures.c.screenshot_sha256).where(tables.captures.c.screenshot_sha256.is_not(None))
        ).scalar_one()
    answer = officer("chen").get(f"/hits/{hit}/pictures/{digest}")
    assert (answer.content, answer.headers["content-type"], answer.headers["x-content-type-options"]) == (image, "image/png", "nosniff")
    assert "hit.picture_viewed" in _actions(staffed, f"hit:{hit}")
    assert httpx.get(f"{base}/hits/{hit}/pictures/{digest}").status_code == 303
    assert officer("chen").get(f"/hits/{other}/pictures/{digest}").status_code == 404


def test_what_is_no_picture_is_not_served(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock(), screenshot=b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    with staffed.read() as conn:
        digest = conn.execute(select(tables.captures.c.screenshot_sha256)).scalar_one()
    assert officer("chen").get(f"/hits/{hit}/pictures/{digest}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/hits/999", "/hits/0", "/hits/x", "/hits/99999999999999999999", "/notices/7", "/leads/7", "/nowhere", "/hits/1/pictures/abc"]
)
def test_what_is_not_there_is_said_in_chinese(officer: Enter, path: str) -> None:
    answer = officer("chen").get(path)
    assert answer.status_code in (404, 422)
    assert "未完成" in answer.text


# ---- deciding


def test_second_officer_is_told_who_holds_it(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    assert officer("chen").post(f"/hits/{hit}/claim", outcome="confirmed").headers["location"] == f"/hits/{hit}?outcome=confirmed"
    lin = officer("lin")
    late = lin.post(f"/hits/{hit}/claim", outcome="confirmed")
    assert late.status_code == 409
    assert "陈默 正在复核此条（保留至 16:35）" in late.text
    assert lin.post(f"/hits/{hit}/decide", outcome="confirmed", reason=REASON).status_code == 409
    assert "陈默 复核中" in lin.get("/queue").text
    assert "陈默 正在复核" in lin.get(f"/hits/{hit}").text
    assert 'id="decision"' not in lin.get(f"/hits/{hit}").text
    assert _state(staffed, hit) == "claimed"


def test_lapsed_claim_can_be_taken_over(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    officer("chen").post(f"/hits/{hit}/claim")
    clock.forward(minutes=31)
    assert officer("lin").post(f"/hits/{hit}/claim").status_code == 303


def test_decision_needs_a_reason_and_keeps_what_was_chosen(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    chen = officer("chen")
    chen.post(f"/hits/{hit}/claim")
    answer = chen.post(f"/hits/{hit}/decide", outcome="dismissed", reason=" 误 ")
    assert answer.status_code == 422
    assert "请写明理由" in answer.text
    assert re.search(r'value="dismissed" required checked', answer.text)
    assert _state(staffed, hit) == "claimed"


def test_decision_leads_to_the_next_hit_of_the_same_list(officer: Enter, staffed: Store, clock: Hand) -> None:
    first = seed.add_hit(staffed, now=clock(), serial=1, score=0.99)
    seed.add_hit(staffed, now=clock(), serial=2, score=0.98, sample=EVASIVE)
    third = seed.add_hit(staffed, now=clock(), serial=3, score=0.97)
    chen = officer("chen")
    chen.post(f"/hits/{first}/claim", query="scheme=wealth_mgmt")
    answer = chen.post(f"/hits/{first}/decide", outcome="confirmed", reason=REASON, query="scheme=wealth_mgmt")
    assert answer.headers["location"] == f"/hits/{third}?scheme=wealth_mgmt&done={first}&said=confirmed"
    assert f'已确认涉嫌：#{first} <a href="/hits/{first}">查看 / 撤销</a>' in chen.get(answer.headers["location"]).text
    assert _state(staffed, first) == "confirmed"


def test_undo_reopens_and_the_old_decision_stays_on_record(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    chen = officer("chen")
    chen.post(f"/hits/{hit}/claim")
    chen.post(f"/hits/{hit}/decide", outcome="dismissed", reason="看错了标题")
    assert chen.post(f"/hits/{hit}/reopen", reason="").status_code == 422
    assert chen.post(f"/hits/{hit}/reopen", reason="误排除，重新复核").status_code == 303
    assert _state(staffed, hit) == "open"
    text = chen.get(f"/hits/{hit}").text
    assert "看错了标题" in text
    assert "已由 陈默 撤销" in text


def test_released_hit_is_free_again(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    chen = officer("chen")
    chen.post(f"/hits/{hit}/claim")
    assert chen.post(f"/hits/{hit}/release").headers["location"] == "/queue?said=released"
    assert _state(staffed, hit) == "open"


@pytest.mark.parametrize("name", ["wu", "he", "lian"])
def test_roles_that_do_not_review_cannot(officer: Enter, staffed: Store, clock: Hand, name: str) -> None:
    hit = seed.add_hit(staffed, now=clock())
    one = officer(name)
    assert one.get(f"/hits/{hit}").status_code == 200
    assert one.post(f"/hits/{hit}/claim").status_code == 403
    assert one.post(f"/hits/{hit}/decide", outcome="confirmed", reason=REASON).status_code == 403
    assert _state(staffed, hit) == "open"


def test_decided_hit_cannot_be_decided_again(officer: Enter, staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    chen = officer("chen")
    chen.post(f"/hits/{hit}/claim")
    chen.post(f"/hits/{hit}/decide", outcome="confirmed", reason=REASON)
    again = chen.post(f"/hits/{hit}/decide", outcome="dismissed", reason=REASON)
    assert again.status_code == 409
    assert "已确认" in again.text


@pytest.mark.parametrize("fields", [{}, {"outcome": "illegal", "reason": "x" * 10}, {"outcome": "confirmed", "reason": "x" * 3000}])
def test_misfilled_form_is_refused(officer: Enter, staffed: Store, clock: Hand, fields: dict[str, str]) -> None:
    hit = seed.add_hit(staffed, now=clock())
    assert officer("chen").post(f"/hits/{hit}/decide", **fields).status_code == 422


# ---- cutting the text


def test_pieces_join_to_the_text_and_marks_may_overlap() -> None:
    text = "保本保息年化18%"
    found = [
        {"rule": "a", "start": 0, "end": 6, "weight": 1.0},
        {"rule": "b", "start": 4, "end": 99, "weight": 2.0},
        {"rule": "c", "start": 8, "end": 9, "weight": -1.0},
    ]
    pieces = marks.cut(text, matches=found, contacts=[])
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.rules for piece in pieces] == [("a",), ("b", "a"), ("b",), ("b", "c")]
    assert not any(piece.excuse for piece in pieces)


def test_hiding_keeps_every_offset() -> None:
    text = "电话 13800001234，微信 jin sui"
    hidden = marks.hide(text, [(3, 14), (18, 25)])
    assert hidden == "电话 13*********，微信 ji* ***"
    assert len(hidden) == len(text)


@pytest.mark.parametrize(
    "text", ["加薇信：fanli6677 进群", "+v：fanli6677", "威信 fanli6677", "VX+fanli6677", "联系 fanli6677 吧", "微信fanli6677"]
)
def test_disguised_contacts_are_hidden_too(text: str) -> None:
    hidden = marks.hide(text, marks.contact_spans(text, ["fanli6677"] if "联系" in text else []))
    assert "fanli6677" not in hidden
    assert len(hidden) == len(text)


@pytest.mark.parametrize("text", ["年化18%，投100000元", "本院威信扫地", "2026年11月23日", "Windows系统v2"])
def test_ordinary_words_stay_readable(text: str) -> None:
    assert marks.hide(text, marks.contact_spans(text)) == text


def test_parts_lie_where_the_judged_text_has_them() -> None:
    assert marks.parts("标题", "", ["图一", "图二"]) == [("标题", 0, 2), ("图中文字 1", 3, 5), ("图中文字 2", 6, 8)]
