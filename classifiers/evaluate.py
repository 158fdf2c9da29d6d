"""A classifier or the whole judge on labelled texts: figures for the rows that both readers call sure and for all rows.

`wangxun evaluate FILE` is the way in; `python -m classifiers.evaluate FILE [--baselines] [--json]` needs no settings. A file is JSON Lines
with the fields of `classifiers.dataset`. Where figures are pinned: `classifiers.gate`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from classifiers import dataset, neural
from classifiers.base import Classifier
from classifiers.dataset import Row
from classifiers.figures import Figures, Word, figures, level_of
from classifiers.fusion import Judge, Mode, load_judge
from domain.errors import ModelUnavailable, PatrolError
from domain.model import Document
from domain.text import fold

SPEAKERS: dict[Mode, str] = {"keyword": "keyword", "neural": "neural", "both": "whole"}
"""What each mode of judging is called in tables."""
PUBLISHED = re.compile(r"承诺保本|年化(?:收益)?(?:率)?[^。！\n]{0,8}?(\d{1,3}(?:\.\d+)?)\s*%")
PUBLISHED_RATE = 15.0
"""The two terms that are known of the twelve which a city published in 2025 for its own watch: 承诺保本, 年化收益超15%."""


def words(rows: Sequence[Row], speaker: Classifier | Judge) -> list[Word]:
    """What a classifier or the whole judge says of each row, in order."""
    documents = [Document(text=row.text) for row in rows]
    if isinstance(speaker, Judge):
        return [Word(score=said.score, level=said.level, schemes=said.schemes) for said in speaker.judge(documents)]
    found = []
    for opinion in speaker.judge(documents):
        value = opinion.score.value
        found.append(Word(score=value, level=level_of(value), schemes=tuple(slug for slug, _ in opinion.schemes[:3])))
    return found


def sets(rows: Sequence[Row], said: Sequence[Word]) -> dict[str, Figures]:
    """Figures for `all` rows and, where some are not, for the `sure` ones."""
    found = {"all": figures(rows, said)}
    sure = [number for number, row in enumerate(rows) if row.sure]
    if sure and len(sure) < len(rows):
        found["sure"] = figures([rows[number] for number in sure], [said[number] for number in sure])
    return found


def report(rows: Sequence[Row], speaker: Classifier | Judge) -> dict[str, Figures]:
    """`sets` of what a speaker says of the rows."""
    return sets(rows, words(rows, speaker))


def judge_of(mode: Mode, *, rules_dir: Path | None, weights_dir: Path | None) -> Judge:
    """A judge of exactly this mode. Raises ModelUnavailable where a model is asked for and there is none.

    The patrol goes on with rules alone; figures under a wrong name would be worse than none.
    """
    judge, alarms = load_judge(rules_dir=rules_dir, weights_dir=weights_dir, mode=mode)
    if mode != "keyword" and judge.neural is None:
        raise ModelUnavailable(f"{' '.join(alarms)}; judge with --judge keyword, or mend the weights")
    return judge


def baselines(rows: Sequence[Row], *, rules_dir: Path | None = None, weights_dir: Path | None = None) -> dict[str, dict[str, Figures]]:
    """`report` of published keywords, the keyword layer, the linear voice alone, the neural classifier and the whole judge, side by side.

    The linear voice (character n-grams) and the encoder are heard uncalibrated: of theirs only average precision and best F1 compare.
    """
    modes: tuple[Mode, ...] = ("keyword", "neural", "both")
    found = {"published": sets(rows, published(rows))}
    for mode in modes:
        found[SPEAKERS[mode]] = report(rows, judge_of(mode, rules_dir=rules_dir, weights_dir=weights_dir))
    for name, said in alone(rows, neural.load(weights_dir)).items():
        found[name] = sets(rows, said)
    order = ("published", "keyword", "linear", "encoder", "neural", "whole")
    return {name: found[name] for name in order if name in found}


def published(rows: Sequence[Row]) -> list[Word]:
    """A hit, 1 or 0, for each row that bears a published keyword: what a list of words alone does."""
    found = []
    for row in rows:
        hits = PUBLISHED.finditer(fold(row.text[: neural.LONGEST]).text)
        score = float(any(hit[1] is None or float(hit[1]) > PUBLISHED_RATE for hit in hits))
        found.append(Word(score=score, level=level_of(score)))
    return found


def alone(rows: Sequence[Row], classifier: neural.NeuralClassifier) -> dict[str, list[Word]]:
    """Each voice of the neural classifier by itself."""
    views = classifier.views([row.text for row in rows])
    found = {}
    for name, logits in classifier.voices(views).items():
        scores = 1.0 / (1.0 + np.exp(-neural.worst(views, logits, penalty=classifier.manifest.mixture["window_penalty"])))
        found[name] = [Word(score=float(score), level=level_of(float(score))) for score in scores]
    return found


def plain(found: Mapping[str, Mapping[str, Figures]]) -> dict[str, dict[str, Any]]:
    """The figures as JSON knows them."""
    return {name: {which: asdict(own) for which, own in both.items()} for name, both in found.items()}


def table(found: Mapping[str, Mapping[str, Figures]]) -> str:
    """Lines of a table, one a speaker and set of rows; 96 columns."""
    head = f"{'':10}{'rows':>6}{'n':>6}{'AP':>8}{'best F1':>9}{'P':>8}{'R':>8}{'F1':>8}{'alert P':>9}{'alert R':>9}{'ECE':>8}{'pairs':>7}"
    lines = [head]
    for name, both in found.items():
        for which, own in both.items():
            numbers = (own.average_precision, own.best_f1, own.precision, own.recall, own.f1, own.alert_precision, own.alert_recall)
            cells = "".join(f"{value:>{width}.3f}" for value, width in zip(numbers, (8, 9, 8, 8, 8, 9, 9), strict=True))
            pairs = f"{own.pairs_right:>7.3f}" if own.counts["pairs"] else f"{'-':>7}"
            lines.append(f"{name:10}{which:>6}{own.rows:>6}{cells}{own.calibration_error:>8.3f}{pairs}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 well, 1 where the file or the weights are at fault."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.evaluate", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--baselines", action="store_true", help="keyword, linear, encoder, neural and whole side by side")
    parser.add_argument("--weights", type=Path, default=None, help="folder with a manifest.json")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    try:
        rows = dataset.read(given.file)
        found = baselines(rows, weights_dir=given.weights) if given.baselines else {"neural": report(rows, neural.load(given.weights))}
    except (PatrolError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write((json.dumps(plain(found), ensure_ascii=False) if given.json else table(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
