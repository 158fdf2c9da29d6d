"""Makes weights: pretrain, tune, export. `python -m classifiers.train VERB --config small --data FOLDER`.

FOLDER holds `pretrain/*.txt.xz` and `labelled/real_train.jsonl.xz`, as docs/training.md says; the composed texts are in the
repository. Each verb takes up where it was stopped. Needs the `train` extra; nothing here is imported at run time.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import ModelUnavailable, PatrolError

if TYPE_CHECKING:
    from classifiers.training.shipping import Lessons

RUNS = Path("runs")
VERBS = ("pretrain", "tune", "export")


def require() -> None:
    """Raises ModelUnavailable, with the way out, when a library that only training needs is missing."""
    for name in ("torch", "transformers", "sklearn", "onnx", "opencc"):
        try:
            __import__(name)
        except ImportError as error:
            raise ModelUnavailable(f"{name}: is not installed; add what training needs with: pip install 'wangxun[train]'") from error


def pretrain(data: Path, *, config: Path | str = "small", runs: Path = RUNS) -> Path:
    """Masked-LM pretraining; the folder of the encoder, or the checkpoint where minutes are left."""
    require()
    from classifiers.training import pretrain as room
    from classifiers.training.recipe import load

    recipe = load(config)
    out = room.run(data, recipe=recipe, out=runs / recipe.name)
    _picture(runs / recipe.name)
    return out


def tune(
    data: Path | None,
    *,
    config: Path | str = "small",
    runs: Path = RUNS,
    encoder: Path | None = None,
    avoid: Path | None = None,
    decisions: Path | None = None,
) -> Path:
    """Fine-tuning of the pretrained encoder, or of any that `AutoModel.from_pretrained` reads; the file with the best state.

    `decisions` are more labelled rows, as `wangxun train export-decisions` writes them; give `export` the same.
    """
    require()
    from classifiers.training import tune as room
    from classifiers.training.recipe import load
    from classifiers.training.shipping import lessons

    recipe = load(config)
    out = runs / recipe.name
    found = _with(lessons(data, recipe=recipe, avoid=avoid), decisions, avoid=avoid)
    best = room.run(found.kept, found.aside, recipe=recipe, encoder=encoder or out / "encoder", out=out)
    _picture(out)
    return best


def export(
    data: Path | None,
    *,
    config: Path | str = "small",
    runs: Path = RUNS,
    encoder: Path | None = None,
    out: Path | None = None,
    avoid: Path | None = None,
    decisions: Path | None = None,
) -> Path:
    """ONNX in half precision, the linear voice, mixture, calibration and manifest; the manifest's path.

    Without a tuned state under `runs` the linear voice is shipped alone.
    """
    require()
    from tokenizers import Tokenizer

    from classifiers.manifest import NAME, PACKAGED
    from classifiers.training import export as room
    from classifiers.training import shipping
    from classifiers.training.recipe import load

    recipe = load(config)
    own = runs / recipe.name
    found = _with(shipping.lessons(data, recipe=recipe, avoid=avoid), decisions, avoid=avoid)
    model: Path | None = None
    measured: dict[str, float] = {}
    if (own / "tuned.pt").exists():
        full = room.export(own / "tuned.pt", encoder=encoder or own / "encoder", out=own)
        reader = Tokenizer.from_file(str(own / "tokenizer.json"))
        model, measured = room.rounded(full, rows=found.aside, tokenizer=reader, recipe=recipe)
    # Made aside and copied when whole, the manifest last: until then the weights in force are the old ones.
    made = shipping.ship(found, recipe=recipe, out=own / "weights", tokenizer=own / "tokenizer.json", encoder=model, rounding=measured)
    folder = out or PACKAGED
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*made.files, NAME):
        shutil.copyfile(made.folder / name, folder / name)
    return folder / NAME


def _with(found: Lessons, decisions: Path | None, *, avoid: Path | None) -> Lessons:
    from classifiers.training import decided

    return found if decisions is None else decided.joined(found, decisions, avoid=avoid)


def _picture(out: Path) -> None:
    """Loss curves as `loss.png`, where matplotlib is installed."""
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    from classifiers.training.saving import notes

    names = [name for name in ("pretrain", "tune") if (out / f"{name}.jsonl").exists()]
    if not names:
        return
    figure, axes = pyplot.subplots(1, len(names), figsize=(6 * len(names), 4), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        rows = notes(out / f"{name}.jsonl")
        axis.plot([row["minutes"] for row in rows], [row["loss"] for row in rows])
        axis.set(title=name, xlabel="minutes", ylabel="loss")
    figure.savefig(out / "loss.png", dpi=80)
    pyplot.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 well, 1 where the data, the recipe or the installation is at fault."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.train", description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--config", default="small", help="a name under classifiers/configs, or a TOML file")
    parser.add_argument("--data", type=Path, required=True, help="folder with pretrain/ and labelled/")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder for checkpoints and logs")
    parser.add_argument("--avoid", type=Path, default=None, help="labelled file that is measured on: no drawn negative comes near it")
    parser.add_argument("--out", type=Path, default=None, help="folder to ship into; the packaged weights without")
    parser.add_argument("--decisions", type=Path, default=None, help="more labelled rows, as wangxun train export-decisions writes them")
    given = parser.parse_args(arguments)
    try:
        if given.verb == "pretrain":
            done = pretrain(given.data, config=given.config, runs=given.runs)
        elif given.verb == "tune":
            done = tune(given.data, config=given.config, runs=given.runs, avoid=given.avoid, decisions=given.decisions)
        else:
            folders = {"runs": given.runs, "out": given.out}
            done = export(given.data, config=given.config, avoid=given.avoid, decisions=given.decisions, **folders)
    except (PatrolError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
