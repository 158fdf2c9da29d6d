"""A posting's pictures as its row carries them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.model import Image, Region


def image_fields(image: Image) -> dict[str, Any]:
    """An Image as the column `images` carries it; what was not read takes no room."""
    fields: dict[str, Any] = {"url": image.url, "sha256": image.sha256, "text": image.text, "qr": list(image.qr)}
    if image.width:
        fields |= {"width": image.width, "height": image.height}
    if image.regions:
        fields["regions"] = [region_fields(one) for one in image.regions]
    return fields | {name: value for name, value in (("phash", image.phash), ("fault", image.fault)) if value}


def region_fields(region: Region) -> dict[str, Any]:
    """A Region as JSON."""
    fields: dict[str, Any] = {"kind": region.kind, "start": region.start, "end": region.end, "box": list(region.box)}
    return fields | ({"at_s": region.at_s} if region.at_s else {})


def image_of(fields: Mapping[str, Any]) -> Image:
    """The Image of one entry of the column: of today's rows, of those that were written before regions were kept, and of newer ones."""
    return Image(
        url=fields["url"],
        sha256=fields.get("sha256"),
        text=fields.get("text", ""),
        qr=tuple(fields.get("qr", ())),
        width=fields.get("width", 0),
        height=fields.get("height", 0),
        regions=tuple(region_of(one) for one in fields.get("regions", ())),
        phash=fields.get("phash", ""),
        fault=fields.get("fault", ""),
    )


def region_of(fields: Mapping[str, Any]) -> Region:
    """The Region of its JSON."""
    left, top, right, bottom = fields.get("box", (0, 0, 0, 0))
    box = (left, top, right, bottom)
    return Region(kind=fields["kind"], start=fields["start"], end=fields["end"], box=box, at_s=fields.get("at_s", 0.0))
