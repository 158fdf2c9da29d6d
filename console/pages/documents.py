"""文书: warnings and leads with their states; drafting, approving, answers, and taking copies out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import FileResponse

from console.auth import Visitor
from console.deps import Acting, AtHome, House, Refusal, Visiting, back_to, render, require, speaking
from domain.states import CHINESE
from pipelines import dispatch, refer, warn
from store import papers, views

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=2**62)]
Words = Annotated[str, Form(max_length=4000)]
SHORTEST = 4
"""Characters of a reason: fewer explain nothing."""
MIME = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "dossier": "application/zip",
}
SUFFIX = {"docx": "docx", "pdf": "pdf", "dossier": "zip"}


@router.get("/documents")
def show(request: Request, house: AtHome, visitor: Visiting, tab: str = "notices", state: str = "") -> Response:
    tab = tab if tab in ("notices", "leads") else "notices"
    states = CHINESE["notice" if tab == "notices" else "lead"]
    state = state if state in states else ""
    with house.store.read() as conn:
        rows = papers.notice_list(conn, state=state or None) if tab == "notices" else papers.lead_list(conn, state=state or None)
        names = views.shown_names(conn)
    return render(request, "documents.html", visitor, tab=tab, rows=rows, states=states, chosen=state, names=names)


@router.get("/notices/{number}")
def notice(request: Request, house: AtHome, visitor: Visiting, number: Number) -> Response:
    with house.store.read() as conn:
        row = papers.notice(conn, number)
        if row is None:
            raise Refusal("没有这份预警提示函。", status=404)
        values: dict[str, Any] = {
            "row": row,
            "hit": views.hit(conn, row.hit_id),
            "sent": papers.deliveries_of(conn, "notice", number),
            "names": views.shown_names(conn),
            "log": views.audit_of(conn, f"notice:{number}"),
        }
    letter: Any = row.body.get("letter")  # as it was signed; only a draft is composed anew
    if row.state == "draft":
        with speaking():
            letter = warn.preview(house.store, number, now=house.clock())
    return render(request, "notice.html", visitor, own=row.drafted_by == visitor.name, letter=letter, **values)


@router.get("/leads/{number}")
def lead(request: Request, house: AtHome, visitor: Visiting, number: Number) -> Response:
    with house.store.read() as conn:
        row = papers.lead(conn, number)
        if row is None:
            raise Refusal("没有这条线索。", status=404)
        values: dict[str, Any] = {
            "row": row,
            "members": papers.lead_members(conn, number),
            "sent": papers.deliveries_of(conn, "lead", number),
            "names": views.shown_names(conn),
            "log": views.audit_of(conn, f"lead:{number}"),
        }
    return render(request, "lead.html", visitor, own=visitor.name in (row.prepared_by, row.second_preparer), **values)


@router.post("/hits/{number}/notice")
def draft_notice(
    house: AtHome,
    visitor: Acting,
    number: Number,
    channel: Annotated[Literal["email", "webhook", "folder"], Form()] = "email",
    address: Annotated[str, Form(max_length=320)] = "",
) -> Response:
    """A first draft of the warning, filled from a confirmed hit."""
    require(visitor, "draft")
    with speaking():
        made = warn.draft(house.store, number, officer=visitor.name, channel=channel, address=address.strip() or None, now=house.clock())
    return back_to(f"/notices/{made}", said="drafted")


@router.post("/hits/{number}/lead")
def draft_lead(
    house: AtHome,
    visitor: Acting,
    number: Number,
    authority: Annotated[str, Form(max_length=64)],
    suspect: Annotated[str, Form(max_length=200)] = "",
    summary: Annotated[str, Form(max_length=2000)] = "",
    others: Annotated[Sequence[int], Form()] = (),
) -> Response:
    """A lead from a confirmed hit and those of its campaign that were ticked."""
    require(visitor, "draft")
    if house.authorities and authority not in house.authorities:
        raise Refusal("请选择接收单位。", status=422)
    with speaking():
        made = refer.draft(
            house.store,
            list(dict.fromkeys([number, *others]))[:200],
            officer=visitor.name,
            authority=authority,
            suspect=suspect.strip() or None,
            summary=summary.strip(),
            now=house.clock(),
        )
    return back_to(f"/leads/{made}", said="drafted")


@router.post("/notices/{number}/approve")
def approve_notice(house: AtHome, visitor: Acting, number: Number) -> Response:
    """Sign a warning. Who drafted it cannot."""
    require(visitor, "approve")
    with house.store.read() as conn:
        row = papers.notice(conn, number)
    if row is not None and row.drafted_by == visitor.name:
        raise Refusal("拟稿人不能签发自己起草的函件，请由另一名审批人签发。", status=403)
    with speaking():
        warn.approve(house.store, number, officer=visitor.name, now=house.clock())
    return back_to(f"/notices/{number}", said="approved")


@router.post("/notices/{number}/withdraw")
def withdraw_notice(house: AtHome, visitor: Acting, number: Number, reason: Words = "") -> Response:
    require(visitor, "draft")
    if len(reason.strip()) < SHORTEST:
        raise Refusal("撤回需写明理由（至少四个字）。", status=422)
    with speaking():
        warn.withdraw(house.store, number, officer=visitor.name, reason=reason.strip(), now=house.clock())
    return back_to(f"/notices/{number}", said="withdrawn")


@router.post("/notices/{number}/answer")
def answer_notice(
    house: AtHome, visitor: Acting, number: Number, kind: Annotated[Literal["acknowledge", "appeal"], Form()], text: Words
) -> Response:
    """Note what the publisher answered: a receipt, or an appeal that stops the rechecks."""
    require(visitor, "answer")
    if len(text.strip()) < SHORTEST:
        raise Refusal("请写明对方答复的内容。", status=422)
    with speaking():
        warn.answer(house.store, number, kind=kind, text=text.strip(), officer=visitor.name, now=house.clock())
    return back_to(f"/notices/{number}", said="answered")


@router.post("/notices/{number}/{act}")
def act_on_notice(
    house: AtHome, visitor: Acting, number: Number, act: Annotated[Literal["reject", "remind", "escalate"], Path()], reason: Words = ""
) -> Response:
    """What an approver may do with an appeal, or with a posting that stands in spite of the warning."""
    require(visitor, "approve")
    store, now, reason = house.store, house.clock(), reason.strip()
    if act == "reject" and len(reason) < SHORTEST:
        raise Refusal("驳回申诉需写明理由，并告知对方。", status=422)
    with speaking():
        if act == "reject":
            warn.reject(store, number, officer=visitor.name, reason=reason, now=now)
        elif act == "remind":
            warn.remind(store, number, officer=visitor.name, now=now)
        else:
            warn.escalate(store, number, officer=visitor.name, now=now)
    return back_to(f"/notices/{number}", said={"reject": "rejected", "remind": "approved", "escalate": "escalated"}[act])


@router.post("/deliveries/{number}/settle")
def settle_delivery(
    house: AtHome, visitor: Acting, number: Number, how: Annotated[Literal["delivered", "resend", "cancel"], Form()],
    subject: Annotated[Literal["notice", "lead", "withdrawal"], Form()], subject_id: Annotated[int, Form(ge=1)],
) -> Response:  # fmt: skip
    """What a person found out about a delivery in doubt, or wants of a dead one."""
    require(visitor, "settle")
    with speaking():
        dispatch.settle(house.store, number, how=how, officer=visitor.name, now=house.clock())
    return back_to(f"/{'leads' if subject == 'lead' else 'notices'}/{subject_id}", said="settled")


LeadAct = Literal["second", "submit", "approve", "decline", "redraft", "discard", "receipt", "feedback", "close"]
NEEDS: dict[str, str] = {"approve": "approve", "decline": "approve", "receipt": "settle", "feedback": "settle", "close": "settle"}
SAID: dict[str, str] = {
    "second": "seconded", "submit": "submitted", "approve": "lead_approved", "decline": "declined", "redraft": "drafted",
    "discard": "withdrawn", "receipt": "answered", "feedback": "fed_back", "close": "closed",
}  # fmt: skip


@router.post("/leads/{number}/{act}")
def act_on_lead(
    house: AtHome, visitor: Acting, number: Number, act: Annotated[LeadAct, Path()], reason: Words = "",
    outcome: Annotated[Literal["verifying", "filed", "returned", "elsewhere"], Form()] = "verifying",
) -> Response:  # fmt: skip
    """One step of a lead: countersign, submit, approve or decline, the receiver's receipt and feedback, the end."""
    with house.store.read() as conn:
        row = papers.lead(conn, number)
    if row is None:
        raise Refusal("没有这条线索。", status=404)
    require(visitor, NEEDS.get(act, "draft"))
    _check_lead(visitor.name, row, act, reason.strip())
    store, now, officer, reason = house.store, house.clock(), visitor.name, reason.strip()
    plain = {"second": refer.second, "submit": refer.submit, "approve": refer.approve, "redraft": refer.redraft}
    reasoned = {"decline": refer.decline, "discard": refer.discard, "close": refer.close}
    with speaking():
        if act in plain:
            plain[act](store, number, officer=officer, now=now)
        elif act in reasoned:
            reasoned[act](store, number, officer=officer, reason=reason, now=now)
        elif act == "receipt":
            refer.receipt(store, number, number=reason, officer=officer, now=now)
        else:
            refer.feedback(store, number, outcome=outcome, text=reason, officer=officer, now=now)
    return back_to(f"/leads/{number}", said=SAID[act])


def _check_lead(officer: str, row: Any, act: str, reason: str) -> None:
    """What an officer should be told in plain words before the stages refuse: who may, and what is missing."""
    if act == "second" and officer == row.prepared_by:
        raise Refusal("第二承办人须为另一名工作人员。", status=403)
    if act in ("approve", "decline") and officer in (row.prepared_by, row.second_preparer):
        raise Refusal("承办人不能审批自己办理的线索，请由另一名审批人审批。", status=403)
    if act == "submit" and not row.second_preparer:
        raise Refusal("须有两名承办人：请先由另一名工作人员会签。")
    if act == "submit" and officer not in (row.prepared_by, row.second_preparer):
        raise Refusal("须由承办人提交审批。", status=403)
    if act in ("decline", "discard", "close") and len(reason) < SHORTEST:
        raise Refusal("请写明理由（至少四个字）。", status=422)
    if act == "receipt" and not reason:
        raise Refusal("请填写回执编号。", status=422)


@router.get("/notices/{number}/{part}")
def notice_file(house: AtHome, visitor: Visiting, number: Number, part: Literal["docx", "pdf"]) -> Response:
    with house.store.read() as conn:
        row = papers.notice(conn, number)
    return _file(house, visitor, row, kind="notice", number=number, part=part, title="预警提示函")


@router.get("/leads/{number}/{part}")
def lead_file(house: AtHome, visitor: Visiting, number: Number, part: Literal["docx", "pdf", "dossier"]) -> Response:
    with house.store.read() as conn:
        row = papers.lead(conn, number)
    return _file(house, visitor, row, kind="lead", number=number, part=part, title="证据卷" if part == "dossier" else "线索函")


def _file(house: House, visitor: Visitor, row: Any, *, kind: str, number: int, part: str, title: str) -> Response:
    """A rendered paper as a download; each copy taken out is audited."""
    require(visitor, "export")
    digest = getattr(row, f"{part}_sha256", None) if row is not None else None
    with speaking():
        path = house.archive.blob(digest) if digest else None
    if path is None or not path.is_file():
        raise Refusal("该文件尚未生成：签发或批准后生成。", status=404)
    views.note(
        house.store,
        officer=visitor.name,
        action=f"{kind}.exported",
        subject=f"{kind}:{number}",
        now=house.clock(),
        detail={"part": part, "sha256": digest},
    )
    name = f"{title}-{row.number or number}.{SUFFIX[part]}".replace("/", "-")
    return FileResponse(path, media_type=MIME[part], filename=name, headers={"cache-control": "no-store"})
