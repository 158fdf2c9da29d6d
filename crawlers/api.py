"""JSON -> Postings: paths in place of selectors, for answers of an API and for data that a page carries in a script."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from crawlers.cut import Site, posting_of
from crawlers.dates import moment
from crawlers.page import Page, line, plain
from crawlers.paging import with_param, with_value
from crawlers.picks import JsonFields
from crawlers.platform import PlatformFile
from crawlers.platform_parts import JsonApi, JsonPages, Script
from crawlers.reading import MOST_ITEMS, Follow, Hints, Reading
from domain.model import PostingKind

_JSONP = re.compile(r"^\s*(?:/\*.*?\*/)?\s*[\w.$]+\s*\((.*)\)\s*;?\s*$", re.S)
_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_PICTURE = re.compile(r"""<img\b[^<>]*?\s(?:data-original|data-actualsrc|data-src|src)\s*=\s*["']?((?:https?:)?//[^"'\s>]+)""", re.I)
MOST_VALUES = 20_000
"""Values that one path may lead to; a path with wildcards over a hostile answer ends here."""


def at(data: Any, path: str) -> list[Any]:
    """All values at `path` (`user.name`, `pics[].url`, `data.0.id`, `photos.*.url`); empty where it leads nowhere."""
    values = [data]
    for step in path.split("."):
        name, spread = (step[:-2], True) if step.endswith("[]") else (step, False)
        found: list[Any] = []
        for value in values:
            found += _under(value, name)
            if len(found) > MOST_VALUES:
                break
        values = [part for value in found for part in (value if isinstance(value, list) else [value])] if spread else found
    return values


def _under(value: Any, name: str) -> list[Any]:
    if isinstance(value, dict):
        if name in value:
            return [value[name]]
        return [part for key, part in value.items() if fnmatchcase(key, name)] if "*" in name else []
    if isinstance(value, list):
        if name == "*":
            return value
        if name.isascii() and name.isdigit() and len(name) < 9 and int(name) < len(value):
            return [value[int(name)]]
    return []


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


def read_json(platform: PlatformFile, apis: Sequence[JsonApi], page: Page, *, now: datetime) -> Reading:
    """The answer's items as Postings. What is no JSON, or lacks the path of the items, is drift."""
    source = page.source
    wrapped = _JSONP.match(source) if not source.lstrip().startswith(("{", "[")) else None
    try:
        data = json.loads(wrapped[1] if wrapped else source)
    except (ValueError, RecursionError):
        return Reading(layout="none", drift="the answer is no JSON")
    fitting = [api for api in apis if api.match is None or re.search(api.match, page.url)]
    for api in fitting:
        reached = reach(data, api.items)
        if reached is not None:
            break
    else:
        return Reading(layout="none", drift=f"nothing stands at {fitting[0].items[0]}" if fitting else "no api knows this address")
    keep = api.keep if api.keep is not None else not platform.detail
    reading = read_items(Site(platform, page, now), api, reached, kind=api.kind, keep=keep, behind=bool(platform.detail) and not api.keep)
    if api.next is not None and reached:
        reading.follow += _next(page.url, api.next, data)
    return reading


def reach(data: Any, paths: Sequence[str]) -> list[dict[str, Any]] | None:
    """The objects at the first fruitful path; None where none leads anywhere."""
    reached = next((found for path in paths if (found := at(data, path))), None)
    if reached is None:
        return None
    return [part for value in reached for part in (value if isinstance(value, list) else [value]) if isinstance(part, dict)]


def read_items(
    site: Site, part: JsonApi | Script, items: Sequence[dict[str, Any]], *, kind: PostingKind | None, keep: bool, behind: bool,
    shared: dict[str, Any] | None = None, one: bool = False,
) -> Reading:  # fmt: skip
    """Postings of `items`. `behind`: their pages are followed; `one`: a single item without an address is the page itself."""
    reading = Reading(layout="api" if isinstance(part, JsonApi) else "script", items=len(items))
    for number, item in enumerate(items[:MOST_ITEMS], 1):
        values = {**(shared or {}), **values_at(item, part.fields, page=site.page, now=site.now)}
        if not values.get("title") and not values.get("body") and not values.get("images"):
            continue
        address = values.pop("link", None)
        anchored = not address and not (one and len(items) == 1)
        posting = posting_of(
            site, kind, values, url=address or (f"{site.page.url}#{number}" if anchored else site.page.url), anchored=anchored
        )
        if posting is None:
            continue
        if keep:
            reading.postings.append(posting)
        if behind and "#" not in posting.url:
            hints = Hints(title=posting.title, publisher=posting.publisher, published_at=posting.published_at, marked_ad=posting.marked_ad)
            reading.follow.append(Follow(url=posting.url, role="detail", hints=hints))
    if items and keep and len(reading.postings) * 2 < len(items):
        reading.drift = f"{len(items) - len(reading.postings)} of {len(items)} items have neither title nor body"
    return reading


def values_at(item: Any, fields: JsonFields, *, page: Page, now: datetime) -> dict[str, Any]:
    """Values of one item by the names of a Posting's fields: only what is named and found."""
    values: dict[str, Any] = {}
    for name in ("title", "publisher", "publisher_address", "advertiser"):
        if text := next(iter(texts(item, getattr(fields, name))), ""):
            values[name] = line(plain(text)) if name == "title" else line(text)
    values["body"] = "\n".join(dict.fromkeys(plain(text) if "<" in text else text.strip() for text in texts(item, fields.body)))
    addresses = [
        address for text in texts(item, fields.images) for address in (_PICTURE.findall(text[:400_000]) if "<" in text else [text])
    ]
    values["images"] = tuple(dict.fromkeys(joined for address in addresses if (joined := page.link(address))))[:40]
    values["video"] = next((joined for text in texts(item, fields.video) if (joined := page.link(text))), None)
    values["link"] = next((joined for text in texts(item, fields.link) if (joined := page.link(text))), None)
    values["published_at"] = next((found for text in texts(item, fields.published_at) if (found := moment(text, now=now))), None)
    marks = [value for path in fields.marked_ad or () for value in at(item, path)]
    values["marked_ad"] = any(value not in (False, 0, "", None, [], "0", "false") for value in marks)
    return {name: value for name, value in values.items() if value}


def _next(url: str, pages: JsonPages, data: Any) -> list[Follow]:
    if pages.cursor is None:
        address = with_param(url, pages.param, step=pages.step, first=pages.first, last=pages.last)
    else:
        cursor = next((text for path in pages.cursor for text in _scalars(at(data, path))), "")
        address = None if cursor in ("", "0", "-1") else with_value(url, pages.param, cursor)
    return [Follow(url=address, role="api", onward=True)] if address and address != url else []
