"""Short videos: a bounded number of different frames through the picture reader, and speech where the user supplies a recogniser."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from classifiers import imagesame, speech
from classifiers.imagefile import AREA_MOST, Picture
from classifiers.images import ImageReader, ImageReading
from domain.model import Region

SIDE_MOST = 1280
"""Longest side of a frame that is read: captions of a phone's video are legible at it."""
NEW_FRAME = 6
"""Bits by which a frame's hash must differ from the last one's, or it shows the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one video may cost."""

    frames: int = 24
    """Frames read: at half a second each, about ten seconds."""
    seconds: float = 20.0
    """For finding frames; reading them has the same time once more."""
    speech_s: float = 300.0
    """Seconds of sound that are handed to the recogniser."""


def is_video(data: bytes) -> bool:
    """By its first bytes: MP4 and MOV, Matroska and WebM, AVI, FLV, MPEG."""
    head = data[:16]
    if head[4:8] == b"ftyp":
        return head[8:12] not in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"hevc")
    return head.startswith((b"\x1a\x45\xdf\xa3", b"FLV\x01", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")) or head[8:12] == b"AVI "


def read_video(source: bytes | Path, *, reader: ImageReader, limits: Limits | None = None, listener: str = "") -> ImageReading:
    """What its frames say, each line once, with the second at which it was seen first. Never raises for what the bytes are.

    `listener` is the command that turns sound into text (see classifiers.speech); empty hears nothing.
    """
    bounds = limits or Limits()
    found = _Said()
    try:
        for frame, at_s in _frames(source, bounds):
            found.add(reader.read_picture(frame), frame, at_s)
            if time.monotonic() > found.began + 2 * bounds.seconds:
                break
    except Exception as error:
        # libav raises a class of its own for nearly every kind of damage, and Pillow's frames and MemoryError come on top.
        found.fault = f"no readable video ({type(error).__name__})"
    if not found.frames and not found.fault:
        found.fault = "no readable video (no frame can be shown)"
    if listener and found.frames:
        _hear(found, source, command=listener, bounds=bounds)
    return found.reading()


class _Said:
    """What was read so far."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.lines: dict[str, Region] = {}
        self.codes: dict[str, Region] = {}
        self.spoken = ""
        self.frames = 0
        self.size = (0, 0)
        self.phash = ""
        self.fault = ""

    def add(self, reading: ImageReading, frame: Picture, at_s: float) -> None:
        """Take up the lines and codes that no frame before has shown."""
        self.frames += 1
        if not self.phash:
            self.size, self.phash = (frame.width, frame.height), reading.phash or imagesame.phash(frame.pixels)
        for region in reading.regions:
            kept = replace(region, at_s=round(at_s, 2))
            if region.kind == "qr":
                self.codes.setdefault(reading.qr[region.start], kept)
            else:
                self.lines.setdefault(reading.text[region.start : region.end], kept)

    def reading(self) -> ImageReading:
        """All of it as one reading."""
        regions, text = [], ""
        said = [*self.lines.items(), *([(self.spoken, Region(kind="speech", start=0, end=0))] if self.spoken else [])]
        for line, region in said:
            start = len(text) + (1 if text else 0)
            text = f"{text}\n{line}" if text else line
            regions.append(replace(region, start=start, end=len(text)))
        regions += [replace(region, start=at, end=at + 1) for at, region in enumerate(self.codes.values())]
        return ImageReading(
            text=text, qr=tuple(self.codes), width=self.size[0], height=self.size[1], regions=tuple(regions), phash=self.phash,
            fault="" if self.frames else self.fault,
        )  # fmt: skip


def _frames(source: bytes | Path, bounds: Limits) -> Iterator[tuple[Picture, float]]:
    """Different frames spread over the video's length, at most `bounds.frames`: key frames alone where it has them."""
    with _opened(source) as container:
        if not container.streams.video:
            return
        stream = container.streams.video[0]
        if stream.width * stream.height > AREA_MOST:
            raise ValueError(f"{stream.width} x {stream.height} pixels")
        stream.thread_count = 1
        until, last, given, examined = time.monotonic() + bounds.seconds, "", 0, 0
        for frame in _spread(container, stream, bounds):
            examined += 1
            if time.monotonic() > until or examined > 20 * bounds.frames:
                return
            picture = _picture(frame)
            look = imagesame.phash(picture.pixels)
            if last and imagesame.distance(last, look) < NEW_FRAME:
                continue
            last, given = look, given + 1
            yield picture, float(frame.time or 0.0)
            if given >= bounds.frames:
                return


def _spread(container: Any, stream: Any, bounds: Limits) -> Iterator[Any]:
    """Frames in order of time: by jumps over the length where it is long, else one after the other."""
    length = float(stream.duration * stream.time_base) if stream.duration else float(container.duration or 0) / 1_000_000
    if length > 2 * bounds.frames:
        step = length / bounds.frames
        shown, jumps = -1.0, 0
        for number in range(bounds.frames):
            container.seek(int(number * step / stream.time_base), stream=stream, backward=True, any_frame=False)
            frame = next(container.decode(stream), None)
            if frame is not None and float(frame.time or 0.0) > shown:
                shown, jumps = float(frame.time or 0.0), jumps + 1
                yield frame
        if jumps > 2:
            return
        container.seek(0)  # no key frames to jump to: from the beginning, as far as the time goes
    second = -1
    for frame in container.decode(stream):
        # Two frames a second: a caption stands longer.
        if frame.time is None or int(frame.time * 2) > second:
            second = int((frame.time or 0.0) * 2)
            yield frame


def _picture(frame: Any) -> Picture:
    width, height = int(frame.width), int(frame.height)
    share = min(1.0, SIDE_MOST / max(width, height))
    pixels = frame.to_ndarray(format="rgb24", width=max(16, round(width * share)), height=max(16, round(height * share)))
    turned = int(getattr(frame, "rotation", 0) or 0)
    if turned % 360:
        pixels = np.rot90(pixels, turned // 90)
        width, height = (height, width) if turned % 180 else (width, height)
    return Picture(pixels=np.ascontiguousarray(pixels), width=width, height=height)


def _hear(found: _Said, source: bytes | Path, *, command: str, bounds: Limits) -> None:
    """Speech joins what was read; without sound, or where the recogniser fails, it is passed over."""
    try:
        samples = _sound(source, bounds)
    except Exception as error:  # as for frames
        speech.log.info("video=unheard why=%s", type(error).__name__)
        return
    found.spoken, why = speech.transcribe(samples, command=command)
    if why:
        speech.log.warning("video=unheard why=%s", why)


def _sound(source: bytes | Path, bounds: Limits) -> bytes:
    """Mono samples of 16 bits, `bounds.speech_s` seconds at most."""
    import av

    most = int(bounds.speech_s * speech.RATE_HZ) * 2
    with _opened(source) as container:
        if not container.streams.audio:
            return b""
        resampler = av.AudioResampler(format="s16", layout="mono", rate=speech.RATE_HZ)
        parts, size, until = [], 0, time.monotonic() + bounds.seconds
        for frame in container.decode(container.streams.audio[0]):
            for made in resampler.resample(frame):
                parts.append(made.to_ndarray().tobytes())
                size += len(parts[-1])
            if size >= most or time.monotonic() > until:
                break
    return b"".join(parts)[:most]


def _opened(source: bytes | Path) -> Any:
    import av

    av.logging.set_level(av.logging.PANIC)
    # Playlists name other files and addresses: only self-contained formats are opened, and only this file.
    options = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpeg,mpegvideo,mpegts"}
    return av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), mode="r", options=options)
