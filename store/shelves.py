"""Harvests as rows: cleaned at the door, the same posting on several pages made one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.identity import fingerprint
from domain.model import Contact, Harvest, Posting
from store.archive import Place
from store.door import clean, clean_key
from store.picturefields import image_fields

LINKS = 200
"""Links kept of one posting: a page with more is a directory, and its links are no sign of who stands behind it."""


@dataclass(slots=True)
class Sighting:
    """One different posting of a batch: where it was seen first and last, as indexes into the batch."""

    fields: dict[str, Any]
    fingerprint: str
    first: int
    last: int
    first_at: datetime
    last_at: datetime
    seen: int = 1
    cleaned: int = 0

    def row(self, capture_ids: Sequence[int]) -> dict[str, Any]:
        """The row of `postings`, where the batch's captures have these numbers."""
        return self.fields | {
            "fingerprint": self.fingerprint,
            "first_capture_id": capture_ids[self.first],
            "last_capture_id": capture_ids[self.last],
            "first_seen_at": self.first_at,
            "last_seen_at": self.last_at,
            "seen": self.seen,
            "read_at": None if self.fields["images"] else self.first_at,
        }


def sightings(harvests: Sequence[Harvest]) -> list[Sighting]:
    """The different postings of a batch, sorted by fingerprint: two sweeps that meet the same ones never lock crosswise."""
    found: dict[str, Sighting] = {}
    for index, harvest in enumerate(harvests):
        at, here = harvest.capture.fetched_at, set()
        for posting in harvest.postings:
            name = clean_key(posting.fingerprint) or _fingerprint(posting)
            if name in here:
                continue  # a page that shows it twice has seen it once
            here.add(name)
            known = found.get(name)
            if known is None:
                fields, cleaned = _posting_fields(posting)
                found[name] = Sighting(fields, name, index, index, at, at, cleaned=cleaned)
                continue
            known.seen += 1
            if at < known.first_at:
                known.first, known.first_at = index, at
            if at >= known.last_at:
                known.last, known.last_at = index, at
    return [found[name] for name in sorted(found)]


def capture_row(harvest: Harvest, *, sweep_id: int, platform: str, place: Place, shot: str | None) -> dict[str, Any]:
    """The row of `captures`."""
    capture = harvest.capture
    return {
        "sweep_id": sweep_id,
        "platform": platform,
        "url": clean_key(capture.url),
        "final_url": clean_key(capture.final_url),
        "fetched_at": capture.fetched_at,
        "status": capture.status,
        "sha256": capture.sha256,
        "size": capture.size,
        "mime": clean(capture.mime)[:200],
        "charset": clean(capture.charset)[:40] if capture.charset else None,
        "via": clean(capture.via)[:40],
        "warc": place.warc,
        "warc_offset": place.offset,
        "warc_length": place.length,
        "screenshot_sha256": shot,
        "sealed": False,
    }


def contact_fields(contact: Contact) -> dict[str, Any]:
    """A Contact as the column `contacts` carries it."""
    return {"kind": contact.kind, "value": contact.value, "start": contact.start, "end": contact.end}


def _posting_fields(posting: Posting) -> tuple[dict[str, Any], int]:
    """The columns that the posting itself gives, as a database can hold them, and how many of them had to be mended."""
    given: dict[str, Any] = {
        "platform": posting.platform,
        "url": posting.url,
        "kind": posting.kind.value,
        "title": posting.title,
        "body": posting.body,
        "images": [image_fields(one) for one in posting.images],
        "publisher": posting.publisher,
        "publisher_address": posting.publisher_address,
        "advertiser": posting.advertiser,
        "links": list(posting.links[:LINKS]),
        "contacts": [contact_fields(one) for one in posting.contacts],
        "published_at": posting.published_at,
        "marked_ad": posting.marked_ad,
    }
    # One look at all texts together: hardly any posting needs mending, and a sweep keeps thousands a second.
    texts = (posting.platform, posting.title, posting.body, posting.publisher, posting.publisher_address, posting.advertiser)
    whole = "".join((*filter(None, texts), *posting.links, *_inner_texts(posting)))
    fields = given if clean(whole) == whole else {name: mended(value) for name, value in given.items()}
    fields = fields | {"url": clean_key(posting.url)}
    return fields, sum(value != given[name] for name, value in fields.items())


def _inner_texts(posting: Posting) -> Iterator[str]:
    for image in posting.images:
        yield from (image.url, image.text, *image.qr)
    for contact in posting.contacts:
        yield from (contact.kind, contact.value)


def mended(value: Any) -> Any:
    """`value` with every text in it cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [mended(one) for one in value]
    if isinstance(value, dict):
        return {key: mended(one) for key, one in value.items()}
    return value


def _fingerprint(posting: Posting) -> str:
    pictures = tuple(image.url for image in posting.images)
    return fingerprint(platform=posting.platform, url=posting.url, title=posting.title, body=posting.body, images=pictures)
