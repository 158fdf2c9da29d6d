"""One posting cut from a page: the values that its fields name, and the Posting that they make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crawlers import general
from crawlers.dates import moment
from crawlers.page import Page
from crawlers.picks import Fields
from crawlers.platform import PlatformFile
from domain.identity import canonical_url, fingerprint
from domain.model import Image, Posting, PostingKind

MOST_BODY = 200_000
"""Characters kept of one body: a longer one is a file, not an ad."""
_HREF = ("href",)
_IMAGE = ("data-src", "data-original", "src")
_VIDEO = ("src",)


@dataclass(frozen=True, slots=True)
class Site:
    """One platform and the moment, as every step needs them."""

    platform: PlatformFile
    page: Page
    now: datetime


def values_of(site: Site, fields: Fields, under: Any) -> dict[str, Any]:
    """Only what is named and found."""
    page = site.page
    values: dict[str, Any] = {}
    for name, picks in fields.named:
        if name == "body":
            found: Any = "\n".join(page.values(picks, under=under, as_body=True))
        elif name == "images":
            addresses = page.values(picks, under=under, default_attribute=_IMAGE)
            found = tuple(dict.fromkeys(joined for address in addresses if (joined := page.link(address))))[:40]
        elif name == "video":
            found = page.link(page.first(picks, under=under, default_attribute=_VIDEO))
        elif name == "link":
            found = page.link(page.first(picks, under=under, default_attribute=_HREF))
        elif name == "published_at":
            found = moment(text, now=site.now) if (text := page.first(picks, under=under)) else None
        elif name == "marked_ad":
            # An element without words counts too (an icon), but not where a pattern asks for words.
            plain_picks = [pick for pick in picks if pick.regex is None and pick.kind in ("css", "xpath")]
            found = bool(page.nodes(plain_picks, under=under)) or bool(page.values(picks, under=under))
        else:
            found = page.first(picks, under=under)
        if found:
            values[name] = found
    return values


def posting_of(
    site: Site, kind: PostingKind | None, values: dict[str, Any], *, url: str, anchored: bool = False, links: bool = False, item: Any = None
) -> Posting | None:
    """None where there is nothing to judge, or no address to stand for it."""
    platform = site.platform
    title, body = values.get("title") or "", (values.get("body") or "")[:MOST_BODY]
    images: tuple[str, ...] = values.get("images") or ()
    video: str | None = values.get("video") if platform.video == "read" else None
    shown = (video, *images) if video is not None and platform.owns(video) else images
    if not title and not body and not images:
        return None
    try:
        # Items without an address of their own are told apart by their number; canonical addresses drop fragments.
        address, _, number = url.partition("#") if anchored else (url, "", "")
        address = canonical_url(address) + (f"#{number}" if anchored else "")
    except ValueError:
        return None
    marked = bool(values.get("marked_ad"))
    found_links: tuple[str, ...] = values.get("links") or ()
    if links and item is not None and hasattr(item, "css_first"):
        found_links = general.links_in(site.page, item)
    kind = kind or (PostingKind.AD if marked else platform.posting_kind)
    return Posting(
        platform=platform.id, url=address, kind=kind, title=title, body=body, images=tuple(Image(url=source) for source in shown),
        publisher=values.get("publisher"), publisher_address=values.get("publisher_address"), advertiser=values.get("advertiser"),
        links=found_links, published_at=values.get("published_at"), marked_ad=marked,
        # Without the video: its address has a token that is another one at each visit.
        fingerprint=fingerprint(platform=platform.id, url=address, title=title, body=body, images=images),
    )  # fmt: skip
