"""寻寻搜索, a search engine: paid entries first, marked 广告, some of which lead to a page elsewhere; then what fits the words best."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patrol.demo.life import Shown
from patrol.demo.sites import frame, path_of

if TYPE_CHECKING:
    from patrol.demo.city import City

SITE, PAID = "search", "landing"
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
        behind = city.life.shown(PAID)
        paid = {item.id for item in (*behind, *city.life.shown(SITE)) if item.site == PAID or item.post.kind == "ad"}
        found = sorted((*city.life.shown(SITE), *behind), key=lambda item: (item.id not in paid, -_fit(item, query)))
        items = found[begin : begin + SIZE]
        links = {item.id: (city.address(PAID) if item.site == PAID else "") + path_of(item) for item in items}
        snippets = {item.id: frame.excerpt(item, 46) if item.site == PAID else item.body for item in items}
        return frame.html(
            "search_results", SITE, query=query, items=items, links=links, snippets=snippets, paid=paid, total=len(found), begin=begin,
            size=SIZE,
        )  # fmt: skip

    async def entry(request: Request) -> Response:
        item = city.life.find(f"s{request.path_params['number']}")
        return frame.html("search_entry", SITE, item=item) if item else frame.gone(SITE, "该推广已下线")

    return frame.application(SITE, [Route("/", front), Route("/s", results), Route("/go/{number:int}.html", entry)])
