"""What comes as a picture and is none, or too much of one: each a named outcome."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from classifiers import imagefile
from classifiers.imagefile import Unreadable, decode


def sheet(size: tuple[int, int] = (400, 300)) -> Image.Image:
    made = Image.new("RGB", size, "white")
    ImageDraw.Draw(made).rectangle([20, 20, size[0] - 20, size[1] // 2], fill="red")
    return made


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A PNG that says it is that wide and high; it holds nothing near it."""
    small = saved(sheet())
    at = small.index(b"IHDR")
    head = b"IHDR" + side.to_bytes(4, "big") * 2 + small[at + 12 : at + 17]
    return small[:at] + head + zlib.crc32(head).to_bytes(4, "big") + small[at + 21 :]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 renamed to .jpg", "a PDF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "SVG"),
        (b'\n<?xml version="1.0"?><svg/>', "SVG"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"PK\x03\x04" + bytes(60), "ZIP"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(60), "HEIC"),
        (b"\xff\xd8\xff\xe0", "no readable picture"),
        (saved(sheet())[:60], "no readable picture"),
        (bomb(30_000), "Bomb"),
        (bomb(9_000), "at most 60000000"),
        (saved(Image.new("L", (5, 4000))), "too small"),
        (bytes(5000), "no readable picture"),
    ],
    ids=["empty", "pdf", "svg", "xml", "html", "zip", "heic", "jpeg-head", "cut", "bomb", "large", "thread", "zeros"],
)
def test_what_is_no_picture_is_named(data: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        decode(data)


def test_too_many_bytes_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagefile, "BYTES_MOST", 100)
    with pytest.raises(Unreadable, match="at most 100 are read"):
        decode(saved(sheet()))


def test_a_photo_of_200_megapixels_is_decoded_small() -> None:
    data = saved(Image.new("L", (20_000, 10_000), 200), "JPEG", quality=30)
    found = decode(data)
    assert (found.width, found.height) == (20_000, 10_000)
    assert found.pixels.shape[0] * found.pixels.shape[1] <= imagefile.AREA_MOST * 1.001
    assert found.scale == pytest.approx(20_000 / found.pixels.shape[1])


def test_a_progressive_photo_of_that_size_is_refused() -> None:
    """All its coefficients would stand in memory at once."""
    with pytest.raises(Unreadable, match="at most 60000000"):
        decode(saved(Image.new("L", (12_000, 6_000), 200), "JPEG", quality=30, progressive=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_file_cut_short_shows_what_had_come(kind: str) -> None:
    noisy = sheet()
    noisy.paste(Image.fromarray(np.random.default_rng(1).integers(0, 255, (120, 360, 3), dtype=np.uint8)), (20, 20))
    data = saved(noisy, kind)
    found = decode(data[: len(data) // 2])
    assert (found.width, found.height) == (400, 300)
    assert found.pixels[40, 200].tolist() != found.pixels[-1, -1].tolist()


def test_a_long_screenshot_keeps_its_width() -> None:
    found = decode(saved(Image.new("L", (1080, 15_000), 255)))
    assert found.pixels.shape[:2] == (15_000, 1080)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16", "RGBA", "LA"])
def test_every_mode_becomes_three_channels(mode: str) -> None:
    grey = sheet().convert("L")
    made = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else sheet().convert(mode)
    found = decode(saved(made, "TIFF" if mode == "CMYK" else "PNG"))
    assert found.pixels.shape == (300, 400, 3)
    assert found.pixels[5, 5].mean() > 240
    assert found.pixels[80, 200].mean() < 140


def test_an_animation_gives_its_first_frame() -> None:
    frames = [sheet(), Image.new("RGB", (400, 300), "blue")]
    found = decode(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert found.pixels[80, 200, 0] > 200
