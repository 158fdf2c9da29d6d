"""The picture reader on posters drawn for it: text, codes and places; turned, faint, long, transparent."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
import segno
from PIL import Image, ImageDraw

from classifiers.imagefile import Picture
from classifiers.images import ImageReader, ImageReading
from patrol.bench import posters
from patrol.bench.imaging import accuracy, code


@pytest.fixture(scope="module")
def reader() -> ImageReader:
    return ImageReader()


def saved(sheet: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    sheet.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def read(reader: ImageReader, sheet: Image.Image) -> ImageReading:
    return reader.read_picture(Picture(pixels=np.asarray(sheet.convert("RGB")), width=sheet.width, height=sheet.height))


@pytest.mark.parametrize("face", ["sans", "serif-bold-outlined"])
def test_a_clean_poster_is_read_whole(reader: ImageReader, face: str) -> None:
    drawn = posters.clean(1, face=face, seed=7)
    assert accuracy(read(reader, drawn.picture).text, drawn.text) >= 0.95


@pytest.mark.parametrize("kind", ["turned-90", "turned-180", "slanted-40", "shadowed", "shadowed-faint", "faint-turned"])
def test_a_hard_poster_is_read(reader: ImageReader, kind: str) -> None:
    drawn = posters.hard(1, kind=kind, seed=7)
    assert accuracy(read(reader, drawn.picture).text, drawn.text) >= 0.85


def test_columns_are_read_from_the_right(reader: ImageReader) -> None:
    drawn = posters.vertical(1, seed=7)
    assert accuracy(read(reader, drawn.picture).text, drawn.text) >= 0.95


def test_each_line_knows_its_place(reader: ImageReader) -> None:
    sheet = Image.new("RGB", (900, 400), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((500, 60), "保本保息", font=posters.font("sans", 48), fill="black")
    pen.text((40, 300), "咨询热线", font=posters.font("sans", 48), fill="black")
    reading = read(reader, sheet)
    places = {reading.text[one.start : one.end]: one.box for one in reading.regions}
    assert set(places) == {"保本保息", "咨询热线"}
    for text, drawn in (("保本保息", (500, 60, 692, 130)), ("咨询热线", (40, 300, 232, 370))):
        assert all(abs(a - b) <= 24 for a, b in zip(places[text], drawn, strict=True)), (text, places[text])
    assert (reading.width, reading.height) == (900, 400)


def test_places_of_a_large_photo_are_in_its_own_pixels(reader: ImageReader) -> None:
    sheet = Image.new("RGB", (9000, 2000), "white")
    ImageDraw.Draw(sheet).text((6000, 1200), "保本保息", font=posters.font("sans", 400), fill="black")
    reading = reader.read(saved(sheet, "JPEG"))
    (place,) = [one.box for one in reading.regions]
    assert (reading.width, reading.height) == (9000, 2000)
    assert abs(place[0] - 6000) < 150 and abs(place[2] - 7600) < 150


def test_a_picture_that_lies_is_turned_by_its_exif(reader: ImageReader) -> None:
    sheet = posters.clean(2, face="sans-bold", seed=7)
    exif = Image.Exif()
    exif[0x0112] = 6
    reading = reader.read(saved(sheet.picture.rotate(90, expand=True), "JPEG", exif=exif))
    assert (reading.width, reading.height) == sheet.picture.size
    assert accuracy(reading.text, sheet.text) >= 0.95
    assert max(one.box[3] for one in reading.regions) > sheet.picture.width  # boxes are upright, too


@pytest.mark.parametrize("colour", ["black", "white"])
def test_text_on_nothing_is_read(reader: ImageReader, colour: str) -> None:
    sheet = Image.new("RGBA", (600, 120), (0, 0, 0, 0))
    ImageDraw.Draw(sheet).text((30, 20), "年化收益18%", font=posters.font("sans", 60), fill=colour)
    assert reader.read(saved(sheet)).text == "年化收益18%"


def test_a_long_screenshot_is_read_line_by_line_once(reader: ImageReader) -> None:
    sheet, chance = Image.new("RGB", (720, 2900), "white"), random.Random(3)
    pen, lines = ImageDraw.Draw(sheet), []
    for top in range(30, 2800, 140):
        lines.append(posters.lines_of(chance)[0] + str(top))
        pen.text((40, top), lines[-1], font=posters.font("sans", 40), fill=(20, 20, 20))
    reading = read(reader, sheet)
    assert reading.text.splitlines() == lines
    tops = [one.box[1] for one in reading.regions]
    assert tops == sorted(tops) and tops[-1] > 2600


def test_a_code_is_kept_as_it_stands_with_its_place(reader: ImageReader) -> None:
    sheet = Image.new("RGB", (600, 600), "white")
    sheet.paste(Image.open(io.BytesIO(_code("javascript:alert(1)"))), (300, 200))
    reading = read(reader, sheet)
    assert reading.qr == ("javascript:alert(1)",)
    (place,) = [one for one in reading.regions if one.kind == "qr"]
    assert (place.start, place.end) == (0, 1)
    assert place.box[0] >= 300 and place.box[1] >= 200


def _code(payload: str) -> bytes:
    out = io.BytesIO()
    segno.make(payload, micro=False).save(out, kind="png", scale=6)
    return out.getvalue()


@pytest.mark.parametrize(("size", "blur"), [(3, 0.0), (3, 0.6), (8, 0.5)])
def test_a_code_with_a_logo_and_a_blur_is_read(reader: ImageReader, size: int, blur: float) -> None:
    payload, sheet = code(1, size=size, blur=blur, seed=7)
    assert reader.read(sheet).qr == (payload,)


def test_a_blank_sheet_says_nothing(reader: ImageReader) -> None:
    reading = read(reader, Image.new("RGB", (800, 600), (240, 240, 240)))
    assert (reading.text, reading.qr, reading.fault, reading.width) == ("", (), "", 800)


def test_a_fault_inside_the_libraries_is_a_fault_of_the_picture(reader: ImageReader, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("classifiers.images.read_codes", broken)
    assert read(reader, Image.new("RGB", (80, 80), "white")).fault == "reading failed (MemoryError)"


def test_a_reading_moves_to_another_size(reader: ImageReader) -> None:
    reading = read(reader, posters.clean(3, face="sans-bold", seed=7).picture)
    half = reading.at_size(360, 480)
    assert half.regions[0].box == tuple(round(value / 2) for value in reading.regions[0].box)
    assert (half.text, half.width) == (reading.text, 360)
