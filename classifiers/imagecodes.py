"""QR codes of a picture (zxing-cpp): their payloads as they stand, and where. A payload is recorded, never followed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from classifiers.imagefile import Pixels

CODES_MOST = 20
PAYLOAD_MOST = 4296
"""Characters: no QR code holds more."""
SMALL = 1200
"""A picture whose longest side is shorter is looked at again at twice its size where nothing was found."""
CLOSE_SIDE = 1600
"""Longest side at which blur is taken back; its cost grows with the area."""
BLURS = (1.3, 2.2, 3.6, 5.5)
"""Widths in pixels at which a blur is taken back."""
NOISE = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code."""

    payload: str
    """It may be anything, `javascript:` included."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom in pixels."""


def read_codes(picture: Pixels, *, closely: bool = False) -> list[Code]:
    """Codes with a payload, each payload once, in the order of the page.

    Later views are tried only where none was read so far, and the costly ones (a quarter of a second in all) only `closely`: where the
    picture's words promise a code, or it has no words.
    """
    for view, scale in _views(picture, closely=closely):
        found = _scan(view, scale)
        if found:
            return found
    return []


def _views(picture: Pixels, *, closely: bool) -> Iterator[tuple[NDArray[Any], float]]:
    """(view, its pixels for one of the picture's): as it is, larger and sharper, evened, smaller, and deblurred at several widths."""
    yield picture, 1.0
    grey: NDArray[Any] = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    long = max(grey.shape)
    scale = 2.0 if long < SMALL else 1.0
    larger: NDArray[Any] = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale > 1.0 else grey
    yield cv2.addWeighted(larger, 2.5, cv2.GaussianBlur(larger, (0, 0), 3.0), -1.5, 0), scale
    if not closely:
        return
    if scale > 1.0:
        yield larger, scale
    yield cv2.createCLAHE(clipLimit=4.0, tileGridSize=(8, 8)).apply(larger), scale
    if long >= SMALL:
        yield cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), 0.5
    scale = min(1.0, CLOSE_SIDE / long)
    grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1.0 else grey
    for sigma in BLURS:
        yield _deblurred(grey, sigma), scale


def _deblurred(grey: NDArray[Any], sigma: float) -> NDArray[Any]:
    """A Gaussian blur of that many pixels taken back (Wiener's filter): reads codes blurred by two thirds of a square (measured)."""
    height, width = grey.shape
    wave = np.fft.rfft2(grey.astype(np.float32) / 255.0)
    square = np.fft.fftfreq(height)[:, None] ** 2 + np.fft.rfftfreq(width)[None, :] ** 2
    blur = np.exp(-2.0 * (math.pi * sigma) ** 2 * square)
    sharp = np.fft.irfft2(wave * blur / (blur * blur + NOISE), s=grey.shape)
    return np.clip(sharp * 255.0, 0, 255).astype(np.uint8)


def _scan(view: NDArray[Any], scale: float) -> list[Code]:
    import zxingcpp  # with the first picture, like the models

    formats: Any = [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.MicroQRCode, zxingcpp.BarcodeFormat.DataMatrix]
    found: dict[str, Code] = {}
    for one in zxingcpp.read_barcodes(np.ascontiguousarray(view), formats=formats):
        payload = (one.text or one.bytes.decode("utf-8", "replace"))[:PAYLOAD_MOST] if one.valid else ""
        if payload and payload not in found and len(found) < CODES_MOST:
            found[payload] = Code(payload=payload, box=_box(one.position, scale))
    return sorted(found.values(), key=lambda code: (code.box[1], code.box[0]))


def _box(position: Any, scale: float) -> tuple[int, int, int, int]:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    xs, ys = [corner.x / scale for corner in corners], [corner.y / scale for corner in corners]
    return max(0, int(min(xs))), max(0, int(min(ys))), int(max(xs)) + 1, int(max(ys)) + 1
