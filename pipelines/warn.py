"""Warn (预警提示): a person drafts a notice from a confirmed hit, another one signs it, and only then it is queued to be sent.

Going on after a regulator's notice can later count as knowledge (法释〔2019〕15号 art 11), so a notice is exact, provable in delivery,
answerable and withdrawable.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row

from domain.errors import IllegalMove, LeaseLost, NotPermitted, StoreFault
from domain.identity import document_number, idempotency_key
from pipelines.letters import notice as words
from pipelines.letters.letter import Letter, plain
from pipelines.letters.names import platform_name
from pipelines.letters.render import Printed, print_letter
from store import audit, leads, notices, outbox, powers
from store.archive import Archive
from store.engine import Store
from store.moves import move, writing
from store.serials import next_serial

DRAFTERS = ("patroller", "reviewer", "liaison", "approver")
WITHOUT_ADDRESS = {"folder": "书面寄送", "webhook": "平台接口"}
"""Channels that find their receiver by themselves."""


def draft(store: Store, hit_id: int, *, officer: str, channel: str = "email", address: str | None = None, now: datetime) -> int:
    """A draft notice about a confirmed hit: its id. `address` where the page publishes none.

    Raises StoreFault: the hit is not confirmed, another notice about it is in force, or there is no address to send it to.
    """
    with writing(store) as conn:
        powers.require(conn, officer, *DRAFTERS)
        hit = leads.whole_hit(conn, hit_id)
        if hit.hit_state != "confirmed":
            raise StoreFault(f"hit:{hit_id}: is {hit.hit_state}; only a confirmed hit is warned about")
        where = (address or hit.publisher_address or WITHOUT_ADDRESS.get(channel) or "").strip()
        if not where:
            raise StoreFault(f"hit:{hit_id}: the page gives no address of the publisher; give one, or choose the folder channel")
        name = plain(hit.publisher or "").strip()
        addressee = f"“{name}”账号运营者" if name else "上述内容的发布者"
        body = words.fields(hit, platform=platform_name(store.settings, hit.platform, url=hit.url))
        return notices.create(
            conn, hit_id=hit_id, addressee=addressee, channel=channel, address=where, url=hit.url, officer=officer, body=body, at=now
        )


def preview(store: Store, notice_id: int, *, now: datetime) -> Letter:
    """The letter as it would be signed now: what an approver reads before signing."""
    with store.read() as conn:
        row = notices.notice(conn, notice_id)
        return _letter(store, row, number=row.number or "（待编号）", signer=powers.shown(conn, row.approved_by) or "（待签发）", at=now)


def approve(store: Store, notice_id: int, *, officer: str, now: datetime) -> int:
    """Sign a draft, print its letter, and queue it, all or nothing: the delivery's id.

    Raises NotPermitted unless `officer` is an approver and not the drafter, IllegalMove where it is no draft, LetterFault where it
    cannot be printed (then it stays a draft).
    """
    with writing(store) as conn:  # the number, in a short transaction of its own: printing takes long, and a crash must not skip one
        row = _signable(conn, notice_id, officer=officer)
        if row.state != "draft":
            raise IllegalMove(machine="notice", state=row.state, event="approve", allowed=[])
        number = row.number
        if number is None:
            number = _number(conn, store, now=now)
            notices.put(conn, notice_id, number=number)
        signer = powers.shown(conn, officer)
    letter = _letter(store, row, number=number, signer=signer, at=now)
    docx, pdf = _kept(store, print_letter(letter, templates=_templates(store)))
    with writing(store) as conn:
        again = _signable(conn, notice_id, officer=officer)
        if (again.body, again.address, again.channel, again.addressee) != (row.body, row.address, row.channel, row.addressee):
            raise LeaseLost(f"notice:{notice_id}: it was changed meanwhile; read it again")
        signed = _signed(row, letter, officer=officer, docx=docx, pdf=pdf, now=now)
        move(conn, "notice", notice_id, "approve", actor=officer, at=now, detail={"number": number, "pdf": pdf}, **signed)
        move(conn, "notice", notice_id, "queue", actor=officer, at=now)
        return _queue(conn, again, round_=0, officer=officer, now=now)


def remind(store: Store, notice_id: int, *, officer: str, now: datetime) -> int:
    """Send a notice again whose posting still stands: a decision anew, by an approver who did not draft it. The delivery's id."""
    with writing(store) as conn:
        row = _signable(conn, notice_id, officer=officer)
        if row.state != "persists":
            raise IllegalMove(machine="notice", state=row.state, event="remind", allowed=[])
        signer = powers.shown(conn, officer)
    letter = _letter(store, row, number=row.number, signer=signer, at=now, reminder=True)
    docx, pdf = _kept(store, print_letter(letter, templates=_templates(store)))
    with writing(store) as conn:
        signed = _signed(row, letter, officer=officer, docx=docx, pdf=pdf, now=now)
        move(conn, "notice", notice_id, "requeue", actor=officer, at=now, detail={"reminder": True, "pdf": pdf}, **signed)
        return _queue(conn, row, round_=row.rechecks, officer=officer, now=now)


def withdraw(store: Store, notice_id: int, *, officer: str, reason: str, now: datetime) -> None:
    """Take a notice back. An unsent one is cancelled; whoever got a sent one is told by a letter of its own.

    Raises StoreFault without a reason, LeaseLost while it is being sent or its delivery is in doubt, NotPermitted: a draft may be
    discarded by its drafter, all else is an approver's.
    """
    if not reason.strip():
        raise StoreFault(f"notice:{notice_id}: no reason given; write why it is withdrawn")
    with store.read() as conn:
        row = notices.notice(conn, notice_id)
        told = row.sent_at is not None
        signer = powers.shown(conn, officer)
    paper = None
    if told:
        letter = words.withdrawal(
            row.body, settings=store.settings, number=row.number, addressee=row.addressee, reason=plain(reason), signer=signer, at=now
        )
        paper = _kept(store, print_letter(letter, templates=_templates(store)))
    with writing(store) as conn:
        if notices.notice(conn, notice_id).state != row.state:
            raise LeaseLost(f"notice:{notice_id}: it moved on meanwhile; read it again")
        if row.state == "draft" and officer == row.drafted_by:
            powers.require(conn, officer)
        elif told:  # the second pair of eyes holds for the way back too
            _signable(conn, notice_id, officer=officer)
        else:
            powers.require(conn, officer, "approver")
        outbox.cancel_of(conn, subject="notice", subject_id=notice_id, officer=officer, now=now)
        event = "discard" if row.state == "draft" else "withdraw"
        move(conn, "notice", notice_id, event, actor=officer, at=now, detail={"reason": reason.strip()[:500]}, recheck_at=None)
        if paper:
            body = {**row.body, "withdrawal": {"reason": reason.strip(), "docx": paper[0], "pdf": paper[1], "by": officer}}
            notices.put(conn, notice_id, body=body, approved_by=officer)
            key = idempotency_key("withdrawal", notice_id, row.channel, row.address)
            outbox.queue(
                conn, subject="withdrawal", subject_id=notice_id, channel=row.channel, address=row.address, key=key, at=now, actor=officer
            )


def answer(
    store: Store, notice_id: int, *, kind: Literal["acknowledge", "appeal"], text: str, now: datetime, officer: str = "publisher"
) -> None:
    """Record what the publisher wrote: a receipt (签收), or an appeal that stops the rechecks until an approver settles it."""
    with writing(store) as conn:
        if officer != "publisher":
            powers.require(conn, officer)
        row = notices.notice(conn, notice_id)
        said = f"{row.answer}\n\n" if row.answer else ""
        move(conn, "notice", notice_id, kind, actor=officer, at=now, answer=f"{said}{plain(text)}"[:20_000])


def reject(store: Store, notice_id: int, *, officer: str, reason: str, now: datetime) -> None:
    """An approver, not the drafter, finds an appeal unfounded: the notice stands, and its page is looked at again."""
    if not reason.strip():
        raise StoreFault(f"notice:{notice_id}: no reason given; the publisher has a right to it")
    with writing(store) as conn:
        _signable(conn, notice_id, officer=officer)
        again = now + timedelta(hours=store.settings.recheck_hours)
        move(conn, "notice", notice_id, "reject", actor=officer, at=now, detail={"reason": reason.strip()[:500]}, recheck_at=again)


def escalate(store: Store, notice_id: int, *, officer: str, now: datetime) -> None:
    """An approver ends a warning that did not help: the hit goes on as a lead."""
    with writing(store) as conn:
        powers.require(conn, officer, "approver")
        move(conn, "notice", notice_id, "escalate", actor=officer, at=now, recheck_at=None)


def _signable(conn: Connection, notice_id: int, *, officer: str) -> Row[Any]:
    powers.require(conn, officer, "approver")
    row = notices.notice(conn, notice_id)
    if officer == row.drafted_by:
        raise NotPermitted(f"notice:{notice_id}: you drafted it; another approver signs it")
    return row


def _number(conn: Connection, store: Store, *, now: datetime) -> str:
    year = document_number("预", office="", at=now, serial=0)[2:6]
    serial = next_serial(conn, f"notice-{year}")
    return document_number("预", office=store.settings.office, at=now, serial=serial)


def _letter(store: Store, row: Row[Any], *, number: str, signer: str, at: datetime, reminder: bool = False) -> Letter:
    return words.compose(
        row.body,
        settings=store.settings,
        number=number,
        addressee=row.addressee,
        channel=row.channel,
        signer=signer,
        at=at,
        reminder=reminder,
    )


def _signed(row: Row[Any], letter: Letter, *, officer: str, docx: str, pdf: str, now: datetime) -> dict[str, Any]:
    """What signing writes. The words are kept as they were signed: a later program must not show others under this number."""
    body = {**row.body, "letter": letter.as_json()}
    return {"approved_by": officer, "approved_at": now, "docx_sha256": docx, "pdf_sha256": pdf, "body": body}


def _templates(store: Store) -> Any:
    return store.settings.dir / "letters"


def _kept(store: Store, printed: Printed) -> tuple[str, str]:
    archive = Archive(store.settings.archive_dir)
    return archive.put_blob(printed.docx, ".docx"), archive.put_blob(printed.pdf, ".pdf")


def _queue(conn: Connection, row: Row[Any], *, round_: int, officer: str, now: datetime) -> int:
    key = idempotency_key("notice", row.id, row.channel, row.address, round_)
    audit.append(conn, actor=officer, action="notice.sign", subject=f"notice:{row.id}", at=now, detail={"round": round_})
    return outbox.queue(conn, subject="notice", subject_id=row.id, channel=row.channel, address=row.address, key=key, at=now, actor=officer)
