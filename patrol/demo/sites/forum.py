"""棠河论坛, a forum in the manner of Discuz!: board, threads, floors, paging; every floor has an address of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "forum"
THREADS, FLOORS = 20, 4
"""A page of the board, a page of a thread."""


def application(city: City) -> Starlette:
    """`/forum-2-PAGE.html` the board, `/thread-TID-PAGE-1.html` a thread, `/forum.php?...&pid=PID` one floor."""

    async def board(request: Request) -> Response:
        page = int(request.path_params.get("page", 1))
        threads = [item for item in city.life.shown(SITE) if item.post.reply_to is None]
        items, pages = frame.part(threads, page=page, size=THREADS)
        if not 1 <= page <= pages:
            return frame.gone(SITE, "指定的版块不存在")
        replies = {item.id: len(city.life.floors(item.id)) - 1 for item in items}
        return frame.html("forum_board", SITE, items=items, replies=replies, page=page, pages=pages, total=len(threads))

    async def thread(request: Request) -> Response:
        tid, page = request.path_params["tid"], request.path_params["page"]
        floors = city.life.floors(f"t{tid}")
        items, pages = frame.part(floors, page=page, size=FLOORS)
        if not items:
            return frame.gone(SITE, "抱歉，指定的主题不存在或已被删除或正在被审核")
        numbered = [((page - 1) * FLOORS + index, item) for index, item in enumerate(items, 1)]
        return frame.html("forum_thread", SITE, first=floors[0], floors=numbered, page=page, pages=pages, alone=False)

    async def floor(request: Request) -> Response:
        item = city.life.find(f"p{request.query_params.get('pid', '')}")
        if item is None or item.post.reply_to is None:
            return frame.gone(SITE, "抱歉，指定的帖子不存在或已被删除")
        floors = city.life.floors(item.post.reply_to)
        place = [other.id for other in floors].index(item.id) + 1
        return frame.html("forum_thread", SITE, first=floors[0], floors=[(place, item)], page=1, pages=1, alone=True)

    return frame.application(
        SITE,
        [
            Route("/", board),
            Route("/forum-2-{page:int}.html", board),
            Route("/thread-{tid:int}-{page:int}-1.html", thread),
            Route("/forum.php", floor),
        ],
    )
