"""Leads: from three people's signatures to a receipt, and from feedback to an end."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from domain.errors import EvidenceAltered, IllegalMove, NotPermitted, StoreFault
from domain.settings import Settings
from pipelines import refer, review
from pipelines.channels.base import Channel
from pipelines.channels.folder import FolderChannel
from pipelines.channels.police import PoliceChannel
from pipelines.dispatch import dispatch_due
from pipelines.report import reconcile
from store import tables
from store.archive import Archive
from store.engine import Store
from tests.channels.conftest import TOKEN, WebSink
from tests.pipelines.conftest import House


@pytest.fixture
def linked(house: House, web_sink: tuple[WebSink, str]) -> tuple[House, WebSink]:
    """A house that is joined to a police receiver."""
    sink, url = web_sink
    settings = Settings.model_validate({**house.store.settings.model_dump(), "police_url": url, "police_token": TOKEN})
    return House(Store(house.store.engine, settings), house.now), sink


def send(house: House) -> None:
    channels: dict[str, Channel] = {"folder": FolderChannel(house.store.settings), "police": PoliceChannel(house.store.settings)}
    dispatch_due(house.store, channels, now=house.now, worker="w", limit=20)


def received(house: House) -> int:
    """A lead that the police signed for."""
    lead = house.submitted_lead(channel="police")
    refer.approve(house.store, lead, officer="zhao", now=house.now)
    send(house)
    return lead


def test_a_lead_goes_out_with_letter_and_dossier_and_comes_back_with_a_receipt(linked: tuple[House, WebSink]) -> None:
    house, sink = linked
    lead = house.submitted_lead(channel="police")
    assert house.row("leads", lead).decide_by == house.now + timedelta(days=3)  # type: ignore[attr-defined]
    refer.approve(house.store, lead, officer="zhao", now=house.now)
    assert house.row("leads", lead).refer_by == house.now + timedelta(hours=24)  # type: ignore[attr-defined]
    send(house)
    row = house.row("leads", lead)
    assert (row.state, row.receipt, row.feedback_by) == ("received", "公受〔2026〕1号", house.now + timedelta(days=15))  # type: ignore[attr-defined]
    assert len(sink.bodies) == 1
    dossier = Archive(house.store.settings.archive_dir).read_blob(row.dossier_sha256)  # type: ignore[attr-defined]
    assert dossier in next(iter(sink.bodies.values()))


def test_feedback_is_polled_to_the_end(linked: tuple[House, WebSink]) -> None:
    house, sink = linked
    lead = received(house)
    with httpx.Client() as client:
        assert refer.poll_feedback(house.store, client, now=house.now) == {"feedback/failed": 1}
        assert "channel" in house.open_alarms()
        sink.feedback["公受〔2026〕1号"] = {"status": "verifying", "text": "已分派", "at": "2026-11-24"}
        assert refer.poll_feedback(house.store, client, now=house.now) == {"feedback/verifying": 1}
        assert refer.poll_feedback(house.store, client, now=house.now) == {"feedback/same": 1}
        sink.feedback["公受〔2026〕1号"] = {"status": "filed", "text": "已立案", "at": "2026-11-25"}
        assert refer.poll_feedback(house.store, client, now=house.now) == {"feedback/filed": 1}
        assert refer.poll_feedback(house.store, client, now=house.now) == {}
    assert house.state("leads", lead) == "filed"
    assert house.open_alarms() == set()
    refer.close(house.store, lead, officer="li", reason="已立案侦查", now=house.now)
    assert house.state("leads", lead) == "closed"
    assert house.state("hits", 1) == "closed"


def test_what_the_police_return_goes_on_to_administrative_handling(linked: tuple[House, WebSink]) -> None:
    house, sink = linked
    lead = received(house)
    sink.feedback["公受〔2026〕1号"] = {"status": "returned", "text": "未达立案标准", "at": "2026-11-25"}
    refer.poll_feedback(house.store, now=house.now)
    assert house.state("leads", lead) == "administrative"
    assert "lead_returned" in house.open_alarms()
    assert house.row("leads", lead).feedback["text"] == "未达立案标准"  # type: ignore[attr-defined]
    assert reconcile(house.store, now=house.now).lost == 0
    refer.close(house.store, lead, officer="li", reason="市场监管已处理", now=house.now)
    assert house.open_alarms() == set()


def test_hostile_feedback_moves_nothing(linked: tuple[House, WebSink]) -> None:
    house, sink = linked
    lead = received(house)
    for said in ({"status": "closed"}, {"status": ["filed"]}, {}, [], "filed"):
        sink.feedback["公受〔2026〕1号"] = said
        assert refer.poll_feedback(house.store, now=house.now) == {"feedback/failed": 1}
    assert house.state("leads", lead) == "received"


def test_a_receipt_on_paper_is_entered_by_a_person(house: House) -> None:
    lead = house.submitted_lead()
    refer.approve(house.store, lead, officer="zhao", now=house.now)
    send(house)
    assert house.state("leads", lead) == "referred"
    with pytest.raises(NotPermitted):
        refer.receipt(house.store, lead, number="收1号", officer="wang", now=house.now)
    refer.receipt(house.store, lead, number="收1号", officer="li", now=house.now)
    assert house.row("leads", lead).receipt == "收1号"  # type: ignore[attr-defined]
    assert refer.feedback(house.store, lead, outcome="elsewhere", text="转邻市", officer="li", now=house.now) == "elsewhere"


def test_a_case_transfer_is_not_offered(house: House) -> None:
    with pytest.raises(NotPermitted, match="not offered yet"):
        refer.draft(house.store, [house.confirmed()], officer="wang", kind="case", now=house.now)


def test_only_confirmed_hits_and_known_authorities(house: House) -> None:
    with pytest.raises(StoreFault, match="only confirmed hits"):
        refer.draft(house.store, [house.hit()], officer="wang", now=house.now)
    with pytest.raises(StoreFault, match="no authority 'court'"):
        refer.draft(house.store, [1], officer="wang", authority="court", now=house.now)
    with pytest.raises(StoreFault, match="at least one"):
        refer.draft(house.store, [], officer="wang", now=house.now)


def test_a_hit_belongs_to_one_lead_at_a_time(house: House) -> None:
    hit = house.confirmed()
    lead = house.submitted_lead(hit)
    with pytest.raises(StoreFault, match=f"lead:{lead} gathers it"):
        refer.draft(house.store, [hit], officer="wang", now=house.now)
    with pytest.raises(StoreFault, match=f"lead:{lead} rests on it"):
        review.reopen(house.store, hit, officer="li", reason="看错", now=house.now)
    with pytest.raises(StoreFault, match="no reason"):
        refer.decline(house.store, lead, officer="sun", reason=" ", now=house.now)
    refer.decline(house.store, lead, officer="sun", reason="材料不足", now=house.now)
    assert house.row("leads", lead).why == "材料不足"  # type: ignore[attr-defined]
    assert refer.draft(house.store, [hit], officer="wang", now=house.now) != lead


def test_a_declined_lead_is_prepared_anew_by_two(house: House) -> None:
    lead = house.submitted_lead()
    refer.decline(house.store, lead, officer="sun", reason="材料不足", now=house.now)
    refer.redraft(house.store, lead, officer="li", now=house.now)
    with pytest.raises(NotPermitted, match="one preparer alone"):
        refer.submit(house.store, lead, officer="li", now=house.now)
    refer.second(house.store, lead, officer="wang", now=house.now)
    refer.submit(house.store, lead, officer="wang", now=house.now)
    refer.approve(house.store, lead, officer="sun", now=house.now)
    assert house.state("leads", lead) == "approved"


def test_altered_evidence_is_not_referred(house: House) -> None:
    lead = house.submitted_lead()
    capture = house.row("captures", 1)
    path = house.store.settings.archive_dir / capture.warc  # type: ignore[attr-defined]
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(EvidenceAltered):
        refer.approve(house.store, lead, officer="zhao", now=house.now)
    assert house.state("leads", lead) == "submitted"


def test_every_clock_that_runs_out_alarms(linked: tuple[House, WebSink]) -> None:
    house, _ = linked
    assert refer.overdue(house.store, now=house.now) == 0
    lead = received(house)
    assert refer.overdue(house.store, now=house.now + timedelta(days=15, seconds=1)) == 1
    assert "lead_overdue" in house.open_alarms()
    refer.feedback(house.store, lead, outcome="filed", text="", now=house.now)
    assert house.open_alarms() == set()
    hit = house.confirmed(url="https://forum.example/thread-9", text="保本保息，另一条")
    house.submitted_lead(hit)
    assert refer.overdue(house.store, now=house.now + timedelta(days=3, seconds=1)) == 1


def test_what_is_not_known_yet_is_not_closed(house: House) -> None:
    lead = house.submitted_lead()
    with pytest.raises(IllegalMove):
        refer.close(house.store, lead, officer="li", reason="算了", now=house.now)
    draft = refer.draft(house.store, [house.confirmed(url="https://forum.example/t-8", text="保本保息，八")], officer="wang", now=house.now)
    with pytest.raises(IllegalMove):
        refer.close(house.store, draft, officer="li", reason="算了", now=house.now)
    refer.discard(house.store, draft, officer="wang", reason="重复", now=house.now)
    assert house.state("leads", draft) == "closed"


def test_audit_rows_name_who_did_what(house: House) -> None:
    lead = house.submitted_lead()
    refer.approve(house.store, lead, officer="zhao", now=house.now)
    with house.store.read() as conn:
        rows = conn.execute(tables.audit.select().where(tables.audit.c.subject == f"lead:{lead}").order_by(tables.audit.c.seq)).all()
    assert [(row.actor, row.action) for row in rows] == [
        ("wang", "lead.draft"), ("li", "lead.second"), ("li", "lead.submit"), ("zhao", "lead.approve"),
    ]  # fmt: skip
