"""Data that a platform file says a page carries in a script (`script:`): JSON behind a name, percent-coded JSON, or markup inside JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from crawlers.api import at, reach
from crawlers.page import Page
from crawlers.platform_parts import Script

MOST_DATA = 40
"""Pieces of data that are read of one page: a BigPipe page has about 20."""
MOST_READ = 8_000_000
"""Characters that they may have together."""
_UNDEFINED = re.compile(r"(?<=[:,\[])\s*undefined(?=\s*[,}\]])")
"""Pages write it where JSON has null."""
_DECODER = json.JSONDecoder(strict=False)


def data_in(page: Page, script: Script) -> Iterator[Any]:
    """Each piece of data that `script` describes, in the order of the page. What is no JSON is passed over."""
    pieces = spent = 0
    for node in page.tree.css(script.select):
        text = node.text()
        starts = (match.end() for match in script.regex.finditer(text)) if script.regex is not None else iter((0,) if text else ())
        for start in starts:
            pieces, spent = pieces + 1, spent + len(text) - start
            if pieces > MOST_DATA or (pieces > 1 and spent > MOST_READ):
                return
            yield from _decoded(text[start:].lstrip(), percent=script.percent)


def _decoded(text: str, *, percent: bool) -> Iterator[Any]:
    """The value that `text` begins with; nothing where it begins with none."""
    if percent and text[:1] not in ("{", "["):
        text = unquote(text.strip("\"' ;\n"))
    data = _value(text)
    if data is None and "undefined" in text:
        data = _value(_UNDEFINED.sub("null", text))
    if isinstance(data, str) and data.lstrip()[:1] in ("{", "["):
        data = _value(data.lstrip())  # JSON.parse("…")
    if data is not None:
        yield data


def _value(text: str) -> Any:
    try:
        return _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def items_in(page: Page, script: Script) -> list[dict[str, Any]]:
    """The objects at `items` in the first data that has any."""
    for data in data_in(page, script):
        if script.items is not None and (found := reach(data, script.items)):
            return found
    return []


def markup_in(page: Page, script: Script) -> Page | None:
    """The markup that all its data hold at `html`, as a page of the same address; None where there is none."""
    parts: list[str] = []
    for data in data_in(page, script):
        found = (at(data, path) for path in script.html or ())
        parts += [text for text in next(filter(None, found), []) if isinstance(text, str)]
    markup = "\n".join(parts)
    if not markup.strip():
        return None
    return Page(markup.encode("utf-8", "replace"), url=page.url, override="utf-8")
