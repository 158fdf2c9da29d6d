"""What a probe of an unknown site is asked to do, and the pages that it brings home: two files between its process and ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from crawlers.page import Page
from crawlers.reading import Role

Why = Literal["home", "section", "article", "feed", "sitemap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is asked of the probe's process."""

    home: str
    allow: tuple[str, ...] = ()
    """Hosts that the guard lets through although they are not public."""
    requests: int = 8
    """Pages at most, robots.txt not counted."""
    delay_s: float = 1.0
    seconds: float = 180.0
    browser: bool = False
    """Whether a page without text is asked for once more through the browser."""

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Errand:
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**data, "allow": tuple(data["allow"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One answer, or the lack of one."""

    asked: str
    url: str
    """Where it came from in the end."""
    why: Why
    role: Role
    at: datetime
    status: int = 0
    declared: str | None = None
    mime: str = ""
    body: bytes = b""
    browser: bool = False
    fault: str = ""
    """Why there is no page: refused (our guard), robots, timed_out, too_big, errors, not_text; empty where there is one."""
    reason: str = ""

    def page(self) -> Page:
        return Page(self.body, url=self.url, declared=self.declared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What robots.txt of the site said."""

    sitemaps: tuple[str, ...] = ()
    delay_s: float = 0.0


def row_of(one: Fetched | Robots) -> str:
    """One line of the file of pages."""
    data: dict[str, Any] = asdict(one)
    if isinstance(one, Fetched):
        data |= {"body": base64.b64encode(one.body).decode("ascii"), "at": one.at.isoformat()}
    return json.dumps({type(one).__name__.lower(): data}, ensure_ascii=False) + "\n"


def rows_in(path: Path) -> Iterator[Fetched | Robots]:
    """What the probe's process wrote; a last line cut short by its end is left out."""
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            kind, data = next(iter(json.loads(text).items()))
        except (ValueError, StopIteration):
            return
        yield _robots(data) if kind == "robots" else _fetched(data)


def _robots(data: Mapping[str, Any]) -> Robots:
    return Robots(sitemaps=tuple(data["sitemaps"]), delay_s=float(data["delay_s"]))


def _fetched(data: dict[str, Any]) -> Fetched:
    return Fetched(**{**data, "body": base64.b64decode(data["body"]), "at": datetime.fromisoformat(data["at"])})


def without_body(one: Fetched, *, fault: str, reason: str) -> Fetched:
    """An answer that is no page."""
    return replace(one, body=b"", fault=fault, reason=reason)
