from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from classifiers.imagefile import Pixels, decode
from classifiers.imagesame import DISTANCE_MOST, difference, distance, phash, same
from patrol.bench import posters

LINES = posters.lines_of(random.Random(11))


def poster(lines: tuple[str, ...] = LINES) -> Image.Image:
    return posters.draw(lines, face="sans-bold", style="gold")


def sent_on(sheet: Image.Image, *, share: float, quality: int) -> Pixels:
    out = io.BytesIO()
    size = (round(sheet.width * share), round(sheet.height * share))
    sheet.resize(size, Image.Resampling.BICUBIC).save(out, "JPEG", quality=quality)
    return decode(out.getvalue()).pixels


@pytest.mark.parametrize(("share", "quality"), [(1.0, 40), (0.5, 80), (0.8, 70), (1.3, 85)])
def test_a_picture_sent_on_is_the_same(share: float, quality: int) -> None:
    first, second = np.asarray(poster()), sent_on(poster(), share=share, quality=quality)
    assert distance(phash(first), phash(second)) <= DISTANCE_MOST
    assert same(first, second)


def test_one_digit_makes_another_picture() -> None:
    line = next(at for at, text in enumerate(LINES) if any(map(str.isdigit, text)))
    digit = next(character for character in LINES[line] if character.isdigit())
    other = LINES[line].replace(digit, str((int(digit) + 3) % 10), 1)
    changed = sent_on(poster((*LINES[:line], other, *LINES[line + 1 :])), share=0.9, quality=75)
    assert distance(phash(np.asarray(poster())), phash(changed)) <= DISTANCE_MOST  # the hash alone would be fooled
    assert not same(np.asarray(poster()), changed)


def test_another_shape_is_another_picture() -> None:
    assert difference(np.zeros((100, 200, 3), np.uint8), np.zeros((200, 100, 3), np.uint8)) == 255.0
