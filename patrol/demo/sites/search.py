"""寻寻搜索, a search engine: paid entries first, marked 广告, then what fits the words best."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.life import Shown
from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE = "search"
SIZE = 10


def _fit(item: Shown, query: str) -> int:
    """How many pairs of neighbouring characters of the query stand in the entry."""
    text = item.title + item.body
    return sum(1 for word in query.split() for pair in pairwise(word) if "".join(pair) in text)


def application(city: City) -> Starlette:
    """`/s?q=WORDS&pn=0` results from number pn on, `/go/1001.html` what stands behind an entry."""

    async def front(_request: Request) -> Response:
        return frame.html("search_home", SITE)

    async def results(request: Request) -> Response:
        query, begin = request.query_params.get("q", "")[:80], frame.number(request, "pn", 0)
        # Like its elders it fills its pages with all that it has when little fits.
        found = sorted(city.life.shown(SITE), key=lambda item: (item.post.kind != "ad", -_fit(item, query)))
        return frame.html("search_results", SITE, query=query, items=found[begin : begin + SIZE], total=len(found), begin=begin, size=SIZE)

    async def entry(request: Request) -> Response:
        item = city.life.find(f"s{request.path_params['number']}")
        return frame.html("search_entry", SITE, item=item) if item else frame.gone(SITE, "该推广已下线")

    return frame.application(SITE, [Route("/", front), Route("/s", results), Route("/go/{number:int}.html", entry)])
