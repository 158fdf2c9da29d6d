"""Two-person review: the second officer decides without having seen the first one's decision."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.settings import Settings
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer

Enter = Callable[[str], Officer]
SECRET = "只有初核人写得出的理由"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"two_person_review": True})


@pytest.fixture
def seconding(officer: Enter, staffed: Store, clock: Hand) -> int:
    """A hit that chen confirmed and that waits for another."""
    hit = seed.add_hit(staffed, now=clock())
    chen = officer("chen")
    chen.post(f"/hits/{hit}/claim")
    assert chen.post(f"/hits/{hit}/decide", outcome="confirmed", reason=SECRET).headers["location"].endswith("said=first")
    return hit


def test_first_decision_is_hidden_from_the_second(officer: Enter, seconding: int) -> None:
    for name in ("lin", "zhao", "he"):
        text = officer(name).get(f"/hits/{seconding}").text
        assert SECRET not in text
        assert "confirm_first" not in text
        assert "独立复核" in text
    assert SECRET in officer("chen").get(f"/hits/{seconding}").text


def test_first_officer_cannot_give_the_second_decision(officer: Enter, seconding: int) -> None:
    chen = officer("chen")
    assert 'id="claim"' not in chen.get(f"/hits/{seconding}").text
    assert chen.post(f"/hits/{seconding}/claim").status_code == 403


def test_second_decision_opens_the_record(officer: Enter, seconding: int) -> None:
    lin = officer("lin")
    assert lin.post(f"/hits/{seconding}/claim").status_code == 303
    assert "二次复核（独立）" in lin.get(f"/hits/{seconding}").text
    lin.post(f"/hits/{seconding}/decide", outcome="confirmed", reason="同样认为涉嫌，建议提示")
    text = lin.get(f"/hits/{seconding}").text
    assert SECRET in text
    assert "人工决定：已确认" in text
