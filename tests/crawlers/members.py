"""A site for members, for tests: it knows a visitor by the cookie `SID`, and forgets them when it is told to."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from crawlers.platform import PlatformFile
from crawlers.sessions import Entry, Vault
from domain.clock import utc_now
from domain.settings import Settings
from tests.crawlers.conftest import Site

SID = "s3cr3t-0123456789abcdef-of-the-office"
BODY = "稳健的正文，写得足够长，" * 12


class Members:
    """`site` shows /, /t/1 ... to those with a cookie in `valid`; `most` answers later it forgets them all."""

    def __init__(self, site: Site, *, threads: int = 4, most: int = 10_000, extra: str = "") -> None:
        self.site, self.valid, self.most, self.extra = site, {SID}, most, extra
        self.heard: list[tuple[str, str]] = []
        listed = "".join(f"<li><a href='/t/{n}'>帖子{n}</a></li>" for n in range(1, threads + 1))
        site.pages["/"] = lambda request: self._show(request, f"<b class=me>某单位</b><ul>{listed}</ul>")
        for n in range(1, threads + 1):
            site.pages[f"/t/{n}"] = lambda request, n=n: self._show(request, f"<b class=me>某单位</b><h1>帖子{n}</h1><p>{BODY}{n}</p>")
        site.pages["/login"] = b"<form id=login><input name=user><input name=password type=password></form>"

    def _show(self, request: BaseHTTPRequestHandler, body: str) -> None:
        cookie = request.headers.get("Cookie", "")
        self.heard.append((request.path, cookie))
        known = any(f"SID={one}" in cookie for one in self.valid)
        if known:
            self.most -= 1
            if self.most < 0:
                self.valid.clear()
                known = False
        if not known:
            answer(request, 302, {"Location": "/login"}, b"")
        else:
            answer(request, 200, {"Set-Cookie": f"seen={SID[::-1]}; Path=/"}, (body + self.extra).encode())


def answer(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response(status)
    for name, value in {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def platform_of(site: Site, **given: Any) -> dict[str, Any]:
    """A platform file over the members' site, in one fixed order."""
    return {
        "id": "town", "title": "会员站", "home": site.home, "kind": "forum", "allow_hosts": [f"127.0.0.1:{site.port}"],
        "hosts": [f"127.0.0.1:{site.port}"], "session": "office", "pace": {"delay_s": 0, "concurrency": 1, "jitter": False},
        "robots": {"ignore": "a test's own server"},
        "list": {"match": r"/$", "item": "li", "fields": {"title": "a", "link": "a::attr(href)"}},
        "detail": {"match": "/t/", "fields": {"title": "h1", "body": "p"}}, **given,
    }  # fmt: skip


def state(value: str = SID, *, domain: str = "127.0.0.1", **given: Any) -> dict[str, Any]:
    """A storage_state with one cookie."""
    cookie = {
        "name": "SID",
        "value": value,
        "domain": domain,
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    return {"cookies": [cookie | given], "origins": []}


def put(folder: Path, platform: dict[str, Any], given: dict[str, Any] | None = None) -> Entry:
    """Enter the session of a platform into a data folder."""
    vault, model = Vault(Settings(dir=folder)), PlatformFile.model_validate(platform)
    assert model.session is not None
    name = model.session.name
    with vault.turn():
        before = vault.known(name)
        seen = before.serial if before else None
        return vault.put(name, given or state(), platform=model, by="li", at=utc_now(), origin="file", seen=seen)


def bytes_of(folder: Path) -> bytes:
    """Everything that lies in a folder, WARC files unpacked as well."""
    import gzip

    found = b""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found += data + (gzip.decompress(data) if path.suffix == ".gz" else b"")
    return found
