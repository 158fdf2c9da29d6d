"""Answers that an app or a mini-program got -> Harvests: a page as pages are read, JSON by the names of its fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from crawlers.cut import MOST_BODY
from crawlers.dates import moment
from crawlers.gather import gather
from crawlers.imports.base import Asked
from crawlers.imports.named import NAMES, owner_of, place_of, text_of, urls_in
from crawlers.imports.public import pictures, with_print
from crawlers.page import line, plain
from domain.identity import canonical_url, sha256
from domain.model import Capture, Harvest, Posting, PostingKind

MOST_POSTINGS = 500
MOST_NODES = 200_000
LEAST_CHINESE = 8
"""Chinese characters of title and text together: menus and settings have fewer, ads have more."""
PASSED_OVER = re.compile(
    r"^(?:text/css|font/|video/|audio/|application/(?:wasm|x-font|font|vnd\.ms-fontobject|octet-stream|x-protobuf|grpc|pdf|zip|dns-message))"
)
"""What holds no page. Scripts are looked at: some sites send their answers as one (JSONP)."""
_SCRIPT = re.compile(r"^(?:text|application)/(?:x-)?(?:javascript|ecmascript)")
_JSONP = re.compile(r"^\s*(?:/\*.*?\*/)?\s*(?:try\s*\{\s*)?[\w.$]+\s*\(\s*([\[{].*[\]}])\s*\)", re.S)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_PERSON = frozenset([
    "user", "author", "user_info", "userinfo", "owner", "account", "publisher", "creator", "member", "shop", "store", "merchant",
    "uploader", "up", "poster", "profile",
])  # fmt: skip
_PASSED_KEYS = _PERSON | frozenset(["share", "share_info", "extra_config", "settings", "config", "log_pb", "abtest"])
_ACCOUNT_NAMES = ("nickname", "nick_name", "screen_name", "user_name", "name", "uname", "title", "shop_name", "昵称", "账号")


def harvest(
    body: bytes, *, url: str, asked: Asked, fetched_at: datetime, status: int, mime: str, via: str, declared: str | None = None
) -> Harvest | None:
    """The Harvest of one answer; None for a script that is no answer. JSON counts as such whatever it is declared to be."""
    script = _SCRIPT.match(mime) is not None
    data = _data(body, script=script, mime=mime)
    if data is None:
        if script:
            return None
        return gather(body, url=url, platforms=asked.platforms, fetched_at=fetched_at, status=status, mime=mime, via=via, declared=declared)
    owner = owner_of(url, asked)
    if owner is not None and owner.api:
        found = gather(
            body, url=url, platforms=asked.platforms, fetched_at=fetched_at, status=status, mime=mime, via=via, declared=declared
        )
        if found.postings:
            return found
    capture = Capture(
        url=url, final_url=url, fetched_at=fetched_at, status=status, sha256=sha256(body), size=len(body), mime=mime or "application/json",
        charset="utf-8", via=via,
    )  # fmt: skip
    postings = _postings(data, url=url, asked=asked, now=fetched_at) if status < 400 else ()
    return Harvest(capture=capture, body=body, postings=tuple(postings))


def _data(body: bytes, *, script: bool, mime: str) -> Any:
    head = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not (head.startswith((b"{", b"[")) or "json" in mime or script):
        return None
    text = body.decode("utf-8-sig", "replace")
    if not text.lstrip().startswith(("{", "[")):
        found = _JSONP.match(text)
        text = found[1] if found else ""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict | list) else None


def _postings(data: Any, *, url: str, asked: Asked, now: datetime) -> list[Posting]:
    name = place_of(url, asked)
    made: dict[str, Posting] = {}
    for number, item in enumerate(_items(data), 1):
        posting = _posting(item, platform=name, page=url, number=number, now=now)
        if posting is not None:
            # The same words stand in an answer more than once: as the item, and as what a share of it would say.
            made.setdefault("".join((posting.title + posting.body).split()), posting)
            if len(made) >= MOST_POSTINGS:
                break
    return list(made.values())


def _items(data: Any) -> Iterator[dict[str, Any]]:
    """Objects that may be items, from the outside in, in their order; what describes a person is passed over."""
    waiting, seen = [data], 0
    while waiting and seen < MOST_NODES:
        value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            yield value
            inner = [part for key, part in value.items() if str(key).lower() not in _PASSED_KEYS and isinstance(part, dict | list)]
        else:
            inner = [part for part in value if isinstance(part, dict | list)]
        waiting += reversed(inner)


def _first(item: dict[str, Any], field: str) -> str:
    return next((text for name in NAMES[field] if (text := text_of(item.get(name)))), "")


def _posting(item: dict[str, Any], *, platform: str, page: str, number: int, now: datetime) -> Posting | None:
    title, text = line(plain(_first(item, "title"))), plain(_first(item, "text"))[:MOST_BODY]
    if len(_CHINESE.findall(title + text)) < LEAST_CHINESE:
        return None
    images = pictures([one for name in NAMES["images"] for one in urls_in(item.get(name))])
    try:
        address = _first(item, "url")
        url = canonical_url(address) if address.startswith(("http://", "https://")) else f"{canonical_url(page)}#{number}"
    except ValueError:
        return None
    when = _first(item, "time")
    made = Posting(
        platform=platform, url=url, kind=PostingKind.POST, title="" if title == line(text) else title, body=text, images=images,
        publisher=_account(item) or None, published_at=moment(when, now=now) if when else None,
    )  # fmt: skip
    return with_print(made)


def _account(item: dict[str, Any]) -> str:
    """The public name of the account that published an item; its number, picture and profile are not looked at."""
    for name in _PERSON:
        person = item.get(name)
        if isinstance(person, dict):
            found = next((text for key in _ACCOUNT_NAMES if (text := text_of(person.get(key)))), "")
            if found:
                return line(found)[:200]
    return line(_first(item, "publisher"))[:200]
