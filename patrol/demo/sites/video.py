"""棠影短视频: pages without a word in them until a script has read the JSON behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.clock import for_people
from patrol.demo.life import Shown
from patrol.demo.sites import frame, path_of

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "video"
SIZE = 15


def application(city: City) -> Starlette:
    """`/` the feed and `/v/1001` one video, both drawn by script; `/data/feed.json?page=1`, `/data/v/1001.json` their data."""

    async def front(_request: Request) -> Response:
        return frame.html("video", SITE)

    async def one(request: Request) -> Response:
        known = city.life.find(f"v{request.path_params['number']}") is not None
        return frame.html("video", SITE, status=200 if known else 404)

    async def feed(request: Request) -> Response:
        page = frame.number(request, "page")
        items, pages = frame.part(city.life.shown(SITE), page=page, size=SIZE)
        return JSONResponse({"videos": [_video(item) for item in items], "more": page < pages})

    async def data(request: Request) -> Response:
        item = city.life.find(f"v{request.path_params['number']}")
        return JSONResponse({"videos": [_video(item)] if item else [], "more": False}, status_code=200 if item else 404)

    return frame.application(
        SITE, [Route("/", front), Route("/v/{number:int}", one), Route("/data/feed.json", feed), Route("/data/v/{number:int}.json", data)]
    )


def _video(item: Shown) -> dict[str, Any]:
    number = int(item.number)
    return {
        "href": path_of(item), "title": item.title, "words": item.body, "author": item.author, "at": for_people(item.posted_at),
        "hue": number * 47 % 360, "length": f"{number % 3}:{number * 7 % 60:02d}", "likes": number * 13 % 900,
    }  # fmt: skip
