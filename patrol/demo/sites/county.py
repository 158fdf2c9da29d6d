"""白芦生活网, a county's news site that nobody wrote selectors for: sections, lists and articles are found from its home."""

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

SITE = "county"
SECTIONS = {"news": "白芦新闻", "life": "便民生活"}
SHOWN_AT_HOME = 3
"""Of each section; the rest stands in its list alone."""


def section_of(item: Shown) -> str:
    """The section that an article stands in: by its number, as an editor of two pages would deal them out."""
    return tuple(SECTIONS)[int(item.number[:4]) % 2]


def application(city: City) -> Starlette:
    """`/` the home, `/list/news/` and `/list/life/` its sections, `/article/1001.html` an article."""

    def of(section: str) -> list[Shown]:
        return [item for item in city.life.shown(SITE) if section_of(item) == section]

    async def home(_request: Request) -> Response:
        return frame.html("county_home", SITE, sections=SECTIONS, parts={name: of(name)[:SHOWN_AT_HOME] for name in SECTIONS})

    async def section(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in SECTIONS:
            return frame.gone(SITE)
        return frame.html("county_list", SITE, sections=SECTIONS, section=name, items=of(name))

    async def article(request: Request) -> Response:
        item = city.life.find(f"k{request.path_params['number']}")
        if item is None:
            return frame.gone(SITE, "文章不存在或已被撤下")
        return frame.html("county_article", SITE, sections=SECTIONS, item=item)

    return frame.application(SITE, [Route("/", home), Route("/list/{name}/", section), Route("/article/{number:int}.html", article)])
