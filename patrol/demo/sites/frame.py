"""What the sites share: templates, missing pages, robots.txt, paging."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from domain.clock import for_people
from patrol.demo.life import Shown
from patrol.demo.postings import SITES
from patrol.demo.sites import path_of

T = TypeVar("T")

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters["when"] = for_people
_pages.filters["path"] = path_of


def render(page: str, site: str, /, **values: Any) -> str:
    """The HTML of `pages/{page}.html`. Every page knows its site's name and the address that notices can be sent to."""
    return _pages.get_template(f"{page}.html").render(site=site, name=SITES[site], mail=f"jubao@{site}.qingtang.example", **values)


def html(page: str, site: str, /, *, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(render(page, site, **values), status_code=status)


def gone(site: str, text: str = "您访问的内容不存在或已被删除") -> Response:
    """The site's page for what is not there, status 404."""
    return html("gone", site, status=404, text=text)


def application(site: str, routes: list[Route]) -> Starlette:
    async def robots(_request: Request) -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /admin/\n")

    async def icon(_request: Request) -> Response:
        return Response(status_code=204)

    async def missing(_request: Request, _error: Exception) -> Response:
        return gone(site)

    shared = [Route("/robots.txt", robots), Route("/favicon.ico", icon)]
    return Starlette(routes=[*routes, *shared], exception_handlers={404: missing})


def part(items: Sequence[T], *, page: int, size: int) -> tuple[Sequence[T], int]:
    """The items of a page (the first is 1), and how many pages there are, 1 or more."""
    pages = max(1, -(-len(items) // size))
    return items[(page - 1) * size : page * size] if page >= 1 else (), pages


def number(request: Request, name: str, default: int = 1) -> int:
    """A whole number from the query, `default` where it is missing or none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default


def excerpt(item: Shown, length: int = 60) -> str:
    return item.body if len(item.body) <= length else item.body[:length] + "……"
