"""Lists (CSV, TSV, XLSX) -> Harvests: what another unit watched, or a person wrote down; a row a posting."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO

from openpyxl import Workbook

from crawlers.imports import exported, sheets, tables
from crawlers.imports.base import Asked, Example, Look, OneFile, Refused
from crawlers.imports.named import Values, columns_of, harvest_of, text_of, urls_in
from domain.model import Harvest

Rows = Iterator[tuple[str, int, list[Any]] | Refused]
HEADER_WITHIN = 20
"""Rows above the header: a heading, a date, an empty line."""
SUPPORTED = "title 标题、text 正文、url 链接、publisher 发布者、advertiser 广告主、time 时间、images 图片、platform 平台、kind 类型"


class Listed(OneFile):
    """A list of what was seen, with a header that names its columns."""

    name, title, suffixes = "list", "CSV 或 XLSX 清单", (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")

    def knows(self, look: Look) -> bool:
        if look.packed or look.folder:
            return False
        if "xl/workbook.xml" in look.names or look.head.startswith(b"\xd0\xcf\x11\xe0"):
            return True
        head = look.head[:4096]
        binary = head.count(b"\x00") * 3 > len(head) and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
        return bool(head) and not binary and not look.names and not head.lstrip().startswith((b"{", b"[", b"<", b"%PDF"))

    def pieces(self, file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
        head = file.read(8)
        rows = sheets.sheet_rows(file) if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) else _csv(file)
        yield from _taken(rows, asked)

    def examples(self) -> tuple[Example, ...]:
        head = ["标题", "正文", "链接", "发布者", "发布时间"]
        lines = [
            [f"第{n}条", f"为示例写的第{n}条内容，讲一家小店。", f"https://shop.example/{n}", "某小店", "2026-11-20 08:00"]
            for n in range(1, 4)
        ]
        text = "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in [head, *lines])
        hurt = text.replace("为示例写的第2条内容，讲一家小店。", "").replace("第2条", "")
        csv_file = Example(files={"list.csv": text.encode("gb18030")}, captures=3, postings=3, broken={"list.csv": hurt.encode("gb18030")})
        book = Example(files={"list.xlsx": workbook([head, *lines])}, captures=3, postings=3)
        return (csv_file, book)


def _csv(file: BinaryIO) -> Rows:
    for row in tables.csv_rows(file):
        yield row if isinstance(row, Refused) else ("", *row)


def _taken(rows: Rows, asked: Asked) -> Iterator[Harvest | Refused]:
    """Sheet by sheet: each has its own header, and one without does not cost the others."""
    count = 0
    for name, part in groupby(rows, key=lambda row: "" if isinstance(row, Refused) else row[0]):
        for found in _of_sheet(name, part, asked):
            count += 1
            yield found
    if not count:
        yield Refused(0, asked.name, "表格是空的")


def _of_sheet(name: str, rows: Rows, asked: Asked) -> Iterator[Harvest | Refused]:
    columns: dict[int, str] = {}
    header: list[str] = []
    shown: list[str] = []
    above, taken, foreign = 0, 0, False
    for row in rows:
        if isinstance(row, Refused):
            taken += 1
            yield row
            continue
        _, number, cells = row
        if columns:
            taken += 1
            found = (
                exported.taken(dict(zip(header, cells, strict=False)), asked, via="list")
                if foreign
                else harvest_of(_values(cells, columns), asked, via="list")
            )
            yield found if isinstance(found, Harvest) else Refused(number, f"{name}!{number}" if name else "", found)
        elif above < HEADER_WITHIN:
            header, above = [text_of(cell) for cell in cells], above + 1
            shown = max(shown, header, key=len)
            columns, foreign = _columns(header, asked.columns), exported.is_exported(header)
    if above and not columns:
        yield Refused(above, name, _unknown(shown))
    elif columns and not taken:
        yield Refused(0, name or asked.name, "表格只有表头，没有内容")


def _columns(header: list[str], asked: Mapping[str, str]) -> dict[int, str]:
    """Where each field stands, where this row is a header: one that names a title, a text or pictures."""
    found = columns_of(header, asked)
    return found if {"title", "text", "images"} & set(found.values()) and all(len(cell) <= 60 for cell in header) else {}


def _unknown(header: list[str]) -> str:
    shown = "、".join(cell[:20] for cell in header[:12] if cell) or "空"
    return f"认不出表头（读到：{shown}）；请用 --map text=正文,url=链接 指明各列，可指明：{SUPPORTED}"


def _values(cells: list[Any], columns: Mapping[int, str]) -> Values:
    found = Values()
    for index, ours in columns.items():
        if index < len(cells):
            if ours == "images":
                found.images = urls_in(text_of(cells[index]))
            else:
                setattr(found, ours, text_of(cells[index]))
    return found


def workbook(rows: list[list[Any]]) -> bytes:
    """A workbook of these rows, for examples and tests."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
