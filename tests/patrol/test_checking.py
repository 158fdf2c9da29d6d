"""wangxun platforms check: files, the pages written for them, and real pages from a WARC."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from patrol.commands.checking import check

TOWN = """id: town
title: 小城
home: http://town.example/
kind: search
list:
  match: /s
  item: li
  fields: {title: a, link: "a::attr(href)", body: p, marked_ad: .ad}
  next: a.next
  empty: [没有找到]
walls: {captcha: [请输入验证码]}
"""
ENTRY = "<li><a href=/{n}>第{n}条</a>{body}</li>"
PAGE = (
    "<ul>"
    + "".join(ENTRY.format(n=n, body=f"<p>摘要{n}</p>") for n in range(1, 5))
    + "<li><a href=/9>推广</a><p>钱</p><i class=ad></i></ul>"
)


def _folder(path: Path, *, expect: str = "{count: 5}") -> Path:
    (path / "pages" / "town").mkdir(parents=True)
    (path / "town.yml").write_text(TOWN, encoding="utf-8")
    (path / "pages" / "town" / "one.html").write_text(PAGE, encoding="utf-8")
    (path / "pages" / "town" / "one.yml").write_text(f"url: http://town.example/s?q=1\nexpect: {expect}\n", encoding="utf-8")
    return path


def _warc(path: Path, **pages: str) -> Path:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    for name, text in pages.items():
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
        url = f"http://town.example/{name}" if not name.startswith("foreign") else "http://other.example/"
        writer.write_record(writer.create_warc_record(url, "response", payload=io.BytesIO(text.encode()), http_headers=headers))
    path.write_bytes(buffer.getvalue())
    return path


def _checked(*arguments: object) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(check, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.output)


def test_sound_folder_passes_with_its_pages(tmp_path: Path) -> None:
    code, said = _checked(_folder(tmp_path))
    assert (code, said) == (0, {"ok": True, "platforms": 1, "fixtures": 1, "faults": []})


def test_page_that_gives_something_else_is_a_fault(tmp_path: Path) -> None:
    code, said = _checked(_folder(tmp_path, expect="{count: 6, postings: [{title: 别的}]}"))
    assert code == 1 and [fault.rsplit("/", 1)[1] for fault in said["faults"]] == [
        "one.yml: count: 5 postings, 6 expected",
        "one.yml: posting 1: title is '第1条', '别的' expected",
    ]


def test_pages_of_a_faulty_file_are_not_blamed(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "town.yml").write_text(TOWN + "kindd: x\n", encoding="utf-8")
    code, said = _checked(folder)
    assert code == 1 and len(said["faults"]) == 1 and "kindd" in said["faults"][0]


def test_real_pages_are_counted_by_their_platform(tmp_path: Path) -> None:
    none, wall = "<p>没有找到</p>" + "其他的文字。" * 60, "<p>请输入验证码</p>"
    pages = _warc(tmp_path / "p.warc.gz", **{"s?q=1": PAGE, "s?q=2": none, "s?q=3": wall, "foreign": PAGE})
    code, said = _checked(_folder(tmp_path / "f"), "--pages", pages)
    (row,) = said["by_platform"]
    counts = {
        name: row[name] for name in ("pages", "walled", "bare", "drifted", "entries", "titled_share", "linked_share", "texted_share", "ads")
    }
    assert code == 0 and counts == {
        "pages": 3, "walled": 1, "bare": 1, "drifted": 0, "entries": 5, "titled_share": 1.0, "linked_share": 1.0, "texted_share": 1.0,
        "ads": 1,
    }  # fmt: skip
    assert [(page["layout"], page["wall"], page["entries"]) for page in said["pages"]] == [
        ("list", "", 5),
        ("none", "", 0),
        ("none", "captcha", 0),
    ]


def test_results_without_snippets_and_redrawn_pages_are_faults(tmp_path: Path) -> None:
    bare = "<ul>" + "".join(ENTRY.format(n=n, body="") for n in range(5)) + "</ul>"
    redrawn = "".join(
        f"<div class=r><h3><a href=/n{n}>新版式的第{n}条结果的标题</a></h3><span>换了样子的摘要。</span></div>" for n in range(12)
    )
    code, said = _checked(_folder(tmp_path / "f"), "--pages", _warc(tmp_path / "p.warc.gz", **{"s?q=1": bare, "s?q=2": redrawn}))
    assert code == 1 and len(said["faults"]) == 2
    assert "li finds nothing among" in said["faults"][0] and "entries are texted; 95% must be" in said["faults"][1]
    assert said["pages"][1]["layout"] == "general" and said["pages"][1]["entries"] == 12


def test_cut_file_is_told_and_read_as_far_as_it_goes(tmp_path: Path) -> None:
    pages = _warc(tmp_path / "p.warc.gz", **{f"s?q={n}": PAGE for n in range(3)})
    pages.write_bytes(pages.read_bytes()[:-60])
    code, said = _checked(_folder(tmp_path / "f"), "--pages", pages)
    assert code == 1 and len(said["pages"]) == 2 and "broken here" in said["faults"][0]


@pytest.mark.parametrize("data", [b"", b"no warc at all" * 50, b"\x1f\x8b\x00broken"])
def test_file_that_is_no_warc_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p.warc").write_bytes(data)
    code, said = _checked(_folder(tmp_path / "f"), "--pages", tmp_path / "p.warc")
    assert code == 1 and ("no pages" in said["faults"][0] or "broken here" in said["faults"][0])


def test_table_says_what_its_columns_count(tmp_path: Path) -> None:
    done = CliRunner().invoke(check, [str(_folder(tmp_path / "f")), "--pages", str(_warc(tmp_path / "p.warc.gz", **{"s?q=1": PAGE}))])
    head, row, *rest = done.output.splitlines()
    assert head.split() == ["平台", "页", "墙", "空", "漂移", "通读", "条目", "有标题", "有链接", "有摘要", "有时间", "有来源", "标明广告"]
    assert row.split() == ["town", "1", "0", "0", "0", "0", "5", "100%", "100%", "100%", "0%", "0%", "1"]
    assert rest[-1] == "platforms: 1, pages written for them: 1, no faults"
