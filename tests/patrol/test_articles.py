"""`wangxun bench articles`: what was read of kept pages, against what a person read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from patrol.bench.articles import f1
from patrol.cli import main

URL = "http://town.example/2026/1.html"
BODY = "\n".join(f"第{n}段，说的是社区里的一件小事，写给测试用，没有别的意思。" for n in range(5))
PAGE = f"<title>一件小事_小城网</title><h1>一件小事</h1><p>2026-11-02 09:10 来源：小城网</p><div>{BODY.replace(chr(10), '<br>')}</div>"
READING = f"url: {URL}\ntitle: 一件小事\ntime: 2026-11-02 09:10\npublisher: 小城网\n\n{BODY}\n"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
    with (tmp_path / "pages.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        writer.write_record(writer.create_warc_record(URL, "response", payload=io.BytesIO(PAGE.encode("gb18030")), http_headers=head))
    (tmp_path / "readings").mkdir()
    (tmp_path / "readings" / "1.txt").write_text(READING, encoding="utf-8")
    return tmp_path


def bench(folder: Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["bench", "articles", str(folder / "pages.warc.gz"), str(folder / "readings"), "--json"])
    return done.exit_code, done.output


def test_shares_of_what_is_right_are_measured(kept: Path) -> None:
    code, output = bench(kept)
    figures = json.loads(output)["figures"]
    assert code == 0 and figures["pages"] == 1
    assert [figures[name] for name in ("title", "body_f1", "time_minute", "publisher", "encoding", "general_share")] == [1.0] * 6


def test_what_is_wrong_lowers_its_share_alone(kept: Path) -> None:
    wrong = READING.replace("title: 一件小事", "title: 另一件").replace("11-02 09:10", "11-03 09:10")
    (kept / "readings" / "2.txt").write_text(wrong, encoding="utf-8")
    figures = json.loads(bench(kept)[1])["figures"]
    assert (figures["title"], figures["time_day"], figures["body_f1"], figures["publisher"]) == (0.5, 0.5, 1.0, 1.0)


def test_readings_without_their_pages_are_named(kept: Path) -> None:
    (kept / "readings" / "1.txt").write_text(READING.replace("/1.html", "/2.html"), encoding="utf-8")
    code, output = bench(kept)
    assert code != 0 and "/2.html" in output
    (kept / "readings" / "1.txt").write_text("no reading", encoding="utf-8")
    assert "write url:" in bench(kept)[1]


def test_f1_counts_what_is_shared() -> None:
    assert f1("保本 高息", "保本高息") == 1.0 and f1("", "保本") == 0.0 and 0.3 < f1("保本高息稳赚", "保本高息") < 0.9
