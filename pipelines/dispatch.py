"""Dispatch (送达): what a person approved leaves the house, each paper once.

Idempotent channels are simply tried again under the same key. The e-mail channel notes `handed_at` right before the server can take
the mail: a crash after that is doubt, which a person settles, and never a blind second mail.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from domain.clock import Clock
from domain.errors import Doubtful, EvidenceAltered, LeaseLost, Permanent, StoreFault, Transient
from pipelines.channels.base import Attachment, Channel, Parcel
from store import attempts, leads, notices, outbox
from store.archive import Archive
from store.attempts import Leased
from store.engine import Store

log = logging.getLogger(__name__)
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TITLES = {"notice": "预警提示函", "withdrawal": "预警提示函撤回告知函", "lead": "线索通报函"}


@dataclass(slots=True, kw_only=True)
class DispatchReport:
    """What became of the deliveries of one run."""

    delivered: int = 0
    retried: int = 0
    dead: int = 0
    uncertain: int = 0
    lost: int = 0
    """Leases that went to another worker meanwhile: that one counts them."""

    def count(self, state: str) -> None:
        name = {"due": "retried"}.get(state, state)
        setattr(self, name, getattr(self, name) + 1)


def dispatch_due(
    store: Store, channels: Mapping[str, Channel], *, now: datetime, worker: str, limit: int = 20, clock: Clock | None = None
) -> DispatchReport:
    """Send up to `limit` due deliveries, one after the other. `clock` tells the moment of each; without it all carry `now`.

    One delivery's failure never stops the others. Raises only where the store itself fails.
    """
    report, done = DispatchReport(), list[int]()
    for _ in range(limit):
        taken = attempts.lease(store, worker=worker, now=clock() if clock else now, limit=1, but=done)
        if not taken:
            break
        done.append(taken[0].id)
        moment = clock() if clock else now
        state = _send(store, channels, taken[0], now=moment, clock=clock)
        report.count(state)
        log.info(
            "dispatch delivery=%d channel=%s subject=%s:%d state=%s",
            taken[0].id,
            taken[0].channel,
            taken[0].subject,
            taken[0].subject_id,
            state,
        )
    return report


def settle(store: Store, delivery_id: int, *, how: Literal["delivered", "resend", "cancel"], officer: str, now: datetime) -> None:
    """A person says what becomes of an uncertain or a dead delivery. See store.outbox.decide."""
    outbox.decide(store, delivery_id, how=how, officer=officer, now=now)


def _send(store: Store, channels: Mapping[str, Channel], leased: Leased, *, now: datetime, clock: Clock | None) -> str:
    """One attempt: the state that it ends in."""
    channel = channels.get(leased.channel)
    if channel is None:
        return attempts.retry(store, leased, error=f"通道 {leased.channel} 未启用；检查设置", now=now)
    try:
        parcel = _parcel(store, leased, now=now)
        receipt = channel.send(parcel)
    except Transient as fault:
        return attempts.retry(store, leased, error=str(fault), now=_after(now, clock), retry_after_s=fault.retry_after_s)
    except Doubtful as fault:
        if channel.idempotent:
            return attempts.retry(store, leased, error=str(fault), now=_after(now, clock))
        return attempts.doubt(store, leased, error=str(fault), now=_after(now, clock))
    except (Permanent, EvidenceAltered, StoreFault) as fault:
        return "lost" if isinstance(fault, LeaseLost) else attempts.die(store, leased, error=str(fault), now=_after(now, clock))
    except Exception as fault:  # a channel's own defect: counted and retried, in doubt where it had begun to hand over
        log.exception("dispatch delivery=%d channel=%s failed", leased.id, leased.channel)
        return attempts.stumble(store, leased, error=f"{type(fault).__name__}: {fault}", now=_after(now, clock))
    return "delivered" if attempts.complete(store, leased, receipt=receipt.as_json(), now=_after(now, clock)) else "lost"


def _after(now: datetime, clock: Clock | None) -> datetime:
    return clock() if clock else now


def _parcel(store: Store, leased: Leased, *, now: datetime) -> Parcel:
    """The paper with its letters, read from the archive and checked against their hashes."""
    archive = Archive(store.settings.archive_dir)
    with store.read() as conn:
        made = _of_lead(conn, leased) if leased.subject == "lead" else _of_notice(conn, leased)
    files = tuple(Attachment(name=name, mime=mime, data=archive.read_blob(sha256)) for name, mime, sha256 in made.pop("files"))
    title = TITLES[leased.subject]
    text = f"{made['addressee']}：\n\n现将《{title}》（{made['number']}）送达你方，内容见附件。\n"
    if leased.subject != "lead":
        # The address in the mail itself: whoever keeps the site finds the page without opening an attachment.
        text += f"网址：{made['fields']['url']}\n"
        text += "本函不是行政处罚，不对有关内容是否违法作出认定。\n"
    text += f"联系方式：{store.settings.office_contact or '见附件'}\n\n{store.settings.office_name}\n"
    return Parcel(
        key=leased.key, subject=leased.subject, address=leased.address, title=title, text=text, attachments=files, at=now,
        hand_over=partial(attempts.hand_over, store, leased, now=now), **made,
    )  # fmt: skip


def _of_notice(conn: Any, leased: Leased) -> dict[str, Any]:
    row = notices.notice(conn, leased.subject_id)
    names = (row.docx_sha256, row.pdf_sha256)
    number = row.number
    if leased.subject == "withdrawal":
        names = (row.body["withdrawal"]["docx"], row.body["withdrawal"]["pdf"])
        number = f"{row.number}（撤回）"
    fields = {
        "url": row.url,
        "platform": row.body["platform"],
        "quotes": row.body["quotes"],
        "page_sha256": row.body["page_sha256"],
        "suspected": True,
    }
    return {"number": number, "addressee": row.addressee, "fields": fields, "files": _letters(*names)}


def _of_lead(conn: Any, leased: Leased) -> dict[str, Any]:
    row = leads.lead(conn, leased.subject_id)
    fields = {
        "suspect": row.suspect, "authority": row.authority, "kind": row.kind, "grade": row.grade, "summary": row.summary, "suspected": True,
        "hits": leads.hit_ids(conn, row.id), "dossier_sha256": row.dossier_sha256, "manifest_sha256": row.body.get("manifest_sha256"),
    }  # fmt: skip
    files = [*_letters(row.docx_sha256, row.pdf_sha256), ("dossier.zip", "application/zip", row.dossier_sha256)]
    return {"number": row.number, "addressee": str(row.body.get("authority_name") or row.authority), "fields": fields, "files": files}


def _letters(docx: str, pdf: str) -> list[tuple[str, str, str]]:
    return [("letter.pdf", "application/pdf", pdf), ("letter.docx", DOCX, docx)]
