"""Photos and scans of carriers in the street and on paper -> Harvests: a leaflet, a newspaper, a board; one photo a posting.

The photo itself is the capture's bytes. Its address is `photo:` and its own hash, so that the pictures' reader finds it as it finds any
other. Place, time and officer come from a side file or from EXIF; they say where the carrier stands, never who passed it, and they go
into the record of the evidence, not into the text that is judged, apart from the place, by which an officer knows it.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from PIL import Image as Pictures
from PIL.ExifTags import IFD

from crawlers.dates import moment
from crawlers.imports.base import Asked, Example, Given, Look, Refused, Unopened
from crawlers.imports.bundle import bundle
from crawlers.imports.public import with_print
from crawlers.imports.sidefile import SUFFIXES as BESIDE
from crawlers.imports.sidefile import notes_of
from crawlers.page import line
from domain.clock import CLOCK_SLACK, for_people
from domain.identity import sha256
from domain.model import Capture, Harvest, Image, Posting, PostingKind

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp", "BMP": "image/bmp", "TIFF": "image/tiff",
           "MPO": "image/jpeg"}  # fmt: skip
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif")
PIXELS_MOST = 178_000_000
"""What Pillow opens at all. A picture above costs its header alone."""
TAIL = 1 << 20
"""Bytes at the end in which a whole JPEG or PNG says that it ends; phones append films of some seconds behind it."""
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_EXIF_TIME = re.compile(r"^(\d{4}):(\d\d):(\d\d)[ T]")
_RECORD = {"place": "Place", "time": "Time", "officer": "Officer", "carrier": "Carrier", "note": "Note", "gps": "Position", "file": "File"}


class Photos:
    """Leaflets, newspapers and boards, as an officer photographed them."""

    name, title, suffixes = "photos", "照片或扫描件（文件夹、zip 或单张）", SUFFIXES

    def knows(self, look: Look) -> bool:
        if look.folder or look.names:
            return "[Content_Types].xml" not in look.names and any(name.lower().endswith(SUFFIXES) for name in look.names)
        return look.head.startswith(_MAGIC[:3]) or look.head[8:12] == b"WEBP" or look.head[4:8] == b"ftyp"

    def read(self, given: Given, asked: Asked) -> Iterator[Harvest | Refused]:
        """See Importer.read."""
        try:
            with bundle(given, asked) as files:
                yield from files.refused
                notes = notes_of(files)
                yield from notes.refused
                names = [name for name in files.names if not name.lower().endswith(BESIDE)]
                for number, name in enumerate(names, 1):
                    asked.progress(number, len(names))
                    try:
                        data = files.read(name, largest=asked.largest)
                        yield _harvest(data, name, notes.of(name), asked)
                    except Unopened as error:
                        yield Refused(number, name, str(error))
                if not names:
                    yield Refused(0, asked.name, "文件夹里没有照片")
        except Unopened as error:
            yield Refused(0, asked.name, str(error))

    def examples(self) -> tuple[Example, ...]:
        side = "文件名,地点,时间,采集人\r\n0.png,某小区三号楼,2026-11-20 09:30,张三\r\n"
        files = {"0.png": _drawn(0), "1.png": _drawn(1), "照片信息.csv": side.encode("gb18030")}
        return (Example(files=files, captures=2, postings=2, broken=files | {"1.png": b"%PDF-1.7\n"}),)


def _harvest(data: bytes, name: str, notes: dict[str, str], asked: Asked) -> Harvest:
    """Raises Unopened where the file is no whole picture."""
    mime, exif = _looked(data)
    told = {**exif, **notes, "file": name}
    found = _moment(told.get("time", ""), asked)
    place = line(told.get("place") or (f"拍摄位置 {told['gps']}" if told.get("gps") else ""))
    carrier = line(told.get("carrier") or "线下宣传品")
    shown = " · ".join(part for part in (carrier, place, for_people(found) if found else "") if part)
    digest = sha256(data)
    url = f"photo:{digest}"
    posting = Posting(
        platform="offline", url=url, kind=PostingKind.LEAFLET, title=line(told.get("title", "")) or shown, images=(Image(url=url),),
        publisher=line(told.get("publisher", "")) or None, advertiser=line(told.get("advertiser", "")) or None,
    )  # fmt: skip
    capture = Capture(
        url=url,
        final_url=url,
        fetched_at=found or asked.now,
        status=0,
        sha256=digest,
        size=len(data),
        mime=mime,
        charset=None,
        via="photos",
    )
    record = tuple((f"Wangxun-Photo-{_RECORD[key]}", line(text)) for key, text in told.items() if key in _RECORD and text)
    return Harvest(capture=capture, body=data, postings=(with_print(posting),), response_headers=record)


def _looked(data: bytes) -> tuple[str, dict[str, str]]:
    """Media type and what EXIF says of time and position, from the header: nothing is decoded. Raises Unopened."""
    _refuse_others(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs; the size is judged below
            picture = Pictures.open(io.BytesIO(data), formats=tuple(FORMATS))
            width, height = picture.size
            exif = _exif(picture)
    except Pictures.DecompressionBombError:
        raise Unopened(f"超过 {PIXELS_MOST // 1_000_000 / 100:.2f} 亿像素，不读；请缩小后再导入") from None
    except Exception as error:  # Pillow raises nearly anything for hostile bytes
        raise Unopened(f"不是能读的照片（{type(error).__name__}）；请换成 JPEG 或 PNG") from error
    if width * height > PIXELS_MOST:
        raise Unopened(f"{width}×{height} 像素，超过 {PIXELS_MOST // 1_000_000 / 100:.2f} 亿；请缩小后再导入")
    ends = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}.get(str(picture.format))
    if ends and ends not in data[-TAIL:]:
        raise Unopened("照片不完整（文件被截断）；请重新传输")
    return FORMATS[str(picture.format)], exif


def _refuse_others(data: bytes) -> None:
    """Raises Unopened, by name, for what is often sent as a photo and is none."""
    if data.lstrip()[:5] == b"%PDF-":
        raise Unopened("这是 PDF，不是照片（扩展名被改过）；请导出为图片，一页一张")
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"hevc", b"msf1", b"heim", b"heis"):
        raise Unopened("HEIC 照片读不了；请在手机相机设置中选“兼容性最佳”，或转为 JPEG")
    if data[4:8] == b"ftyp":
        raise Unopened("这是视频，不是照片；请截取画面")
    if not data:
        raise Unopened("空文件")


def _exif(picture: Any) -> dict[str, str]:
    """`time` and `gps`, where the camera wrote them. A hostile EXIF is no EXIF."""
    found: dict[str, str] = {}
    try:
        whole = picture.getexif()
        inner, position = whole.get_ifd(IFD.Exif), whole.get_ifd(IFD.GPSInfo)
        when = str(inner.get(0x9003) or whole.get(0x0132) or "")[:19]
        if _EXIF_TIME.match(when):
            zone = str(inner.get(0x9011) or "")[:6]
            found["time"] = _EXIF_TIME.sub(r"\1-\2-\3T", when) + (zone if re.fullmatch(r"[+-]\d\d:\d\d", zone) else "+08:00")
        if position.get(2) and position.get(4):
            north, east = _degrees(position[2], position.get(1)), _degrees(position[4], position.get(3))
            if all(map(math.isfinite, (north, east))) and abs(north) <= 90 and abs(east) <= 180:
                found["gps"] = f"{north:.5f},{east:.5f}"
    except Exception:
        return found
    return found


def _degrees(parts: Any, side: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return (degrees + minutes / 60 + seconds / 3600) * (-1 if str(side) in ("S", "W") else 1)


def _moment(text: str, asked: Asked) -> datetime | None:
    found = moment(text, now=asked.now) if text else None
    return found if found is not None and found <= asked.now + CLOCK_SLACK else None


def _drawn(number: int) -> bytes:
    buffer = io.BytesIO()
    Pictures.new("RGB", (64, 48), (200, 40 * number, 40)).save(buffer, "PNG")
    return buffer.getvalue()
