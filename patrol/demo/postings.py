"""What is posted in the demo city: hand-written texts with their truth, one JSON Lines file a site in posts/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

POSTS = Path(__file__).parent / "posts"

SITES: Mapping[str, str] = {
    "portal": "青棠在线",
    "forum": "棠河论坛",
    "classified": "棠城同城",
    "microblog": "碎语",
    "article": "棠读公号",
    "video": "棠影短视频",
    "search": "寻寻搜索",
    "shop": "棠选好物",
    "bbs": "白芦人论坛",
    "county": "白芦生活网",
    "feed": "棠财早知道",
    "landing": "寻寻推广页",
    "captcha": "棠城商铺网",
    "login": "棠圈",
}
"""The sites of the town. The last two stand behind walls and show nothing to the public."""

Truth = Literal["promo", "lookalike", "ordinary"]
Behaviour = Literal["stays", "takes_down_on_warning", "edits_on_warning", "ignores", "comes_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """What is drawn into the picture of a posting, and nowhere else."""

    lines: tuple[str, ...]
    qr: str
    """Payload of its QR code, an address under `.example`."""
    style: str
    """red, gold, green or dark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Title and body that take the place of the first ones: after an edit, or when a posting comes back."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One posting of the city, as its author first wrote it, with the key that only the city knows."""

    id: str
    site: str
    kind: str
    """A PostingKind value."""
    title: str
    body: str
    author: str
    truth: Truth
    scheme: str | None
    """Slug of rules/schemes.yml; None for what is no promo."""
    appears_s: float
    """Seconds of city time after which it is there; 0 for most."""
    behaviour: Behaviour
    hours_ago: float
    """How long before the city's start it was written, for the date on the page."""
    image: Poster | None = None
    reply_to: str | None = None
    """Id of the thread that this is a floor of."""
    edited: Wording | None = None
    again: Wording | None = None
    campaign: str | None = None
    """Whose promotion this is, where the same people post it in several places: what linking should find."""

    @property
    def number(self) -> str:
        """Id without its letter, as addresses carry it."""
        return self.id[1:]


def _post(row: dict[str, Any]) -> Post:
    image = row.pop("image", None)
    edited, again = row.pop("edited", None), row.pop("again", None)
    return Post(
        image=Poster(lines=tuple(image["lines"]), qr=image["qr"], style=image["style"]) if image else None,
        edited=Wording(**edited) if edited else None,
        again=Wording(**again) if again else None,
        **row,
    )


@cache
def all_posts(folder: Path = POSTS) -> tuple[Post, ...]:
    """Every posting of the city, site by site, in the order of the files."""
    return tuple(
        _post(json.loads(line)) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()
    )
