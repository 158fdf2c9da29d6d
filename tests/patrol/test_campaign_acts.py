"""`wangxun campaigns cut|restore|mute|unmute --json`: what was done and the campaigns that it leaves."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from patrol.cli import main
from pipelines.link import link_new
from store import tables
from store.engine import Store
from tests.console import seed


@pytest.fixture
def tied(store: Store, fixed_now: datetime) -> Store:
    """Two hits with one phone, tied, and an officer who may cut."""
    seed.add_officers(store)
    for serial, sample in enumerate(seed.SAMPLES[:2], 1):
        seed.add_hit(store, now=fixed_now, sample=sample, serial=serial)
    link_new(store, now=fixed_now)
    return store


def act(store: Store, *words: str) -> Any:
    command = ["campaigns", *words, "--officer", "chen", "--reason", "测试所需", "--json"]
    answer = CliRunner().invoke(main, command, env=store.settings.environment(), catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_acts_on_ties_answer_in_json(tied: Store) -> None:
    with tied.read() as connection:
        [first, second] = connection.execute(select(tables.hits.c.campaign_id).order_by(tables.hits.c.id)).scalars()
        tie = (
            connection.execute(select(tables.ties.c.id).where(tables.ties.c.kind == "phone").order_by(tables.ties.c.id)).scalars().all()[-1]
        )
    assert first == second
    assert act(tied, "mute", str(tie)) == {"act": "mute", "tie": tie, "campaigns": [first]}  # the WeChat name holds
    assert act(tied, "unmute", str(tie)) == {"act": "unmute", "tie": tie, "campaigns": [first]}
    parted = act(tied, "cut", "2", "--hit")
    assert (parted["act"], parted["hit"], parted["campaigns"][0], len(parted["campaigns"])) == ("cut", 2, first, 2)
    assert act(tied, "restore", str(tie)) == {"act": "restore", "tie": tie, "campaigns": [first]}
