"""Rows of CSV files and of workbooks, one at a time: what a person's table program saved, in whatever encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from crawlers.charset import decode
from crawlers.imports.base import Refused

SAMPLE = 1 << 18
"""Bytes from which the encoding is told."""
LINE_MOST = 4_000_000
"""Characters of one line: a longer one is no table."""
Row = tuple[int, list[Any]]
_DELIMITERS = ",\t;|，"


def csv_rows(file: BinaryIO) -> Iterator[Row | Refused]:
    """(line, cells) of each row, the header included. A broken row is refused and the next line begins anew."""
    file.seek(0)
    sample = file.read(SAMPLE)
    if sample.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff")):
        yield Refused(0, "", "这不是文本表格；旧式 .xls 请另存为 .xlsx 或 CSV")
        return
    encoding = _encoding(sample)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        yield from _parsed(text)
    finally:
        text.detach()


def _encoding(sample: bytes) -> str:
    cut = sample[: sample.rfind(b"\n") + 1] or sample
    name = decode(cut)[1]
    return {"utf-8": "utf-8-sig", "utf-16-le": "utf-16", "utf-16-be": "utf-16-be"}.get(name, name)


class _Lines:
    """Lines without NUL characters, none longer than LINE_MOST."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self.number, self.ended = text, 0, False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LINE_MOST)
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        return line.replace("\x00", "") if "\x00" in line else line


def _parsed(text: io.TextIOWrapper) -> Iterator[Row | Refused]:
    lines = _Lines(text)
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count) if any(mark in first for mark in _DELIMITERS) else ","
    waiting = iter([first] if first else [])

    def fed() -> Iterator[str]:
        yield from waiting
        yield from lines

    while True:
        reader, start = csv.reader(fed(), delimiter=delimiter), max(1, lines.number)
        try:
            for cells in reader:
                if lines.ended:  # csv gives a row before it asks for the next line, unless its quotes are still open
                    yield Refused(start, "", f"第 {start} 行的引号没有闭合，直到文件末尾（第 {lines.number} 行）；请修正或重新导出")
                elif any(cell.strip() for cell in cells):
                    yield start, cells
                start = lines.number + 1
            return
        except csv.Error as error:
            # A quote that nobody closed swallows what follows, up to csv's own limit of 131,072 characters a cell.
            yield Refused(start, "", f"第 {start} 行起引号未闭合或单元格过长（{error}），已读到第 {lines.number} 行；请在表格软件中修正")
