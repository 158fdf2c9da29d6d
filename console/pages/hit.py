"""One hit: everything an officer needs to decide, and the deciding."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response

from console import beside, boxes, marks
from console.auth import Visitor
from console.deps import Acting, AtHome, House, Refusal, Visiting, back_to, render, require, speaking
from console.pages.queue import Asked, query_of, wanted_from_text
from console.pictures import sniff
from domain.clock import for_people
from domain.errors import EvidenceAltered, PatrolError
from pipelines import review
from store import overlays, papers, photos, pictures, views

router = APIRouter()
HitId = Annotated[int, Path(ge=1, le=2**62)]
Query = Annotated[str, Form(max_length=500)]
MIN_REASON = 4
"""Characters: 「广告」 alone explains nothing to whoever reads it in a year."""


def _whole(row: Any) -> tuple[str, list[str]]:
    """(the judged text, the texts of its pictures)."""
    pictures = [image.get("text", "") for image in row.images if image.get("text")]
    return "\n".join(part for part in (row.title, row.body, *pictures) if part), pictures


def _known(row: Any) -> list[str]:
    """The posting's contacts, normalised and as they are typed in it: what a reason may quote."""
    whole, _ = _whole(row)
    values = [item["value"] for item in row.contacts]
    return list(dict.fromkeys([*values, *(whole[start:end] for start, end in marks.contact_spans(whole, values))]))


def _text_parts(row: Any, *, reveal: bool) -> list[dict[str, Any]]:
    """The judged text in its parts, cut at the marks, contacts hidden unless `reveal`."""
    whole, pictures = _whole(row)
    spans = marks.contact_spans(whole, [item["value"] for item in row.contacts])
    shown = whole if reveal else marks.hide(whole, spans)
    return [
        {"label": label, "pieces": marks.cut(shown, matches=row.matches, contacts=spans, start=start, end=end)}
        for label, start, end in marks.parts(row.title, row.body, pictures)
    ]


def _folds(row: Any, *, reveal: bool) -> list[dict[str, str]]:
    """Matches whose words were disguised: as written, and as read."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    known = _known(row)
    for match in row.matches:
        if match.get("fold") and match["fold"] != match.get("text"):
            pair = {"written": match.get("text", ""), "read": match["fold"]}
            if not reveal:
                pair = {name: marks.hide(text, marks.contact_spans(text, known)) for name, text in pair.items()}
            found.setdefault((match["text"], match["fold"]), {**pair, "rule": match["rule"]})
    return list(found.values())


def _facts(house: House, hit_id: int, *, officer: str, query: str) -> dict[str, Any]:
    """Everything of the store that the page shows. Raises Refusal where there is no such hit."""
    with house.store.read() as conn:
        row = views.hit(conn, hit_id)
        if row is None:
            raise Refusal("没有这个条目。", status=404)
        decided, held_back = views.history(conn, hit_id, state=row.state, officer=officer)
        ids = views.queue_ids(conn, wanted_from_text(query, house=house), officer=officer)
        letters, leads = papers.papers_of(conn, hit_id)
        facts = {
            "row": row,
            "decided": decided,
            "held_back": held_back,
            "letters": letters,
            "leads": leads,
            "relatives": views.relatives(conn, campaign_id=row.campaign_id, but=hit_id),
            "campaign": views.campaign(conn, row.campaign_id),
            "names": views.shown_names(conn),
            "log": views.audit_of(conn, f"hit:{hit_id}"),
        }
    at = ids.index(hit_id) if hit_id in ids else None
    later = ids[at + 1 :] if at is not None else ids
    return facts | {"at": at, "total": len(ids), "before": ids[at - 1] if at else None, "after": later[0] if later else None}


def _page(
    request: Request,
    visitor: Visitor,
    hit_id: int,
    *,
    query: str,
    status: int = 200,
    message: str = "",
    reveal: bool = False,
    outcome: str = "",
    typed: str = "",
) -> Response:
    house: House = request.app.state.house
    now = house.clock()
    facts = _facts(house, hit_id, officer=visitor.name, query=query)
    row = facts["row"]
    held = row.state in ("claimed", "seconding") and row.claimed_by is not None and row.claimed_until > now
    standing = [item.officer for item in facts["decided"] if item.reversed_by is None]
    with house.store.read() as conn:
        views_beside = beside.views_of(conn, hit_id, reveal=reveal, known=_known(row))
        overlay = overlays.of(conn, row.screenshot_sha256) if row.screenshot_sha256 else None
        kinds = pictures.kinds_of(conn, [one["sha256"] for one in row.images if one.get("sha256")])
    values = {
        "beside": views_beside,
        "overlay": overlay,
        "pictured": boxes.pictured(row, kinds=kinds, reveal=reveal, known=_known(row)),
        "photo": photos.told_of(house.archive, row),
        "message": message,
        "query": query,
        "reveal": reveal,
        "parts": _text_parts(row, reveal=reveal),
        "folds": _folds(row, reveal=reveal),
        "known": _known(row),
        "mine": held and row.claimed_by == visitor.name,
        "other": row.claimed_by if held and row.claimed_by != visitor.name else None,
        "own_first": row.state == "seconding" and visitor.name in standing,
        "outcome": outcome or request.query_params.get("outcome", ""),
        "typed": typed,
    }
    return render(request, "hit.html", visitor, status=status, now=now, **facts, **values)


@router.get("/hits/{hit_id}")
def show(request: Request, visitor: Visiting, hit_id: HitId, wanted: Asked) -> Response:
    return _page(request, visitor, hit_id, query=query_of(wanted))


def _holder(house: House, hit_id: int, *, officer: str) -> str:
    """Who holds it, in words, where somebody else does; empty otherwise."""
    with house.store.read() as conn:
        row = views.hit(conn, hit_id)
        names = views.shown_names(conn)
    if row is None or row.state not in ("claimed", "seconding") or row.claimed_by in (None, officer):
        return ""
    until = f"（保留至 {for_people(row.claimed_until)[11:]}）" if row.claimed_until else ""
    return f"{names.get(row.claimed_by, row.claimed_by)} 正在复核此条{until}，请处理下一条；对方释放或到期后可再领取。"


@router.post("/hits/{hit_id}/claim")
def claim(
    request: Request,
    house: AtHome,
    visitor: Acting,
    hit_id: HitId,
    query: Query = "",
    outcome: Literal["", "confirmed", "dismissed"] = Form(""),
) -> Response:
    """Take the hit for oneself. Who comes second is told who holds it and until when."""
    require(visitor, "decide")
    try:
        review.claim(house.store, hit_id, officer=visitor.name, now=house.clock())
    except PatrolError as error:
        holder = _holder(house, hit_id, officer=visitor.name)
        if holder:
            return _page(request, visitor, hit_id, query=query, status=409, message=holder)
        with speaking():
            raise error
    kept = query_of(wanted_from_text(query))
    chosen = f"outcome={outcome}" if outcome else ""
    joined = "&".join(part for part in (kept, chosen) if part)
    return back_to(f"/hits/{hit_id}" + (f"?{joined}" if joined else ""), said=None if outcome else "claimed")


@router.post("/hits/{hit_id}/release")
def release(house: AtHome, visitor: Acting, hit_id: HitId, query: Query = "") -> Response:
    require(visitor, "decide")
    with speaking():
        review.release(house.store, hit_id, officer=visitor.name, now=house.clock())
    kept = query_of(wanted_from_text(query))
    return back_to("/queue" + (f"?{kept}" if kept else ""), said="released")


@router.post("/hits/{hit_id}/decide")
def decide(
    request: Request,
    house: AtHome,
    visitor: Acting,
    hit_id: HitId,
    outcome: Annotated[Literal["confirmed", "dismissed"], Form()],
    reason: Annotated[str, Form(max_length=2000)] = "",
    query: Query = "",
) -> Response:
    """Decide with a reason, then on to the next one of the same list."""
    require(visitor, "decide")
    reason = reason.strip()
    if len(reason) < MIN_REASON:
        return _page(
            request,
            visitor,
            hit_id,
            query=query,
            status=422,
            message="请写明理由（至少四个字），可先选常用理由再修改。",
            outcome=outcome,
            typed=reason,
        )
    wanted = wanted_from_text(query, house=house)
    with house.store.read() as conn:
        ids = views.queue_ids(conn, wanted, officer=visitor.name)
    try:
        review.decide(house.store, hit_id, officer=visitor.name, outcome=outcome, reason=reason, now=house.clock())
    except PatrolError as error:
        with speaking():
            holder = _holder(house, hit_id, officer=visitor.name)
            if not holder:
                raise error
        return _page(request, visitor, hit_id, query=query, status=409, message=holder, outcome=outcome, typed=reason)
    with house.store.read() as conn:
        row = views.hit(conn, hit_id)
    state = row.state if row is not None else ""
    said = {"seconding": "first", "open": "disagree"}.get(state, outcome)
    return back_to(_next(ids, hit_id, kept=query_of(wanted)) + f"done={hit_id}", said=said)


def _next(ids: list[int], hit_id: int, *, kept: str) -> str:
    """The address of the hit after this one in the list, or of the list where it was the last; ends with ? or &."""
    at = ids.index(hit_id) if hit_id in ids else -1
    rest = ids[at + 1 :] or [one for one in ids if one != hit_id]
    path = f"/hits/{rest[0]}" if rest else "/queue"
    return f"{path}?{kept}&" if kept else f"{path}?"


@router.post("/hits/{hit_id}/reopen")
def reopen(
    request: Request, house: AtHome, visitor: Acting, hit_id: HitId, reason: Annotated[str, Form(max_length=2000)] = "", query: Query = ""
) -> Response:
    """Take a decision back; the old one stays in the record, marked."""
    require(visitor, "decide")
    reason = reason.strip()
    if len(reason) < MIN_REASON:
        return _page(request, visitor, hit_id, query=query, status=422, message="撤销决定也需写明理由（至少四个字）。")
    with speaking():
        review.reopen(house.store, hit_id, officer=visitor.name, reason=reason, now=house.clock())
    kept = query_of(wanted_from_text(query))
    return back_to(f"/hits/{hit_id}" + (f"?{kept}" if kept else ""), said="reopened")


@router.post("/hits/{hit_id}/contacts")
def contacts_shown(request: Request, house: AtHome, visitor: Acting, hit_id: HitId, query: Query = "") -> Response:
    """The same page with the promoter's contacts in full: for roles that need them, and written into the audit log first."""
    require(visitor, "contacts")
    views.note(house.store, officer=visitor.name, action="hit.contacts_viewed", subject=f"hit:{hit_id}", now=house.clock())
    return _page(request, visitor, hit_id, query=query, reveal=True)


@router.get("/hits/{hit_id}/pictures/{sha256}")
def picture(house: AtHome, visitor: Visiting, hit_id: HitId, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    """A screenshot or poster of this hit, as a picture and nothing else; each look is audited.

    For roles that need contacts: in a picture they cannot be hidden.
    """
    require(visitor, "contacts")
    with house.store.read() as conn:
        kind = views.picture_of(conn, hit_id, sha256)
        if kind is None and (row := views.hit(conn, hit_id)) is not None:
            kind = beside.picture_kind(conn, hit_id, sha256, screenshot=row.screenshot_sha256)
        capture = views.capture_of_bytes(conn, sha256) if kind == "image" else None
    if kind is None:
        raise Refusal("没有这张图片。", status=404)
    data = _bytes_of(house, sha256, capture)
    mime = sniff(data) if data else None
    if data is None or mime is None:
        raise Refusal("图片未留存或格式不受支持。", status=404)
    views.note(
        house.store,
        officer=visitor.name,
        action="hit.picture_viewed",
        subject=f"hit:{hit_id}",
        now=house.clock(),
        detail={"sha256": sha256},
    )
    headers = {"cache-control": "private, max-age=600", "content-disposition": "inline", "content-security-policy": "default-src 'none'"}
    return Response(data, media_type=mime, headers=headers)


def _bytes_of(house: House, sha256: str, capture: Any) -> bytes | None:
    """The picture's bytes, checked against their hash: a blob, or the body of a capture of its own; None where neither is kept."""
    with suppress(EvidenceAltered):
        return house.archive.read_blob(sha256)
    if capture is None:
        return None
    with speaking():
        return house.archive.read(capture.warc, capture.warc_offset, capture.warc_length, sha256)
