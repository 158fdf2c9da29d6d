"""A picture file as pixels: bounded in bytes, pixels and memory, upright, on a ground that shows its text. What it is not gets a name."""

from __future__ import annotations

import io
import math
import threading
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, JpegImagePlugin

Pixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""

BYTES_MOST = 100_000_000
"""A JPEG of 200 megapixels at high quality."""
PIXELS_MOST = 60_000_000
"""Formats that are decoded whole: 60 megapixels are 240 MB for a moment."""
JPEG_PIXELS_MOST = 500_000_000
"""A baseline JPEG is decoded at an eighth of its size where that is enough, line by line."""
AREA_MOST = 4096 * 4096
"""Pixels that are looked at; by area, so that a long screenshot keeps its width and its text stays legible."""
SIDE_LEAST = 8
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
STRANGERS = (
    (b"%PDF", "a PDF"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "XML, perhaps an SVG drawing"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
)
"""What stands under a picture's name often enough to be named; by its first bytes, blanks left out."""


_TOLERANT = threading.Lock()


class Unreadable(Exception):
    """Why these bytes are no picture that can be read, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture."""

    pixels: Pixels
    width: int
    """Of the whole picture as a person sees it, upright, in its own pixels."""
    height: int

    @property
    def scale(self) -> float:
        """Pixels of the whole picture for one of `pixels`; 1.0 or more."""
        return max(1.0, float(self.width / self.pixels.shape[1]))


def decode(data: bytes) -> Picture:
    """The first frame. Raises Unreadable for everything that is no picture, too large, or broken."""
    if len(data) > BYTES_MOST:
        raise Unreadable(f"{len(data)} bytes; at most {BYTES_MOST} are read")
    if not data:
        raise Unreadable("no readable picture (empty)")
    try:
        try:
            return _decode(data)
        except OSError:
            return _decode_damaged(data)
    except Unreadable:
        raise
    except Exception as error:
        # Pillow raises nearly anything for hostile bytes: OSError, SyntaxError, struct.error, ValueError, MemoryError ...
        head = data[:200].lstrip()
        named = next((name for first, name in STRANGERS if head.startswith(first)), "")
        if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"hevc"):
            named = "HEIC; save it as JPEG first"
        raise Unreadable(f"no readable picture ({named or type(error).__name__})") from error


def _decode_damaged(data: bytes) -> Picture:
    """What a browser would show of a file that is cut short or has wrong bytes inside: the part that decodes. Raises OSError for none."""
    with _TOLERANT:  # the switch is Pillow's, for all threads: others meet it for a moment, and are only more tolerant
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            found = _decode(data)
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
    if float(found.pixels.std()) < 1.0:
        raise OSError("nothing of it decodes")
    return found


def _decode(data: bytes) -> Picture:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of bombs; the size is judged below, before anything is decoded
        picture = _opened(data)
        width, height = picture.size
        shown = _fitting(width, height)
        if picture.format == "JPEG":
            picture.draft("RGB", shown)
        if picture.size != shown:
            picture = picture.resize(shown, Image.Resampling.BICUBIC, reducing_gap=2.0)
        orientation = picture.getexif().get(0x0112, 1)
        picture = ImageOps.exif_transpose(picture)
        if orientation in (5, 6, 7, 8):
            width, height = height, width
        return Picture(pixels=_as_rgb(picture), width=width, height=height)


def _opened(data: bytes) -> Image.Image:
    """The file, its size judged and nothing decoded. Raises Unreadable where it is too large or too small."""
    stream = io.BytesIO(data)
    if data.startswith(b"\xff\xd8\xff"):
        # Not through Image.open, whose bomb guard refuses photos that are decoded at an eighth of their size.
        picture: Image.Image = JpegImagePlugin.JpegImageFile(stream)
        most = PIXELS_MOST if picture.info.get("progressive") else JPEG_PIXELS_MOST  # progressive: all coefficients in memory
    else:
        picture, most = Image.open(stream, formats=FORMATS), PIXELS_MOST
    width, height = picture.size
    if width * height > most:
        raise Unreadable(f"{width} x {height} pixels; at most {most} in all are read")
    if min(width, height) < SIDE_LEAST:
        raise Unreadable(f"{width} x {height} pixels; too small for text")
    return picture


def _fitting(width: int, height: int) -> tuple[int, int]:
    """The size to look at: the same shape, at most AREA_MOST."""
    share = min(1.0, math.sqrt(AREA_MOST / (width * height)))
    return max(SIDE_LEAST, round(width * share)), max(SIDE_LEAST, round(height * share))


def _as_rgb(picture: Image.Image) -> Pixels:
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float32)  # scans of 16 bits: convert() would cut them all to white
        spread = float(values.max() - values.min()) or 1.0
        grey = ((values - values.min()) * (255.0 / spread)).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        whole = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", whole.size, _ground(whole)), whole)
    return np.asarray(picture.convert("RGB"))


def _ground(picture: Image.Image) -> tuple[int, int, int, int]:
    """White under dark drawing, black under white one: text of a transparent picture must stand out from its ground."""
    pixels: NDArray[Any] = np.asarray(picture)
    seen = pixels[pixels[:, :, 3] > 128]
    bright = seen.size and float(seen[:, :3].mean()) > 200
    return (0, 0, 0, 255) if bright else (255, 255, 255, 255)
