"""What officers decided, learned from beside the rest: grouped, kept away from what is measured on, and whole or refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from classifiers import manifest
from domain.errors import ConfigFault
from patrol.cli import main
from tests.classifiers.test_train import data

__all__ = ["data"]
pytestmark = pytest.mark.train
pytest.importorskip("torch", reason="training needs the train extra: pip install 'wangxun[train]'")
pytest.importorskip("sklearn")
pytest.importorskip("opencc")

TEXTS = [f"认养一{beast}，托管一年，保底收益{rate}%，到期公司回购本金" for beast in ("头牛", "只羊", "棵橙树") for rate in range(8, 20)]


def _file(path: Path, texts: Sequence[str], *, label: str = "fundraising_promo") -> Path:
    rows = [
        {"text": text, "label": label, "scheme": "coop_farming", "source": "decisions", "group": f"decisions:{n}"}
        for n, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def test_decisions_join_the_lessons_and_near_duplicates_stay_on_one_side(data: Path, tmp_path: Path) -> None:
    from classifiers.training.decided import joined
    from classifiers.training.recipe import load
    from classifiers.training.shipping import lessons

    found = lessons(data, recipe=load(data / "mini.toml"))
    path = _file(tmp_path / "rows.jsonl", TEXTS)
    more = joined(found, path)
    sides = [{row.group for row in side} for side in (more.kept, more.aside, more.held)]
    assert sum(row.source == "decisions" for side in (more.kept, more.aside, more.held) for row in side) >= 3
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert set(more.hashes) == {*found.hashes, "rows.jsonl"}


def test_no_decision_comes_near_what_is_measured_on(data: Path, tmp_path: Path) -> None:
    from classifiers.training.decided import joined
    from classifiers.training.recipe import load
    from classifiers.training.shipping import lessons

    found = lessons(data, recipe=load(data / "mini.toml"))
    measured = _file(tmp_path / "dev.jsonl", [TEXTS[0].replace("8%", "9.5%"), TEXTS[12], TEXTS[24]])
    more = joined(found, _file(tmp_path / "rows.jsonl", TEXTS), avoid=measured)
    assert [row for row in (*more.kept, *more.aside, *more.held) if row.source == "decisions"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"text": "a", "label": "fraud"}\n', "label is 'fraud'"),
        (b'{"text": "\xff\xfe", "label": "other"}\n', "utf-8"),
        (b"{\n", "Expecting"),
    ],
)
def test_a_labelled_file_that_is_wrong_is_refused_by_line(data: Path, tmp_path: Path, content: bytes, said: str) -> None:
    from classifiers.training.decided import joined
    from classifiers.training.recipe import load
    from classifiers.training.shipping import lessons

    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigFault, match=rf"rows\.jsonl:1: .*{said}"):
        joined(lessons(data, recipe=load(data / "mini.toml")), path)


def test_tune_and_export_learn_from_decisions_by_command(data: Path, tmp_path: Path) -> None:
    words = ["--config", str(data / "mini.toml"), "--data", str(data), "--runs", str(tmp_path / "runs")]
    more = ["--decisions", str(_file(tmp_path / "rows.jsonl", TEXTS))]
    for verb, own in (("pretrain", []), ("tune", more), ("export", [*more, "--out", str(tmp_path / "made")])):
        result = CliRunner().invoke(main, ["train", verb, *words, *own], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    assert "rows.jsonl" in manifest.read(tmp_path / "made").facts["data"]["files"]
