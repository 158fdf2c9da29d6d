"""Reading pictures: text by OCR (rapidocr) and the payloads of QR codes (zxing-cpp), with where they stand. Nothing is followed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from classifiers.backends import Choice
from classifiers.imagecodes import Code, read_codes
from classifiers.imagefile import Picture, Unreadable, decode
from classifiers.imagefold import mend
from classifiers.imagelines import Line
from classifiers.imagesame import phash
from classifiers.imagetext import TextReader
from domain.model import Region

VERSION = "2"
"""Of this reader: what an older one read is read anew."""
TEXT_MOST = 20_000
_HINTS = ("码", "扫", "长按", "识别", "QR", "微信", "加群", "入群", "下载", "关注")
"""Words beside which a QR code is worth a longer look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReading:
    """What one picture or video says."""

    text: str = ""
    """Lines in reading order, joined by line feeds."""
    qr: tuple[str, ...] = ()
    """Payloads, each once, as they stand: they may be anything, `javascript:` included."""
    width: int = 0
    """Pixels of the whole picture, upright."""
    height: int = 0
    regions: tuple[Region, ...] = ()
    """Boxes in pixels of the whole picture: of each line, by its characters in `text`, and of each code, by its number in `qr`."""
    phash: str = ""
    """See classifiers.imagesame; empty for what is no picture."""
    fault: str = ""
    """Why nothing could be read, where the picture is broken, too large, or none."""

    def at_size(self, width: int, height: int) -> ImageReading:
        """The same reading on the same picture at another size."""
        if not self.width or (width, height) == (self.width, self.height):
            return self
        x, y = width / self.width, height / self.height
        moved = tuple(
            replace(one, box=(round(one.box[0] * x), round(one.box[1] * y), round(one.box[2] * x), round(one.box[3] * y)))
            for one in self.regions
        )
        return replace(self, width=width, height=height, regions=moved)


class ImageReader:
    """Reads pictures one at a time. The models (100 MB) are loaded with the first one; safe to share between threads."""

    def __init__(self, *, threads: int = 2, choice: Choice = "auto") -> None:
        self._text = TextReader(threads=threads, choice=choice)
        self._lock = threading.Lock()

    def read(self, data: bytes, *, picture: Picture | None = None) -> ImageReading:
        """Text and QR payloads of a picture file. Never raises for what the bytes are: `fault` says what is wrong with them.

        `picture` is what the bytes decode to, where the caller has done that.
        """
        try:
            return self.read_picture(picture or decode(data))
        except Unreadable as error:
            return ImageReading(fault=str(error))

    def read_picture(self, picture: Picture) -> ImageReading:
        """The same of a picture that is decoded."""
        try:
            with self._lock:
                lines = self._text.read(picture.pixels)
            said = "".join(line.text for line in lines)
            codes = read_codes(picture.pixels, closely=len(said) < 4 or any(hint in said for hint in _HINTS))
        except Exception as error:
            # The libraries are C++ and raise what they like for hostile pixels; a picture must not end the job of all others.
            return ImageReading(width=picture.width, height=picture.height, fault=f"reading failed ({type(error).__name__})")
        return _composed(picture, lines, codes)


def _composed(picture: Picture, lines: Sequence[Line], codes: Sequence[Code]) -> ImageReading:
    """Lines and codes as one reading, boxes brought to the whole picture's pixels."""
    regions, text = [], ""
    for line in lines:
        said = mend(line.text.replace("\x00", ""))
        if len(text) + len(said) + 1 > TEXT_MOST:
            break
        start = len(text) + (1 if text else 0)
        text = f"{text}\n{said}" if text else said
        regions.append(Region(kind="text", start=start, end=len(text), box=_whole(picture, line.box)))
    regions += [Region(kind="qr", start=at, end=at + 1, box=_whole(picture, code.box)) for at, code in enumerate(codes)]
    return ImageReading(
        text=text,
        qr=tuple(code.payload for code in codes),
        width=picture.width,
        height=picture.height,
        regions=tuple(regions),
        phash=phash(picture.pixels),
    )


def _whole(picture: Picture, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(value * picture.scale) for value in box)
    return max(0, left), max(0, top), min(picture.width, right), min(picture.height, bottom)
