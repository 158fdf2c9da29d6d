"""Workbooks (.xlsx) row by row. openpyxl streams the cells; the texts that cells share lie in a file, not in the memory."""

from __future__ import annotations

import tempfile
import zipfile
from array import array
from collections.abc import Iterator
from typing import Any, BinaryIO

import openpyxl.reader.excel as reader
from openpyxl.cell.text import Text
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from crawlers.imports.base import Refused
from crawlers.imports.zips import BadZip, members, open_zip
from domain.errors import DiskFull

UNPACKED_MOST = 8_000_000_000
"""Bytes of one part of a workbook: 1,048,576 full rows take a tenth."""
COLUMNS_MOST = 256
CACHED, CACHED_LONGEST = 4096, 100
"""Texts held in the memory, and their bytes: names of accounts come again and again, bodies do not."""


class SharedTexts:
    """Texts by their number, kept in a temporary file: a workbook of a million rows has a million, and takes 8 MB here."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._ends = array("Q", [0])
        self._cache: dict[int, str] = {}

    def append(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        try:
            self._file.write(data)
        except OSError as error:
            raise DiskFull(f"{tempfile.gettempdir()}: 临时文件写不下（{error.strerror}）；请腾出空间后再导入一次") from error
        self._ends.append(self._ends[-1] + len(data))

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            return ""  # a damaged workbook names texts that it does not hold
        found = self._cache.get(number)
        if found is None:
            start, end = self._ends[number], self._ends[number + 1]
            self._file.seek(start)
            found = self._file.read(end - start).decode("utf-8")
            if end - start <= CACHED_LONGEST:
                if len(self._cache) >= CACHED:
                    self._cache.clear()
                self._cache[number] = found
        return found

    def close(self) -> None:
        self._file.close()


class _Reader(reader.ExcelReader):  # type: ignore[misc]
    """openpyxl's reader as far as a list needs it: shared texts on the disk, and of the sheets no more than where they lie."""

    sheets: tuple[tuple[str, str], ...] = ()
    """(title, part of the zip file) of each visible sheet."""

    def read(self) -> None:
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)  # it says which numbers are dates
        found = [(sheet, rel) for sheet, rel in self.parser.find_sheets() if sheet.state == "visible" and rel.Type.endswith("/worksheet")]
        self.sheets = tuple((str(sheet.name), str(rel.target)) for sheet, rel in found if rel.target in self.valid_files)

    def read_strings(self) -> None:
        self.shared_strings = SharedTexts()
        part = self.package.find(SHARED_STRINGS)
        if part is None:
            return
        tag = f"{{{SHEET_MAIN_NS}}}si"
        with self.archive.open(part.PartName[1:]) as source:
            root: Any = None
            for event, node in iterparse(source, events=("start", "end")):
                root = node if root is None else root
                if event == "end" and node.tag == tag:
                    self.shared_strings.append(Text.from_tree(node).content.replace("x005F_", ""))
                    root.clear()  # openpyxl clears each text alone, and a million empty elements stay


class _Rows(WorkSheetParser):  # type: ignore[misc]
    """openpyxl's parser of a sheet, which lets go of each row whole: its own leaves an empty element of every row behind."""

    def parse(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        data: Any = None
        for event, element in iterparse(self.source, events=("start", "end")):
            if event == "start":
                data = element if element.tag == DATA_TAG else data
            elif element.tag == ROW_TAG:
                row = self.parse_row(element)
                if data is not None:
                    data.clear()
                yield row
            elif element.tag == DATA_TAG:
                return


def sheet_rows(file: BinaryIO) -> Iterator[tuple[str, int, list[Any]] | Refused]:
    """(sheet, row, values) of every row of every visible sheet. Formulas give what they came to when the book was saved."""
    try:
        _checked(file)
        book = _Reader(file, read_only=True, data_only=True, keep_links=False)
    except BadZip as error:
        yield Refused(0, "", str(error))
        return
    try:
        book.read()
        for title, part in book.sheets:
            with book.archive.open(part) as source:
                formats = {"date_formats": book.wb._date_formats, "timedelta_formats": book.wb._timedelta_formats}
                for number, cells in _Rows(source, book.shared_strings, data_only=True, epoch=book.wb.epoch, **formats).parse():
                    values = _values(cells)
                    if values:
                        yield title, number, values
    finally:
        if isinstance(book.shared_strings, SharedTexts):
            book.shared_strings.close()
        book.archive.close()


def _values(cells: list[dict[str, Any]]) -> list[Any]:
    """The values of a row by their column, from the first one to the last that is not empty."""
    kept = [(cell["column"], cell["value"]) for cell in cells if cell["value"] is not None and cell["column"] <= COLUMNS_MOST]
    found: list[Any] = [None] * max((column for column, _ in kept), default=0)
    for column, value in kept:
        found[column - 1] = value
    return found


def _checked(file: BinaryIO) -> None:
    """Raises BadZip for a workbook that is broken, encrypted or a bomb."""
    file.seek(0)
    if file.read(8).startswith(b"\xd0\xcf\x11\xe0"):
        raise BadZip("这是旧式 .xls 或加密的工作簿；请去掉密码并另存为 .xlsx")
    file.seek(0)
    archive: zipfile.ZipFile = open_zip(file)
    for info, why_not in members(archive):
        if info.filename.endswith((".xml", ".rels")) and (why_not or info.file_size > UNPACKED_MOST):
            raise BadZip(f"{info.filename[:80]}：{why_not or '解压后过大'}")
    file.seek(0)
