from __future__ import annotations

import io
import zlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import segno
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from sqlalchemy import select

from classifiers.images import ImageReader, ImageReading
from domain.identity import sha256
from domain.model import Harvest, Image
from pipelines.read import read_waiting
from store import captures, tables
from store.archive import Archive
from store.engine import Store
from tests.conftest import MakeHarvest


@pytest.fixture(scope="module")
def reader() -> ImageReader:
    return ImageReader()


def poster(text: str = "", code: str = "") -> bytes:
    """A white picture with a line of text and a QR code."""
    sheet = Picture.new("RGB", (700, 420), "white")
    if text:
        ImageDraw.Draw(sheet).text((30, 30), text, fill="black", font=ImageFont.load_default(size=44))
    if code:
        made = io.BytesIO()
        segno.make(code).save(made, kind="png", scale=6)
        sheet.paste(Picture.open(made), (30, 120))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def test_text_and_codes_are_read(reader: ImageReader) -> None:
    reading = reader.read(poster("CALL 13800138000", "javascript:alert(1)"))
    assert "13800138000" in reading.text
    assert "口" not in reading.text
    assert reading.qr == ("javascript:alert(1)",)
    assert reading.fault == ""


def test_a_transparent_picture_is_read_on_a_ground_that_shows_it(reader: ImageReader) -> None:
    sheet = Picture.new("RGBA", (700, 120), (0, 0, 0, 0))
    ImageDraw.Draw(sheet).text((30, 30), "CALL 13800138000", fill=(255, 255, 255, 255), font=ImageFont.load_default(size=44))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    assert "13800138000" in reader.read(out.getvalue()).text


def bomb() -> bytes:
    """A PNG that says it is 30,000 x 30,000; it holds nothing near it."""
    small = poster()
    at = small.index(b"IHDR")
    head = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + small[at + 12 : at + 17]
    return small[:at] + head + zlib.crc32(head).to_bytes(4, "big") + small[at + 21 :]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no readable picture"),
        (b"%PDF-1.7 renamed to .jpg", "no readable picture"),
        (poster("x")[:300], "no readable picture"),
        (bomb(), "Bomb"),
        (b"\x89PNG" + bytes(21_000_000), "bytes"),
    ],
)
def test_what_is_no_picture_says_so(reader: ImageReader, data: bytes, told: str) -> None:
    reading = reader.read(data)
    assert told in reading.fault
    assert (reading.text, reading.qr) == ("", ())


def test_an_animation_is_read_by_its_first_frame(reader: ImageReader) -> None:
    frames = [Picture.open(io.BytesIO(poster(text))) for text in ("FIRST 111222", "SECOND 333444")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert "111222" in reader.read(out.getvalue()).text


class Marks:
    """A reader that counts, for the stage alone."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, data: bytes) -> ImageReading:
        self.count += 1
        return ImageReading(text=data.decode(), qr=("https://x.example/\x00q",))


URL = "https://forum.example/poster.png"


@pytest.fixture
def page(make_harvest: MakeHarvest) -> Harvest:
    """A page with two postings that show the same picture."""
    made = make_harvest(1, postings=2)
    return replace(made, postings=tuple(replace(one, images=(Image(url=URL),)) for one in made.postings))


@pytest.fixture
def picture(make_harvest: MakeHarvest) -> Harvest:
    made = make_harvest(2, postings=0, url=URL, final_url=URL, mime="image/png")
    body = "海报文字".encode()
    return replace(made, body=body, capture=replace(made.capture, sha256=sha256(body), size=len(body)))


def rows(store: Store) -> list[object]:
    with store.read() as connection:
        return list(connection.execute(select(tables.postings).order_by(tables.postings.c.id)).all())


def end(store: Store, sweep_id: int, now: datetime) -> None:
    with store.write() as connection:
        captures.end_sweep(connection, sweep_id, outcome="ok", why="", counts=None, at=now)


def test_pictures_join_their_postings_when_the_sweep_has_ended(
    any_store: Store, archive: Archive, sweep_id: int, page: Harvest, picture: Harvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [page, picture], sweep_id=sweep_id, archive=archive)
    reader = Marks()
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=reader) == 0
    end(any_store, sweep_id, fixed_now)
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=reader) == 1
    assert reader.count == 1
    for row in rows(any_store):
        posting = captures.posting(row)  # type: ignore[arg-type]
        assert posting.images == (Image(url=URL, sha256=picture.capture.sha256, text="海报文字", qr=("https://x.example/q",)),)
        assert posting.text.endswith("海报文字")
    assert len(captures.lease_unassessed(any_store, worker="b", now=fixed_now, limit=9, lease_s=9)) == 2


def test_pictures_that_never_came_hold_nobody_up(
    any_store: Store, archive: Archive, sweep_id: int, page: Harvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [page], sweep_id=sweep_id, archive=archive)
    assert read_waiting(any_store, now=fixed_now + timedelta(seconds=61), worker="a", reader=Marks()) == 0
    assert [row.read_at is not None for row in rows(any_store)] == [True, True]  # type: ignore[attr-defined]


def test_a_posting_judged_without_its_pictures_is_judged_again(
    any_store: Store, archive: Archive, sweep_id: int, page: Harvest, picture: Harvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [page, picture], sweep_id=sweep_id, archive=archive)
    with any_store.write() as connection:
        connection.execute(tables.postings.update().values(assessed_at=fixed_now))
    end(any_store, sweep_id, fixed_now)
    read_waiting(any_store, now=fixed_now, worker="a", reader=Marks())
    assert [row.assessed_at for row in rows(any_store)] == [None, None]  # type: ignore[attr-defined]


def test_a_picture_whose_bytes_are_altered_is_passed_over(
    any_store: Store, archive: Archive, sweep_id: int, page: Harvest, picture: Harvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [page, picture], sweep_id=sweep_id, archive=archive)
    end(any_store, sweep_id, fixed_now)
    for _, path in archive.files("spool"):
        path.write_bytes(bytes(path.stat().st_size))
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=Marks()) == 0
    assert captures.posting(rows(any_store)[0]).images[0].text == ""  # type: ignore[arg-type]


def test_a_dead_readers_postings_are_read_after_its_lease(
    any_store: Store, archive: Archive, sweep_id: int, page: Harvest, picture: Harvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [page, picture], sweep_id=sweep_id, archive=archive)
    end(any_store, sweep_id, fixed_now)

    class Dies(Marks):
        def read(self, data: bytes) -> ImageReading:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_waiting(any_store, now=fixed_now, worker="dead", reader=Dies())
    assert read_waiting(any_store, now=fixed_now, worker="b", reader=Marks()) == 0
    later = fixed_now + timedelta(seconds=any_store.settings.lease_s)
    assert read_waiting(any_store, now=later, worker="b", reader=Marks()) == 1


def test_postings_without_fetched_pictures_do_not_use_up_the_limit(
    any_store: Store, archive: Archive, sweep_id: int, page: Harvest, fixed_now: datetime
) -> None:
    many = tuple(replace(page.postings[0], url=f"http://a.example/{number}", fingerprint=f"{number:064x}") for number in range(40))
    captures.keep(any_store, [replace(page, postings=many)], sweep_id=sweep_id, archive=archive)
    end(any_store, sweep_id, fixed_now)
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=Marks(), limit=8) == 0
    assert len(captures.lease_unassessed(any_store, worker="b", now=fixed_now, limit=99, lease_s=9)) == 40
