"""登录: in, out, and the slow door for guessers."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.auth import LOGIN_COOKIE, SESSION_COOKIE, SESSION_S
from console.deps import Acting, AtHome, address_of, back_to, render, same_origin
from store import officers, views

router = APIRouter()


def _local(target: str) -> str:
    """`target` where it is a page of ours, else the start page: a login must not send anybody to another site."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target and target.isprintable()
    return target if fine and not target.startswith(("/login", "/logout")) else "/queue"


def _form(request: Request, *, status: int = 200, message: str = "", name: str = "", target: str = "/queue", wait_s: int = 0) -> Response:
    token = secrets.token_urlsafe(24)
    page = render(request, "login.html", None, status=status, message=message, name=name, target=target, token=token)
    page.set_cookie(
        LOGIN_COOKIE, token, max_age=3600, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/login"
    )
    if wait_s:
        page.headers["retry-after"] = str(wait_s)
    return page


@router.get("/")
def start() -> Response:
    return RedirectResponse("/queue", status_code=303)


@router.get("/login")
def show(request: Request) -> Response:
    return _form(request, target=_local(request.query_params.get("next", "/queue")))


@router.post("/login")
def enter(
    request: Request,
    house: AtHome,
    name: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=256)],
    token: Annotated[str, Form(max_length=200)] = "",
    target: Annotated[str, Form(max_length=2000)] = "/queue",
) -> Response:
    """Open a session. Wrong name and wrong password read the same, and both slow the next try."""
    same_origin(request)
    if not hmac.compare_digest(token.encode(), request.cookies.get(LOGIN_COOKIE, "").encode()) or not token:
        return _form(request, status=403, message="页面已过期，请重新登录。", name=name, target=_local(target))
    keys = (f"name:{name}", f"from:{address_of(request)}")
    wait_s = house.back_off.wait_s(*keys)
    if wait_s:
        return _form(
            request, status=429, message=f"登录失败次数过多，请 {wait_s} 秒后再试。", name=name, target=_local(target), wait_s=wait_s
        )
    with house.store.read() as conn:
        found = officers.verify(conn, name=name, password=password) if name.isprintable() else None
        row = views.officer(conn, found.name) if found else None
    if row is None:
        house.back_off.failed(*keys)
        views.note(house.store, officer="visitor", action="login.failed", subject="console", now=house.clock())
        return _form(request, status=401, message="账号或口令不正确。", name=name, target=_local(target))
    house.back_off.passed(*keys)
    views.note(house.store, officer=row.name, action="login.opened", subject="console", now=house.clock())
    answer = RedirectResponse(_local(target), status_code=303)
    cookie = house.sessions.open(officer=row.name, secret=row.secret)
    answer.set_cookie(
        SESSION_COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
    )
    answer.delete_cookie(LOGIN_COOKIE, path="/login")
    return answer


@router.post("/logout")
def leave(house: AtHome, visitor: Acting) -> Response:
    """End the session on our side too, so that a copied cookie is worth nothing."""
    house.sessions.end(visitor.session)
    views.note(house.store, officer=visitor.name, action="login.closed", subject="console", now=house.clock())
    answer = back_to("/login")
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer
