"""Pictures of an evaluation: precision over recall with the levels on it, and whether the chances that are said come true."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.dataset import Row
from classifiers.figures import LEVELS, Figures, Word, curve, reliability
from domain.errors import ConfigFault, Fault


def draw(path: Path, *, rows: Sequence[Row], said: Sequence[Word], found: Figures, title: str) -> None:
    """A picture of 1300 x 600. Raises ConfigFault without matplotlib, or where the file cannot be written."""
    try:
        import matplotlib
    except ImportError as error:
        raise ConfigFault([Fault(str(path), 1, "matplotlib is not installed", "pip install 'wangxun[train]'")]) from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    wanted = np.array([row.suspected for row in rows])
    scores = np.array([word.score for word in said], dtype=np.float64)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 6), layout="constrained")
    figure.suptitle(title)
    try:
        _precision(left, *curve(wanted, scores), found=found)
        _chances(right, reliability(wanted, scores), found=found)
        figure.savefig(path, dpi=100)
    except (OSError, ValueError) as error:
        raise ConfigFault([Fault(str(path), 1, f"cannot be written: {error}", "name a .png in a folder that is there")]) from error
    finally:
        pyplot.close(figure)


def _precision(axes: Any, precision: Any, recall: Any, *, found: Figures) -> None:
    axes.step(recall, precision, where="post", color="#1f4e79")
    # Each beside its point, on the side away from the next one: levels lie close together on a good curve.
    for level, colour, place in zip(LEVELS, ("#7f7f7f", "#e07b00", "#b00020"), ((-46, -6), (8, 8), (-34, -16)), strict=True):
        own = found.at[level.value]
        axes.plot(own.recall, own.precision, "o", color=colour, label=f"{level.value}: P {own.precision:.3f}, R {own.recall:.3f}")
        axes.annotate(level.value, (own.recall, own.precision), xytext=place, textcoords="offset points", color=colour)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.02), title=f"average precision {found.average_precision:.3f}")
    axes.axhline(found.promos / found.rows, color="#bbbbbb", linestyle=":", label="hits drawn by lot")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")


def _chances(axes: Any, parts: Sequence[tuple[int, float, float]], *, found: Figures) -> None:
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linestyle=":", label="as said")
    axes.plot([said for _, said, _ in parts], [so for _, _, so in parts], "o-", color="#1f4e79", label="as it is; rows beside it")
    for rows, said, so in parts:
        axes.annotate(str(rows), (said, so), xytext=(6, -12), textcoords="offset points", fontsize=8)
    axes.set(xlabel="score", ylabel="share of promos", xlim=(0, 1.01), ylim=(-0.02, 1.02))
    axes.set_title(f"calibration error {found.calibration_error:.3f}")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
