"""白芦人论坛, a Discuz! X forum with the make's own markup: it is patrolled by its home address alone (`like: discuz`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "bbs"
THREADS = 8
"""A page of the board."""


def application(city: City) -> Starlette:
    """`/` the boards, `/forum-2-PAGE.html` one of them, `/thread-TID-1-1.html` a thread with all its floors."""

    async def index(_request: Request) -> Response:
        threads = [item for item in city.life.shown(SITE) if item.post.reply_to is None]
        return frame.html("bbs_index", SITE, total=len(threads))

    async def board(request: Request) -> Response:
        page = int(request.path_params["page"])
        threads = [item for item in city.life.shown(SITE) if item.post.reply_to is None]
        items, pages = frame.part(threads, page=page, size=THREADS)
        if not 1 <= page <= pages:
            return frame.gone(SITE, "抱歉，指定的版块不存在")
        replies = {item.id: len(city.life.floors(item.id)) - 1 for item in items}
        return frame.html("bbs_board", SITE, items=items, replies=replies, page=page, pages=pages)

    async def thread(request: Request) -> Response:
        floors = city.life.floors(f"b{request.path_params['tid']}")
        if not floors or request.path_params["page"] != 1:
            return frame.gone(SITE, "抱歉，指定的主题不存在或已被删除或正在被审核")
        return frame.html("bbs_thread", SITE, first=floors[0], floors=list(enumerate(floors, 1)))

    return frame.application(
        SITE, [Route("/", index), Route("/forum-2-{page:int}.html", board), Route("/thread-{tid:int}-{page:int}-1.html", thread)]
    )
