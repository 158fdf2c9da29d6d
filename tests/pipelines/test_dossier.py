"""The dossier: everything in it, and not one byte altered unseen."""

from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path

import pytest

from pipelines import dossier, refer
from pipelines.packet.sealed import pack
from store.archive import Archive
from store.records import body_of
from tests.pipelines.conftest import PROMO, House


@pytest.fixture
def sealed(house: House) -> Path:
    """The dossier of a lead whose publisher was warned before."""
    from pipelines import warn

    hit = house.confirmed()
    notice = warn.draft(house.store, hit, officer="wang", channel="folder", now=house.now)
    warn.approve(house.store, notice, officer="zhao", now=house.now)
    lead = house.submitted_lead(hit)
    refer.approve(house.store, lead, officer="zhao", now=house.now)
    return Archive(house.store.settings.archive_dir).blob(house.row("leads", lead).dossier_sha256)  # type: ignore[attr-defined]


def test_it_holds_all_that_the_lead_rests_on(sealed: Path) -> None:
    with zipfile.ZipFile(sealed) as box:
        names = set(box.namelist())
        capture = json.loads(box.read("hits/1/capture-1.json"))
        assert PROMO in body_of(box.read("hits/1/capture-1.warc.gz"), sha256=capture["sha256"], where="dossier").decode()
        assert json.loads(box.read("hits/1/decisions.json"))[0]["reason"] == "承诺保本保息，面向公众"
        assert "涉嫌" in json.loads(box.read("hits/1/assessment.json"))["reasons"][0]["text"]
        assert json.loads(box.read("versions.json"))["rulesets"] == ["pack@abc"]
        assert "lead.submit  lead:1" in box.read("timeline.txt").decode()
        assert "线索材料" in box.read("README.txt").decode()
        assert box.read("notices/1/letter.pdf").startswith(b"%PDF")
    assert {"hits/1/posting.txt", "lead.json", "manifest.json", "manifest.sha256", "notices/1/letter.docx", "timeline.json"} <= names


def test_a_sealed_dossier_has_no_faults(sealed: Path) -> None:
    assert dossier.verify(sealed) == []


def test_the_letter_quotes_the_hash_of_its_list(sealed: Path, house: House) -> None:
    assert house.row("leads", 1).body["manifest_sha256"] == dossier.manifest_hash(sealed)  # type: ignore[attr-defined]


def test_any_altered_byte_is_found(sealed: Path, tmp_path: Path) -> None:
    data = sealed.read_bytes()
    drawn = random.Random(5)
    places = {0, 5, len(data) - 1, len(data) - 60, len(data) - 80, *(drawn.randrange(len(data)) for _ in range(150))}
    altered = tmp_path / "altered.zip"
    for place in sorted(places):
        changed = bytearray(data)
        changed[place] ^= 1 << drawn.randrange(8)
        altered.write_bytes(changed)
        assert dossier.verify(altered), f"byte {place}"


def test_cut_lengthened_and_foreign_files_are_found(sealed: Path, tmp_path: Path) -> None:
    data = sealed.read_bytes()
    bad = tmp_path / "bad.zip"
    for given in (b"", b"PK", data[: len(data) // 2], data[:-1], data + b"x", b"x" + data, b"%PDF-1.7", bytes(100)):
        bad.write_bytes(given)
        assert dossier.verify(bad)
    assert dossier.verify(tmp_path / "missing.zip")


def test_a_part_changed_and_zipped_anew_is_found(sealed: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(sealed) as box, zipfile.ZipFile(forged, "w") as out:
        for name in box.namelist():
            out.writestr(
                name, box.read(name).replace("涉嫌".encode(), "认定".encode()) if name.endswith("assessment.json") else box.read(name)
            )
    assert any(fault.startswith("hits/1/assessment.json: was altered") for fault in dossier.verify(forged))


def test_parts_added_or_taken_are_named(tmp_path: Path) -> None:
    good = pack({"a.txt": b"1", "b.txt": b"2"}, about={})
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(io.BytesIO(good)) as box, zipfile.ZipFile(forged, "w") as out:
        for name in ("a.txt", "manifest.json", "manifest.sha256"):
            out.writestr(name, box.read(name))
        out.writestr("c.txt", b"3")
    faults = dossier.verify(forged)
    assert "b.txt: is missing" in faults
    assert "c.txt: is not on the list" in faults


def test_the_same_parts_give_the_same_bytes() -> None:
    parts = {"b.txt": b"2", "a.txt": b"1"}
    assert pack(parts, about={"lead": 1}) == pack(dict(reversed(parts.items())), about={"lead": 1})
