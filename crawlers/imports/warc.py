"""WARC files (plain or gzip) -> Harvests: pages that another crawler, a browser or an archive kept."""

from __future__ import annotations

import html
import io
import logging
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers.imports import json_answers
from crawlers.imports.base import Asked, Example, Look, OneFile, Refused, too_large
from domain.clock import CLOCK_SLACK
from domain.model import Harvest

log = logging.getLogger(__name__)

HEAD_MOST = 1 << 16
"""Bytes of a record's head."""
_LENGTH = re.compile(rb"^Content-Length:\s*(\d{1,15})\s*$", re.I | re.M)
WEB_BEGAN = datetime(1989, 1, 1, tzinfo=UTC)
"""No page is older; a record that says so has no date."""
_STATUS = re.compile(r"(?:^|\s)([1-5]\d\d)(?:\s|$)")
_PASSED_OVER = frozenset({"warcinfo", "request", "metadata", "conversion", "continuation"})
CUT = "文件在此处中断或损坏（{}）；此前的内容已取，请重新下载后再导入一次"


class Warc(OneFile):
    """What an archive of the web is: one record a page."""

    name, title, suffixes = "warc", "WARC 网页存档", (".warc", ".warc.gz", ".arc", ".arc.gz")

    def knows(self, look: Look) -> bool:
        return look.head.startswith((b"WARC/", b"filedesc://"))

    def pieces(self, file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
        yield from records(file, asked)

    def examples(self) -> tuple[Example, ...]:
        pages = [(f"https://news.example/{n}.html", _page(n), "text/html") for n in range(3)]
        data = written(pages)
        third = data[: len(data) - len(data) // 6]
        return (Example(files={"pages.warc.gz": data}, captures=3, postings=3, broken={"pages.warc.gz": third}),)


def records(file: BinaryIO, asked: Asked, *, via: str = "warc") -> Iterator[Harvest | Refused]:
    """Every page of the file, in its order. A cut or broken file gives all that stands before the cut, then one Refused."""
    number, last = 0, 0
    found: Any = None
    taken: Harvest | Refused | None = None
    while True:
        try:
            found = found or ArchiveIterator(file, check_digests=False, arc2warc=True)
            record = next(found)
            last = max(last, int(getattr(found, "offset", 0)))
        except StopIteration:
            if number == 0:
                yield Refused(0, "", "文件里没有任何记录；它是 WARC 吗")
            elif not isinstance(taken, Refused) and _ends_early(file, last):
                yield Refused(number + 1, "", CUT.format("最后一条记录不完整"))
            return
        except Exception as error:  # warcio, zlib and the encodings raise types of their own for broken files
            yield Refused(number + 1, "", CUT.format(str(error)[:150] or type(error).__name__))
            return
        number += 1
        taken = _taken(record, number, asked, via)
        if taken is not None:
            yield taken


def _ends_early(file: BinaryIO, last: int) -> bool:
    """Whether the file ends inside a record, which warcio passes over where the cut lies in a head. `last` is where one begins."""
    file.seek(last)
    head = file.read(HEAD_MOST)
    file.seek(last)
    if head.startswith(b"\x1f\x8b"):
        return _member_ends_early(file)
    if not head.startswith(b"WARC/"):
        return False  # an ARC file, or none at all
    fields, blank, _ = head.partition(b"\r\n\r\n")
    length = _LENGTH.search(fields)
    if not blank or length is None:
        return True
    file.seek(last + len(fields) + 4 + int(length[1]))
    return bool(file.read(HEAD_MOST).strip())


def _member_ends_early(file: BinaryIO) -> bool:
    inflater, begun = zlib.decompressobj(31), False
    while block := file.read(1 << 16):
        while block:
            inflater.decompress(block)
            begun = not inflater.eof
            block = inflater.unused_data
            inflater = zlib.decompressobj(31) if inflater.eof else inflater
    return begun


def _taken(record: Any, number: int, asked: Asked, via: str) -> Harvest | Refused | None:
    kind, largest = record.rec_type, asked.largest
    if kind in _PASSED_OVER:
        return None
    url = html.unescape(record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    if kind not in ("response", "resource"):
        return Refused(number, url, f"{kind} 类记录不含页面")
    if not url.startswith(("http://", "https://")):
        return None if url.startswith(("dns:", "urn:", "about:", "data:")) else Refused(number, url, "地址不是网址")
    mime, declared, status = _said(record)
    if json_answers.PASSED_OVER.match(mime):
        return None
    try:
        body = record.content_stream().read(largest + 1)
        missing = getattr(record.raw_stream, "limit", 0)
    except Exception as error:  # as above
        return Refused(number, url, f"正文解不开（{error or type(error).__name__}）")
    if len(body) > largest:
        return Refused(number, url, too_large(len(body), largest))
    if missing:
        return Refused(number, url, f"记录被截断，缺 {missing} 字节；请重新下载后再导入一次")
    moment = dated(record.rec_headers.get_header("WARC-Date"), asked)
    try:
        return json_answers.harvest(body, url=url, asked=asked, fetched_at=moment, status=status, mime=mime, via=via, declared=declared)
    except Exception as error:  # a page that no reader foresaw costs itself, not the records behind it
        log.warning("record=%d url=%s unread", number, url[:200], exc_info=error)
        return Refused(number, url, f"页面读不了（{str(error)[:200] or type(error).__name__}）")


def _said(record: Any) -> tuple[str, str | None, int]:
    """What a record says of itself: media type, encoding, status."""
    headers = record.http_headers
    status = _STATUS.search(f"{headers.protocol} {headers.statusline}" if headers else "")
    kind = (headers.get_header("Content-Type") if headers else record.rec_headers.get_header("Content-Type")) or ""
    declared = kind.lower().partition("charset=")[2].strip(" \"';") or None
    return kind.partition(";")[0].strip().lower(), declared, int(status[1]) if status else 0


def dated(text: str | None, asked: Asked) -> datetime:
    """When a page was seen; the import's moment where the source does not say, or names a time to come."""
    try:
        found = datetime.fromisoformat(text or "")
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return asked.now
    return found if WEB_BEGAN <= found <= asked.now + CLOCK_SLACK else asked.now


def written(pages: list[tuple[str, bytes, str]]) -> bytes:
    """A WARC of these (address, body, media type), for examples."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    for url, body, mime in pages:
        headers = StatusAndHeaders("200 OK", [("Content-Type", mime), ("Content-Length", str(len(body)))], protocol="HTTP/1.1")
        given = {"WARC-Date": "2026-11-20T08:00:00Z"}
        record = writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=headers, warc_headers_dict=given)
        writer.write_record(record)
    return buffer.getvalue()


def _page(number: int) -> bytes:
    text = f"这是第{number}篇为示例写的文章，说的是小城里的一件事。" * 6
    return f"<html><head><title>第{number}篇</title></head><body><h1>第{number}篇</h1><div>{text}</div></body></html>".encode()
