"""Reading pictures: text by OCR (rapidocr) and the payloads of QR codes (zxing-cpp). A payload is recorded, never followed."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

BYTES_MOST = 20_000_000
PIXELS_MOST = 60_000_000
"""A photo of 50 megapixels is read; above, only a JPEG is, decoded at a fraction of its size. A bomb of 200 costs nothing."""
SIDE_MOST = 4096
"""Longest side that is looked at: long screenshots keep legible text, and the memory stays under 100 MB."""
SIDE_LEAST = 8
_FRAMES = frozenset("口回日田品囗")
"""What the recogniser makes of a QR code's own squares, alone on a line."""
SCORE_LEAST = 0.5
"""Lines that the recogniser itself doubts more are noise: patterns, logos, textures."""
TEXT_MOST = 20_000
CODES_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReading:
    """What one picture says."""

    text: str = ""
    """Lines from top to bottom, joined by line feeds."""
    qr: tuple[str, ...] = ()
    """Payloads, each once, as they stand: they may be anything, `javascript:` included."""
    fault: str = ""
    """Why nothing could be read, where the picture is broken, too large, or none."""


class ImageReader:
    """Reads pictures one at a time. The models (100 MB) are loaded with the first one; safe to share between threads."""

    def __init__(self, *, threads: int = 2) -> None:
        self._threads = threads
        self._engine: Any = None
        self._lock = threading.Lock()

    def read(self, data: bytes) -> ImageReading:
        """Text and QR payloads of a picture file. Never raises for what the bytes are: `fault` says what is wrong with them."""
        try:
            picture = _decode(data)
        except _Unreadable as error:
            return ImageReading(fault=str(error))
        with self._lock:
            return ImageReading(text=self._text(picture), qr=_codes(picture))

    def _text(self, picture: np.ndarray[Any, Any]) -> str:
        if self._engine is None:
            self._engine = _load(self._threads)
        result = self._engine(np.ascontiguousarray(picture[:, :, ::-1]))  # rapidocr wants BGR
        found = zip(result.txts or (), result.scores or (), strict=True)
        lines = [text for text, score in found if score >= SCORE_LEAST and text.strip() and text.strip() not in _FRAMES]
        return "\n".join(lines)[:TEXT_MOST]


class _Unreadable(Exception):
    pass


def _decode(data: bytes) -> np.ndarray[Any, Any]:
    """The first frame as RGB, upright, at most SIDE_MOST long; on white where it is transparent."""
    if len(data) > BYTES_MOST:
        raise _Unreadable(f"{len(data)} bytes; at most {BYTES_MOST} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of bombs; the size is judged below, before anything is decoded
            picture: Image.Image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"))
            if picture.format == "JPEG":
                picture.draft("RGB", (SIDE_MOST, SIDE_MOST))
            width, height = picture.size
            if width * height > PIXELS_MOST:
                raise _Unreadable(f"{width} x {height} pixels; at most {PIXELS_MOST} in all are read")
            if min(width, height) < SIDE_LEAST:
                raise _Unreadable(f"{width} x {height} pixels; too small for text")
            picture.thumbnail((SIDE_MOST, SIDE_MOST))
            picture = ImageOps.exif_transpose(picture)
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                whole = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", whole.size, _ground(whole)), whole)
            return np.asarray(picture.convert("RGB"))
    except _Unreadable:
        raise
    except Exception as error:
        # Pillow raises nearly anything for hostile bytes: OSError, SyntaxError, struct.error, ValueError, MemoryError ...
        raise _Unreadable(f"no readable picture ({type(error).__name__})") from error


def _ground(picture: Image.Image) -> tuple[int, int, int, int]:
    """White under dark drawing, black under white one: text of a transparent picture must stand out from its ground."""
    pixels = np.asarray(picture)
    seen = pixels[pixels[:, :, 3] > 128]
    bright = seen.size and float(seen[:, :3].mean()) > 200
    return (0, 0, 0, 255) if bright else (255, 255, 255, 255)


def _codes(picture: np.ndarray[Any, Any]) -> tuple[str, ...]:
    import zxingcpp  # with the first picture, like the models

    formats: Any = [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.MicroQRCode, zxingcpp.BarcodeFormat.DataMatrix]
    found = zxingcpp.read_barcodes(np.ascontiguousarray(picture), formats=formats)
    payloads = [one.text or one.bytes.decode("utf-8", "replace") for one in found if one.valid]
    return tuple(dict.fromkeys(payload for payload in payloads if payload))[:CODES_MOST]


def _load(threads: int) -> Any:
    """The OCR engine. A side limit of 960 reads the same lines three times faster than the default (measured on 1080p)."""
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Det.limit_type": "max",
            "Det.limit_side_len": 960,
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        }
    )
