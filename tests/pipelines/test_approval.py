"""No code path sends without approval: this suite tries."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import insert, update

import pipelines
from domain.errors import NotPermitted
from pipelines import refer, warn
from pipelines.channels.folder import FolderChannel
from pipelines.dispatch import DispatchReport, dispatch_due
from store import outbox, tables
from store.outbox import queue
from tests.pipelines.conftest import House


def send(house: House) -> DispatchReport:
    return dispatch_due(house.store, {"folder": FolderChannel(house.store.settings)}, now=house.now, worker="w", limit=20)


def forge(house: House, subject: str, subject_id: int) -> int:
    """A delivery put into the table behind everybody's back."""
    values = {
        "subject": subject, "subject_id": subject_id, "channel": "folder", "address": "x", "idempotency_key": "f" * 40, "state": "due",
        "made_at": house.now, "next_at": house.now,
    }  # fmt: skip
    with house.store.write() as conn:
        made = conn.execute(insert(tables.deliveries).values(**values)).inserted_primary_key
    assert made is not None
    return int(made[0])


def sent(house: House) -> bool:
    return (house.store.settings.dir / "outbox").exists()


def draft(house: House) -> int:
    return warn.draft(house.store, house.confirmed(), officer="wang", channel="folder", now=house.now)


@pytest.mark.parametrize("subject", ["notice", "withdrawal", "lead"])
def test_queueing_an_unapproved_paper_is_refused(house: House, subject: str) -> None:
    paper = draft(house) if subject != "lead" else house.submitted_lead()
    with house.store.write() as conn, pytest.raises(NotPermitted, match="not approved"):
        queue(conn, subject=subject, subject_id=paper, channel="folder", address="x", key="k", at=house.now, actor="wang")


@pytest.mark.parametrize("subject", ["notice", "withdrawal", "lead"])
def test_a_forged_delivery_of_an_unapproved_paper_dies_with_an_alarm(house: House, subject: str) -> None:
    paper = draft(house) if subject != "lead" else house.submitted_lead()
    delivery = forge(house, subject, paper)
    assert send(house).delivered == 0
    assert not sent(house)
    assert house.state("deliveries", delivery) == "dead"
    assert "dead_letter" in house.open_alarms()


def test_a_drafter_who_also_signs_by_a_forged_row_sends_nothing(house: House) -> None:
    notice = draft(house)
    with house.store.write() as conn:
        conn.execute(update(tables.notices).where(tables.notices.c.id == notice).values(state="queued", approved_by="wang"))
    forge(house, "notice", notice)
    send(house)
    assert not sent(house)


def test_a_lead_of_one_preparer_by_a_forged_row_sends_nothing(house: House) -> None:
    lead = house.submitted_lead()
    with house.store.write() as conn:
        changed = {"state": "approved", "approved_by": "zhao", "second_preparer": None}
        conn.execute(update(tables.leads).where(tables.leads.c.id == lead).values(**changed))
    forge(house, "lead", lead)
    send(house)
    assert not sent(house)


def test_a_withdrawn_notice_is_not_sent_by_a_delivery_that_was_left(house: House) -> None:
    notice = house.queued_notice(channel="folder")
    with house.store.write() as conn:
        conn.execute(update(tables.notices).where(tables.notices.c.id == notice).values(state="withdrawn"))
    send(house)
    assert not sent(house)


def test_reviving_a_dead_letter_does_not_approve_it(house: House) -> None:
    delivery = forge(house, "notice", draft(house))
    send(house)
    outbox.revive(house.store, delivery, officer="zhao", now=house.now)
    send(house)
    assert not sent(house)


def test_a_lead_takes_three_people(house: House) -> None:
    hit = house.confirmed()
    lead = refer.draft(house.store, [hit], officer="zhao", channel="folder", now=house.now)
    with pytest.raises(NotPermitted, match="second officer joins"):
        refer.second(house.store, lead, officer="zhao", now=house.now)
    with pytest.raises(NotPermitted, match="one preparer alone"):
        refer.submit(house.store, lead, officer="zhao", now=house.now)
    refer.second(house.store, lead, officer="sun", now=house.now)
    with pytest.raises(NotPermitted, match="did not prepare"):
        refer.submit(house.store, lead, officer="wang", now=house.now)
    refer.submit(house.store, lead, officer="sun", now=house.now)
    for officer in ("zhao", "sun", "wang", "qian", "machine:daemon"):
        with pytest.raises(NotPermitted):
            refer.approve(house.store, lead, officer=officer, now=house.now)
    send(house)
    assert not sent(house)


def test_channels_are_sent_through_by_dispatch_alone() -> None:
    """Only dispatch calls `send`, only signing queues: read from the source, so that a new stage cannot forget it."""
    senders, queuers = set(), set()
    for path in sorted(Path(pipelines.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr == "send" and path.parent.name != "channels":
                    senders.add(path.name)
                if node.func.attr == "queue" and isinstance(node.func.value, ast.Name) and node.func.value.id == "outbox":
                    queuers.add(path.name)
    assert senders == {"dispatch.py"}
    assert queuers == {"warn.py", "refer.py"}
