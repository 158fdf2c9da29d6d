"""Makes the shipped folder: voices, mixture, calibration, manifest. Nothing is chosen on the development set."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from classifiers import dataset, manifest, standoff
from classifiers.dataset import SCHEMES, Row
from classifiers.manifest import Manifest
from classifiers.neural import NeuralClassifier, worst
from classifiers.screen import Screen
from classifiers.training import negatives, readings, screening, voices
from classifiers.training.recipe import Recipe
from domain.identity import sha256
from domain.model import Document

ASIDE_FOLDS = 8
"""One group in eight is kept from the encoder: early stopping, mixture, penalty and calibration are settled on it."""
LOUD = 0.8
"""Probability from which a text in which no rule speaks becomes a hit."""
COUNTS = 0.3
"""Probability from which the encoder's word can make a hit of a text that rules have something against."""
HEARD = "heard.jsonl"
"""Beside the made weights: what the rows put aside were given. It is not shipped."""
GRID = tuple(float(x) for x in np.arange(-14.0, 14.01, 0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """The rows a model may learn from. `aside` is kept from fitting; `held` is kept from everything but reporting."""

    kept: list[Row]
    aside: list[Row]
    held: list[Row]
    hashes: Mapping[str, str]

    @property
    def all(self) -> list[Row]:
        """What the shipped linear voice is fitted on at the end."""
        return self.kept + self.aside


def lessons(folder: Path | None, *, recipe: Recipe, avoid: Path | None = None) -> Lessons:
    """Composed rows of the repository, and real ones of `folder`/labelled/real_train.jsonl.xz where a folder is given.

    With a folder also the recipe's unread negatives, none of them near a text of `avoid`, a labelled file that is measured on.
    """
    rows = dataset.composed(recipe.composed)
    hashes = {path.name: sha256(path.read_bytes()) for path in sorted(recipe.composed.glob("*.jsonl"))}
    if folder is not None:
        path = folder / "labelled" / "real_train.jsonl.xz"
        hashes[path.name] = sha256(path.read_bytes())
        measured = [row.text for row in dataset.read(avoid)] if avoid else []
        read = readings.again(folder) + readings.alone(folder, avoid=measured, composed=recipe.composed)
        rows = read + rows + negatives.drawn(folder, recipe=recipe, avoid=measured)
        hashes |= {path.name: sha256(path.read_bytes()) for path in sorted(standoff.FOLDER.glob("*.jsonl"))}
    rows = dataset.prepared(rows)
    held = [row for row in rows if dataset.held_out(row)]
    kept, aside = dataset.split([row for row in rows if not dataset.held_out(row)], folds=ASIDE_FOLDS, fold=0, salt="tune")
    return Lessons(kept=kept, aside=aside, held=held, hashes=hashes)


def ship(
    found: Lessons, *, recipe: Recipe, out: Path, tokenizer: Path, encoder: Path | None = None, rounding: Mapping[str, float] | None = None
) -> Manifest:
    """Fits, mixes, calibrates and writes all files under `out`, the manifest last. `encoder` is an exported model.onnx."""
    out.mkdir(parents=True, exist_ok=True)
    (out / manifest.NAME).unlink(missing_ok=True)
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    (out / "model.onnx").unlink(missing_ok=True)
    if encoder is not None:
        shutil.copyfile(encoder, out / "model.onnx")
    reader = Tokenizer.from_file(str(tokenizer))
    # Settled with a linear voice that has not seen the rows put aside, shipped with one that has.
    draft = _written(out, found.kept, recipe=recipe, reader=reader)
    listener = NeuralClassifier(draft)
    mixture, calibration, measured = settle(listener, [row for row in found.aside if row.readers])
    mixture["encoder_schemes"], measured["schemes_right"] = scheme_share(listener, found.aside)
    heard = _heard(replace(draft, mixture=mixture, calibration=calibration), found.aside, path=out.parent / HEARD)
    final = _written(out, found.all, recipe=recipe, reader=reader)
    if recipe.screen:
        # What the other voices do not take for a promo is not lost by the screen.
        loud = [row.text for row, value in zip(found.aside, heard, strict=True) if row.suspected and value >= LOUD]
        final = _screened(final, found, loud=loud, recipe=recipe)
        found_out = [row.text for row, value in zip(found.aside, heard, strict=True) if row.suspected and value >= COUNTS]
        final = replace(final, voices=_doubting(final, listener, found_out, lost=recipe.screen.get("doubt_lost", 0.0)))
    facts = {
        "name": recipe.name,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": _code(),
        "recipe_sha256": sha256(recipe.path.read_bytes()),
        "model": dict(recipe.model) | {"vocabulary": reader.get_vocab_size()},
        "data": {
            "files": dict(found.hashes),
            "rows": dataset.digest(found.all),
            "count": len(found.all),
            "held": dataset.digest(found.held),
        },
        "metrics": {"aside": measured, "rounding": dict(rounding or {})},
    }
    told = (sorted(final.files.items()), mixture, calibration, sorted(final.voices.get("screen", {}).items()), final.voices["linear"])
    version = f"{recipe.name}-{sha256(repr(told).encode())[:10]}"
    whole = replace(final, version=version, mixture=mixture, calibration=calibration, facts=facts)
    manifest.write(whole)
    return whole


def _written(out: Path, rows: Sequence[Row], *, recipe: Recipe, reader: Tokenizer) -> Manifest:
    """The linear voices fitted on `rows`, with a manifest that hears each voice alike and calibrates nothing yet."""
    voice = voices.fit(rows, tokenizer=reader, plan=recipe.linear, seed=recipe.seed)
    heads = voices.fit_schemes(rows, tokenizer=reader, plan=recipe.linear, seed=recipe.seed)
    np.savez_compressed(out / "linear.npz", suspected=voice.weights, schemes=heads.weights, scales=heads.scales, biases=heads.biases)
    names = [name for name in ("tokenizer.json", "linear.npz", "model.onnx") if (out / name).exists()]
    return Manifest(
        folder=out,
        version="draft",
        files={name: sha256((out / name).read_bytes()) for name in names},
        reading={"characters": recipe.pretrain["characters"] - 2},
        voices={"linear": {"scale": voice.scale, "bias": voice.bias}, "schemes": {"slugs": list(heads.slugs)}},
        mixture={"linear": 1.0, "encoder": 1.0 if "model.onnx" in names else 0.0, "bias": 0.0, "window_penalty": 0.0},
        calibration={"logits": [-14.0, 14.0], "probabilities": [0.0, 1.0]},
        facts={},
    )


def _heard(draft: Manifest, rows: Sequence[Row], *, path: Path) -> list[float]:
    """What the neural classifier says of rows that it has not seen, by their digest: `classifiers.fuse` weighs it against the rules."""
    said = NeuralClassifier(draft).judge([Document(text=row.text) for row in rows])
    with path.open("w", encoding="utf-8") as file:
        for row, one in zip(rows, said, strict=True):
            digest = sha256(row.text.encode("utf-8", "surrogatepass"))
            file.write(json.dumps({"text": digest, "value": one.score.value}) + "\n")
    return [one.score.value for one in said]


def _screened(draft: Manifest, found: Lessons, *, loud: Sequence[str], recipe: Recipe) -> Manifest:
    """With the screen in linear.npz. Its threshold is measured on rows that it has not seen; then it learns from those too."""
    plan = recipe.screen
    steps, scale, bias = screening.fit(found.kept, plan=plan, seed=recipe.seed)
    least = screening.least(Screen(steps, scale=scale, bias=bias), loud, lost=plan["lost"])
    steps, scale, bias = screening.fit(found.all, plan=plan, seed=recipe.seed)
    with np.load(draft.folder / "linear.npz") as arrays:
        np.savez_compressed(draft.folder / "linear.npz", screen=steps, **arrays)
    files = dict(draft.files) | {"linear.npz": sha256((draft.folder / "linear.npz").read_bytes())}
    return replace(draft, files=files, voices=dict(draft.voices) | {"screen": {"scale": scale, "bias": bias, "least": least}})


def _doubting(final: Manifest, listener: NeuralClassifier, promos: Sequence[str], *, lost: float) -> dict[str, Any]:
    """The voices with the linear one's `least`: of promos that the whole finds and the linear voice has not seen, `lost` stay below."""
    views = listener.views(promos)
    best = np.full(len(promos), -np.inf)
    np.maximum.at(best, [view.document for view in views], listener.quick(views))
    linear = dict(final.voices["linear"])
    if len(promos):
        linear["least"] = float(np.sort(best)[int(lost * len(best))]) - screening.MARGIN
    return dict(final.voices) | {"linear": linear}


def settle(classifier: NeuralClassifier, rows: Sequence[Row]) -> tuple[dict[str, float], dict[str, list[float]], dict[str, float]]:
    """(mixture, calibration, average precision of each voice) from rows that no voice has seen."""
    views = classifier.views([row.text for row in rows])
    heard = classifier.voices(views)
    names = sorted(heard)
    wanted = np.array([row.suspected for row in rows]).astype(np.int64)
    counts = np.array(dataset.weights(rows))
    first = np.array([number for number, view in enumerate(views) if view.whole])
    x = np.stack([heard[name] for name in names], axis=1)
    owners = np.array([view.document for view in views])
    mixer = LogisticRegression(C=1.0)
    mixer.fit(x[first], wanted[owners[first]], sample_weight=counts[owners[first]])
    mixture = {name: max(0.0, float(weight)) for name, weight in zip(names, mixer.coef_[0], strict=True)}
    mixture |= {"encoder": mixture.get("encoder", 0.0), "bias": float(mixer.intercept_[0])}
    mixed = x @ np.array([mixture[name] for name in names]) + mixture["bias"]
    penalties = {penalty: precision(wanted, worst(views, mixed, penalty=penalty), counts) for penalty in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)}
    # Among penalties as good as the best, the smallest: a buried promo should be heard where that costs nothing.
    mixture["window_penalty"] = min(penalty for penalty, value in penalties.items() if value >= max(penalties.values()) - 0.002)
    scores = worst(views, mixed, penalty=mixture["window_penalty"])
    curve = LogisticRegression(C=100.0).fit(scores[:, None], wanted, sample_weight=counts)
    probabilities = [round(float(value), 6) for value in curve.predict_proba(np.array(GRID)[:, None])[:, 1]]
    heads = {name: worst(views, heard[name], penalty=mixture["window_penalty"]) for name in names} | {"whole": scores}
    real = np.array([not row.composed for row in rows])
    measured: dict[str, float] = {}
    for part, mask in (("", real | True), ("real_", real), ("composed_", ~real)):
        if wanted[mask].any():
            measured |= {f"{part}{name}": round(precision(wanted[mask], own[mask], counts[mask]), 4) for name, own in heads.items()}
    return mixture, {"logits": list(GRID), "probabilities": probabilities}, measured


def scheme_share(classifier: NeuralClassifier, rows: Sequence[Row]) -> tuple[float, float]:
    """(the encoder's share in naming schemes, share of promos whose strongest scheme is then right), on rows no voice has seen."""
    known = [row for row in rows if row.suspected and row.schemes]
    views = classifier.views([row.text for row in known])
    first = {view.document: view for view in reversed(views)}
    chosen = [first[number] for number in range(len(known))]
    linear, encoder = classifier.chances(chosen), classifier.encoder_chances(chosen)
    found = {}
    for share in (0.0, 0.5) if encoder.any() else (0.0,):
        top = ((1.0 - share) * linear + share * encoder).argmax(axis=1)
        found[share] = float(np.mean([SCHEMES[best] in row.schemes for best, row in zip(top, known, strict=True)])) if known else 0.0
    best = max(found, key=lambda share: (found[share], -share))
    return best, round(found[best], 4)


def precision(wanted: NDArray[np.int64], scores: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Average precision, weighted."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(wanted, scores, sample_weight=counts))


def _code() -> str:
    """The commit these weights were made from, `+` where the tree had changes, `unknown` outside a checkout."""
    here = Path(__file__).parent
    try:
        commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=here, text=True, stderr=subprocess.DEVNULL).strip()
        changed = subprocess.check_output(["git", "status", "--porcelain", ".."], cwd=here, text=True, stderr=subprocess.DEVNULL).strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")
