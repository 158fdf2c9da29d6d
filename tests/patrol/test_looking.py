"""wangxun read, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from patrol.bench.imaging import accuracy
from patrol.bench.repeating import repeats
from patrol.cli import main
from patrol.demo import poster
from patrol.demo.postings import Poster

SHOWN = Poster(lines=("棠城养老公寓", "年化收益18%", "扫码入群"), qr="javascript:alert(1)", style="red")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("WANGXUN_DIR", str(tmp_path / "data"))
    (tmp_path / "poster.png").write_bytes(poster.draw(SHOWN))
    (tmp_path / "not.jpg").write_bytes(b"%PDF-1.7")

    def made(*words: str) -> Result:
        return CliRunner().invoke(main, ["read", *(str(tmp_path / one) if "." in one else one for one in words)])

    return made


def test_read_prints_text_code_and_places(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("poster.png", "--show", "out.png")
    assert done.exit_code == 0, done.output
    assert "年化收益18%" in done.output
    assert "二维码（未访问）：javascript:alert(1)" in done.output
    drawn, plain = Image.open(tmp_path / "out.png").convert("RGB"), Image.open(tmp_path / "poster.png").convert("RGB")
    assert drawn.size == plain.size
    assert (20, 110, 220) in {colour for _, colour in drawn.getcolors(10**6)}  # the code's frame


def test_read_as_json_is_one_object_a_file_and_faults_exit_1(run) -> None:  # type: ignore[no-untyped-def]
    done = run("--json", "poster.png", "not.jpg")
    assert done.exit_code == 1
    good, bad = map(json.loads, done.output.splitlines())
    assert good["qr"] == ["javascript:alert(1)"]
    for region in good["regions"]:
        left, top, right, bottom = region["box"]
        assert 0 <= left < right <= good["width"] and 0 <= top < bottom <= good["height"]
    assert bad["fault"] == "no readable picture (a PDF)"


def test_show_takes_one_picture(run) -> None:  # type: ignore[no-untyped-def]
    done = run("poster.png", "not.jpg", "--show", "out.png")
    assert done.exit_code == 2
    assert "one by one" in done.output


def test_accuracy_counts_edits() -> None:
    assert accuracy("年化 收益:18%", "年化收益：18%") == 1.0
    assert accuracy("年化收益1%", "年化收益18%") == pytest.approx(1 - 1 / 7)
    assert accuracy("", "年化") == 0.0
    assert accuracy("完全不同的很长的文字", "年化") == 0.0


def test_the_bench_of_repeats_goes_through_a_real_store(tmp_path: Path) -> None:
    from classifiers.images import ImageReader

    found = repeats(tmp_path, reader=ImageReader(), count=1, seed=3)
    assert found["repeats"] == 8
    assert found["repeats_read_once"] >= 0.8
    assert (found["decoys"], found["decoys_taken_over"]) == (2, 0)
