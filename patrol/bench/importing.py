"""Imports of large files: a HAR of 500 MB, a workbook of a million rows, a CSV of a fifth of that; each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from patrol.bench import result

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from domain.clock import utc_now
from domain.settings import Settings
from patrol.importing import import_file
from patrol.work import create_if_new

settings = Settings(dir=Path(sys.argv[2]))
create_if_new(settings)
import crawlers.imports.registry, crawlers.general, openpyxl
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.monotonic()
report = import_file(Path(sys.argv[1]), kind=sys.argv[3], settings=settings, now=utc_now, dry_run=sys.argv[4] == "dry")
took = time.monotonic() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
counts = {key: report[key] for key in ("captures", "repeated", "refused", "new")}
print(json.dumps({"s": took, "peak_mb": peak / 1024, "growth_mb": (peak - before) / 1024, **counts}))
"""
_SENTENCE = "为测量写的一句话，讲小城里一家店的开张和它的老主顾。"


def bench_imports(*, har_mb: int, rows: int, folder: Path | None = None) -> dict[str, Any]:
    """Write the files, import each into a fresh store, and the workbook once more: seconds, MB, and what came in."""
    figures: dict[str, float | int] = {}
    with tempfile.TemporaryDirectory(prefix="wangxun-bench-", dir=folder) as name:
        home = Path(name)
        har = _written(home / "phone.har", lambda path: _write_har(path, megabytes=har_mb))
        figures |= _named("har", _run(har, home / "a", "har"), per=har_mb, unit="mb")
        har.unlink()
        csv = _written(home / "list.csv", lambda path: _write_csv(path, rows=rows // 5))
        figures |= _named("csv", _run(csv, home / "b", "list"), per=rows // 5, unit="rows")
        book = _written(home / "list.xlsx", lambda path: write_book(path, rows=rows))
        figures["xlsx_mb"] = book.stat().st_size / 1e6
        figures |= _named("xlsx", _run(book, home / "c", "list"), per=rows, unit="rows")
        figures |= _named("xlsx_again", _run(book, home / "c", "list"), per=rows, unit="rows")
    return result("imports", figures=figures)


def _named(kind: str, found: dict[str, Any], *, per: int, unit: str) -> dict[str, float | int]:
    rate = {f"{kind}_{unit}_per_s": per / found.pop("s")}
    return rate | {f"{kind}_{key}": value for key, value in found.items()}


def _run(path: Path, home: Path, kind: str, *, dry: bool = False) -> dict[str, Any]:
    command = [sys.executable, "-c", _CHILD, str(path), str(home), kind, "dry" if dry else "real"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"import {kind}: the child broke off; {done.stderr[-1000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _written(path: Path, write: Callable[[Path], None]) -> Path:
    write(path)
    return path


def _write_har(path: Path, *, megabytes: int) -> None:
    """Entries of 200 KB: an app's feed in JSON, its pages and its scripts."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"log": {"version": "1.2", "creator": {"name": "bench"}, "entries": [')
        for number, entry in enumerate(_entries()):
            file.write((", " if number else "") + json.dumps(entry, ensure_ascii=False))
            if number % 20 == 0 and file.tell() >= megabytes * 1_000_000:
                break
        file.write("]}}")


def _entries() -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        number += 1
        items = [{"title": f"第{number}-{n}条", "content": f"{n} {_SENTENCE * 4}", "user": {"nickname": "某账号"}} for n in range(20)]
        feed = json.dumps({"data": {"list": items}}, ensure_ascii=False)
        script = "var filling = 1;" * 12_000
        for url, mime, text in (("feed/list", "application/json", feed), ("static/app.js", "application/javascript", script)):
            headers = [{"name": f"x-header-{n}", "value": "v" * 60} for n in range(25)]
            request = {"method": "GET", "url": f"https://api.bench.example/{url}?page={number}&token=t", "headers": headers, "cookies": []}
            content = {"size": len(text), "mimeType": mime, "text": text}
            yield {"startedDateTime": "2026-11-20T08:00:00Z", "request": request, "response": {"status": 200, "content": content}}


def _row(number: int, *, sentences: int = 2) -> list[str]:
    text = f"{number} {_SENTENCE * sentences}"
    return [f"第{number}条", text, f"https://list.bench.example/{number}", f"账号{number % 5000}", "2026-11-20 08:00"]


_HEADER = ["标题", "正文", "链接", "发布者", "发布时间"]


def _write_csv(path: Path, *, rows: int) -> None:
    with path.open("w", encoding="gb18030") as file:
        file.write(",".join(_HEADER) + "\n")
        file.writelines(",".join(f'"{cell}"' for cell in _row(number)) + "\n" for number in range(rows))


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPES}.sharedStrings+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_RELS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="清单" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_RELS}"><Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    ),
}


def write_book(path: Path, *, rows: int, sentences: int = 2) -> None:
    """A workbook as Excel saves it: every text shared, and a column of formulas with what they came to."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, part in _PARTS.items():
            archive.writestr(name, part)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for row in range(rows + 1):
                texts = "".join(f'<c r="{"ABCDE"[n]}{row + 1}" t="s"><v>{row * 5 + n}</v></c>' for n in range(5))
                formula = f'<c r="F{row + 1}"><f>ROW()*2</f><v>{row * 2}</v></c>'
                sheet.write(f'<row r="{row + 1}">{texts}{formula}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as shared:
            shared.write(f'<sst xmlns="{_MAIN}">'.encode())
            for cells in chain([_HEADER], (_row(number, sentences=sentences) for number in range(rows))):
                shared.write("".join(f"<si><t>{cell}</t></si>" for cell in cells).encode())
            shared.write(b"</sst>")
