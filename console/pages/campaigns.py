"""同源线索: what belongs together and why, cutting what does not, and one word for many hits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response

from console.auth import Visitor
from console.deps import Acting, AtHome, House, Visiting, back_to, render, require, speaking, tell
from console.pages.campaign_picture import course, graph
from pipelines import link, linked
from store import campaigns, campaignviews, views

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=2**62)]
Reason = Annotated[str, Form(max_length=2000)]
PAGE = 50
SHOWN = 200
"""Hits in the table; the rest is counted."""
MIN_REASON = 4
Act = Callable[..., Any]
ACTS: dict[str, tuple[Act, str]] = {
    "cut": (link.cut, "tie_cut"),
    "restore": (link.restore, "tie_restored"),
    "mute": (link.mute, "tie_muted"),
    "unmute": (link.unmute, "tie_unmuted"),
}


@router.get("/campaigns")
def show_all(request: Request, house: AtHome, visitor: Visiting, page: int = 1, waiting: int = 0) -> Response:
    """Campaigns of two hits or more, the largest first."""
    page = min(max(page, 1), 10_000)
    with house.store.read() as conn:
        rows = campaignviews.listed(conn, waiting=bool(waiting), limit=PAGE + 1, offset=(page - 1) * PAGE)
    return render(request, "campaigns.html", visitor, rows=rows[:PAGE], more=len(rows) > PAGE, page=page, waiting=bool(waiting))


def _page(
    request: Request,
    house: House,
    visitor: Visitor,
    number: int,
    *,
    status: int = 200,
    message: str = "",
    told: Any = None,
    typed: str = "",
) -> Response:
    with house.store.read() as conn:
        row = campaigns.now_called(conn, number)
        members = campaignviews.members(conn, row.id)
        bonds = campaignviews.bonds(conn, row.id)
        values = {
            "row": row,
            "members": members[:SHOWN],
            "total": len(members),
            "bonds": bonds,
            "ties": campaignviews.own_ties(conn, row.id),
            "cuts": campaignviews.cuts(conn, row.id),
            "merged": campaignviews.merged_here(conn, row.id),
            "names": views.shown_names(conn),
            "log": views.audit_of(conn, f"campaign:{row.id}"),
        }
        near: dict[int, Any] = {}
        for one in campaignviews.nearness(conn, row.id):
            near.setdefault(one.hit_id, one)
    waiting = [one.id for one in members if one.state in views.WAITING]
    picture = {"graph": graph(bonds, [one.id for one in members]), "course": course(members)}
    shared = {(bond.kind, bond.value): bond for bond in bonds}
    return render(
        request, "campaign.html", visitor, status=status, message=message, told=told, typed=typed, near=near, waiting=waiting, tell=tell,
        shared=shared, most=linked.MOST, **picture, **values,
    )  # fmt: skip


@router.get("/campaigns/{number}")
def show(request: Request, house: AtHome, visitor: Visiting, number: Number) -> Response:
    """One campaign; the number of one that went up into another leads there."""
    with speaking(), house.store.read() as conn:
        row = campaigns.now_called(conn, number)
    return back_to(f"/campaigns/{row.id}", said="campaign_moved") if row.id != number else _page(request, house, visitor, number)


@router.post("/campaigns/{number}/decide")
def decide(
    request: Request,
    house: AtHome,
    visitor: Acting,
    number: Number,
    outcome: Annotated[Literal["confirmed", "dismissed"], Form()],
    reason: Reason = "",
    hits: Annotated[list[int] | None, Form(max_length=4000)] = None,
) -> Response:
    """One word and one reason for the chosen hits, each decided by itself; what could not be decided is told with its why."""
    require(visitor, "decide")
    if len(reason.strip()) < MIN_REASON or not hits:
        message = "请至少勾选一条待复核条目。" if not hits else "请写明理由（至少四个字）。"
        return _page(request, house, visitor, number, status=422, message=message, typed=reason)
    with speaking():
        told = linked.decide_campaign(
            house.store, number, officer=visitor.name, outcome=outcome, reason=reason.strip(), now=house.clock(), only=hits
        )
    return _page(request, house, visitor, number, told=told)


@router.post("/campaigns/{number}/ties/{tie}/{act}")
def act_on_tie(
    request: Request,
    house: AtHome,
    visitor: Acting,
    number: Number,
    tie: Number,
    act: Literal["cut", "restore", "mute", "unmute"],
    reason: Reason = "",
) -> Response:
    """Cut a tie, say that its key is everybody's, or take either back; each with a reason, each in the audit log."""
    require(visitor, "decide")
    if len(reason.strip()) < MIN_REASON:
        return _page(request, house, visitor, number, status=422, message="请写明理由（至少四个字）。")
    do, said = ACTS[act]
    with speaking():
        do(house.store, tie, officer=visitor.name, reason=reason, now=house.clock())
    return back_to(f"/campaigns/{number}", said=said)


@router.post("/campaigns/{number}/hits/{hit}/cut")
def cut_hit(request: Request, house: AtHome, visitor: Acting, number: Number, hit: Number, reason: Reason = "") -> Response:
    """Take a hit out of its campaign: all its ties are cut."""
    require(visitor, "decide")
    if len(reason.strip()) < MIN_REASON:
        return _page(request, house, visitor, number, status=422, message="请写明理由（至少四个字）。")
    with speaking():
        link.cut_hit(house.store, hit, officer=visitor.name, reason=reason, now=house.clock())
    return back_to(f"/campaigns/{number}", said="tie_cut")
