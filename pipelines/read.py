"""Read: the pictures of postings, before they are judged. Text and QR payloads join the posting; nothing is followed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from classifiers.images import ImageReader, ImageReading
from domain.errors import EvidenceAltered
from store import pictures
from store.archive import Archive
from store.door import clean
from store.engine import Store

log = logging.getLogger(__name__)

BATCH = 8
"""Postings leased together: with nine pictures each at half a second, well inside a lease."""


class Reading(Protocol):
    """What `classifiers.images.ImageReader` is to this stage."""

    def read(self, data: bytes) -> ImageReading:
        """Never raises for what the bytes are."""
        ...


@dataclass(slots=True)
class _Shelf:
    """Where this call's pictures come from; one that hangs at many postings is read once."""

    archive: Archive
    reader: Reading
    known: dict[str, ImageReading] = field(default_factory=dict)
    count: int = 0


def read_waiting(store: Store, *, now: datetime, worker: str, reader: Reading | None = None, limit: int = 64) -> int:
    """Read about `limit` pictures of postings that wait for it, whole postings at a time: how many different ones were read.

    A posting whose pictures were not fetched, or cannot be read, goes on without them. `reader` None loads the real one, where
    there is a picture to read.
    """
    shelf = _Shelf(Archive(store.settings.archive_dir), reader or _Later())
    # Postings without a fetched picture cost nothing, so they do not count: thousands of them go on in one call.
    while shelf.count < limit:
        rows = pictures.lease_unread(store, worker=worker, now=now, limit=BATCH, lease_s=store.settings.lease_s)
        if not rows:
            break
        found = pictures.captures_of(store, sorted({one["url"] for row in rows for one in row["images"]}))
        read = {row["id"]: [_one(shelf, image, found.get(image["url"])) for image in row["images"]] for row in rows}
        pictures.settle(store, read, now=now, worker=worker)
    return shelf.count


def _one(shelf: _Shelf, image: Mapping[str, Any], capture: Mapping[Any, Any] | None) -> dict[str, Any]:
    """One picture's fields with what was read in it; as they were where there is nothing to read."""
    if capture is None:
        return dict(image)
    digest = str(capture["sha256"])
    if digest not in shelf.known:
        shelf.known[digest] = _read(shelf, capture)
    reading = shelf.known[digest]
    return {**image, "sha256": digest, "text": clean(reading.text), "qr": _clean_all(reading.qr)}


def _read(shelf: _Shelf, capture: Mapping[Any, Any]) -> ImageReading:
    try:
        data = shelf.archive.read(capture["warc"], capture["warc_offset"], capture["warc_length"], capture["sha256"])
    except EvidenceAltered as error:
        log.warning("capture=%d picture=unread why=%s", capture["id"], error)
        return ImageReading(fault=str(error))
    shelf.count += 1
    reading = shelf.reader.read(data)
    if reading.fault:
        log.info("capture=%d picture=unread why=%s", capture["id"], reading.fault)
    return reading


def _clean_all(payloads: Sequence[str]) -> list[str]:
    return [clean(one) for one in payloads]


class _Later:
    """The process's one real reader, loaded when the first picture comes: most calls find none."""

    def read(self, data: bytes) -> ImageReading:
        return _real().read(data)


@lru_cache(maxsize=1)
def _real() -> ImageReader:
    return ImageReader()
