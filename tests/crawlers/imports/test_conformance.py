"""What every importer must do. A new one is listed in the registry, gives its examples, and passes all of this."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crawlers.imports.base import Example, Importer, Refused
from crawlers.imports.registry import EVERY, by_name, recognised
from domain.settings import Settings
from patrol import importing
from store import tables
from store.engine import Store
from tests.crawlers.imports.conftest import NOW, count, killed_after, laid, pieces, rows

Take = Callable[..., dict[str, Any]]
CASES = [(one, number) for one in EVERY for number in range(len(one.examples()))]
each = pytest.mark.parametrize(("importer", "number"), CASES, ids=[f"{one.name}-{number}" for one, number in CASES])
every = pytest.mark.parametrize("importer", EVERY, ids=[one.name for one in EVERY])


def _example(importer: Importer, number: int) -> Example:
    return importer.examples()[number]


def test_every_importer_has_examples_and_a_broken_one() -> None:
    assert len(by_name()) == len(EVERY) >= 7
    for one in EVERY:
        assert one.title
        assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in one.suffixes)
        assert any(example.broken for example in one.examples()), f"{one.name}: no example is broken"


@each
def test_examples_give_what_they_promise(importer: Importer, number: int, tmp_path: Path) -> None:
    example = _example(importer, number)
    found, refused = pieces(importer, laid(tmp_path / "in", example.files))
    assert (len(found), sum(len(one.postings) for one in found), len(refused)) == (example.captures, example.postings, example.refused)
    for harvest in found:
        assert harvest.capture.via == importer.name
        assert all(posting.fingerprint and (posting.text or posting.images) for posting in harvest.postings)


@each
def test_the_content_tells_the_kind_whatever_the_name_says(importer: Importer, number: int, tmp_path: Path) -> None:
    example = _example(importer, number)
    given = laid(tmp_path / "in", example.files)
    if given.is_file():
        given = given.rename(given.with_name("upload.dat"))
    found = recognised(given)
    assert found is not None and found.name == importer.name


@each
def test_an_upload_is_read_as_its_path_is(importer: Importer, number: int, tmp_path: Path) -> None:
    example = _example(importer, number)
    given = laid(tmp_path / "in", example.files)
    name, data = next(iter(example.files.items()))
    if given.is_dir():
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in example.files.items():
                archive.writestr(name, data)
        data = buffer.getvalue()
    with io.BytesIO(data) as upload:
        uploaded, refused = pieces(importer, upload, name=name)
        assert not upload.closed
    wanted, refused_too = pieces(importer, given)
    assert [one.capture.sha256 for one in uploaded] == [one.capture.sha256 for one in wanted]
    assert len(refused) == len(refused_too)


@each
def test_a_second_import_adds_nothing_and_counts_nothing_twice(
    importer: Importer, number: int, tmp_path: Path, take: Take, settings: Settings
) -> None:
    example = _example(importer, number)
    given = laid(tmp_path / "in", example.files)
    first = take(given, kind=importer.name)
    assert (first["captures"], first["repeated"], first["refused"]) == (example.captures, 0, example.refused)
    assert first["new"] == example.postings
    before = rows(settings)
    again = take(given, kind=importer.name, at=NOW + timedelta(days=3))
    assert (again["captures"], again["repeated"], again["new"]) == (0, example.captures, 0)
    assert rows(settings) == before


@each
def test_a_dry_run_tells_the_same_and_writes_nothing(importer: Importer, number: int, tmp_path: Path) -> None:
    example = _example(importer, number)
    given, home = laid(tmp_path / "in", example.files), tmp_path / "home"
    found = importing.import_file(given, kind=importer.name, settings=Settings(dir=home), now=lambda: NOW, dry_run=True)
    wanted = {"captures": example.captures, "refused": example.refused, "new": example.postings}
    assert {key: found[key] for key in wanted} == wanted and found["dry_run"]
    assert not home.exists()


@every
def test_a_dry_run_on_a_full_store_adds_no_row(importer: Importer, tmp_path: Path, take: Take, store: Store, settings: Settings) -> None:
    example = _example(importer, 0)
    given = laid(tmp_path / "in", example.files)
    take(given, kind=importer.name)
    before, sweeps = rows(settings), count(store, tables.sweeps)
    found = take(given, kind=importer.name, dry_run=True)
    assert (found["captures"], found["repeated"], found["new"]) == (0, example.captures, 0)
    assert (rows(settings), count(store, tables.sweeps)) == (before, sweeps)


@each
def test_a_broken_file_refuses_what_is_broken_and_goes_on(importer: Importer, number: int, tmp_path: Path, take: Take) -> None:
    example = _example(importer, number)
    if not example.broken:
        assert any(one.broken for one in importer.examples())
        return
    found = take(laid(tmp_path / "in", example.broken), kind=importer.name)
    assert found["captures"] >= 1
    assert found["refused"] > example.refused
    assert all(any("\u4e00" <= char <= "\u9fff" for char in reason) for reason in found["reasons"])


@pytest.mark.parametrize("before_rows", [True, False], ids=["before-its-rows", "after-its-rows"])
@every
def test_a_kill_in_the_middle_then_again_gives_the_same_rows(
    importer: Importer, before_rows: bool, tmp_path: Path, take: Take, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_PIECES", 1)
    example = _example(importer, 0)
    given = laid(tmp_path / "in", example.files)
    whole = Settings(dir=tmp_path / "whole")
    whole.dir.mkdir()
    (whole.dir / "wangxun.db").write_bytes((settings.dir / "wangxun.db").read_bytes())
    importing.import_file(given, kind=importer.name, settings=whole, now=lambda: NOW)
    store.close()
    killed_after(2, given, kind=importer.name, settings=settings, before_rows=before_rows)
    assert len(rows(settings)[0]) == (1 if before_rows else 2)
    take(given, kind=importer.name, at=NOW + timedelta(hours=1))
    assert rows(settings) == rows(whole)
    with store.read() as connection:
        outcomes = list(connection.execute(tables.sweeps.select().order_by(tables.sweeps.c.id)).mappings())
    assert [row["outcome"] for row in outcomes] == ["killed", "ok"]


@every
@pytest.mark.parametrize("what", ["missing", "folder", "fifo", "empty", "noise", "socket-like"])
def test_what_is_no_file_of_the_kind_is_refused_at_once(importer: Importer, what: str, tmp_path: Path) -> None:
    path = tmp_path / "given.bin"
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "noise":
        path.write_bytes(bytes(range(256)) * 300)
    elif what == "socket-like":
        path = Path("/dev/zero")
    found, refused = pieces(importer, path)
    assert found == [] and len(refused) >= 1
    assert all(isinstance(one, Refused) and one.reason for one in refused)


@every
@pytest.mark.parametrize("at", range(1, 8))
def test_a_cut_anywhere_never_raises(importer: Importer, at: int, tmp_path: Path) -> None:
    name, data = next(iter(_example(importer, 0).files.items()))
    found, refused = pieces(importer, laid(tmp_path / "in", {name: data[: len(data) * at // 8]}))
    whole, _ = pieces(importer, laid(tmp_path / "whole", {name: data}))
    assert {one.capture.url for one in found if one.capture.url.startswith("http")} <= {one.capture.url for one in whole}
    assert found or refused


@every
def test_progress_ends_at_the_whole(importer: Importer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    given = laid(tmp_path / "in", _example(importer, 0).files)
    pieces(importer, given, progress=lambda done, all_: seen.append((done, all_)))
    assert seen and all(0 <= done <= all_ for done, all_ in seen)
    assert seen[-1][0] == seen[-1][1] or importer.name in ("wacz", "list")  # a zip file's list of names is read again at the end
