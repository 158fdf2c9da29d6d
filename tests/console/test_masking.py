"""Contacts stay masked for every role that has no need of them, on every page that speaks of a posting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from console.auth import MAY
from store import tables
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer

Enter = Callable[[str], Officer]
PHONE, NAME = "13900009876", "jinsui_8866"
WITHOUT_NEED = ("wu", "he")
"""A patroller and an auditor."""


@pytest.fixture
def hit(staffed: Store, clock: Hand) -> int:
    """A hit that names contacts wherever a text of it can stand."""
    told = f"加薇信：{NAME}，电话{PHONE}"
    sample = seed.Sample(f"保本保息 {told}", f"年化18%，{told}", "wealth_mgmt", "alert", "高危", ())
    number = seed.add_hit(staffed, now=clock(), sample=sample, publisher=f"王经理{PHONE}")
    reason = {"text": f"文中“电话{PHONE}”涉嫌招揽。", "rule": "signs.phone", "start": 0, "end": 2, "articles": []}
    with staffed.write() as conn:
        conn.execute(update(tables.assessments).values(reasons=[reason]))
        conn.execute(update(tables.postings).values(advertiser=f"金穗堂 {PHONE}"))
    return number


def test_the_roles_that_decide_warn_and_refer_are_those_with_need() -> None:
    assert MAY["contacts"] == MAY["decide"] | MAY["draft"] | MAY["settle"] | MAY["answer"]


@pytest.mark.parametrize("name", WITHOUT_NEED)
@pytest.mark.parametrize("path", ["/queue", "/hits/{hit}", "/board", "/documents"])
def test_a_role_without_need_reads_no_contact(officer: Enter, hit: int, name: str, path: str) -> None:
    text = officer(name).get(path.format(hit=hit)).text
    assert PHONE not in text
    assert NAME not in text


@pytest.mark.parametrize("name", ["chen", "zhao", "lian"])
def test_a_role_with_need_reads_all_on_asking(officer: Enter, hit: int, name: str) -> None:
    one = officer(name)
    assert PHONE not in one.get(f"/hits/{hit}").text
    shown = one.post(f"/hits/{hit}/contacts").text
    assert shown.count(PHONE) >= 5
    assert NAME in shown


def test_a_decision_that_names_a_contact_is_masked_too(officer: Enter, hit: int) -> None:
    chen = officer("chen")
    chen.post(f"/hits/{hit}/claim")
    chen.post(f"/hits/{hit}/decide", outcome="confirmed", reason=f"承诺保本，留电话{PHONE}")
    text = officer("wu").get(f"/hits/{hit}").text
    assert PHONE not in text


def test_a_lead_shows_its_words_to_those_with_need_alone(officer: Enter, staffed: Store, hit: int) -> None:
    with staffed.write() as conn:
        conn.execute(update(tables.hits).values(state="confirmed"))
    zhao = officer("zhao")
    made = zhao.post(f"/hits/{hit}/lead", authority="police", summary=f"嫌疑人使用电话{PHONE}")
    assert made.headers["location"].startswith("/leads/1")
    assert PHONE in zhao.get("/leads/1").text
    for name in WITHOUT_NEED:
        assert PHONE not in officer(name).get("/leads/1").text


def test_a_notice_shows_its_addressee_to_those_with_need_alone(officer: Enter, staffed: Store, hit: int) -> None:
    with staffed.write() as conn:
        conn.execute(update(tables.hits).values(state="confirmed"))
    zhao = officer("zhao")
    zhao.post(f"/hits/{hit}/notice", address="guanli@example.cn", channel="email")
    assert PHONE in zhao.get("/notices/1").text
    for name in WITHOUT_NEED:
        shown = officer(name)
        assert PHONE not in shown.get("/notices/1").text
        assert PHONE not in shown.get("/documents").text


@pytest.mark.parametrize("name", WITHOUT_NEED)
def test_a_role_without_need_sees_no_picture(officer: Enter, hit: int, name: str) -> None:
    assert officer(name).get(f"/hits/{hit}/pictures/{'0' * 64}").status_code == 403


def test_papers_leave_the_house_only_by_roles_with_need() -> None:
    assert MAY["export"] <= MAY["contacts"]


def test_a_name_that_a_reason_quotes_by_itself_is_masked(officer: Enter, staffed: Store, clock: Hand) -> None:
    """A rule that matched a contact shows it in its reason, without the word that made it one."""
    sample = seed.Sample("带单", f"实盘截图加我，VX {NAME}，备注论坛", "stock_tips", "alert", "高危", ())
    number = seed.add_hit(staffed, now=clock(), sample=sample, publisher="盘感老刘")
    reason = {"text": f"行情评论夹带联系方式：“{NAME}”，涉嫌招揽。", "rule": "signs.x", "start": 0, "end": 2, "articles": []}
    with staffed.write() as conn:
        conn.execute(update(tables.assessments).values(reasons=[reason]))
    for name in ("wu", "he", "chen"):
        assert NAME not in officer(name).get(f"/hits/{number}").text
