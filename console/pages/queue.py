"""待复核: what waits for a person, in the order of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request, Response

from console.deps import AtHome, House, Visiting, render
from console.words import GRADES
from domain.states import CHINESE
from store import views
from store.campaignviews import QueueByCampaign
from store.views import QueueFilter

router = APIRouter()
PAGE = 50
REVIEW = 0.5
"""Where the rule pack is broken and nobody knows better."""
STATES = {
    "waiting": "待复核",
    "learn": "待学习（疑难在前）",
    "mine": "我领取的",
    "confirmed": "已确认",
    "dismissed": "已排除",
    "closed": "已办结",
}


def wanted_of(params: Mapping[str, str], *, house: House | None = None) -> QueueFilter:
    """The filter that an address names; values that we do not know are left out. `house` knows from which score a hit opens."""
    review = house.pack.policy.thresholds.review if house and house.pack else REVIEW
    level, grade, state = params.get("level"), params.get("grade"), params.get("state", "waiting")
    kind = QueueByCampaign if params.get("by") == "campaign" else QueueFilter
    return kind(
        level=level if level in ("alert", "review") else None,
        grade=grade if grade in GRADES else None,
        scheme=(params.get("scheme") or "")[:64] or None,
        platform=(params.get("platform") or "")[:64] or None,
        state=state if state in STATES else "waiting",
        review=review,
    )


def query_of(wanted: QueueFilter) -> str:
    """The same filter as a query, empty where nothing is filtered: so that one hit's page knows which list it came from."""
    held = {"level": wanted.level, "grade": wanted.grade, "scheme": wanted.scheme, "platform": wanted.platform}
    pairs = {name: value for name, value in held.items() if value}
    grouped = {"by": "campaign"} if isinstance(wanted, QueueByCampaign) else {}
    return urlencode(pairs | ({"state": wanted.state} if wanted.state != "waiting" else {}) | grouped)


def wanted_from_text(query: str, *, house: House | None = None) -> QueueFilter:
    """The filter of a query carried in a form."""
    return wanted_of(dict(parse_qsl(query[:500])), house=house)


def asked(request: Request, house: AtHome) -> QueueFilter:
    return wanted_of(request.query_params, house=house)


Asked = Annotated[QueueFilter, Depends(asked)]


def _rows(house: House, wanted: QueueFilter, *, officer: str, page: int) -> dict[str, Any]:
    now = house.clock()
    with house.store.read() as conn:
        rows = views.queue(conn, wanted, officer=officer, limit=PAGE, offset=(page - 1) * PAGE)
        total = views.queue_size(conn, wanted, officer=officer)
        names = views.shown_names(conn)
    pages = max(1, -(-total // PAGE))
    return {
        "rows": rows,
        "total": total,
        "page": page,
        "pages": pages,
        "names": names,
        "now": now,
        "wanted": wanted,
        "query": query_of(wanted),
        "grouped": isinstance(wanted, QueueByCampaign),
    }


@router.get("/queue")
def show(request: Request, house: AtHome, visitor: Visiting, wanted: Asked, page: int = 1) -> Response:
    with house.store.read() as conn:
        choices = views.queue_choices(conn)
    values = _rows(house, wanted, officer=visitor.name, page=min(max(page, 1), 10_000))
    return render(request, "queue.html", visitor, choices=choices, states=STATES, grades=GRADES, hit_states=CHINESE["hit"], **values)


@router.get("/queue/rows")
def refresh(request: Request, house: AtHome, visitor: Visiting, wanted: Asked, page: int = 1) -> Response:
    """The rows alone, for the page to renew itself without losing its place."""
    values = _rows(house, wanted, officer=visitor.name, page=min(max(page, 1), 10_000))
    return render(request, "queue_rows.html", visitor, hit_states=CHINESE["hit"], **values)
