"""WARC files (plain or gzip) -> Harvests: pages that another crawler, a browser or an archive kept."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from crawlers.gather import gather
from crawlers.platform import PlatformFile
from domain.clock import CLOCK_SLACK
from domain.model import Harvest

log = logging.getLogger(__name__)

LARGEST = 16 * 1024 * 1024
"""Bytes of one body; a larger one is refused."""
WEB_BEGAN = datetime(1989, 1, 1, tzinfo=UTC)
"""No page is older; a record that says so has no date."""
_STATUS = re.compile(r"(?:^|\s)([1-5]\d\d)(?:\s|$)")
_PASSED_OVER = frozenset({"warcinfo", "request", "metadata", "conversion", "continuation"})


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that was not taken, and why. `number` counts the records of the file from 1."""

    number: int
    url: str
    reason: str


def read(path: Path, *, platforms: Mapping[str, PlatformFile] | None = None, largest: int = LARGEST) -> Iterator[Harvest | RefusedRecord]:
    """Every page of the file, in its order. A cut or broken file gives all that stands before the cut, then one RefusedRecord.

    `platforms` read the pages that are theirs; the general extractor reads the others. Raises OSError where the file cannot be opened.
    """
    number = 0
    with path.open("rb") as stream:
        records: Any = None
        while True:
            try:
                records = records or iter(ArchiveIterator(stream, check_digests=False, arc2warc=True))
                record = next(records)
            except StopIteration:
                if number == 0:
                    yield RefusedRecord(1, "", "the file holds no record; is it a WARC?")
                return
            except Exception as error:  # warcio, zlib and the encodings raise types of their own for broken files
                yield RefusedRecord(number + 1, "", f"the file is cut or broken here ({error or type(error).__name__})")
                return
            number += 1
            found = _taken(record, number, platforms=platforms or {}, largest=largest)
            if found is not None:
                yield found


def _taken(record: Any, number: int, *, platforms: Mapping[str, PlatformFile], largest: int) -> Harvest | RefusedRecord | None:
    kind = record.rec_type
    if kind in _PASSED_OVER:
        return None
    url = html.unescape(record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    if kind not in ("response", "resource"):
        return RefusedRecord(number, url, f"a record of kind {kind} holds no page")
    if not url.startswith(("http://", "https://")):
        return None if url.startswith(("dns:", "urn:", "about:", "data:")) else RefusedRecord(number, url, "its address is no web address")
    try:
        body = record.content_stream().read(largest + 1)
        missing = getattr(record.raw_stream, "limit", 0)
    except Exception as error:  # as above
        return RefusedRecord(number, url, f"its body cannot be unpacked ({error or type(error).__name__})")
    if len(body) > largest:
        return RefusedRecord(number, url, f"its body is over {largest} bytes")
    if missing:
        return RefusedRecord(number, url, f"it is cut short: {missing} bytes are missing")
    try:
        return _harvest(record, url, body, platforms)
    except Exception as error:  # a page that no reader foresaw costs itself, not the records behind it
        log.warning("record=%d url=%s unread", number, url[:200], exc_info=error)
        return RefusedRecord(number, url, f"it cannot be read ({str(error)[:200] or type(error).__name__})")


def _harvest(record: Any, url: str, body: bytes, platforms: Mapping[str, PlatformFile]) -> Harvest:
    headers = record.http_headers
    line = f"{headers.protocol} {headers.statusline}" if headers else ""
    status = _STATUS.search(line)
    kind = (headers.get_header("Content-Type") if headers else record.rec_headers.get_header("Content-Type")) or ""
    declared = kind.lower().partition("charset=")[2].strip(" \"';") or None
    given = tuple((str(name), str(value)) for name, value in headers.headers) if headers else ()
    return gather(
        body, url=url, platforms=platforms, fetched_at=_moment(record.rec_headers.get_header("WARC-Date")),
        status=int(status[1]) if status else 0, mime=kind.partition(";")[0].strip().lower(), via="warc", declared=declared,
        response_headers=given,
    )  # fmt: skip


def _moment(text: str | None) -> datetime:
    """When the page was kept; now where the record does not say, or names a time to come."""
    now = datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text or "")
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return now
    return found if WEB_BEGAN <= found <= now + CLOCK_SLACK else now
