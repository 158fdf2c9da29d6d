"""bench extract: the same pages for both, and figures that mean something."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlers.extract import read
from crawlers.loader import PACKAGED, load_platforms
from domain.clock import utc_now
from patrol.bench.extracting import PAD, _bare, _samples, bench_extract


def test_peer_reads_the_same_titles_of_the_same_pages() -> None:
    samples, shares = _samples(None, load_platforms([PACKAGED]))
    [bing] = [one for one in samples if one.platform.id == "bing" and one.item is not None]
    ours = [posting.title for posting in read(bing.platform, bing.page(), role=bing.role, now=utc_now()).postings]
    rows = [["".join(str(cell).split()) for cell in row if cell] for row in _bare(bing)]
    assert len(rows) == len(ours) >= 3
    assert all("".join(title.split()) in row for title, row in zip(ours, rows, strict=True))
    assert abs(len(bing.body) - PAD) < 3000
    assert 0 <= shares["general_share"] <= 1 and 0 < shares["general_share_of_fields"] < 1


def test_bench_says_what_was_asked_of_it() -> None:
    found = bench_extract(rounds=1)
    assert found["name"] == "extract" and found["figures"]["pages"] > 30
    assert {"selector_pages_per_s", "general_pages_per_s", "general_share"} <= set(found["figures"])
    assert found["ratios"]["to_bare_lxml"] > 0


def test_warc_without_pages_of_ours_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
    writer.write_record(writer.create_warc_record("http://x.example/", "response", payload=io.BytesIO(b"<p>x"), http_headers=headers))
    path = tmp_path / "one.warc.gz"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(click.ClickException, match="no page in it"):
        bench_extract(pages=path, rounds=1)
