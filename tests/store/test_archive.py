from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from domain.errors import EvidenceAltered, StoreFault
from store.archive import Archive
from tests.conftest import MakeHarvest


def kept(archive: Archive, make_harvest: MakeHarvest, *numbers: int) -> list[tuple[object, object]]:
    result = []
    for number in numbers:
        harvest = make_harvest(number)
        result.append((harvest, archive.append(1, harvest)))
    archive.flush(1)
    archive.commit(1)
    return result


def test_a_warc_reader_reads_what_was_appended(tmp_path: Path, make_harvest: MakeHarvest) -> None:
    archive = Archive(tmp_path)
    harvest = make_harvest(1)
    place = archive.append(1, harvest)
    archive.flush(1)
    with (tmp_path / place.warc).open("rb") as handle:
        records = [
            (one.rec_type, one.rec_headers, one.http_headers, one.content_stream().read())
            for one in ArchiveIterator(handle, check_digests="raise")
        ]
    assert [kind for kind, *_ in records] == ["warcinfo", "response", "request"]
    _, fields, head, body = records[1]
    assert body == harvest.body
    assert (head.get_statuscode(), head.get_header("Content-Type")) == ("200", "text/html")
    assert (head.get_header("Content-Encoding"), head.get_header("X-Archive-Orig-Content-Encoding")) == (None, "gzip")
    assert fields.get_header("WARC-Target-URI") == harvest.capture.url
    assert fields.get_header("WARC-Date") == "2026-11-23T08:05:00.000000Z"


def test_a_browser_page_is_a_resource_not_a_response(tmp_path: Path, make_harvest: MakeHarvest) -> None:
    archive = Archive(tmp_path)
    harvest = make_harvest(1, via="browser")
    place = archive.append(1, harvest)
    with (tmp_path / place.warc).open("rb") as handle:
        assert [one.rec_type for one in ArchiveIterator(handle)] == ["warcinfo", "resource"]
    assert archive.read(*place, harvest.capture.sha256) == harvest.body


def test_a_sites_headers_cannot_forge_fields(tmp_path: Path, make_harvest: MakeHarvest) -> None:
    archive = Archive(tmp_path)
    harvest = replace(make_harvest(1), response_headers=(("X-A", "b\r\nWARC-Type: forged\r\n\r\n<html>"), ("标题", "\ud800")))
    place = archive.append(1, harvest)
    assert archive.read(*place, harvest.capture.sha256) == harvest.body


def test_rollback_cuts_back_to_the_last_commit(tmp_path: Path, make_harvest: MakeHarvest) -> None:
    archive = Archive(tmp_path)
    [(_, place)] = kept(archive, make_harvest, 1)
    size = (tmp_path / place.warc).stat().st_size
    archive.append(1, make_harvest(2))
    archive.rollback(1)
    assert (tmp_path / place.warc).stat().st_size == size
    again = archive.append(1, make_harvest(3))
    assert again.offset == size
    assert archive.read(*again, make_harvest(3).capture.sha256) == make_harvest(3).body


@pytest.mark.parametrize("lost", [1, 20, 400])
def test_a_half_written_end_is_cut_off_at_the_next_opening(tmp_path: Path, make_harvest: MakeHarvest, lost: int) -> None:
    archive = Archive(tmp_path)
    (_, first), (_, second) = kept(archive, make_harvest, 1, 2)
    archive.close()
    path = tmp_path / first.warc
    path.write_bytes(path.read_bytes()[:-lost])
    again = Archive(tmp_path)
    place = again.append(1, make_harvest(3))
    again.flush(1)
    assert place.offset >= second.offset
    assert again.read(*first, make_harvest(1).capture.sha256) == make_harvest(1).body
    assert again.read(*place, make_harvest(3).capture.sha256) == make_harvest(3).body
    with path.open("rb") as handle:
        assert gzip.GzipFile(fileobj=handle).readline().startswith(b"WARC/1.1")


def test_mend_cuts_left_files_and_spares_those_in_use(tmp_path: Path, make_harvest: MakeHarvest) -> None:
    left, used = Archive(tmp_path), Archive(tmp_path)
    place = left.append(1, make_harvest(1))
    left.close()
    path = tmp_path / place.warc
    whole = path.read_bytes()
    path.write_bytes(whole + whole[-50:])
    busy = tmp_path / used.append(2, make_harvest(2)).warc
    with busy.open("ab") as handle:
        handle.write(b"\x1f\x8b half")
    assert Archive(tmp_path).mend(known={place.warc: place.offset + place.length}) == 50
    path.write_bytes(whole + whole[-50:])
    assert Archive(tmp_path).mend() == 50
    assert path.read_bytes() == whole


def test_a_second_writer_of_one_sweep_is_refused(tmp_path: Path, make_harvest: MakeHarvest) -> None:
    one, other = Archive(tmp_path), Archive(tmp_path)
    one.append(1, make_harvest(1))
    with pytest.raises(StoreFault, match="another process"):
        other.append(1, make_harvest(2))
    one.close()
    other.append(1, make_harvest(2))


@pytest.mark.parametrize("where", ["body", "end"])
def test_altered_bytes_are_named(tmp_path: Path, make_harvest: MakeHarvest, where: str) -> None:
    archive = Archive(tmp_path)
    [(_, place)] = kept(archive, make_harvest, 1)
    path = tmp_path / place.warc
    data = bytearray(path.read_bytes())
    if where == "body":
        data[place.offset + 300] ^= 1
    else:
        del data[-1:]
    path.write_bytes(data)
    with pytest.raises(EvidenceAltered, match="backup"):
        archive.read(*place, make_harvest(1).capture.sha256)


def test_seal_copies_the_records_once_under_their_own_hash(tmp_path: Path, make_harvest: MakeHarvest) -> None:
    archive = Archive(tmp_path)
    (_, place), _ = kept(archive, make_harvest, 1, 2)
    digest = make_harvest(1).capture.sha256
    sealed = archive.seal(*place, sha256=digest)
    assert archive.seal(*place, sha256=digest) == sealed
    (tmp_path / place.warc).unlink()
    assert archive.read(*sealed, digest) == make_harvest(1).body
    assert sealed.warc.startswith("evidence/") and sealed.offset == 0


def test_blobs_lie_under_their_hash(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    name = archive.put_blob(b"picture", ".png")
    assert archive.put_blob(b"picture", ".png") == name
    assert archive.read_blob(name) == b"picture"
    archive.blob(name).chmod(0o600)
    archive.blob(name).write_bytes(b"altered")
    with pytest.raises(EvidenceAltered, match="changed"):
        archive.read_blob(name)
    with pytest.raises(EvidenceAltered, match="gone"):
        archive.blob("0" * 64)
    with pytest.raises(ValueError, match="suffix"):
        archive.put_blob(b"x", "/../x")


def test_a_name_that_leads_outside_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="outside"):
        Archive(tmp_path).members("../wangxun.db", 0, 5)
    with pytest.raises(StoreFault, match="SHA-256"):
        Archive(tmp_path).blob("../../etc/passwd")
