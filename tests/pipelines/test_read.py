from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from PIL import Image as Sheet
from sqlalchemy import select, update

from classifiers.imagefile import Picture
from classifiers.images import ImageReading
from classifiers.imagesame import phash
from domain.identity import sha256
from domain.model import Harvest, Image, Region
from patrol.bench import posters
from pipelines import read as stage
from pipelines.read import read_waiting
from store import captures, readings, tables
from store.archive import Archive
from store.engine import Store
from store.picturetable import pictures
from tests.conftest import MakeHarvest


class Marks:
    """A reader that counts, for the stage alone."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, data: bytes, *, picture: Picture | None = None) -> ImageReading:
        self.count += 1
        if picture is None:
            return ImageReading(text=data.decode(errors="replace"), qr=("https://x.example/\x00q",))
        regions = (Region(kind="text", start=0, end=2, box=(10, 20, 110, 220)), Region(kind="qr", start=0, end=1, box=(5, 5, 50, 50)))
        width, height = picture.width, picture.height
        return ImageReading(text=f"第{self.count}张", qr=("javascript:alert(1)",), width=width, height=height, regions=regions,
            phash=phash(picture.pixels))  # fmt: skip


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
        def read(self, data: bytes, *, picture: Picture | None = None) -> ImageReading:
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


LINES = posters.lines_of(random.Random(5))
Hang = Callable[..., None]


def poster(*, lines: tuple[str, ...] = LINES, share: float = 1.0, quality: int = 0) -> bytes:
    sheet, out = posters.draw(lines, face="sans-bold", style="gold"), io.BytesIO()
    sheet = sheet.resize((round(sheet.width * share), round(sheet.height * share)), Sheet.Resampling.BICUBIC)
    sheet.save(out, "JPEG", quality=quality) if quality else sheet.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def hang(any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime) -> Hang:
    """hang(bytes): a new posting that shows these bytes under an address of their own, ready to be read."""
    end(any_store, sweep_id, fixed_now)
    count = 0

    def made(*files: bytes, mime: str = "image/png") -> None:
        nonlocal count
        for data in files:
            count += 1
            url = f"https://pictures.example/{count}.png"
            page, shown = make_harvest(100 + count, postings=1), make_harvest(500 + count, postings=0, url=url, final_url=url, mime=mime)
            page = replace(page, postings=(replace(page.postings[0], images=(Image(url=url),)),))
            shown = replace(shown, body=data, capture=replace(shown.capture, sha256=sha256(data), size=len(data)))
            captures.keep(any_store, [page, shown], sweep_id=sweep_id, archive=archive)

    return made


def images(store: Store) -> list[Image]:
    return [captures.posting(row).images[0] for row in rows(store)]  # type: ignore[arg-type]


def test_the_same_picture_at_another_address_and_size_is_read_once(any_store: Store, hang: Hang, fixed_now: datetime) -> None:
    reader = Marks()
    hang(poster())
    read_waiting(any_store, now=fixed_now, worker="a", reader=reader)
    hang(poster(), poster(quality=60), poster(share=0.5, quality=80))
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=reader) == 0
    assert reader.count == 1
    shown = images(any_store)
    assert {one.text for one in shown} == {"第1张"} and {one.qr for one in shown} == {("javascript:alert(1)",)}
    assert len({one.phash for one in shown}) == 1
    whole, half = shown[0], shown[3]
    assert (whole.width, half.width, half.height) == (720, 360, 480)
    assert whole.regions[0].box == (10, 20, 110, 220) and half.regions[0].box == (5, 10, 55, 110)


def test_a_poster_with_another_number_is_read_itself(any_store: Store, hang: Hang, fixed_now: datetime) -> None:
    at = next(n for n, line in enumerate(LINES) if "1" in line)
    changed = (*LINES[:at], LINES[at].replace("1", "7", 1), *LINES[at + 1 :])
    hang(poster(), poster(lines=changed, quality=75))
    reader = Marks()
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=reader) == 2


def test_a_lookalike_whose_bytes_are_gone_lends_nothing(any_store: Store, hang: Hang, fixed_now: datetime) -> None:
    hang(poster())
    reader = Marks()
    read_waiting(any_store, now=fixed_now, worker="a", reader=reader)
    with any_store.write() as connection:
        connection.execute(update(tables.captures).values(warc=None, warc_offset=None, warc_length=None))
    hang(poster(quality=60))
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=reader) == 1


def test_a_newer_reader_reads_anew(any_store: Store, hang: Hang, fixed_now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Marks()
    hang(poster())
    read_waiting(any_store, now=fixed_now, worker="a", reader=reader)
    monkeypatch.setattr(stage, "VERSION", "next")
    hang(poster(), poster(quality=60))
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=reader) == 1
    assert images(any_store)[2].text == "第2张"


def test_a_picture_that_ends_the_program_is_left_after_two_times(any_store: Store, hang: Hang, fixed_now: datetime) -> None:
    """A decoder that crashes, or the memory: the daemon starts again and must not meet the same end for ever."""

    class Dies(Marks):
        def read(self, data: bytes, *, picture: Picture | None = None) -> ImageReading:
            raise KeyboardInterrupt

    hang(poster())
    for turn in range(2):
        with pytest.raises(KeyboardInterrupt):
            read_waiting(any_store, now=fixed_now + timedelta(hours=turn), worker=f"w{turn}", reader=Dies())
    assert read_waiting(any_store, now=fixed_now + timedelta(hours=3), worker="w", reader=Dies()) == 0
    assert "ended the program 2 times" in images(any_store)[0].fault
    assert len(captures.lease_unassessed(any_store, worker="j", now=fixed_now + timedelta(hours=3), limit=9, lease_s=9)) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"", "empty"), (b"%PDF-1.4", "a PDF"), (b"<svg onload='x'/>", "SVG"), (poster()[:90], "no readable picture")],
    ids=["empty", "pdf", "svg", "cut"],
)
def test_what_cannot_be_read_is_named_beside_the_picture(any_store: Store, hang: Hang, fixed_now: datetime, data: bytes, told: str) -> None:
    hang(data)
    read_waiting(any_store, now=fixed_now, worker="a")
    (image,) = images(any_store)
    assert told in image.fault and image.text == ""


def test_rows_of_before_regions_load(any_store: Store, hang: Hang) -> None:
    hang(poster())
    old = [{"url": "https://a.example/1.png", "sha256": None, "text": "旧", "qr": ["x"]}]
    newer = [{**old[0], "regions": [{"kind": "text", "start": 0, "end": 1, "box": [1, 2, 3, 4], "of_later": 1}], "unknown": True}]
    for fields, regions in ((old, ()), (newer, (Region(kind="text", start=0, end=1, box=(1, 2, 3, 4)),))):
        with any_store.write() as connection:
            connection.execute(tables.postings.update().values(images=fields))
        assert images(any_store) == [Image(url="https://a.example/1.png", text="旧", qr=("x",), regions=regions)]


def test_readings_nobody_meets_any_more_are_let_go(any_store: Store, hang: Hang, fixed_now: datetime) -> None:
    hang(poster())
    read_waiting(any_store, now=fixed_now, worker="a", reader=Marks())
    days = timedelta(days=any_store.settings.dismissed_days)
    assert readings.expire(any_store, now=fixed_now + days) == 0
    digest = sha256(poster())
    assert readings.known(any_store, digest, reader=stage.VERSION, now=fixed_now + days) is not None  # met again: its time begins anew
    assert readings.expire(any_store, now=fixed_now + days * 1.5) == 0
    assert readings.expire(any_store, now=fixed_now + days * 3) == 1


def test_a_hash_is_found_from_a_crowd(any_store: Store, hang: Hang, fixed_now: datetime) -> None:
    """Four bits off, in any place, among ten thousand."""
    hang(poster())
    read_waiting(any_store, now=fixed_now, worker="a", reader=Marks())
    chance = random.Random(1)
    with any_store.write() as connection:
        row = dict(connection.execute(select(pictures)).mappings().one())
        others = []
        for number in range(10_000):
            value = chance.getrandbits(64)
            bands = {f"band{n}": (value >> (13 * n)) & 0x1FFF for n in range(5)}
            others.append({**row, **bands, "sha256": f"{number:064x}", "phash": f"{value:016x}"})
        connection.execute(pictures.insert(), others)
    for _ in range(20):
        near = int(row["phash"], 16)
        for bit in chance.sample(range(64), 4):
            near ^= 1 << bit
        found = readings.lookalikes(any_store, f"{near:016x}", reader=row["reader"], distance=4)
        assert [one["sha256"] for one in found] == [row["sha256"]]


def test_a_full_turn_gives_back_what_it_has_no_time_for(
    any_store: Store, hang: Hang, fixed_now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video may take half a minute: what the lease cannot cover is somebody's next turn."""
    hang(b"one", b"two", b"three")
    ticks = iter([0.0, 1.0, 1e6, 1e6])
    monkeypatch.setattr(stage.time, "monotonic", lambda: next(ticks))
    assert read_waiting(any_store, now=fixed_now, worker="a", reader=Marks()) == 1
    monkeypatch.undo()
    assert read_waiting(any_store, now=fixed_now, worker="b", reader=Marks()) == 2
