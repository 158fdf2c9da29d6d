"""碎语, a microblog: its time line comes from a JSON API with a cursor, and the page scrolls without end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.clock import SHANGHAI
from patrol.demo.life import Shown
from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "microblog"
SIZE = 20


def application(city: City) -> Starlette:
    """`/api/timeline?cursor=ID` the time line (from behind that id), `/status/ID` one post, `/` what people see."""

    async def front(_request: Request) -> Response:
        return frame.html("microblog_home", SITE)

    async def timeline(request: Request) -> Response:
        items = city.life.shown(SITE)
        ids = [item.number for item in items]
        cursor = request.query_params.get("cursor", "")
        # A cursor names the last post that was given. If it has been deleted since, the reader starts again.
        begin = ids.index(cursor) + 1 if cursor in ids else 0
        part = items[begin : begin + SIZE]
        more = begin + SIZE < len(items)
        data = {"cards": [_card(item) for item in part], "cursor": part[-1].number if part and more else None}
        return JSONResponse({"ok": 1, "data": data})

    async def status(request: Request) -> Response:
        item = city.life.find(f"m{request.path_params['number']}")
        return frame.html("microblog_status", SITE, item=item) if item else frame.gone(SITE, "该微文已被作者删除")

    return frame.application(SITE, [Route("/", front), Route("/api/timeline", timeline), Route("/status/{number:int}", status)])


def _card(item: Shown) -> dict[str, Any]:
    posted = item.posted_at.astimezone(SHANGHAI)
    return {
        "id": item.number, "text": item.body, "created_at": posted.isoformat(timespec="seconds"), "user": {"name": item.author}, "pics": [],
        "likes": int(item.number) * 7 % 97, "reposts": int(item.number) * 5 % 23,
    }  # fmt: skip
