"""Real rows that were read for this project: labels that we keep by hash, joined with the texts of the public sets at hand.

A second reading of a row that was labelled already makes it a row of two readers where they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from classifiers import dataset, near, publicsets, standoff
from classifiers.dataset import Row
from classifiers.standoff import Label
from classifiers.training import corpus

PUBLISHED = "real_train"


def again(folder: Path, *, labels: Path = standoff.FOLDER) -> list[Row]:
    """The rows of `real_train` in their order, those that were read a second time with both readings."""
    kept = standoff.read(labels)
    raw = dataset.read(publicsets.path_of(folder, PUBLISHED))
    rows = publicsets.rows(folder, PUBLISHED)
    return [_both(row, kept.get(standoff.key(own.text))) for row, own in zip(rows, raw, strict=True)]


def _both(row: Row, said: Label | None) -> Row:
    if said is None:
        return row
    other = replace(row, label=said.label, schemes=said.schemes)
    if other.suspected == row.suspected:
        # Both call it a promo, or neither: the first reader's finer label stays, one reader's doubt alone is none.
        return replace(row, readers=2, sure=row.sure or said.sure)
    # Where they differ the first is believed, as before: measured, the second reading made the voice worse there.
    return row


def alone(folder: Path, *, avoid: Sequence[str], composed: Path, labels: Path = standoff.FOLDER) -> list[Row]:
    """Rows of the other sets, and of the text for pretraining, that nobody but us has labelled; none near a text of `avoid`.

    None of them counts as sure: one reader read each once, and at half weight they help more than at a whole one.
    """
    kept = standoff.read(labels)
    found: list[Row] = []
    for name in publicsets.SETS if kept else ():
        if name != PUBLISHED and publicsets.path_of(folder, name).exists():
            found += publicsets.marked(folder, name, labels=labels)
    for path in sorted((folder / "pretrain").glob("*.txt.xz")) if kept else ():
        name = path.name.removesuffix(".txt.xz")
        found += standoff.joined(corpus.lines(folder, name, composed=composed), kept, source=name)
    clusters = near.clusters([*avoid, *(row.text for row in found)])
    taken = set(clusters[: len(avoid)])
    return [replace(row, sure=False) for row, own in zip(found, clusters[len(avoid) :], strict=True) if own not in taken]
