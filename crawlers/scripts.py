"""An article that stands in a page's scripts and not in its markup: sites that draw themselves carry their text as data.

Read are JSON (JSON-LD, `__NEXT_DATA__`, `RENDER_DATA`, `window.X = {...}`, `JSON.parse("...")`) and the plain literals of a script
(`title: '...', content: '...'`). Nothing is run.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from crawlers.dates import moment
from crawlers.page import Page, line, plain

MOST_NODES = 40_000
"""Values looked at in all data of one page; the largest honest one has about 15,000."""
MOST_DATA = 3_000_000
"""Characters of scripts looked at."""
_SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script\s*>", re.S | re.I)
_HINT = re.compile(r"content|articleBody|abstract|desc|text", re.I)
_ASSIGNED = re.compile(r"(?:^|[;\s])(?:window\.|self\.|var |let |const )?[\w.$\[\]\"']{1,60}\s*=\s*(?=[{\[])")
_PARSED = re.compile(r"""JSON\.parse\(\s*("(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')""", re.S)
_LITERAL = re.compile(
    r"""["']?\b(title|content|publish_?[tT]ime|time|source|name|abstract)["']?\s*:\s*(?:'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)")"""
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.S)
_BODIES = (
    "articleBody",
    "content",
    "content_html",
    "contentHtml",
    "contentText",
    "html",
    "body",
    "article_content",
    "text",
    "sub_abstracts",
)
_TITLES = ("headline", "title", "name", "articleTitle", "article_title", "contTitle", "subject")
_TIMES = (
    "datePublished", "pubDate", "publishTime", "publish_time", "pubTime", "pubtime", "pub_time", "publishDate", "ctime", "createTime",
    "create_time", "time", "showTime",
)  # fmt: skip
_NAMES = ("author", "source", "media", "mediaName", "media_name", "userName", "user_name", "nickname", "publisher", "authorName")
_PICTURES = ("sub_images", "images", "imageList", "image", "pics")


@dataclass(frozen=True, slots=True)
class Told:
    """What the scripts say about the article; empty where they do not."""

    title: str = ""
    body: str = ""
    published_at: datetime | None = None
    publisher: str | None = None
    images: tuple[str, ...] = ()


def told_in(page: Page, *, now: datetime) -> Told:
    """The article with the longest text among a page's data; one with a title before any without."""
    return max(_articles(page, now), key=lambda one: (bool(one.title), len(one.body)), default=Told())


def _articles(page: Page, now: datetime) -> Iterator[Told]:
    left = MOST_DATA
    budget = [MOST_NODES]
    for match in _SCRIPT.finditer(page.source):
        script = match[1]
        left -= len(script)
        if left < 0:
            return
        if len(script) < 100 or _HINT.search(script) is None:
            continue
        plainly = _plainly(script, now)
        if plainly is not None:
            yield plainly
        for data in _data(script.strip()):
            for found in _walk(data, page, now, budget):
                # The pictures of a gallery stand in data of their own, beside the literals that name it.
                named = plainly is not None and not found.title
                yield replace(found, title=plainly.title, published_at=plainly.published_at) if named and plainly else found


def _data(script: str) -> Iterator[Any]:
    if script.startswith(("%7B", "%5B")):
        script = unquote(script)
    if script[:1] in ("{", "["):
        try:
            yield json.JSONDecoder(strict=False).raw_decode(script)[0]
            return
        except (ValueError, RecursionError):
            pass
    for match in list(_ASSIGNED.finditer(script))[:20]:
        try:
            yield json.JSONDecoder(strict=False).raw_decode(script, match.end())[0]
        except (ValueError, RecursionError):
            continue
    for match in list(_PARSED.finditer(script))[:20]:
        try:
            yield json.loads(unescaped(match[1][1:-1]), strict=False)
        except (ValueError, RecursionError):
            continue


def unescaped(text: str) -> str:
    """The text that a JavaScript string literal means."""
    marks = {"n": "\n", "r": "\n", "t": " ", "b": "", "f": "", "0": ""}
    found = _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else marks.get(m[3], m[3]), text)
    # Halves of a pair come as two escapes; what stays half is dropped.
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "ignore").replace("\x00", "")


def _walk(data: Any, page: Page, now: datetime, budget: list[int]) -> Iterator[Told]:
    stack = [data]
    while stack and budget[0] > 0:
        value = stack.pop()
        budget[0] -= 1
        if isinstance(value, dict):
            if (found := _told(value, page, now)) is not None:
                yield found
            stack.extend(part for part in value.values() if isinstance(part, dict | list))
        elif isinstance(value, list):
            stack.extend(part for part in value if isinstance(part, dict | list))


def _told(item: dict[str, Any], page: Page, now: datetime) -> Told | None:
    body = next((text for name in _BODIES if len(text := _text(item.get(name))) >= 60), "")
    title = next((line(plain(value)) for name in _TITLES if isinstance(value := item.get(name), str) and value.strip()), "")
    when = next((found for name in _TIMES if (found := _time(item.get(name), now)) is not None), None)
    if not body and not (title and when):
        return None
    who = next((person for name in _NAMES if (person := _person(item.get(name)))), None)
    return Told(title=title, body=body, published_at=when, publisher=who, images=_pictures(item, page))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(plain(part) for part in value[:500] if isinstance(part, str))
    if not isinstance(value, str) or len(value) < 60:
        return ""
    if "&lt;" in value[:4000] and "<" not in value[:200]:
        value = html.unescape(value)
    return plain(value)


def _time(value: Any, now: datetime) -> datetime | None:
    return moment(str(value), now=now) if isinstance(value, str | int) and not isinstance(value, bool) and value else None


def _person(value: Any) -> str | None:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("name") or value.get("nickname")
    return line(value) if isinstance(value, str) and 1 < len(value.strip()) <= 30 and "/" not in value else None


def _pictures(item: dict[str, Any], page: Page) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in _PICTURES:
        values = item.get(name)
        for value in (values if isinstance(values, list) else [values])[:60]:
            source = value.get("url") or value.get("src") if isinstance(value, dict) else value
            if isinstance(source, str) and (address := page.link(source)):
                found[address] = None
    return tuple(found)[:40]


def _plainly(script: str, now: datetime) -> Told | None:
    """An article written into a script as plain literals: the first of each name counts."""
    found: dict[str, str] = {}
    for match in _LITERAL.finditer(script):
        name = match[1].replace("_", "").lower()
        text = unescaped(match[2] if match[2] is not None else match[3])
        if text.strip() and (
            name not in found or (name in ("content", "title") and len(text) > 2 * len(found[name]) and name == "content")
        ):
            found[name] = html.unescape(text).strip().strip('"')
    body, title = _text(found.get("content")), line(plain(found.get("title", "")))
    when = _time(found.get("publishtime") or found.get("time"), now)
    if not body and not (title and when):
        return None
    who = found.get("source") or found.get("name")
    return Told(title=title, body=body, published_at=when, publisher=_person(who), images=())
