"""HAR files -> Harvests: what a phone of the authority got while a proxy recorded its traffic. Apps, mini-programs, pages.

Only the address, the time, and the answer's status, type and body are read. Cookies, Authorization and other headers, request
bodies and web socket messages are passed over while the file is parsed, so that no step behind this one could keep them.
Source of the format: HAR 1.2.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

from crawlers.imports import json_answers
from crawlers.imports.base import Asked, Example, Look, OneFile, Refused, too_large
from crawlers.imports.json_stream import CUT_MARK, JSONError, events
from crawlers.imports.public import private_reason, public_posting, public_url, without_secrets
from crawlers.imports.warc import CUT, dated
from domain.identity import sha256
from domain.model import Capture, Harvest

log = logging.getLogger(__name__)

_ITEM = "log.entries.item"
_WANTED = {
    f"{_ITEM}.{name}": name
    for name in (
        "startedDateTime", "request.method", "request.url", "response.status", "response.content.mimeType", "response.content.text",
        "response.content.encoding", "response.content.size",
    )
}  # fmt: skip
_METHODS = frozenset(["GET", "HEAD", "POST"])
"""Apps ask for public lists by POST as well; what they posted is never read."""
PICTURES_MOST = 200_000


class Har(OneFile):
    """A recording of traffic, by mitmproxy, Charles, Fiddler, Reqable or a browser."""

    name, title, suffixes = "har", "HAR 手机流量录制", (".har",)

    def knows(self, look: Look) -> bool:
        head = look.head.lstrip(b"\xef\xbb\xbf \t\r\n")
        return head.startswith(b"{") and b'"log"' in head[:4096] and (b'"entries"' in head or b'"creator"' in head)

    def pieces(self, file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
        named: dict[str, None] = {}
        number = 0
        try:
            for number, entry in enumerate(_entries(file, most=asked.largest * 2), 1):
                found = _taken(number, entry, asked, named)
                if found is not None:
                    yield found
            if number == 0:
                yield Refused(0, asked.name, "文件里没有 log.entries；它是 HAR 吗")
        except JSONError as error:
            yield Refused(number + 1, "", CUT.format(str(error).splitlines()[0][:120]))

    def examples(self) -> tuple[Example, ...]:
        page = (
            "<html><head><title>门店公告</title></head><body><h1>门店公告</h1><p>" + "这是为示例写的一段公告。" * 12 + "</p></body></html>"
        )
        answer = {
            "data": {
                "list": [
                    {"title": f"第{n}条动态", "content": "小城里新开了一家书店，欢迎来坐坐。", "user": {"nickname": "某账号"}}
                    for n in (1, 2)
                ]
            }
        }
        entries = [
            entry("https://app.example/notice?token=secret", page.encode(), "text/html"),
            entry("https://api.example/feed/list?page=1", json.dumps(answer, ensure_ascii=False).encode(), "application/json", packed=True),
            entry("https://api.example/v1/account/me", b"{}", "application/json"),
        ]
        data = _written(entries)
        return (Example(files={"phone.har": data}, captures=2, postings=3, refused=1, broken={"phone.har": data[:-3]}),)


def _entries(file: BinaryIO, *, most: int) -> Iterator[dict[str, Any]]:
    """The wanted fields of each entry; nothing else of it is ever built."""
    entry: dict[str, Any] = {}
    for path, event, value in events(file, most=most):
        if event == "start_map" and path == _ITEM:
            entry = {}
        elif path in _WANTED and event in ("string", "number"):
            entry[_WANTED[path]] = value
        elif path == _ITEM and event not in ("map_key",):
            yield entry
            entry = {}


def _taken(number: int, entry: dict[str, Any], asked: Asked, named: dict[str, None]) -> Harvest | Refused | None:
    given = str(entry.get("request.url") or "")
    if not given.startswith(("http://", "https://")):
        return Refused(number, "", "记录里没有网址") if not given.startswith(("ws:", "wss:", "data:", "about:", "chrome")) else None
    try:
        url, reason = public_url(given), private_reason(given)
    except ValueError:
        return Refused(number, "", "网址不合法")
    mime = str(entry.get("response.content.mimeType") or "").partition(";")[0].strip().lower()
    if (
        entry.get("request.method", "GET") not in _METHODS
        or json_answers.PASSED_OVER.match(mime)
        or entry.get("response.status") in (0, 204, 304)
    ):
        return None
    picture = mime.startswith("image/")
    if picture and url not in named:
        return None  # icons and people's avatars: only pictures of a posting are kept
    if reason:
        return Refused(number, url, reason)
    try:
        body = _body(entry, asked.largest)
    except ValueError as error:
        return Refused(number, url, str(error))
    if body is None:
        return None
    try:
        found = _harvest(url, body, entry, mime, asked)
    except Exception as error:  # an answer that no reader foresaw costs itself, not those behind it
        log.warning("entry=%d unread", number, exc_info=error)
        return Refused(number, url, f"内容读不了（{str(error)[:150] or type(error).__name__}）")
    if found is not None and len(named) < PICTURES_MOST:
        named.update((image.url, None) for posting in found.postings for image in posting.images)
    return found


def _body(entry: dict[str, Any], largest: int) -> bytes | None:
    """The answer's bytes; None where the recorder kept none. Raises ValueError with the reason for which it is refused."""
    text = entry.get("response.content.text")
    if not isinstance(text, str) or not text:
        return None
    if text.endswith(CUT_MARK):
        raise ValueError(too_large(int(entry.get("response.content.size") or len(text)), largest))
    if str(entry.get("response.content.encoding") or "").lower() != "base64":
        body = text.encode("utf-8", "replace")
    else:
        try:
            body = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("base64 正文损坏；请重新录制") from None
    if len(body) > largest:
        raise ValueError(too_large(len(body), largest))
    return body


def _harvest(url: str, body: bytes, entry: dict[str, Any], mime: str, asked: Asked) -> Harvest | None:
    fetched_at = dated(str(entry.get("startedDateTime") or ""), asked)
    status = _status(entry.get("response.status"))
    if mime.startswith("image/"):
        return _picture(url, body, mime=mime, fetched_at=fetched_at, status=status)
    found = json_answers.harvest(without_secrets(body), url=url, asked=asked, fetched_at=fetched_at, status=status, mime=mime, via="har")
    if found is None or not found.postings:
        return None  # counters, settings, lists of cities: an answer without content of a third party is not kept
    return replace(found, postings=tuple(public_posting(posting) for posting in found.postings))


def _picture(url: str, body: bytes, *, mime: str, fetched_at: datetime, status: int) -> Harvest:
    capture = Capture(
        url=url,
        final_url=url,
        fetched_at=fetched_at,
        status=status,
        sha256=sha256(body),
        size=len(body),
        mime=mime,
        charset=None,
        via="har",
    )
    return Harvest(capture=capture, body=body)


def _status(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 100 <= value <= 599 else 0


def entry(url: str, body: bytes, mime: str, *, packed: bool = False, at: str = "2026-11-20T08:00:00.000Z") -> dict[str, Any]:
    """One entry as a proxy writes it, with everything that must not be kept, for examples and tests."""
    content = {"size": len(body), "mimeType": mime, "text": base64.b64encode(body).decode() if packed else body.decode()}
    secret = [{"name": "Cookie", "value": "sid=COOKIE-SECRET"}, {"name": "Authorization", "value": "Bearer HEADER-SECRET"}]
    request = {"method": "GET", "url": url, "headers": secret, "cookies": [{"name": "sid", "value": "COOKIE-SECRET"}]}
    return {
        "startedDateTime": at,
        "request": request | {"postData": {"mimeType": "text/plain", "text": "BODY-SECRET"}},
        "response": {
            "status": 200,
            "headers": [{"name": "Set-Cookie", "value": "sid=COOKIE-SECRET"}],
            "content": content | ({"encoding": "base64"} if packed else {}),
        },
    }


def _written(entries: list[dict[str, Any]]) -> bytes:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "example"}, "entries": entries}}, ensure_ascii=False).encode()
