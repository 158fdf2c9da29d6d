"""Read: the pictures and short videos of postings, before they are judged. Text and QR payloads join the posting; nothing is followed.

A picture is read once, wherever it hangs: found again by its bytes, or by a perceptual hash and then its pixels. What is no picture,
or cannot be read, has its reason written beside it and holds nobody up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from classifiers import imagesame, video
from classifiers.imagefile import Picture, Unreadable, decode
from classifiers.images import VERSION, ImageReader, ImageReading
from domain.errors import EvidenceAltered
from domain.model import Image
from domain.settings import Settings
from store import pictures, readings
from store.archive import Archive
from store.door import clean
from store.engine import Store
from store.picturefields import image_fields, region_of

log = logging.getLogger(__name__)

BATCH = 8
"""Postings leased together: with nine pictures each at half a second, well inside a lease."""
ATTEMPTS_MOST = 2
"""Readings of one picture that may end the whole program (a fault in a decoder, the memory) before it is left unread."""


class Reading(Protocol):
    """What `classifiers.images.ImageReader` is to this stage."""

    def read(self, data: bytes, *, picture: Picture | None = None) -> ImageReading:
        """Never raises for what the bytes are. `picture` is what they decode to, where that is known."""
        ...


@dataclass(slots=True)
class _Shelf:
    """Where this call's pictures come from; one that hangs at many postings is looked up once."""

    store: Store
    archive: Archive
    reader: Reading
    now: datetime
    known: dict[str, ImageReading] = field(default_factory=dict)
    count: int = 0


def read_waiting(store: Store, *, now: datetime, worker: str, reader: Reading | None = None, limit: int = 64) -> int:
    """Read about `limit` pictures of postings that wait for it, whole postings at a time: how many different ones were read.

    A posting whose pictures were not fetched, or cannot be read, goes on without them. `reader` None loads the real one, where
    there is a picture to read.
    """
    shelf = _Shelf(store, Archive(store.settings.archive_dir), reader or _Later(store.settings), now)
    # Postings without a fetched picture cost nothing, so they do not count: thousands of them go on in one call.
    while shelf.count < limit:
        began = time.monotonic()
        rows = pictures.lease_unread(store, worker=worker, now=now, limit=BATCH, lease_s=store.settings.lease_s)
        if not rows:
            break
        found = pictures.captures_of(store, sorted({one["url"] for row in rows for one in row["images"]}))
        for at, row in enumerate(rows):
            if time.monotonic() - began > store.settings.lease_s / 2:  # videos take their time; the rest is somebody's next turn
                pictures.give_back(store, [one["id"] for one in rows[at:]], worker=worker)
                return shelf.count
            read = [_one(shelf, image, found.get(image["url"])) for image in row["images"]]
            pictures.settle(store, {row["id"]: read}, now=now, worker=worker)
    return shelf.count


def _one(shelf: _Shelf, image: Mapping[str, Any], capture: Mapping[Any, Any] | None) -> dict[str, Any]:
    """One picture's fields with what was read in it; as they were where there is nothing to read."""
    if capture is None:
        return dict(image)
    digest = str(capture["sha256"])
    if digest not in shelf.known:
        kept = readings.known(shelf.store, digest, reader=VERSION, now=shelf.now)
        shelf.known[digest] = _reading_of(kept) if kept is not None else _read(shelf, capture)
    return {**image, **_fields(shelf.known[digest], url=image["url"], digest=digest)}


def _read(shelf: _Shelf, capture: Mapping[Any, Any]) -> ImageReading:
    digest = str(capture["sha256"])
    try:
        data = shelf.archive.read(capture["warc"], capture["warc_offset"], capture["warc_length"], digest)
    except EvidenceAltered as error:
        log.warning("capture=%d picture=unread why=%s", capture["id"], error)
        return ImageReading(fault=str(error))
    attempts = readings.begin(shelf.store, digest, reader=VERSION, capture_id=capture["id"], now=shelf.now)
    like: str | None = None
    if attempts > ATTEMPTS_MOST:
        reading = ImageReading(fault=f"reading it ended the program {attempts - 1} times; it is left unread")
        log.error("capture=%d picture=unread why=%s", capture["id"], reading.fault)
    else:
        reading, like = _look(shelf, data)
        if reading.fault:
            log.info("capture=%d picture=unread why=%s", capture["id"], reading.fault)
    kept = _fields(reading, url="", digest=None)
    readings.keep(shelf.store, digest, reading=kept, phash=reading.phash, like=like)
    return reading


def _look(shelf: _Shelf, data: bytes) -> tuple[ImageReading, str | None]:
    """(what stands in it, the sha256 of the picture that it is the same as, where one was read before)."""
    picture: Picture | None = None
    if not video.is_video(data):
        try:
            picture = decode(data)
        except Unreadable:
            picture = None  # the reader says why
    if picture is not None:
        taken = _taken_over(shelf, picture)
        if taken is not None:
            return taken
    shelf.count += 1
    return shelf.reader.read(data, picture=picture), None


def _taken_over(shelf: _Shelf, picture: Picture) -> tuple[ImageReading, str] | None:
    """What was read in the same picture at another size or quality; None where none is the same square by square."""
    mine = imagesame.phash(picture.pixels)
    rows = readings.lookalikes(shelf.store, mine, reader=VERSION, distance=imagesame.DISTANCE_MOST)
    for row in rows:
        try:
            other = decode(shelf.archive.read(row["warc"], row["warc_offset"], row["warc_length"], row["sha256"]))
        except (EvidenceAltered, Unreadable):
            continue  # its bytes are gone or broken: nothing to compare with
        if imagesame.same(picture.pixels, other.pixels):
            return _reading_of(row["reading"]).at_size(picture.width, picture.height), str(row["sha256"])
    return None


def _fields(reading: ImageReading, *, url: str, digest: str | None) -> dict[str, Any]:
    """A reading as the fields of an Image, as a database can hold them."""
    image = Image(
        url=url, sha256=digest, text=clean(reading.text), qr=tuple(clean(one) for one in reading.qr), width=reading.width,
        height=reading.height, regions=reading.regions, phash=reading.phash, fault=clean(reading.fault),
    )  # fmt: skip
    return image_fields(image)


def _reading_of(kept: Mapping[str, Any]) -> ImageReading:
    return ImageReading(
        text=kept["text"], qr=tuple(kept["qr"]), width=kept.get("width", 0), height=kept.get("height", 0),
        regions=tuple(region_of(one) for one in kept.get("regions", ())), phash=kept.get("phash", ""), fault=kept.get("fault", ""),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Later:
    """The process's one real reader, loaded when the first picture comes: most calls find none."""

    settings: Settings

    def read(self, data: bytes, *, picture: Picture | None = None) -> ImageReading:
        given = self.settings
        reader = _real(given.ocr_threads, given.inference)
        if picture is None and video.is_video(data):
            return video.read_video(data, reader=reader, limits=video.Limits(frames=given.video_frames), listener=given.speech_command)
        return reader.read(data, picture=picture)


@lru_cache(maxsize=1)
def _real(threads: int, choice: Any) -> ImageReader:
    return ImageReader(threads=threads, choice=choice)
