"""Photos of carriers: the photo is the evidence, what the officer wrote goes with it, and what is no photo is named."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from crawlers.imports.photos import Photos
from crawlers.imports.wacz import Wacz
from domain.model import PostingKind
from domain.settings import Settings
from store.archive import Archive
from store.engine import open_store
from store.pictures import captures_of
from store.tables import captures
from tests.crawlers.imports.conftest import grown_by, pieces


def jpeg(size: tuple[int, int] = (80, 60), *, exif: Image.Exif | None = None, colour: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (colour, 120, 60)).save(buffer, "JPEG", **({"exif": exif} if exif is not None else {}))
    return buffer.getvalue()


def camera(*, time: str = "2026:11:19 15:30:00", zone: str = "", gps: bool = True) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = time
    if zone:
        exif.get_ifd(0x8769)[0x9011] = zone
    if gps:
        exif.get_ifd(0x8825).update({1: "N", 2: (36.0, 35.0, 6.0), 3: "E", 4: (109.0, 29.0, 24.0)})
    return exif


def huge_png(width: int, height: int) -> bytes:
    """A picture of that size, all white, in a few hundred kilobytes: a header that is honest and costs gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\0" + b"\xff" * (width // 8)
    rows = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    return tmp_path / "in"


SIDES = {
    "照片信息.csv": "文件名,地点,时间,采集人,载体\r\na.jpg,城东三号楼,2026-11-18 09:30,张三,传单\r\n".encode("gb18030"),
    "照片信息.json": json.dumps(
        [{"文件名": "a.jpg", "地点": "城东三号楼", "时间": "2026-11-18 09:30", "采集人": "张三", "载体": "传单"}]
    ).encode(),
    "照片信息.yml": "地点: 城东三号楼\n时间: 2026-11-18 09:30\n采集人: 张三\n载体: 传单\n".encode(),
    "a.yaml": "place: 城东三号楼\ntime: 2026-11-18 09:30:00\nofficer: 张三\ncarrier: 传单\n".encode(),
    "all.yaml": "a.jpg:\n  地点: 城东三号楼\n  时间: '2026-11-18 09:30'\n  采集人: 张三\n  载体: 传单\n".encode(),
}


@pytest.mark.parametrize("side", SIDES)
def test_place_time_and_officer_from_a_side_file(side: str, tmp_path: Path) -> None:
    found, refused = pieces(Photos(), folder(tmp_path, {"a.jpg": jpeg(exif=camera()), side: SIDES[side]}))
    assert refused == []
    (one,) = found
    posting = one.postings[0]
    assert posting.title == "传单 · 城东三号楼 · 2026-11-18 09:30"
    assert (posting.kind, posting.platform, posting.body, posting.published_at) == (PostingKind.LEAFLET, "offline", "", None)
    assert one.capture.fetched_at.isoformat() == "2026-11-18T01:30:00+00:00"
    record = dict(one.response_headers)
    assert record["Wangxun-Photo-Officer"] == "张三" and record["Wangxun-Photo-Position"] == "36.58500,109.49000"
    assert "张三" not in posting.text


def test_exif_speaks_where_nobody_wrote(tmp_path: Path) -> None:
    files = {"a.jpg": jpeg(exif=camera()), "b.jpg": jpeg(exif=camera(zone="+09:00", gps=False), colour=1), "c.jpg": jpeg(colour=2)}
    found, _ = pieces(Photos(), folder(tmp_path, files))
    assert [one.postings[0].title for one in found] == [
        "线下宣传品 · 拍摄位置 36.58500,109.49000 · 2026-11-19 15:30",
        "线下宣传品 · 2026-11-19 14:30",
        "线下宣传品",
    ]


def test_a_near_folders_word_goes_before_a_far_ones(tmp_path: Path) -> None:
    files = {
        "info.yml": "地点: 全市\n采集人: 张三\n".encode(),
        "东/info.yml": "地点: 城东\n".encode(),
        "东/a.jpg": jpeg(),
        "b.jpg": jpeg(colour=1),
    }
    found, _ = pieces(Photos(), folder(tmp_path, files))
    assert sorted(one.postings[0].title for one in found) == ["线下宣传品 · 全市", "线下宣传品 · 城东"]
    assert {dict(one.response_headers)["Wangxun-Photo-Officer"] for one in found} == {"张三"}


@pytest.mark.parametrize(
    "side", [b"a: [", b"\xff\xfe\x00", b"- 1\n- 2\n", b"!!python/object/apply:os.system ['true']", b"7", b"a: &a [*a, *a]\n"]
)
def test_a_broken_side_file_costs_no_photo(side: bytes, tmp_path: Path) -> None:
    found, _ = pieces(Photos(), folder(tmp_path, {"a.jpg": jpeg(), "side.yml": side}))
    assert len(found) == 1 and found[0].postings[0].title == "线下宣传品"


def test_the_photo_reaches_the_pictures_reader_and_its_record_is_in_the_evidence(
    tmp_path: Path, take: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    given = folder(tmp_path, {"a.jpg": jpeg(), "照片信息.csv": SIDES["照片信息.csv"]})
    assert take(given)["new"] == 1
    store = open_store(settings)
    with store.read() as connection:
        row = connection.execute(captures.select()).one()
    assert captures_of(store, [row.url])[row.url]["id"] == row.id
    archive = Archive(settings.archive_dir)
    assert archive.read(row.warc, row.warc_offset, row.warc_length, row.sha256) == jpeg()
    record = zlib.decompress(archive.members(row.warc, row.warc_offset, row.warc_length), 31).partition(b"\r\n\r\n")[0].decode()
    assert "Wangxun-Photo-Place: 城东三号楼" in record and "Wangxun-Photo-Officer: 张三" in record
    store.close()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
        (b"\0\0\0\x18ftypisom" + b"\0" * 40, "视频"),
        (b"", "空文件"),
        (b"GIF89a", "不是能读的照片"),
        (jpeg()[:-30], "不完整"),
        (b"\xff\xd8\xff" + os.urandom(3000), "不是能读的照片"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "不是能读的照片"),
    ],
)
def test_what_is_no_photo_is_named_and_the_next_one_comes(data: bytes, reason: str, tmp_path: Path) -> None:
    found, refused = pieces(Photos(), folder(tmp_path, {"a.jpg": data, "b.jpg": jpeg()}))
    assert len(found) == 1
    assert len(refused) == 1 and refused[0].where == "a.jpg" and reason in refused[0].reason


def test_two_hundred_megapixels_cost_their_header_alone(tmp_path: Path) -> None:
    given = folder(tmp_path, {"a.png": huge_png(20_000, 10_000)})
    found, refused = pieces(Photos(), given)
    assert found == [] and "亿像素" in refused[0].reason
    assert grown_by(lambda: pieces(Photos(), given)) < 10


def test_a_photo_above_the_limit_of_bytes_says_which_setting_would_do(tmp_path: Path) -> None:
    found, refused = pieces(Photos(), folder(tmp_path, {"a.jpg": jpeg((900, 900))}), largest=1000)
    assert found == [] and "WANGXUN_MAX_BODY_MB" in refused[0].reason


def test_links_pipes_and_hidden_files_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    given = folder(tmp_path, {"a.jpg": jpeg(), ".hidden/b.jpg": jpeg(colour=1)})
    (given / "passwd.jpg").symlink_to("/etc/passwd")
    (given / "up").symlink_to(tmp_path)
    os.mkfifo(given / "pipe.jpg")
    found, refused = pieces(Photos(), given)
    assert len(found) == 1
    assert sorted(one.where for one in refused) == ["passwd.jpg", "pipe.jpg", "up"]


def hostile_zip(good: dict[str, bytes], *, bomb: bool = True) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in good.items():
            archive.writestr(name, data)
        for name in ("../up.jpg", "/root.jpg", "C:/x.jpg", "a/../../x.jpg", "..\\win.jpg"):
            archive.writestr(name, jpeg())
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        if bomb:
            archive.writestr("bomb.jpg", b"\0" * 40_000_000)
    return buffer


def test_hostile_names_and_bombs_in_a_zip_are_refused(tmp_path: Path) -> None:
    found, refused = pieces(Photos(), hostile_zip({"a.jpg": jpeg()}))
    assert [dict(one.response_headers)["Wangxun-Photo-File"] for one in found] == ["a.jpg"]
    assert len(refused) == 7
    assert not list(tmp_path.parent.parent.glob("up.jpg"))
    assert grown_by(lambda: pieces(Photos(), hostile_zip({"a.jpg": jpeg()}))) < 60


def test_hostile_names_in_a_web_archive_are_refused() -> None:
    good = next(iter(Wacz().examples()[0].files.values()))
    buffer = hostile_zip({})
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(buffer, "a") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
        target.writestr("archive/../../x.warc.gz", b"")
        target.writestr("archive/unlisted.warc.gz", b"")
    found, refused = pieces(Wacz(), buffer)
    assert len(found) == 3
    assert {"archive/../../x.warc.gz", "archive/unlisted.warc.gz"} <= {one.where for one in refused}


def test_a_zip_cut_or_with_a_damaged_member_costs_no_more(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.jpg", jpeg())
        archive.writestr("b.jpg", jpeg(colour=1))
    data = bytearray(buffer.getvalue())
    assert "zip" in pieces(Photos(), io.BytesIO(bytes(data[:-60])))[1][0].reason
    data[200] ^= 0xFF
    found, refused = pieces(Photos(), io.BytesIO(bytes(data)))
    assert len(found) == 1 and len(refused) == 1 and "损坏" in refused[0].reason


def test_a_damaged_list_of_digests_refuses_the_archive() -> None:
    good = next(iter(Wacz().examples()[0].files.values()))
    for name, data in (
        ("datapackage.json", b"{"),
        ("datapackage-digest.json", b'{"hash": "sha256:00"}'),
        ("datapackage.json", b'{"resources": 7}'),
    ):
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(buffer, "w") as target:
            for known in source.namelist():
                if known != name:
                    target.writestr(known, source.read(known))
            target.writestr(name, data)
        found, refused = pieces(Wacz(), buffer)
        assert found == [] and len(refused) == 1
