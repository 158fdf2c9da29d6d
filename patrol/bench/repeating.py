"""The part of `bench images` about repeats: the same posters at other addresses, sizes and qualities, through a real store and archive."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from classifiers.imagefile import Picture
from classifiers.images import ImageReader, ImageReading
from domain.identity import sha256
from domain.model import Capture, Harvest, Posting, PostingKind
from domain.model import Image as Shown
from domain.settings import load
from patrol.bench import posters
from patrol.demo.poster import COLOURS
from pipelines.read import read_waiting
from store import captures, migrate
from store.archive import Archive
from store.engine import Store, open_store

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


class _Counted:
    """The real reader, counted."""

    def __init__(self, reader: ImageReader) -> None:
        self._reader = reader
        self.read_count = 0

    def read(self, data: bytes, *, picture: Picture | None = None) -> ImageReading:
        self.read_count += 1
        return self._reader.read(data, picture=picture)


def repeats(folder: Path, *, reader: ImageReader, count: int, seed: int) -> dict[str, float | int]:
    """`repeats_read_once`: the share of repeats that took over a reading. `decoys_taken_over`: posters with one digit changed that did."""
    store = open_store(load(dir=folder, database_url=""), check_version=False)
    migrate.upgrade(store)
    counted = _Counted(reader)
    originals = [_original(number, seed=seed) for number in range(count)]
    read_first = _passed(store, counted, [_saved(sheet, "PNG") for _, sheet, _ in originals])
    again = [variant for number, (_, sheet, _) in enumerate(originals) for variant in _variants(sheet, random.Random(f"{seed}/{number}"))]
    began = time.perf_counter()
    read_again = _passed(store, counted, again)
    spent = time.perf_counter() - began
    decoys = [decoy for number, one in enumerate(originals) for decoy in _decoys(one, random.Random(f"{seed}/d{number}"))]
    read_decoys = _passed(store, counted, decoys)
    store.close()
    return {
        "repeats": len(again),
        "repeats_read_once": 1.0 - (read_first + read_again - count) / len(again),
        "repeats_per_s": len(again) / spent,
        "decoys": len(decoys),
        "decoys_taken_over": len(decoys) - read_decoys,
    }


def _original(number: int, *, seed: int) -> tuple[tuple[str, ...], Image.Image, tuple[str, str]]:
    """(lines, poster, its face and style)."""
    lines = posters.lines_of(random.Random(f"{seed}/repeat/{number}"))
    face, style = posters.FACES[number % len(posters.FACES)], sorted(COLOURS)[number % len(COLOURS)]
    return lines, posters.draw(lines, face=face, style=style), (face, style)


def _saved(sheet: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    sheet.save(out, kind, **options)
    return out.getvalue()


def _variants(sheet: Image.Image, chance: random.Random) -> Iterator[bytes]:
    """As it was, recompressed three ways, and at four sizes."""
    yield _saved(sheet, "PNG")
    yield _saved(sheet, "JPEG", quality=chance.randint(40, 60))
    yield _saved(sheet, "JPEG", quality=chance.randint(70, 92))
    yield _saved(sheet, "WEBP", quality=chance.randint(55, 80))
    for low, high in ((0.5, 0.6), (0.65, 0.8), (0.85, 0.97), (1.1, 1.4)):
        share = chance.uniform(low, high)
        small = sheet.resize((round(sheet.width * share), round(sheet.height * share)), Image.Resampling.BICUBIC)
        yield _saved(small, "JPEG", quality=82)


def _decoys(original: tuple[tuple[str, ...], Image.Image, tuple[str, str]], chance: random.Random) -> Iterator[bytes]:
    """The poster with one digit changed, as it is, and with another one changed, smaller: a new number must not pass for the old one."""
    lines, _, (face, style) = original
    digits = [(line, at) for line, text in enumerate(lines) for at, character in enumerate(text) if character.isdigit()]
    for number, (line, at) in enumerate(chance.sample(digits, 2)):
        other = chance.choice([digit for digit in "0123456789" if digit != lines[line][at]])
        changed = [*lines[:line], lines[line][:at] + other + lines[line][at + 1 :], *lines[line + 1 :]]
        sheet = posters.draw(changed, face=face, style=style)
        small = sheet.resize((sheet.width * 4 // 5, sheet.height * 4 // 5), Image.Resampling.BICUBIC)
        yield _saved(small, "JPEG", quality=75) if number else _saved(sheet, "PNG")


def _passed(store: Store, counted: _Counted, files: Sequence[bytes]) -> int:
    """Keep these files as pictures of new postings and read them: how many the reader had to look at."""
    archive = Archive(store.settings.archive_dir)
    with store.write() as connection:
        sweep = captures.begin_sweep(connection, platform="bench", purpose="patrol", at=NOW, pid=None)
    harvests = [_harvest(sweep, number, data) for number, data in enumerate(files)]
    for start in range(0, len(harvests), 50):
        captures.keep(store, harvests[start : start + 50], sweep_id=sweep, archive=archive)
    archive.close()
    with store.write() as connection:
        captures.end_sweep(connection, sweep, outcome="ok", why="", counts=None, at=NOW)
    before = counted.read_count
    read_waiting(store, now=NOW, worker="bench", reader=counted, limit=10**9)
    return counted.read_count - before


def _harvest(sweep: int, number: int, data: bytes) -> Harvest:
    url = f"https://bench.example/{sweep}/{number}.png"
    posting = Posting(platform="bench", url=f"{url}#post", kind=PostingKind.POST, body=f"第{sweep}-{number}帖", images=(Shown(url=url),))
    page = Capture(url=url, final_url=url, fetched_at=NOW, status=200, sha256=sha256(data), size=len(data), mime="image/png")
    return Harvest(capture=page, body=data, postings=(posting,))
