"""棠财早知道, a column that is read by its RSS feed: every other entry whole, the rest a line with a link."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.life import Shown
from patrol.demo.sites import frame, path_of

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "feed"


def whole(item: Shown) -> bool:
    """Whether the feed carries the whole text: of every other entry."""
    return int(item.number[:4]) % 2 == 1


def application(city: City) -> Starlette:
    """`/feed.xml` the feed, `/p/1001.html` one piece, `/` what people see."""

    async def front(_request: Request) -> Response:
        return frame.html("feed_home", SITE, items=city.life.shown(SITE))

    async def feed(_request: Request) -> Response:
        items = [(item, city.address(SITE) + path_of(item), format_datetime(item.posted_at), whole(item)) for item in city.life.shown(SITE)]
        text = frame.render("feed_rss", SITE, items=items, home=city.address(SITE) + "/")
        return Response(text, media_type="application/rss+xml; charset=utf-8")

    async def piece(request: Request) -> Response:
        item = city.life.find(f"f{request.path_params['number']}")
        return frame.html("feed_piece", SITE, item=item) if item else frame.gone(SITE, "文章已删除")

    return frame.application(SITE, [Route("/", front), Route("/feed.xml", feed), Route("/p/{number:int}.html", piece)])
