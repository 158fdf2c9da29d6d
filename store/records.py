"""WARC records, one gzip member each, written here by hand for speed; any WARC reader reads them.

Source: ISO 28500:2017 (WARC/1.1). A page fetched over HTTP is a `response` record; a browser's document or an imported file
is a `resource` record, since it is not what the server sent. The `request` record follows its response.
"""

from __future__ import annotations

import re
import uuid
import zlib
from base64 import b32encode
from datetime import UTC, datetime
from hashlib import sha256 as _sha256
from http import HTTPStatus

from domain.errors import EvidenceAltered
from domain.model import Harvest

LEVEL = 1
"""gzip's fastest: 50 KB of Chinese HTML take 0.6 ms and shrink to a quarter; level 6 takes four times as long for a fifth less."""

HEAD_MOST = 65_536
"""Bytes in which a record's own fields end: a photo of a hundred megabytes is not inflated for them."""
_PHOTO = "Wangxun-Photo-"
_CODING = frozenset(("content-encoding", "transfer-encoding", "content-length"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def members(harvest: Harvest) -> bytes:
    """The gzip members of one capture: its page first, its request after, where the headers are known."""
    capture = harvest.capture
    page_id = f"<urn:uuid:{uuid.uuid4()}>"
    digest = "sha256:" + b32encode(bytes.fromhex(capture.sha256)).decode()
    # session:NAME came over HTTP with the office's own account (crawlers.sessions), session:NAME/browser through the browser.
    served = (capture.via == "http" or (capture.via.startswith("session:") and "/" not in capture.via)) and capture.status > 0
    if served:
        head = _response_head(capture.status, harvest.response_headers, size=len(harvest.body))
        kind, mime = "response", "application/http;msgtype=response"
    else:
        head, kind, mime = b"", "resource", capture.mime
    fields = {"WARC-Payload-Digest": digest, "WARC-Target-URI": capture.final_url or capture.url}
    if not served:
        # A resource record has no status line; what was seen stays readable in the record itself.
        fields["Wangxun-Fetched-Via"] = f"{capture.via} {capture.status}"
        # Of a photo: place, time and officer, as the importer of photos gives them. No page's own headers stand here.
        fields |= {name: value for name, value in harvest.response_headers if capture.via == "photos" and name.startswith("Wangxun-")}
    if capture.final_url and capture.final_url != capture.url:
        fields["Wangxun-Requested-URI"] = capture.url
    data = _member(kind, record_id=page_id, at=capture.fetched_at, mime=mime, head=head, body=harvest.body, fields=fields)
    if served and harvest.request_headers:
        request = f"GET {_line(capture.url)} HTTP/1.1\r\n".encode() + _headers(harvest.request_headers) + b"\r\n"
        fields = {"WARC-Target-URI": capture.url, "WARC-Concurrent-To": page_id}
        data += _member(
            "request",
            record_id=_new_id(),
            at=capture.fetched_at,
            mime="application/http;msgtype=request",
            head=request,
            body=b"",
            fields=fields,
        )
    return data


def warcinfo(name: str, *, at: datetime) -> bytes:
    """The member at a file's beginning: who wrote it, by which standard."""
    body = b"software: Wangxun\r\nformat: WARC File Format 1.1\r\nconformsTo: ISO 28500:2017\r\n"
    return _member(
        "warcinfo", record_id=_new_id(), at=at, mime="application/warc-fields", head=b"", body=body, fields={"WARC-Filename": name}
    )


def body_of(data: bytes, *, sha256: str, where: str) -> bytes:
    """The page's body in the members of one capture, checked against its hash.

    Raises EvidenceAltered where the record is damaged or its body has another hash.
    """
    try:
        inflater = zlib.decompressobj(31)
        record = inflater.decompress(data)
        if not inflater.eof:
            raise ValueError("the member is cut")
        head, _, rest = record.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        block = rest[: int(fields[b"Content-Length"])]
        body = block.partition(b"\r\n\r\n")[2] if fields[b"WARC-Type"] == b"response" else block
    except (zlib.error, ValueError, KeyError) as error:
        raise EvidenceAltered(f"{where}: the record is damaged ({error}); restore it from a backup") from error
    if _sha256(body).hexdigest() != sha256:
        raise EvidenceAltered(f"{where}: the body no longer has the hash written when it was kept; restore it from a backup")
    return body


def photo_fields(data: bytes, *, where: str) -> dict[str, str]:
    """What an imported photo's record says of it, in the members of its capture: Place, Time, Officer, Carrier, Note, Position, File.

    Raises EvidenceAltered where the record is damaged.
    """
    try:
        head = zlib.decompressobj(31).decompress(data, HEAD_MOST).partition(b"\r\n\r\n")[0]
    except zlib.error as error:
        raise EvidenceAltered(f"{where}: the record is damaged ({error}); restore it from a backup") from error
    fields = (line.partition(": ") for line in head.decode("utf-8", "replace").split("\r\n"))
    return {name.removeprefix(_PHOTO): value for name, _, value in fields if name.startswith(_PHOTO)}


def _member(kind: str, *, record_id: str, at: datetime, mime: str, head: bytes, body: bytes, fields: dict[str, str]) -> bytes:
    lines = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: {record_id}",
        f"WARC-Date: {at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}",
        f"Content-Type: {_line(mime)}",
        f"Content-Length: {len(head) + len(body)}",
        *(f"{name}: {_line(value)}" for name, value in fields.items()),
    ]
    deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    parts = [deflater.compress(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace") + head), deflater.compress(body)]
    return b"".join((*parts, deflater.compress(b"\r\n\r\n"), deflater.flush()))


def _response_head(status: int, headers: tuple[tuple[str, str], ...], *, size: int) -> bytes:
    """Status line and headers. The body is kept decoded, so the headers of its coding get the prefix that replay tools know."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    kept = tuple((f"X-Archive-Orig-{name}" if name.lower() in _CODING else name, value) for name, value in headers)
    return f"HTTP/1.1 {status} {phrase}\r\n".encode() + _headers((*kept, ("Content-Length", str(size)))) + b"\r\n"


def _headers(headers: tuple[tuple[str, str], ...]) -> bytes:
    return "".join(f"{_line(name)}: {_line(value)}\r\n" for name, value in headers).encode("utf-8", "replace")


def _line(text: str) -> str:
    """One line: a site's control characters must not forge fields of ours."""
    return _CONTROL.sub(" ", text)


def _new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"
