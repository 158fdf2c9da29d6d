"""Two sites that show nothing to the public: one asks for a captcha, one for a login. They are there to be counted, not passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City


def captcha(_city: City) -> Starlette:
    """Every page answers 200 with a captcha, as shop directories do to readers that they do not know."""

    async def ask(_request: Request) -> Response:
        return frame.html("captcha", "captcha")

    return frame.application("captcha", [Route("/", ask), Route("/shops", ask), Route("/shop/{number:int}", ask)])


def login(_city: City) -> Starlette:
    """Every page leads to the login form."""

    async def form(_request: Request) -> Response:
        return frame.html("login", "login")

    async def away(_request: Request) -> Response:
        return RedirectResponse("/passport/login", status_code=302)

    return frame.application("login", [Route("/passport/login", form), Route("/", away), Route("/feed", away)])
