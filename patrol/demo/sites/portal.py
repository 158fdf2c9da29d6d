"""青棠在线, a local portal of the old kind: GBK pages, some of which name another encoding than they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "portal"
SIZE = 20


def application(city: City) -> Starlette:
    """`/` and `/news/` lists, `/news/list_2.html` and on further pages, `/news/1001.html` an article."""

    def listing(page: int) -> Response:
        items, pages = frame.part(city.life.shown(SITE), page=page, size=SIZE)
        if not 1 <= page <= pages:
            return frame.gone(SITE)
        newest = city.life.shown(SITE)[:8]
        text = frame.render("portal_list", SITE, items=items, page=page, pages=pages, newest=newest, home=page == 1)
        return _gbk(text, declared="gbk")

    async def front(_request: Request) -> Response:
        return listing(1)

    async def further(request: Request) -> Response:
        return listing(int(request.path_params["page"]))

    async def article(request: Request) -> Response:
        number = request.path_params["number"]
        item = city.life.find(f"n{number}")
        if item is None:
            return frame.gone(SITE)
        # As on many old sites, the header was set by another hand than the pages: every third article declares UTF-8.
        declared = ("gbk", "utf-8", None)[number % 3]
        return _gbk(frame.render("portal_article", SITE, item=item, newest=city.life.shown(SITE)[:8]), declared=declared)

    return frame.application(
        SITE,
        [
            Route("/", front),
            Route("/news/", front),
            Route("/news/list_{page:int}.html", further),
            Route("/news/{number:int}.html", article),
        ],
    )


def _gbk(text: str, *, declared: str | None) -> Response:
    kind = f"text/html; charset={declared}" if declared else "text/html"
    # Response adds a charset of its own to text types, so the header is set as a plain one.
    return Response(text.encode("gbk", "xmlcharrefreplace"), headers={"content-type": kind})
