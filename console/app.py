"""The regulators' pages: one application over one store. Everything it changes goes through `pipelines` and `store`."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import deps
from console.auth import BackOff, Sessions, Visitor, load_key
from console.pages import board, campaigns, documents, hit, imports, learning, login, queue, rules
from crawlers.loader import load_platforms, platform_folders
from domain.clock import utc_now
from domain.errors import PatrolError, PlatformFault, RuleFault
from rules.loader import RuleSet
from rules.loader import load as load_rules
from store.archive import Archive
from store.engine import Store

log = logging.getLogger(__name__)

HEADERS = {
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # `no-referrer` would make browsers send `Origin: null`, and our own check would refuse it
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
MAX_FORM_BYTES = 64 * 1024
"""A reason or an answer is a few thousand characters at most."""


class Shell:
    """Security headers on every answer, nothing kept by caches but our own assets, and no body larger than a form."""

    def __init__(self, app: ASGIApp, *, upload: int = 0) -> None:
        """`upload` is the most bytes that a form with a file may have."""
        self.app, self.upload = app, upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        refusal = _size_refusal(scope, most=max(MAX_FORM_BYTES, self.upload if scope["path"] == imports.PATH else 0))
        await (refusal or self.app)(scope, receive, dressed)


def _size_refusal(scope: Scope, *, most: int) -> Response | None:
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return None
    length = Headers(scope=scope).get("content-length", "")
    if not length.isdigit():
        return PlainTextResponse("缺少长度", status_code=411)
    return PlainTextResponse("内容过长", status_code=413) if int(length) > most else None


def create_app(store: Store, *, clock: Callable[[], datetime] = utc_now, pack: RuleSet | None = None) -> FastAPI:
    """The console over `store`. `clock` gives aware UTC; `pack` spares the loading of the rule pack that the settings name."""
    app = FastAPI(title="网巡", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.house = deps.House(
        store=store,
        archive=Archive(store.settings.archive_dir),
        sessions=Sessions(load_key(store.settings)),
        back_off=BackOff(clock),
        clock=clock,
        templates=deps.templates(),
        platforms=_platforms(store),
        **_names(store, pack),
    )
    app.add_middleware(Shell, upload=store.settings.upload_mb * 1_000_000 + MAX_FORM_BYTES)
    app.mount("/static", StaticFiles(directory=deps.HERE / "static"), name="static")
    for page in (login, queue, hit, campaigns, documents, board, imports, rules, learning):
        app.include_router(page.router)
    app.add_exception_handler(deps.NeedLogin, _to_login)
    app.add_exception_handler(deps.Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _misfilled)
    app.add_exception_handler(HTTPException, _not_served)
    app.add_exception_handler(PatrolError, _failed)
    return app


def _names(store: Store, pack: RuleSet | None) -> dict[str, Any]:
    """The rule pack and its Chinese names; none where it is broken: officers then read ids, and can still work."""
    try:
        pack = pack or load_rules(store.settings.rules_dir)
    except RuleFault as error:
        log.error("rule pack unreadable faults=%d first=%s", len(error.faults), error.faults[0] if error.faults else "")
        return {}
    return {
        "pack": pack,
        "schemes": {slug: scheme.name for slug, scheme in pack.schemes.items()},
        "authorities": {slug: body.name for slug, body in pack.authorities.items()},
        "rules": {rule.id: rule.title for rule in pack.rules},
    }


def _platforms(store: Store) -> dict[str, deps.Patrolled]:
    """What the platform files name, so that one that was never swept stands on the board; none where the files are broken."""
    try:
        files = load_platforms(platform_folders(store.settings))
    except PlatformFault as error:
        log.error("platform files unreadable faults=%d first=%s", len(error.faults), error.faults[0] if error.faults else "")
        return {}
    return {name: deps.Patrolled(title=one.title, every_s=one.every_s, enabled=one.enabled) for name, one in files.items()}


def serve(store: Store, *, host: str, port: int) -> None:
    """Serve the console until the process is told to end; port 0 takes a free one, which the log names.

    Raises PatrolError where the address cannot be had.
    """
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise PatrolError(f"console: {host}:{port} cannot be had ({error.strerror}); give another with --port") from error
    log.info("console address=http://%s:%s", host, listener.getsockname()[1])
    config = uvicorn.Config(create_app(store), log_level="warning", server_header=False, proxy_headers=False)
    uvicorn.Server(config).run(sockets=[listener])


def _visitor(request: Request) -> Visitor | None:
    try:
        return deps.visiting(request)
    except (deps.NeedLogin, deps.Refusal):
        return None


def _fault(request: Request, message: str, status: int) -> Response:
    return deps.render(request, "fault.html", _visitor(request), status=status, message=message)


def _to_login(request: Request, error: Exception) -> Response:
    if request.headers.get("x-fragment"):
        return PlainTextResponse("请重新登录", status_code=401)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    keep = f"?next={quote(target)}" if request.method == "GET" and target != "/" else ""
    return RedirectResponse(f"/login{keep}", status_code=303)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, deps.Refusal)
    return _fault(request, error.message, error.status)


def _misfilled(request: Request, error: Exception) -> Response:
    return _fault(request, "提交的内容不完整或格式不对，请返回检查。", 422)


def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _fault(
        request, {404: "没有这个页面或条目。", 405: "不支持这种访问方式。"}.get(error.status_code, "无法处理该请求。"), error.status_code
    )


def _failed(request: Request, error: Exception) -> Response:
    log.warning("console fault path=%s error=%s", request.url.path, type(error).__name__)
    return _fault(request, deps.tell(error) if isinstance(error, PatrolError) else "系统内部错误。", 500)
