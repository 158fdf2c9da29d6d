"""What an officer wrote down about photos: place, time and officer, in a CSV, YAML, JSON or XLSX file that lies beside them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml

from crawlers.imports import sheets, tables
from crawlers.imports.base import Refused, Unopened
from crawlers.imports.bundle import Bundle
from crawlers.imports.named import key_of, text_of

SUFFIXES = (".csv", ".tsv", ".xlsx", ".yml", ".yaml", ".json")
LARGEST = 8_000_000
YAML_LARGEST = 1_000_000
"""Bytes; YAML is read a hundred times slower than the others."""
NAMES = {
    "file": ("文件名", "文件", "照片", "照片文件", "图片", "file", "filename", "photo"),
    "place": ("地点", "位置", "地址", "发现地点", "place", "address", "location"),
    "time": ("时间", "拍摄时间", "发现时间", "日期", "time", "date"),
    "officer": ("采集人", "巡查员", "巡查人", "拍摄人", "人员", "经办人", "officer"),
    "carrier": ("载体", "载体类型", "类型", "carrier", "kind"),
    "title": ("标题", "title"),
    "publisher": ("发布者", "发布单位", "张贴单位", "媒体", "报纸", "publisher"),
    "advertiser": ("广告主", "公司", "企业", "advertiser"),
    "note": ("备注", "说明", "note", "remark"),
}  # fmt: skip
"""Field of ours -> names that mean it."""
_FIELD_OF = {name: ours for ours, names in NAMES.items() for name in names}


@dataclass(slots=True)
class Notes:
    """What is written about the photos of one bundle."""

    by_folder: dict[str, dict[str, str]] = field(default_factory=dict)
    by_photo: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the photo's name inside the bundle, lower case."""
    refused: list[Refused] = field(default_factory=list)

    def of(self, name: str) -> dict[str, str]:
        """What holds for one photo: its own line before its folder's, a near folder's before a far one's."""
        path = PurePosixPath(name)
        found: dict[str, str] = {}
        for folder in reversed(path.parents):
            found |= self.by_folder.get(folder.as_posix(), {})
        stem = path.with_suffix("").as_posix().lower()
        return found | self.by_photo.get(stem, {}) | self.by_photo.get(name.lower(), {})


def notes_of(files: Bundle) -> Notes:
    """All side files of a bundle. One that cannot be read is refused, and its photos go on without it."""
    notes = Notes()
    photos = {_stem(name) for name in files.names if PurePosixPath(name).suffix.lower() not in SUFFIXES}
    for name in files.names:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in SUFFIXES:
            continue
        try:
            data = files.read(name, largest=YAML_LARGEST if suffix in (".yml", ".yaml") else LARGEST)
            if suffix in (".csv", ".tsv", ".xlsx"):
                _add_rows(notes, name, data, book=suffix == ".xlsx")
            else:
                _add_tree(notes, name, json.loads(data.decode("utf-8-sig")) if suffix == ".json" else yaml.safe_load(data), photos)
        except Unopened as error:
            notes.refused.append(Refused(0, name, str(error)))
        except Exception as error:  # four formats raise types of their own for broken files
            notes.refused.append(Refused(0, name, f"照片说明读不了（{str(error)[:120]}）；照片按没有说明导入"))
    return notes


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix().lower()


def _fields(row: Mapping[Any, Any]) -> dict[str, str]:
    """The fields that a mapping names, as text."""
    found = {_FIELD_OF.get(key_of(str(key)), ""): text_of(value)[:500] for key, value in row.items()}
    return {name: text for name, text in found.items() if name and text}


def _add_row(notes: Notes, side: str, row: Any) -> None:
    """One photo's line, or, where it names no photo, its folder's."""
    if not isinstance(row, Mapping):
        raise TypeError("每一项应为字段和内容")
    fields, folder = _fields(row), PurePosixPath(side).parent
    photo = fields.pop("file", "")
    if photo:
        notes.by_photo[(folder / photo).as_posix().lower()] = fields
    elif fields:
        notes.by_folder[folder.as_posix()] = fields


def _add_tree(notes: Notes, side: str, found: Any, photos: set[str]) -> None:
    """A list of photos; or fields of the photo of that name, else of the folder; or photos by their name."""
    if isinstance(found, list):
        for row in found:
            _add_row(notes, side, row)
        return
    if not isinstance(found, Mapping):
        raise TypeError("应为字段和内容，或照片的列表")
    if _stem(side) in photos:
        notes.by_photo[_stem(side)] = _fields(found)
    else:
        _add_row(notes, side, found)
    for key, value in found.items():
        if isinstance(value, Mapping):
            notes.by_photo[(PurePosixPath(side).parent / str(key)).as_posix().lower()] = _fields(value)


def _add_rows(notes: Notes, side: str, data: bytes, *, book: bool) -> None:
    header: list[str] = []
    rows = (
        (row if isinstance(row, Refused) else row[-2:] for row in sheets.sheet_rows(io.BytesIO(data)))
        if book
        else tables.csv_rows(io.BytesIO(data))
    )
    for row in rows:
        if isinstance(row, Refused):
            notes.refused.append(Refused(row.number, side, row.reason))
        elif not header:
            header = [text_of(cell) for cell in row[1]]
        else:
            _add_row(notes, side, dict(zip(header, row[1], strict=False)))
