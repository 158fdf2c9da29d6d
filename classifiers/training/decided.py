"""What officers decided, as more rows to learn from: `wangxun train export-decisions` writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from classifiers import dataset, near
from classifiers.dataset import Row
from classifiers.training.shipping import ASIDE_FOLDS, Lessons
from domain.identity import sha256


def joined(found: Lessons, path: Path, *, avoid: Path | None = None) -> Lessons:
    """`found` with the rows of the labelled file at `path`, split anew so that near-duplicates stay together.

    No row comes near a text of `avoid`, a labelled file that is measured on. What was held out of everything stays held out.
    Raises ConfigFault with all faulty lines at once.
    """
    given = dataset.prepared(_apart(dataset.read(path), avoid))
    rows = dataset.distinct(dataset.united([*found.kept, *found.aside, *found.held, *given]))
    held = [row for row in rows if dataset.held_out(row)]
    kept, aside = dataset.split([row for row in rows if not dataset.held_out(row)], folds=ASIDE_FOLDS, fold=0, salt="tune")
    return replace(found, kept=kept, aside=aside, held=held, hashes={**found.hashes, path.name: sha256(path.read_bytes())})


def _apart(rows: Sequence[Row], avoid: Path | None) -> list[Row]:
    """The rows that are no near-duplicate of a text that is measured on."""
    measured = [row.text for row in dataset.read(avoid)] if avoid else []
    tops = near.clusters([*measured, *(row.text for row in rows)])
    taken = set(tops[: len(measured)])
    return [row for row, top in zip(rows, tops[len(measured) :], strict=True) if top not in taken]
