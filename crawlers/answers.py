"""What an answer is: its declared type and encoding, and whether its bytes are the text or the picture that they should be."""

from __future__ import annotations

from typing import Any

from scrapy.http import Response

_TEXT = ("text/", "application/xhtml", "application/json", "application/xml", "application/javascript", "application/x-javascript")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_STILLS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"hevc")
"""Pictures in the box that videos come in."""
_MAGIC = (*_PICTURES, b"%PDF", b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"\x7fELF", b"MZ", b"\xd0\xcf\x11\xe0")


def is_text(response: Response) -> bool:
    """Whether it is worth parsing: the first bytes are asked before the header."""
    head = response.body[:512].lstrip()
    if head.startswith(_MAGIC):
        return False
    mime = mime_of(response)
    return not mime or mime.startswith(_TEXT) or head[:1] in (b"<", b"{", b"[")


def is_picture(response: Response) -> bool:
    """Whether it is a picture, by its header or by its first bytes."""
    return (mime_of(response) or "").startswith("image/") or response.body.startswith(_PICTURES)


def is_video(response: Response) -> bool:
    """Whether it is a whole video by its first bytes: MP4 and MOV, Matroska and WebM, FLV, AVI. The header may say anything."""
    head = response.body[:16]
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILLS
    return head.startswith((b"\x1a\x45\xdf\xa3", b"FLV\x01")) or head[8:12] == b"AVI "


def mime_of(response: Response) -> str | None:
    """The declared media type, lower case, without parameters."""
    value = response.headers.get(b"Content-Type")
    return value.decode("latin-1").partition(";")[0].strip().lower() or None if value else None


def charset_of(response: Response) -> str | None:
    """The declared encoding, as it stands there."""
    value = response.headers.get(b"Content-Type")
    name = value.decode("latin-1").lower().partition("charset=")[2] if value else ""
    return name.strip(" \"';") or None


def headers_of(message: Any) -> tuple[tuple[str, str], ...]:
    """All headers of a request or a response; none of nothing."""
    if message is None:
        return ()
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, values in message.headers.items() for value in values)
