"""How much each classifier counts is fitted on rows that neither has seen."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
import pytest

from classifiers import dataset, fuse
from domain.identity import sha256


def test_logistic_finds_what_the_data_were_made_with() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(20_000, 2))
    y = (draw.random(20_000) < 1 / (1 + np.exp(-(1.5 * x[:, 0] - 0.5 * x[:, 1] + 0.3)))).astype(float)
    assert fuse.logistic(x, y, np.ones(len(y))) == pytest.approx([1.5, -0.5, 0.3], abs=0.08)


def test_the_better_informed_one_counts_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "composed"
    folder.mkdir()
    lines = (dataset.COMPOSED / "part7.jsonl").read_text("utf-8").splitlines()
    (folder / "part7.jsonl").write_text("\n".join(lines), "utf-8")
    rows = [json.loads(line) for line in lines]
    heard = tmp_path / "heard.jsonl"
    told = [{"text": sha256(row["text"].encode()), "value": 0.97 if row["label"] in dataset.PROMOS else 0.03} for row in rows]
    heard.write_text("\n".join(map(json.dumps, told)), "utf-8")
    labelled = tmp_path / "real.jsonl.xz"
    with lzma.open(labelled, "wt", encoding="utf-8") as file:
        file.write(json.dumps({"text": "今天停水", "label": "other", "group": "g"}) + "\n")
    assert fuse.main(["--heard", str(heard), "--labelled", str(labelled), "--composed", str(folder)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] > 90
    assert found["fusion"]["weights"]["neural"] > found["fusion"]["weights"]["keyword"]
