"""JSON answers -> Postings: paths in place of selectors."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from crawlers.cut import MOST_BODY
from crawlers.dates import moment
from crawlers.extract import MOST_ITEMS, Follow, Hints, Reading, with_param
from crawlers.page import Page, line, plain
from crawlers.platform import JsonApi, JsonPages, PlatformFile
from domain.identity import canonical_url, fingerprint
from domain.model import Image, Posting, PostingKind

_JSONP = re.compile(r"^\s*(?:/\*.*?\*/)?\s*[\w.$]+\s*\((.*)\)\s*;?\s*$", re.S)
_TEMPLATE = re.compile(r"\{([^{}]*)\}")


def at(data: Any, path: str) -> list[Any]:
    """All values at `path` (`user.name`, `pics[].url`, `data.0.id`); empty where it leads nowhere."""
    values = [data]
    for step in path.split("."):
        name, spread = (step[:-2], True) if step.endswith("[]") else (step, False)
        found = []
        for value in values:
            if isinstance(value, dict) and name in value:
                found.append(value[name])
            elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
                found.append(value[int(name)])
        values = [part for value in found for part in (value if isinstance(value, list) else [value])] if spread else found
    return values


def texts(item: Any, paths: tuple[str, ...] | None) -> list[str]:
    """What the first fruitful alternative gives, as text; numbers too."""
    for path in paths or ():
        if path.startswith("fixed:"):
            return [path[6:].strip()]
        if "{" in path:
            parts = {name: next(iter(_scalars(at(item, name))), "") for name in _TEMPLATE.findall(path)}
            if all(parts.values()):
                return [_filled(path, parts)]
            continue
        found = _scalars(at(item, path))
        if found:
            return found
    return []


def _filled(template: str, parts: dict[str, str]) -> str:
    return _TEMPLATE.sub(lambda match: quote(parts[match[1]], safe=""), template)


def _scalars(values: list[Any]) -> list[str]:
    flat = [part for value in values for part in (value if isinstance(value, list) else [value])]
    return [_sound(str(value)) for value in flat if isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""]


def _sound(text: str) -> str:
    """Without what JSON can hold and no database takes: NUL characters and halves of a pair."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def read_json(platform: PlatformFile, api: JsonApi, page: Page, *, now: datetime) -> Reading:
    """The answer's items as Postings. What is no JSON, or lacks the path of the items, is drift."""
    source = page.source
    wrapped = _JSONP.match(source) if not source.lstrip().startswith(("{", "[")) else None
    try:
        data = json.loads(wrapped[1] if wrapped else source)
    except (ValueError, RecursionError):
        return Reading(layout="none", drift="the answer is no JSON")
    reached = next((found for path in api.items if (found := at(data, path))), [])
    items = [part for value in reached for part in (value if isinstance(value, list) else [value]) if isinstance(part, dict)]
    reading = Reading(layout="api", items=len(items))
    if not reached:
        reading.layout, reading.drift = "none", f"nothing stands at {api.items[0]}"
        return reading
    keep = api.keep if api.keep is not None else not platform.detail
    for number, item in enumerate(items[:MOST_ITEMS], 1):
        posting = _posting(platform, api, item, page=page, number=number, now=now)
        if posting is None:
            continue
        if keep:
            reading.postings.append(posting)
        if platform.detail and "#" not in posting.url:
            hints = Hints(title=posting.title, publisher=posting.publisher, published_at=posting.published_at, marked_ad=posting.marked_ad)
            reading.follow.append(Follow(url=posting.url, role="detail", hints=hints))
    if items and keep and len(reading.postings) * 2 < len(items):
        reading.drift = f"{len(items) - len(reading.postings)} of {len(items)} items have neither title nor body"
    if api.next is not None and items:
        reading.follow += _next(page.url, api.next, data)
    return reading


def _next(url: str, pages: JsonPages, data: Any) -> list[Follow]:
    if pages.cursor is None:
        address = with_param(url, pages.param, step=pages.step, first=pages.first, last=pages.last)
    else:
        cursor = next((text for path in pages.cursor for text in _scalars(at(data, path))), "")
        address = None if cursor in ("", "0", "-1") else _with(url, pages.param, cursor)
    return [Follow(url=address, role="api", onward=True)] if address and address != url else []


def _with(url: str, param: str, value: str) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != param]
    return urlunsplit(parts._replace(query="&".join([*kept, f"{param}={quote(value, safe='')}"])))


def _posting(platform: PlatformFile, api: JsonApi, item: dict[str, Any], *, page: Page, number: int, now: datetime) -> Posting | None:
    fields = api.fields
    first = {name: next(iter(texts(item, getattr(fields, name))), "") for name in ("title", "publisher", "publisher_address", "advertiser")}
    body = "\n".join(plain(text) if "<" in text else text.strip() for text in texts(item, fields.body))[:MOST_BODY]
    images = tuple(dict.fromkeys(joined for text in texts(item, fields.images) if (joined := page.link(text))))[:40]
    title = line(plain(first["title"]))
    if not title and not body and not images:
        return None
    address = next((joined for text in texts(item, fields.link) if (joined := page.link(text))), None)
    try:
        url = canonical_url(address) if address else f"{canonical_url(page.url)}#{number}"
    except ValueError:
        return None
    marks = [value for path in fields.marked_ad or () for value in at(item, path)]
    marked = any(value not in (False, 0, "", None, [], "0", "false") for value in marks)
    when = next((found for text in texts(item, fields.published_at) if (found := moment(text, now=now))), None)
    return Posting(
        platform=platform.id, url=url, kind=api.kind or (PostingKind.AD if marked else platform.posting_kind), title=title, body=body,
        images=tuple(Image(url=source) for source in images), publisher=first["publisher"] or None,
        publisher_address=first["publisher_address"] or None, advertiser=first["advertiser"] or None, published_at=when, marked_ad=marked,
        fingerprint=fingerprint(platform=platform.id, url=url, title=title, body=body, images=images),
    )  # fmt: skip
