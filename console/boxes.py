"""What was read in a posting's pictures, and where: boxes to draw over each, for the part 图片与截图 of a hit's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import marks
from domain.model import Image, Region
from store.picturefields import image_of

MOST = 400
"""Boxes drawn over one picture: a long screenshot has some two hundred lines."""
CODE = "二维码（未访问）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One line of text, or one code. Left, top, width and height in pixels of the picture."""

    kind: str
    """text or qr; speech has no place."""
    said: str
    """What stands there, contacts hidden unless the officer asked for them."""
    x: int
    y: int
    width: int
    height: int
    rules: tuple[str, ...] = ()
    """Rules that speak on the line, strongest first."""
    at: str = ""
    """Minute and second, in a video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """One picture or video of a posting."""

    sha256: str
    number: int
    """Its place among the posting's pictures, from 1."""
    width: int
    height: int
    moving: bool
    boxes: tuple[Box, ...]
    payloads: tuple[str, ...]
    fault: str


def pictured(row: Any, *, kinds: Mapping[str, str], reveal: bool, known: Sequence[str]) -> list[Pictured]:
    """Those of a hit's row whose bytes were kept. `kinds` are their media types by hash, `known` contacts that are hidden as well."""
    found, at = [], sum(len(part) + 1 for part in (row.title, row.body) if part)
    for number, fields in enumerate(row.images, 1):
        image = image_of(fields)
        if image.sha256:
            moving = kinds.get(image.sha256, "").startswith("video/") or any(one.at_s for one in image.regions)
            boxes = tuple(_boxes(image, matches=row.matches, offset=at, reveal=reveal, known=known))
            found.append(
                Pictured(
                    sha256=image.sha256, number=number, width=image.width, height=image.height, moving=moving,
                    boxes=boxes[:MOST], payloads=image.qr if reveal else (), fault=image.fault,
                )
            )  # fmt: skip
        at += len(image.text) + 1 if image.text else 0
    return found


def _boxes(image: Image, *, matches: Sequence[Mapping[str, Any]], offset: int, reveal: bool, known: Sequence[str]) -> Iterator[Box]:
    """`offset` is where the picture's text begins in the judged text, whose offsets the matches have."""
    text = image.text if reveal else marks.hide(image.text, marks.contact_spans(image.text, known))
    for region in image.regions:
        left, top, right, bottom = region.box
        x, y, width, height = max(0, left), max(0, top), min(right, image.width) - max(0, left), min(bottom, image.height) - max(0, top)
        if width <= 0 or height <= 0:
            continue
        start, end = offset + region.start, offset + region.end
        spoken = matches if region.kind == "text" else ()
        speaking = [one for one in spoken if one["start"] < end and one["end"] > start and one["weight"] > 0]
        rules = tuple(dict.fromkeys(one["rule"] for one in sorted(speaking, key=lambda one: -one["weight"])))
        said = _said(image, region, text=text, reveal=reveal)
        yield Box(kind=region.kind, said=said, x=x, y=y, width=width, height=height, rules=rules, at=_clock(region.at_s))


def _said(image: Image, region: Region, *, text: str, reveal: bool) -> str:
    if region.kind != "qr":
        return text[region.start : region.end]
    payload = image.qr[region.start] if reveal and 0 <= region.start < len(image.qr) else ""
    return f"{CODE}：{payload}" if payload else CODE


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}" if seconds else ""
