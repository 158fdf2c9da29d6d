"""Short videos of postings (`video: read`): where a page names its video file. It is fetched, kept and read as a picture is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from crawlers.page import Page
from crawlers.platform import PlatformFile
from crawlers.reading import Reading
from domain.model import Image, Posting

EACH = 1
"""Videos of one posting: a page of a short video has one, and other addresses are the same at other sizes."""
_PLAYLISTS = (".m3u8", ".mpd", ".swf", ".html", ".htm")
"""They name other files, or are players; only a file that holds the whole video is read."""
_META = 'meta[property="og:video:secure_url"], meta[property="og:video:url"], meta[property="og:video"]'


def with_video(platform: PlatformFile, page: Page, reading: Reading) -> list[Posting]:
    """The postings of a page; where it has one alone, whose fields named no video, with the video that the markup names.

    A list's teasers play many videos, so it says nothing there.
    """
    if platform.video != "read" or len(reading.postings) != 1 or reading.layout not in ("detail", "general"):
        return reading.postings
    (posting,) = reading.postings
    known = {image.url for image in posting.images}
    addresses = own(platform, _named(page))
    if not addresses or known & set(addresses):
        return reading.postings
    return [replace(posting, images=(*(Image(url=address) for address in addresses[:EACH]), *posting.images))]


def own(platform: PlatformFile, addresses: Iterable[str]) -> list[str]:
    """Those among web addresses that lie on the platform's own hosts and may be a whole video, each once."""
    return [one for one in dict.fromkeys(addresses) if platform.owns(one) and not urlsplit(one).path.lower().endswith(_PLAYLISTS)]


def _named(page: Page) -> Iterator[str]:
    """The player's file first: what `og:video` names may be the player itself, and says so in its type."""
    for node in page.tree.css("video[src], video source[src]"):
        if (joined := page.link(node.attributes.get("src") or "")) is not None:
            yield joined
    declared = page.tree.css_first('meta[property="og:video:type"]')
    if declared is not None and not (declared.attributes.get("content") or "video/").strip().lower().startswith("video/"):
        return
    for node in page.tree.css(_META):
        if (joined := page.link(node.attributes.get("content") or "")) is not None:
            yield joined
