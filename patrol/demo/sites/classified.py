"""棠城同城, classified ads: a paged list and a page for every ad. Some pay for the top and are marked 推广."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.life import Shown
from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "classified"
SIZE = 25


def promoted(item: Shown) -> bool:
    """Whether this ad is marked 推广: every seventh of them, whatever it says."""
    return int(item.number) % 7 == 3


def application(city: City) -> Starlette:
    """`/list?pn=1` the list, `/info/1001.html` one ad."""

    async def listing(request: Request) -> Response:
        page = frame.number(request, "pn")
        everything = sorted(city.life.shown(SITE), key=lambda item: not promoted(item))
        items, pages = frame.part(everything, page=page, size=SIZE)
        marked = {item.id for item in items if promoted(item)}
        shortened = [(item, frame.excerpt(item)) for item in items]
        return frame.html("classified_list", SITE, items=shortened, marked=marked, page=page, pages=pages)

    async def info(request: Request) -> Response:
        item = city.life.find(f"c{request.path_params['number']}")
        if item is None:
            return frame.gone(SITE, "信息已过期或被发布者删除")
        return frame.html("classified_info", SITE, item=item, marked=promoted(item))

    return frame.application(SITE, [Route("/", listing), Route("/list", listing), Route("/info/{number:int}.html", info)])
