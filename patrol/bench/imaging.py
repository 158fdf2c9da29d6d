"""`bench images`: how fast and how right pictures are read, on posters drawn from a seed, and what share of repeats is read once."""

from __future__ import annotations

import io
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFilter

from classifiers.imagefile import Picture
from classifiers.images import ImageReader, ImageReading
from domain.settings import load
from patrol.bench import posters, result
from patrol.bench.repeating import repeats

SIZES = (3, 5, 8)
"""Pixels of one square of a code."""
BLURS = (0.0, 0.3, 0.5, 0.6)
"""Standard deviation of the blur, in squares."""
PAYLOADS = ("https://t{0}.example/i?c={1:06d}", "weixin://contacts/profile/wx{0}{1:06d}", "javascript:alert({0}{1:06d})")


def bench_images(*, count: int = 4, seed: int = 20261123) -> dict[str, Any]:
    """`count` posters of each face and each hardship, codes and repeats in proportion. The same seed gives the same pictures."""
    settings = load()
    reader = ImageReader(threads=settings.ocr_threads, choice=settings.inference)
    began = time.perf_counter()
    reader.read_picture(_picture(posters.clean(0, face="sans", seed=seed + 1).picture))
    figures: dict[str, float | int] = {"first_s": time.perf_counter() - began, "ocr_threads": settings.ocr_threads}
    clean = [posters.clean(number, face=face, seed=seed) for face in posters.FACES for number in range(count)]
    rights, spent = _read_all(reader, clean)
    figures |= {"ocr_pictures": len(clean), "ocr_pictures_per_s": len(clean) / spent, "ocr_accuracy_clean": _mean(rights)}
    hard = [posters.hard(number, kind=kind, seed=seed) for kind in posters.HARD for number in range(count)]
    hard += [posters.vertical(number, seed=seed) for number in range(count)]
    rights, spent = _read_all(reader, hard)
    figures |= {"hard_pictures": len(hard), "hard_pictures_per_s": len(hard) / spent, "ocr_accuracy_hard": _mean(rights)}
    for kind in dict.fromkeys(drawn.kind for drawn in hard):
        figures[f"hard/{kind}"] = _mean([right for right, drawn in zip(rights, hard, strict=True) if drawn.kind == kind])
    figures |= _codes(reader, count=2 * count, seed=seed)
    with tempfile.TemporaryDirectory(prefix="wangxun-bench-") as folder:
        figures |= repeats(Path(folder), reader=reader, count=3 * count, seed=seed)
    return result("images", figures=figures)


def _picture(sheet: Image.Image) -> Picture:
    return Picture(pixels=np.asarray(sheet.convert("RGB")), width=sheet.width, height=sheet.height)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _read_all(reader: ImageReader, drawn: Sequence[posters.Drawn]) -> tuple[list[float], float]:
    """(character accuracy of each, seconds), text and codes read as a patrol does."""
    began = time.perf_counter()
    readings: list[ImageReading] = [reader.read_picture(_picture(one.picture)) for one in drawn]
    spent = time.perf_counter() - began
    return [accuracy(reading.text, one.text) for reading, one in zip(readings, drawn, strict=True)], spent


def accuracy(read: str, meant: str) -> float:
    """1 minus the edit distance over the length, blanks left out and a colon counted alike in both widths; 0.0 at the least."""
    got, want = ("".join(text.split()).replace(":", "：") for text in (read, meant))
    row = list(range(len(want) + 1))
    for at, character in enumerate(got, 1):
        above, row[0] = row[0], at
        for column, other in enumerate(want, 1):
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, above + (character != other))
    return max(0.0, 1.0 - row[-1] / max(1, len(want)))


def _codes(reader: ImageReader, *, count: int, seed: int) -> dict[str, float | int]:
    """The share of codes whose payload is read, over sizes and blurs, a logo in the middle of each; and how often it is another one."""
    decoded = wrong = total = 0
    spent = 0.0
    for size in SIZES:
        for blur in BLURS:
            for number in range(count):
                payload, sheet = code(number, size=size, blur=blur, seed=seed)
                began = time.perf_counter()
                reading = reader.read(sheet)
                spent += time.perf_counter() - began
                total += 1
                decoded += reading.qr == (payload,)
                wrong += bool(reading.qr) and reading.qr != (payload,)
    return {"qr_codes": total, "qr_decoded": decoded / total, "qr_misread": wrong, "qr_pictures_per_s": total / spent}


def code(number: int, *, size: int, blur: float, seed: int) -> tuple[str, bytes]:
    """(payload, JPEG of quality 60 with a code on coloured ground, a logo over a fifth of its width, all of it blurred)."""
    chance = random.Random(f"{seed}/code/{number}/{size}/{blur}")
    payload = chance.choice(PAYLOADS).format(number, chance.randrange(10**6))
    made = io.BytesIO()
    segno.make(payload, error="h", micro=False).save(made, kind="png", scale=size, border=3)
    square = Image.open(made).convert("RGB")
    side = square.width // 5
    logo = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(logo).rounded_rectangle(
        [2, 2, side - 3, side - 3], radius=side // 5, fill=chance.choice(["#c8102e", "#07a35a", "#1b62c4"])
    )
    square.paste(logo, ((square.width - side) // 2,) * 2)
    sheet = Image.new("RGB", (720, 720), chance.choice(["#f2d9c4", "#dfe8f2", "#8c1d22"]))
    sheet.paste(square, (chance.randrange(10, 710 - square.width), chance.randrange(90, 710 - square.width)))
    font = posters.font("sans", 40)
    ImageDraw.Draw(sheet).text((360, 45), "长按识别二维码", font=font, fill="#222222" if blur else "#ffffff", anchor="mm")
    out = io.BytesIO()
    (sheet.filter(ImageFilter.GaussianBlur(blur * size)) if blur else sheet).save(out, "JPEG", quality=60)
    return payload, out.getvalue()
