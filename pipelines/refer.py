"""Refer (线索通报, Track A): two officers prepare a lead, a third approves it, the authority signs for it and says what became of it.

Clocks after 国令310 art 5 (three days to decide, 24 hours to hand over), which the office keeps for leads too; feedback after its own
settings.feedback_days. What the police return goes on to administrative handling at once (arts 10, 13), so that nothing falls between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
from sqlalchemy import Connection, Row

from domain.clock import for_people
from domain.errors import ChannelFault, IllegalMove, NotPermitted, StoreFault
from domain.identity import document_number, idempotency_key
from domain.model import Grade
from domain.settings import Settings
from domain.states import CHINESE
from pipelines.channels.base import TIMEOUT_S
from pipelines.channels.police import feedback as ask_police
from pipelines.letters import clue
from pipelines.letters.letter import plain
from pipelines.letters.names import names, platform_name
from pipelines.letters.render import print_letter
from pipelines.packet.contents import seal
from pipelines.packet.sealed import manifest_hash
from store import alarms, attempts, leads, notices, outbox, powers
from store.archive import Archive
from store.engine import Store
from store.moves import move, writing
from store.serials import next_serial

PREPARERS = ("reviewer", "liaison", "approver")
DECIDE_WITHIN, REFER_WITHIN = timedelta(days=3), timedelta(hours=24)
Feedback = Literal["verifying", "filed", "returned", "elsewhere"]
EVENTS: dict[str, str] = {"verifying": "verify", "filed": "file", "returned": "return", "elsewhere": "elsewhere"}
MACHINE = "machine:feedback"


def draft(
    store: Store, hit_ids: Sequence[int], *, officer: str, authority: str = "police", kind: str = "clue", channel: str | None = None,
    suspect: str | None = None, summary: str = "", now: datetime,
) -> int:  # fmt: skip
    """Gather confirmed hits about one suspect into a draft: the lead's id. `authority` is a slug of rules/authorities.yml.

    Without `channel` police leads go through the police channel where it is set up, others into the folder. Raises NotPermitted for
    kind `case` (a formal transfer needs the power to punish, which is not set up yet), StoreFault for hits that are not confirmed,
    that belong to a lead already, or for an unknown authority.
    """
    if kind != "clue":
        raise NotPermitted(f"lead: kind {kind} is not offered yet; a case transfer (案件移送) needs the power to punish, so push a clue")
    known = names(store.settings.rules_dir).authorities
    if authority not in known:
        raise StoreFault(f"lead: no authority {authority!r}; use one of {', '.join(sorted(known))}")
    if not hit_ids:
        raise StoreFault("lead: no hits given; a lead gathers at least one")
    way = channel or ("police" if authority == "police" and store.settings.police_url else "folder")
    with writing(store) as conn:
        powers.require(conn, officer, *PREPARERS)
        hits = [leads.whole_hit(conn, hit_id) for hit_id in dict.fromkeys(hit_ids)]
        for hit in hits:
            if hit.hit_state != "confirmed":
                raise StoreFault(f"hit:{hit.id}: is {hit.hit_state}; only confirmed hits are referred")
        about = plain(
            suspect or next((name for hit in hits for name in (hit.advertiser, hit.publisher) if name), "") or "身份不明的发布者"
        ).strip()
        columns = {
            "kind": kind, "suspect": about, "authority": authority, "channel": way, "grade": _grade(hits), "summary": plain(summary),
            "body": {"authority_name": known[authority]},
        }  # fmt: skip
        return leads.create(conn, hit_ids=[hit.id for hit in hits], officer=officer, at=now, **columns)


def second(store: Store, lead_id: int, *, officer: str, now: datetime) -> None:
    """Sign as second preparer. Raises NotPermitted for the first one, IllegalMove where it is no draft."""
    with writing(store) as conn:
        powers.require(conn, officer, *PREPARERS)
        row = leads.lead(conn, lead_id)
        if row.state != "draft":
            raise IllegalMove(machine="lead", state=row.state, event="second", allowed=[])
        if officer == row.prepared_by:
            raise NotPermitted(f"lead:{lead_id}: you prepared it; a second officer joins")
        leads.put(conn, lead_id, second_preparer=officer)
        leads.note(conn, lead_id, actor=officer, action="lead.second", at=now)


def submit(store: Store, lead_id: int, *, officer: str, now: datetime) -> None:
    """Lay it before the head, who has three days. Raises NotPermitted for others than its two preparers, or while there is one."""
    with writing(store) as conn:
        powers.require(conn, officer, *PREPARERS)
        row = leads.lead(conn, lead_id)
        if row.second_preparer is None:
            raise NotPermitted(f"lead:{lead_id}: one preparer alone; a second officer joins first")
        if officer not in (row.prepared_by, row.second_preparer):
            raise NotPermitted(f"lead:{lead_id}: you did not prepare it; {row.prepared_by} or {row.second_preparer} submits it")
        move(conn, "lead", lead_id, "submit", actor=officer, at=now, submitted_at=now, decide_by=now + DECIDE_WITHIN)


def approve(store: Store, lead_id: int, *, officer: str, now: datetime) -> int:
    """Sign a submitted lead, seal its dossier, print its letter, and queue it: the delivery's id.

    Raises NotPermitted unless `officer` is an approver who prepared nothing of it, EvidenceAltered where its evidence is no longer
    whole, LetterFault where the letter cannot be printed (then it stays submitted).
    """
    with writing(store) as conn:  # the number, in a short transaction of its own: sealing and printing take long
        row = _signable(conn, lead_id, officer=officer)
        number = row.number
        if number is None:
            year = document_number("线", office="", at=now, serial=0)[2:6]
            serial = next_serial(conn, f"lead-{year}")
            number = document_number("线", office=store.settings.office, at=now, serial=serial)
            leads.put(conn, lead_id, number=number)
    dossier = seal(store, lead_id, now=now)
    manifest = manifest_hash(Archive(store.settings.archive_dir).blob(dossier))
    docx, pdf = _print(store, lead_id, officer=officer, number=number, manifest=manifest, now=now)
    with writing(store) as conn:
        row = _signable(conn, lead_id, officer=officer)
        signed = {
            "approved_by": officer, "approved_at": now, "refer_by": now + REFER_WITHIN, "docx_sha256": docx, "pdf_sha256": pdf,
            # Again, since another approver may have sealed one in the same moment: letter and dossier belong together.
            "dossier_sha256": dossier, "body": {**row.body, "manifest_sha256": manifest},
        }  # fmt: skip
        detail = {"number": number, "dossier": dossier, "manifest": manifest}
        move(conn, "lead", lead_id, "approve", actor=officer, at=now, detail=detail, **signed)
        address = _address(store.settings, row)
        key = idempotency_key("lead", lead_id, row.channel, number)
        return outbox.queue(conn, subject="lead", subject_id=lead_id, channel=row.channel, address=address, key=key, at=now, actor=officer)


def decline(store: Store, lead_id: int, *, officer: str, reason: str, now: datetime) -> None:
    """Refuse a submitted lead, with the reason on record (国令310 art 5). Raises StoreFault without one, NotPermitted as `approve`."""
    if not reason.strip():
        raise StoreFault(f"lead:{lead_id}: no reason given; it goes on record")
    with writing(store) as conn:
        _signable(conn, lead_id, officer=officer)
        move(conn, "lead", lead_id, "decline", actor=officer, at=now, why=reason.strip())


def redraft(store: Store, lead_id: int, *, officer: str, now: datetime) -> None:
    """Take a declined lead up again. The second preparer joins anew."""
    with writing(store) as conn:
        powers.require(conn, officer, *PREPARERS)
        cleared = {"second_preparer": None, "submitted_at": None, "decide_by": None, "prepared_by": officer}
        move(conn, "lead", lead_id, "redraft", actor=officer, at=now, **cleared)  # type: ignore[arg-type]


def discard(store: Store, lead_id: int, *, officer: str, reason: str, now: datetime) -> None:
    """Drop a draft, with the reason on record; its hits are free again."""
    with writing(store) as conn:
        powers.require(conn, officer, *PREPARERS)
        move(conn, "lead", lead_id, "discard", actor=officer, at=now, why=reason.strip())


def receipt(store: Store, lead_id: int, *, number: str, officer: str, now: datetime) -> None:
    """Enter the receipt (回执) that came on paper, for a lead that went out by folder or webhook."""
    if not number.strip():
        raise StoreFault(f"lead:{lead_id}: no receipt number given")
    with writing(store) as conn:
        powers.require(conn, officer, "liaison", "approver")
        attempts.note_receipt(conn, lead_id, number=plain(number).strip(), store=store, actor=officer, now=now)


def feedback(store: Store, lead_id: int, *, outcome: Feedback, text: str, now: datetime, officer: str = MACHINE) -> str:
    """Note what the receiver says: the lead's new state. The same word twice changes nothing but the text.

    A returned lead goes on to administrative handling at once, with an alarm for the person who now takes it.
    """
    with writing(store) as conn:
        if officer != MACHINE:
            powers.require(conn, officer, "liaison", "approver")
        row = leads.lead(conn, lead_id)
        said = {"outcome": outcome, "text": plain(text)[:4000], "at": now.isoformat()}
        if row.feedback and (row.feedback["outcome"], row.feedback["text"]) == (said["outcome"], said["text"]):
            return str(row.state)
        if outcome == "verifying" and row.state == "verifying":
            leads.put(conn, lead_id, feedback=said, feedback_at=now)
            return "verifying"
        state = move(
            conn, "lead", lead_id, EVENTS[outcome], actor=officer, at=now, detail={"outcome": outcome}, feedback=said, feedback_at=now
        )
        alarms.clear(conn, kind="lead_overdue", subject=f"lead:{lead_id}", by=officer, now=now)
        if outcome == "returned":
            state = move(conn, "lead", lead_id, "administrative", actor=officer, at=now, detail={"basis": "国令310 art 10"})
            words = f"线索 {row.number or lead_id} 公安机关不予立案，已转行政处理，请安排人员办理"
            alarms.raise_alarm(conn, kind="lead_returned", subject=f"lead:{lead_id}", text=words, now=now)
        return state


def close(store: Store, lead_id: int, *, officer: str, reason: str, now: datetime) -> None:
    """End a lead whose outcome is known, with its hits. Raises StoreFault without a reason, IllegalMove where nothing is known yet."""
    if not reason.strip():
        raise StoreFault(f"lead:{lead_id}: no reason given; write how it ended")
    with writing(store) as conn:
        powers.require(conn, officer, "liaison", "approver")
        if leads.lead(conn, lead_id).state not in ("filed", "elsewhere", "administrative"):
            raise IllegalMove(machine="lead", state=leads.lead(conn, lead_id).state, event="close", allowed=[])
        move(conn, "lead", lead_id, "close", actor=officer, at=now, why=reason.strip())
        for hit_id in leads.hit_ids(conn, lead_id):
            if leads.whole_hit(conn, hit_id).hit_state == "confirmed":
                move(conn, "hit", hit_id, "close", actor=officer, at=now, detail={"lead": lead_id})
        for kind in ("lead_returned", "lead_overdue"):
            alarms.clear(conn, kind=kind, subject=f"lead:{lead_id}", by=officer, now=now)


def poll_feedback(store: Store, client: httpx.Client | None = None, *, now: datetime, settings: Settings | None = None) -> dict[str, int]:
    """Ask the police receiver about every lead that it signed for and has not settled.

    Counts by outcome (`feedback/verifying` ...), `feedback/same` and `feedback/failed`; one failure never stops the others.
    """
    settings = settings or store.settings
    counts: dict[str, int] = {}
    if settings.police_url is None:
        return counts
    with store.read() as conn:
        rows = leads.awaiting_feedback(conn, channel="police")
    own = client or httpx.Client(timeout=TIMEOUT_S, trust_env=False)
    try:
        for row in rows:
            name = f"feedback/{_ask(store, own, row, settings=settings, now=now)}"
            counts[name] = counts.get(name, 0) + 1
    finally:
        if client is None:
            own.close()
    with writing(store) as conn:
        if counts.get("feedback/failed"):
            text = f"公安接收端未能答复 {counts['feedback/failed']} 条线索的核查情况"
            alarms.raise_alarm(conn, kind="channel", subject="police:feedback", text=text, now=now)
        elif counts:
            alarms.clear(conn, kind="channel", subject="police:feedback", by=MACHINE, now=now)
    return counts


def overdue(store: Store, *, now: datetime) -> int:
    """Raise an alarm for every lead past one of its clocks: how many."""
    with writing(store) as conn:
        rows = leads.overdue(conn, now)
        for row in rows:
            text = f"线索 {row.number or row.id} 处于“{CHINESE['lead'][row.state]}”，已过期限"
            alarms.raise_alarm(conn, kind="lead_overdue", subject=f"lead:{row.id}", text=text, now=now)
    return len(rows)


def _ask(store: Store, client: httpx.Client, row: Row[Any], *, settings: Settings, now: datetime) -> str:
    try:
        said = ask_police(
            client, url=str(settings.police_url), receipt=row.receipt, token=settings.police_token.get_secret_value(), now=now
        )
    except ChannelFault:
        return "failed"
    if row.feedback and (row.feedback["outcome"], row.feedback["text"]) == (said["status"], plain(said["text"])):
        return "same"
    feedback(store, row.id, outcome=said["status"], text=said["text"], now=now)
    return str(said["status"])


def _signable(conn: Connection, lead_id: int, *, officer: str) -> Row[Any]:
    powers.require(conn, officer, "approver")
    row = leads.lead(conn, lead_id)
    if row.state != "submitted":
        raise IllegalMove(machine="lead", state=row.state, event="approve", allowed=[])
    if officer in (row.prepared_by, row.second_preparer):
        raise NotPermitted(f"lead:{lead_id}: you prepared it; another approver decides")
    if row.second_preparer in (None, row.prepared_by):
        raise NotPermitted(f"lead:{lead_id}: two preparers are needed; a second officer joins first")
    return row


def _print(store: Store, lead_id: int, *, officer: str, number: str, manifest: str, now: datetime) -> tuple[str, str]:
    with store.read() as conn:
        row = leads.lead(conn, lead_id)
        hits = [leads.whole_hit(conn, hit_id) for hit_id in leads.hit_ids(conn, lead_id)]
        people = (powers.shown(conn, name) for name in (row.prepared_by, row.second_preparer, officer))
        signers = clue.Signers(**dict(zip(("prepared_by", "second_preparer", "approved_by"), people, strict=True)))
        done = [_measure(letter) for letter in notices.of_hits(conn, [hit.id for hit in hits]) if letter.sent_at]
    letter = clue.compose(
        row, hits, settings=store.settings, names=names(store.settings.rules_dir), number=number, signers=signers, manifest=manifest,
        platforms=[platform_name(store.settings, hit.platform, url=hit.url) for hit in hits], measures=done, at=now,
    )  # fmt: skip
    printed = print_letter(letter, templates=store.settings.dir / "letters")
    archive = Archive(store.settings.archive_dir)
    return archive.put_blob(printed.docx, ".docx"), archive.put_blob(printed.pdf, ".pdf")


def _measure(letter: Row[Any]) -> str:
    return f"已于 {for_people(letter.sent_at)} 向发布者发出预警提示函（{letter.number}），目前状态：{CHINESE['notice'][letter.state]}。"


def _grade(hits: Sequence[Row[Any]]) -> str | None:
    order = [grade.value for grade in Grade]
    return min((hit.grade for hit in hits if hit.grade in order), key=order.index, default=None)


def _address(settings: Settings, row: Row[Any]) -> str:
    known = {"police": settings.police_url, "webhook": settings.webhook_url}
    return str(known.get(row.channel) or row.body.get("authority_name") or row.authority)
