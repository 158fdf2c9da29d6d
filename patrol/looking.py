"""What stands in a file of a picture or video, and a copy of it with the places framed."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from classifiers import imagefile, video
from classifiers.images import ImageReader, ImageReading
from domain.settings import Settings
from store.picturefields import region_fields

FRAMES = {"text": (214, 40, 40), "qr": (20, 110, 220)}
"""Kind of region -> colour of its frame."""


def look(path: Path, *, settings: Settings) -> dict[str, Any]:
    """The reading of one file as JSON: file, text, qr, width, height, regions, fault, seconds. A file that is none has its `fault`."""
    began = time.perf_counter()
    reader = _reader(settings.ocr_threads, settings.inference)
    reading = _read(path, reader, settings)
    return {
        "file": str(path),
        "text": reading.text,
        "qr": list(reading.qr),
        "width": reading.width,
        "height": reading.height,
        "regions": [region_fields(one) for one in reading.regions],
        "fault": reading.fault,
        "seconds": round(time.perf_counter() - began, 3),
    }


def _read(path: Path, reader: ImageReader, settings: Settings) -> ImageReading:
    try:
        with path.open("rb") as file:
            head = file.read(64)
            if video.is_video(head):
                limits = video.Limits(frames=settings.video_frames)
                return video.read_video(path, reader=reader, limits=limits, listener=settings.speech_command)
            return reader.read(head + file.read(imagefile.BYTES_MOST + 1))
    except OSError as error:
        return ImageReading(fault=f"cannot be opened ({error.strerror})")


@lru_cache(maxsize=1)
def _reader(threads: int, choice: Any) -> ImageReader:
    return ImageReader(threads=threads, choice=choice)


def drawn(path: Path, found: dict[str, Any]) -> Image.Image:
    """The picture (of a video: its first frame's size in grey) with every region framed and numbered."""
    with path.open("rb") as file:
        head = file.read(64)
        data = b"" if video.is_video(head) else head + file.read()
    if data:
        picture = imagefile.decode(data)
        sheet, scale = Image.fromarray(picture.pixels), picture.scale
    else:
        sheet, scale = Image.new("RGB", (found["width"], found["height"]), (90, 90, 90)), 1.0
    pen, thick = ImageDraw.Draw(sheet), max(2, sheet.width // 400)
    font = ImageFont.load_default(size=max(12, sheet.width // 50))
    for number, region in enumerate(found["regions"], 1):
        if region["kind"] in FRAMES:
            box = [value / scale for value in region["box"]]
            pen.rectangle(box, outline=FRAMES[region["kind"]], width=thick)
            pen.text(
                (box[0] + thick, box[1] + thick), str(number), font=font, fill=FRAMES[region["kind"]], stroke_width=2, stroke_fill="white"
            )
    return sheet
