"""Dispatch: each paper once, back-off, dead letters that alarm, and doubt that a person settles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from domain.errors import Doubtful, IllegalMove, LeaseLost, NotPermitted, Permanent, Transient
from pipelines.channels.base import Parcel, Receipt
from pipelines.channels.email import EmailChannel
from pipelines.dispatch import DispatchReport, dispatch_due, settle
from pipelines.report import reconcile
from store import attempts, audit, tables
from store.archive import Archive
from tests.channels.conftest import MailSink
from tests.pipelines.conftest import House


@dataclass
class Scripted:
    """A channel that does what the test says, one step an attempt, and then takes everything."""

    steps: list[Exception | Receipt] = field(default_factory=list)
    name: str = "email"
    idempotent: bool = False
    hands_over: bool = True
    sent: list[Parcel] = field(default_factory=list)

    def send(self, parcel: Parcel) -> Receipt:
        if self.hands_over and not self.idempotent:
            parcel.hand_over()
        step = self.steps.pop(0) if self.steps else Receipt(number=None, received_at=None, detail={"ok": True})
        if isinstance(step, Exception):
            raise step
        self.sent.append(parcel)
        return step

    def examples(self) -> Sequence[Parcel]:
        return ()


def send(house: House, channel: Scripted, *, after: float = 0, worker: str = "w") -> DispatchReport:
    return dispatch_due(house.store, {channel.name: channel}, now=house.now + timedelta(seconds=after), worker=worker, limit=20)


def delivery(house: House) -> tables.Table:
    return house.row("deliveries", 1)  # type: ignore[return-value]


def test_a_delivered_notice_starts_its_clocks(house: House) -> None:
    notice = house.queued_notice()
    channel = Scripted()
    assert send(house, channel).delivered == 1
    row = house.row("notices", notice)
    assert (row.state, row.sent_at, row.answer_by, row.recheck_at) == (  # type: ignore[attr-defined]
        "sent", house.now, house.now + timedelta(days=7), house.now + timedelta(hours=24),
    )  # fmt: skip
    (parcel,) = channel.sent
    assert [item.name for item in parcel.attachments] == ["letter.pdf", "letter.docx"]
    assert "不是行政处罚" in parcel.text
    assert send(house, channel).delivered == 0
    with house.store.read() as conn:
        assert audit.verify(conn)[1] == []


def test_attempts_wait_twice_as_long_each_time_and_then_die_with_an_alarm(house: House) -> None:
    notice = house.queued_notice()
    channel = Scripted(steps=[Transient("忙")] * 50)
    waits, after = [], 0.0
    while house.state("deliveries", 1) == "due":
        send(house, channel, after=after)
        row = house.row("deliveries", 1)
        if row.state == "due":  # type: ignore[attr-defined]
            waits.append((row.next_at - house.now).total_seconds() - after)  # type: ignore[attr-defined]
            after += waits[-1]
    assert waits == [30, 60, 120, 240, 480, 960, 1920]
    assert house.state("deliveries", 1) == "dead"
    assert house.state("notices", notice) == "failed"
    assert {"dead_letter", "channel"} <= house.open_alarms()
    with pytest.raises(NotPermitted):
        settle(house.store, 1, how="resend", officer="wang", now=house.now)
    settle(house.store, 1, how="resend", officer="zhao", now=house.now)
    assert house.state("notices", notice) == "queued"
    channel.steps.clear()
    assert send(house, channel).delivered == 1
    assert house.state("notices", notice) == "sent"
    assert house.open_alarms() == set()


def test_waits_end_at_an_hour(house: House) -> None:
    house.queued_notice()
    leased = attempts.lease(house.store, worker="w", now=house.now)[0]
    tired = attempts.Leased(**{name: getattr(leased, name) for name in leased.__slots__} | {"attempts": 7})
    slow = house.store.settings.model_copy(update={"backoff_s": 1000.0})
    house.store.settings = slow
    assert attempts.retry(house.store, tired, error="忙", now=house.now) == "due"
    assert house.row("deliveries", 1).next_at == house.now + timedelta(hours=1)  # type: ignore[attr-defined]


def test_what_the_receiver_asks_is_honoured_within_reason(house: House) -> None:
    house.queued_notice()
    channel = Scripted(steps=[Transient("429", retry_after_s=600), Transient("429", retry_after_s=1), Transient("429", retry_after_s=1e9)])
    send(house, channel)
    assert house.row("deliveries", 1).next_at == house.now + timedelta(seconds=600)  # type: ignore[attr-defined]
    assert send(house, channel, after=599) == DispatchReport()
    send(house, channel, after=600)
    assert house.row("deliveries", 1).next_at == house.now + timedelta(seconds=660)  # type: ignore[attr-defined]
    send(house, channel, after=700)
    assert house.row("deliveries", 1).next_at == house.now + timedelta(seconds=700 + 86_400)  # type: ignore[attr-defined]


def test_a_final_refusal_is_a_dead_letter_at_once(house: House) -> None:
    notice = house.queued_notice()
    assert send(house, Scripted(steps=[Permanent("550 no such mailbox")])).dead == 1
    assert house.state("notices", notice) == "failed"
    assert "550" in house.row("deliveries", 1).last_error  # type: ignore[attr-defined]


def test_a_worker_that_died_before_handing_over_is_simply_followed(house: House) -> None:
    house.queued_notice()
    attempts.lease(house.store, worker="dead", now=house.now)
    channel = Scripted()
    assert send(house, channel, after=10).delivered == 0
    assert send(house, channel, after=301).delivered == 1


def test_a_worker_that_died_while_handing_over_leaves_doubt_and_no_second_mail(house: House) -> None:
    notice = house.queued_notice()
    leased = attempts.lease(house.store, worker="dead", now=house.now)[0]
    attempts.hand_over(house.store, leased, now=house.now)
    channel = Scripted()
    for after in (10, 301, 4000, 90_000):
        assert send(house, channel, after=after).delivered == 0
    assert house.state("deliveries", 1) == "uncertain"
    assert "delivery_uncertain" in house.open_alarms()
    assert house.state("notices", notice) == "queued"
    assert reconcile(house.store, now=house.now).lost == 0


@pytest.mark.parametrize(("how", "mails", "state"), [("delivered", 0, "sent"), ("resend", 1, "sent"), ("cancel", 0, "failed")])
def test_a_person_settles_doubt(house: House, how: str, mails: int, state: str) -> None:
    notice = house.queued_notice()
    channel = Scripted(steps=[Doubtful("cut")])
    assert send(house, channel).uncertain == 1
    with pytest.raises(NotPermitted):
        settle(house.store, 1, how=how, officer="wang", now=house.now)  # type: ignore[arg-type]
    settle(house.store, 1, how=how, officer="li", now=house.now)  # type: ignore[arg-type]
    send(house, channel, after=1)
    assert len(channel.sent) == mails
    assert house.state("notices", notice) == state
    assert "delivery_uncertain" not in house.open_alarms()


def test_what_is_not_in_doubt_is_not_settled(house: House) -> None:
    house.queued_notice()
    with pytest.raises(IllegalMove):
        settle(house.store, 1, how="delivered", officer="li", now=house.now)
    send(house, Scripted())
    for how in ("delivered", "resend", "cancel"):
        with pytest.raises(IllegalMove):
            settle(house.store, 1, how=how, officer="li", now=house.now)  # type: ignore[arg-type]


def test_a_slow_worker_whose_lease_went_on_sends_nothing(house: House) -> None:
    house.queued_notice()
    slow = attempts.lease(house.store, worker="slow", now=house.now)[0]
    quick = attempts.lease(house.store, worker="quick", now=house.now + timedelta(seconds=301))[0]
    with pytest.raises(LeaseLost):
        attempts.hand_over(house.store, slow, now=house.now + timedelta(seconds=302))
    assert attempts.retry(house.store, slow, error="晚了", now=house.now) == "lost"
    attempts.hand_over(house.store, quick, now=house.now + timedelta(seconds=303))
    assert attempts.complete(house.store, quick, receipt={"ok": 1}, now=house.now + timedelta(seconds=304))


def test_a_receipt_that_comes_after_the_doubt_ends_it(house: House) -> None:
    notice = house.queued_notice()
    slow = attempts.lease(house.store, worker="slow", now=house.now)[0]
    attempts.hand_over(house.store, slow, now=house.now)
    attempts.lease(house.store, worker="quick", now=house.now + timedelta(seconds=301))
    assert house.state("deliveries", 1) == "uncertain"
    assert attempts.complete(house.store, slow, receipt={"ok": 1}, now=house.now + timedelta(seconds=302))
    assert house.state("notices", notice) == "sent"
    assert house.open_alarms() == set()


def test_two_receipts_of_one_key_count_once(house: House) -> None:
    house.queued_notice(channel="webhook")
    slow = attempts.lease(house.store, worker="slow", now=house.now)[0]
    quick = attempts.lease(house.store, worker="quick", now=house.now + timedelta(seconds=301))[0]
    assert attempts.complete(house.store, quick, receipt={"number": "1"}, now=house.now)
    assert not attempts.complete(house.store, slow, receipt={"number": "1"}, now=house.now)


def test_a_channel_that_breaks_stops_nobody(house: House) -> None:
    house.queued_notice()
    house.queued_notice(url="https://forum.example/thread-2", text="第二条，保本保息，年化收益20%")
    broken = Scripted(steps=[ZeroDivisionError("defect")], idempotent=True)
    report = send(house, broken)
    assert (report.retried, report.delivered) == (1, 1)


def test_a_non_idempotent_channel_that_breaks_after_handing_over_is_in_doubt(house: House) -> None:
    house.queued_notice()
    assert send(house, Scripted(steps=[ZeroDivisionError("defect")])).uncertain == 1


def test_a_channel_that_is_switched_off_waits_with_an_alarm(house: House) -> None:
    house.queued_notice()
    assert dispatch_due(house.store, {}, now=house.now, worker="w", limit=5).retried == 1
    assert "channel" in house.open_alarms()


def test_an_altered_letter_is_not_sent(house: House) -> None:
    notice = house.queued_notice()
    path = Archive(house.store.settings.archive_dir).blob(house.row("notices", notice).pdf_sha256)  # type: ignore[attr-defined]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")
    channel = Scripted()
    assert send(house, channel).dead == 1
    assert channel.sent == []


def test_a_notice_arrives_at_a_real_mail_server(house: House, mail_sink: tuple[MailSink, int], tmp_path: Path) -> None:
    sink, port = mail_sink
    notice = house.queued_notice()
    channel = EmailChannel(house.store.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port}))
    assert dispatch_due(house.store, {"email": channel}, now=house.now, worker="w").delivered == 1
    (mail,) = sink.mails
    assert mail["To"] == "editor@forum.example"
    with house.store.read() as conn:
        row = conn.execute(select(tables.deliveries)).one()
    assert row.receipt["message_id"] == mail["Message-ID"]
    assert row.handed_at == house.now
    assert house.state("notices", notice) == "sent"
