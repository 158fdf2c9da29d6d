"""What one page gave: postings, and addresses to follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.model import Posting

Role = Literal["start", "list", "detail", "api", "visit"]

MOST_ITEMS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a list gave about a page behind it."""

    title: str = ""
    publisher: str | None = None
    published_at: datetime | None = None
    marked_ad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """An address to fetch next."""

    url: str
    role: Role
    hints: Hints | None = None
    onward: bool = False
    """A next page: it lies no deeper than the page it stands on."""
    worth: int = 0
    """How promising it is, 1-100, where a site is discovered (crawlers/discover.py); 0 elsewhere."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """What one page gave."""

    postings: list[Posting] = field(default_factory=list)
    follow: list[Follow] = field(default_factory=list)
    layout: Literal["list", "detail", "api", "script", "feed", "sitemap", "general", "none"] = "none"
    drift: str = ""
    """What did not fit: a section found nothing on a page that has content."""
    items: int = 0
    """Items that a list had, kept or not."""
