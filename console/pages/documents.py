"""文书: warnings and leads with their states; drafting, approving, answers, and taking copies out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import FileResponse

from console.auth import Visitor
from console.deps import Acting, AtHome, House, Refusal, Visiting, back_to, render, require, speaking
from domain.states import CHINESE
from pipelines import refer, warn
from store import papers, views

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=2**62)]
Words = Annotated[str, Form(max_length=4000)]
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
    return render(request, "notice.html", visitor, own=row.drafted_by == visitor.name, **values)


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
    kind: Annotated[Literal["clue", "case"], Form()] = "clue",
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
            kind=kind,
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
    if len(reason.strip()) < 4:
        raise Refusal("撤回需写明理由（至少四个字）。", status=422)
    with speaking():
        warn.withdraw(house.store, number, officer=visitor.name, reason=reason.strip(), now=house.clock())
    return back_to(f"/notices/{number}", said="withdrawn")


@router.post("/notices/{number}/answer")
def answer_notice(
    house: AtHome, visitor: Acting, number: Number, kind: Annotated[Literal["acknowledge", "appeal"], Form()], text: Words
) -> Response:
    """Note what the publisher answered: a receipt, or an appeal that stops the clock."""
    require(visitor, "answer")
    with speaking():
        warn.answer(house.store, number, kind=kind, text=text.strip(), now=house.clock())
    views.note(
        house.store,
        officer=visitor.name,
        action="notice.answer_entered",
        subject=f"notice:{number}",
        now=house.clock(),
        detail={"kind": kind},
    )
    return back_to(f"/notices/{number}", said="answered")


@router.post("/leads/{number}/{act}")
def act_on_lead(
    house: AtHome,
    visitor: Acting,
    number: Number,
    act: Annotated[Literal["second", "submit", "approve", "decline", "feedback"], Path()],
    reason: Words = "",
    outcome: Annotated[Literal["", "verify", "file", "return", "elsewhere"], Form()] = "",
) -> Response:
    """One step of a lead: countersign, submit, approve or decline, note the receiver's feedback."""
    with house.store.read() as conn:
        row = papers.lead(conn, number)
    if row is None:
        raise Refusal("没有这条线索。", status=404)
    _check_lead(visitor, row, act, reason.strip(), outcome)
    with speaking():
        said = _lead_step(house, visitor.name, number, act, reason=reason.strip(), outcome=outcome)
    return back_to(f"/leads/{number}", said=said)


def _check_lead(visitor: Visitor, row: Any, act: str, reason: str, outcome: str) -> None:
    """What an officer should be told before the stages refuse: who may, and what is missing."""
    require(visitor, {"second": "draft", "submit": "draft", "feedback": "answer"}.get(act, "approve"))
    if act == "second" and visitor.name == row.prepared_by:
        raise Refusal("第二承办人须为另一名工作人员。", status=403)
    if act in ("approve", "decline") and visitor.name in (row.prepared_by, row.second_preparer):
        raise Refusal("承办人不能审批自己办理的线索，请由另一名审批人审批。", status=403)
    if act == "submit" and not row.second_preparer:
        raise Refusal("须有两名承办人：请先由另一名工作人员会签。")
    if act == "decline" and len(reason) < 4:
        raise Refusal("不批准需写明理由（至少四个字）。", status=422)
    if act == "feedback" and not outcome:
        raise Refusal("请选择反馈结果。", status=422)


def _lead_step(house: House, officer: str, number: int, act: str, *, reason: str, outcome: str) -> str:
    store, now = house.store, house.clock()
    if act == "second":
        refer.second(store, number, officer=officer, now=now)
        return "seconded"
    if act == "submit":
        refer.submit(store, number, officer=officer, now=now)
        return "submitted"
    if act == "approve":
        refer.approve(store, number, officer=officer, now=now)
        return "approved"
    if act == "decline":
        refer.decline(store, number, officer=officer, reason=reason, now=now)
        return "declined"
    refer.feedback(store, number, outcome=outcome, text=reason, now=now)
    views.note(store, officer=officer, action="lead.feedback_entered", subject=f"lead:{number}", now=now, detail={"outcome": outcome})
    return "fed_back"


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
