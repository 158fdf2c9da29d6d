"""推广页, the pages behind paid results of the search engine: nobody patrols them, they are reached by one hop from a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "landing"


def application(city: City) -> Starlette:
    """`/lp/1001.html` one page; `/` says that there is nothing to list."""

    async def front(_request: Request) -> Response:
        return frame.html("landing_home", SITE)

    async def one(request: Request) -> Response:
        item = city.life.find(f"l{request.path_params['number']}")
        return frame.html("landing_page", SITE, item=item) if item else frame.gone(SITE, "该推广页已下线")

    return frame.application(SITE, [Route("/", front), Route("/lp/{number:int}.html", one)])
