"""Two sites that show nothing to the public: one asks for a captcha, one for a login. They are there to be counted, not passed.

The second shows its feed to whoever is logged in, as an office with an account of its own may be; the demo has none.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from patrol.demo.sites import frame

if TYPE_CHECKING:
    from patrol.demo.city import City


ACCOUNT, MEMBER = ("office", "demo-only"), "tq_member"
FEED = (
    ("圈内互助理财名额开放", "棠圈互助会本周再放三十个名额，入会保本保息，年化百分之十八，按月返息，拉一位圈友再奖两千元，有意私信群主。"),
    ("周末骑行集合", "周六早上七点半在青棠桥头集合，骑到水库再回来，自备水和头盔，下雨顺延。"),
)
"""What members read: title, text."""


def captcha(_city: City) -> Starlette:
    """Every page answers 200 with a captcha, as shop directories do to readers that they do not know."""

    async def ask(_request: Request) -> Response:
        return frame.html("captcha", "captcha")

    return frame.application("captcha", [Route("/", ask), Route("/shops", ask), Route("/shop/{number:int}", ask)])


def login(_city: City) -> Starlette:
    """Every page leads to the login form; ACCOUNT is let in, with a cookie that lasts as long as the city runs."""
    known: set[str] = set()

    async def form(request: Request) -> Response:
        if request.method == "POST":
            given = parse_qs((await request.body())[:2000].decode("utf-8", "replace"))
            if (given.get("user", [""])[0], given.get("password", [""])[0]) == ACCOUNT:
                token = secrets.token_urlsafe(24)
                known.add(token)
                answer = RedirectResponse("/feed", status_code=303)
                answer.set_cookie(MEMBER, token, httponly=True, samesite="lax")
                return answer
        return frame.html("login", "login")

    async def feed(request: Request) -> Response:
        if request.cookies.get(MEMBER) in known:
            return frame.html("login_feed", "login", pieces=FEED)
        return RedirectResponse("/passport/login", status_code=302)

    async def leave(_request: Request) -> Response:
        known.clear()  # every session ends, as when an account's password is changed
        return RedirectResponse("/passport/login", status_code=302)

    forms = Route("/passport/login", form, methods=["GET", "POST"])
    return frame.application("login", [forms, Route("/passport/leave", leave), Route("/", feed), Route("/feed", feed)])
