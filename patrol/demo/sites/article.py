"""棠读公号, articles as of a public account, some of which say what they have to say in a poster alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from patrol.demo import poster
from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "article"
SIZE = 20


def application(city: City) -> Starlette:
    """`/album?page=1` all accounts' articles, `/s/1001` one of them, `/poster/1001.png` its picture."""

    async def album(request: Request) -> Response:
        page = frame.number(request, "page")
        items, pages = frame.part(city.life.shown(SITE), page=page, size=SIZE)
        return frame.html("article_album", SITE, items=[(item, frame.excerpt(item, 44)) for item in items], page=page, pages=pages)

    async def article(request: Request) -> Response:
        item = city.life.find(f"a{request.path_params['number']}")
        return frame.html("article_page", SITE, item=item) if item else frame.gone(SITE, "该内容已被发布者删除")

    async def picture(request: Request) -> Response:
        item = city.life.find(f"a{request.path_params['number']}")
        if item is None or item.image is None:
            return frame.gone(SITE)
        try:
            return Response(await run_in_threadpool(poster.draw, item.image), media_type="image/png")
        except poster.FontMissing as error:
            return PlainTextResponse(str(error), status_code=503)

    return frame.application(
        SITE, [Route("/", album), Route("/album", album), Route("/s/{number:int}", article), Route("/poster/{number:int}.png", picture)]
    )
