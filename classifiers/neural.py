"""The second judge: a small encoder and a linear n-gram voice, mixed in log-odds with fixed, shipped weights, and calibrated.

What is shipped, what it was trained on and what it cannot do: classifiers/weights/CARD.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers import manifest as manifests
from classifiers.backends import Choice
from classifiers.characters import Characters
from classifiers.dataset import LABELS, PROMOS, SCHEMES
from classifiers.deletion import speaking
from classifiers.encoder import EncoderVoice
from classifiers.linear import LinearVoice, SchemeVoice
from classifiers.manifest import Manifest
from classifiers.screen import Screen
from classifiers.windows import WHOLE, windows
from domain.errors import ModelUnavailable
from domain.model import Document, Opinion, Score
from domain.signs import codes_of
from domain.text import Folded, fold_all

NAME = "neural"
LABELLING = "labels"
"""The encoder's head of nine labels as a voice; weights made before it spoke do not mix it in."""
SILENT = 0.005
"""Score of a text that the screen does not let through: of such texts fewer than one in two hundred is a promo."""
LEAST_SCHEME = 0.15
"""Schemes under this are not named."""
SPEAKS = 0.12
"""Probability from which schemes are named."""
NAMES = 0.5
"""Probability from which the part that speaks is looked for: by then the text may become a hit."""
LONGEST = 200_000
"""Characters of a text beyond which nothing is read: no posting is longer, and a hostile one must not hold the queue."""


@dataclass(frozen=True, slots=True)
class View:
    """One part of a text as the voices read it: the whole, or a window of a long one."""

    document: int
    part: tuple[int, int]
    """In the folded text."""
    whole: bool
    ids: NDArray[np.int64]


class NeuralClassifier:
    """Calibrated opinions of one text each; the worst window of a long text speaks, and is named in `Opinion.spans`."""

    name = NAME

    def __init__(self, manifest: Manifest, *, threads: int = 1, choice: Choice = "auto") -> None:
        """Raises ModelUnavailable when a listed file is missing, altered or unreadable."""
        self.manifest = manifest
        self.version = manifest.version
        self._characters = _characters(manifest)
        self._linear, self._schemes = _linear(manifest)
        self._screen, self._least = _screen(manifest)
        self._doubt = float(manifest.voices["linear"].get("least", -np.inf))
        self.silent = Opinion(score=Score(classifier=NAME, version=self.version, value=SILENT))
        self._encoder: EncoderVoice | None = None
        if "model.onnx" in manifest.files:
            characters = int(manifest.reading["characters"])
            self._encoder = EncoderVoice(manifest.bytes_of("model.onnx"), characters=characters, threads=threads, choice=choice)
        self._logits = np.array(manifest.calibration["logits"], dtype=np.float64)
        self._probabilities = np.array(manifest.calibration["probabilities"], dtype=np.float64)

    @property
    def backend(self) -> str:
        """What runs the encoder, such as `openvino 2026.4.1 bf16`; `numpy` where only the linear voice is shipped."""
        return self._encoder.backend if self._encoder else "numpy"

    def judge(self, documents: Sequence[Document]) -> list[Opinion]:
        """One Opinion a document, in order; the same text always gets the same one."""
        texts = [document.text for document in documents]
        return self.of_folded(texts, fold_all(texts))

    def hears(self, folded: Sequence[str]) -> list[bool]:
        """Which texts could be anything to this classifier; all of them where no screen is shipped."""
        if self._screen is None:
            return [True] * len(folded)
        return [bool(loud) for loud in self._screen.logits(*codes_of(folded)) >= self._least]

    def of_folded(self, texts: Sequence[str], folded: Sequence[Folded]) -> list[Opinion]:
        """One Opinion a text, in order; `folded[i]` is the fold of `texts[i]`."""
        return self._opinions(self._views(folded), folded) if texts else []

    def of_heard(self, texts: Sequence[str], folded: Sequence[Folded]) -> list[Opinion]:
        """As `of_folded`, but the encoder reads only views that the linear voice finds worth it; a text without one stays silent."""
        if not texts:
            return []
        views = self._views(folded)
        loud = self.quick(views) >= self._doubt
        return self._opinions([view for view, kept in zip(views, loud, strict=True) if kept], folded)

    def _opinions(self, views: Sequence[View], folded: Sequence[Folded]) -> list[Opinion]:
        """One Opinion a text: its worst view speaks, and none leaves it silent."""
        penalty = self.manifest.mixture["window_penalty"]
        best: dict[int, tuple[float, View]] = {}
        for view, logit in zip(views, self.mixed(views), strict=True):
            value = float(logit) if view.whole else float(logit) - penalty
            if view.document not in best or value > best[view.document][0]:
                best[view.document] = (value, view)
        values = {number: self.probability(value) for number, (value, _) in best.items()}
        loud = [number for number, value in values.items() if value >= SPEAKS]
        chances = dict(zip(loud, self.chances([best[number][1] for number in loud]), strict=True))
        spans = self._spans({number: best[number] for number in loud if values[number] >= NAMES}, folded)
        return [
            self._opinion(values[number], chances.get(number), spans.get(number)) if number in values else self.silent
            for number in range(len(folded))
        ]

    def _spans(self, loud: Mapping[int, tuple[float, View]], folded: Sequence[Folded]) -> dict[int, tuple[int, int]]:
        """Of each loud text the part that speaks, in its original."""
        if not loud:
            return {}
        parts = {number: view.part for number, (_, view) in loud.items()}
        texts = [folded[number].text[start:end] for number, (start, end) in parts.items()]
        found = speaking(texts, [logit for logit, _ in loud.values()], self._logits_of, quick=self._quickly)
        result = {}
        for (number, (start, end)), (first, last) in zip(parts.items(), found, strict=True):
            if (first, last) != (0, end - start) or not loud[number][1].whole:
                result[number] = folded[number].span(start + first, start + last)
        return result

    def _quickly(self, flat: Sequence[str]) -> NDArray[np.float64]:
        """The linear voice's log-odds of folded texts."""
        return self._linear.logits(self._characters.numbers(flat))

    def _logits_of(self, flat: Sequence[str]) -> NDArray[np.float64]:
        """The mixture's log-odds of folded texts no longer than a window."""
        return self.mixed([View(n, (0, 0), True, ids) for n, ids in enumerate(self._characters.numbers(flat))])

    def views(self, texts: Sequence[str]) -> list[View]:
        """What the voices read of each text: the whole up to WHOLE characters, and the windows of what is longer than one window."""
        return self._views(fold_all(texts))

    def _views(self, folded: Sequence[Folded]) -> list[View]:
        parts: list[tuple[int, tuple[int, int], bool, str]] = []
        for number, own in enumerate(folded):
            flat = own.text[:LONGEST]
            spans = windows(flat)
            if len(spans) == 1 or len(flat) <= WHOLE:
                parts.append((number, (0, len(flat)), True, flat))
            if len(spans) > 1:
                parts += [(number, (start, end), False, flat[start:end]) for start, end in spans]
        numbers = self._characters.numbers([part[3] for part in parts])
        return [View(part[0], part[1], part[2], ids) for part, ids in zip(parts, numbers, strict=True)]

    def quick(self, views: Sequence[View]) -> NDArray[np.float64]:
        """The linear voice's log-odds, one a view."""
        return self._linear.logits([view.ids for view in views])

    def voices(self, views: Sequence[View]) -> dict[str, NDArray[np.float64]]:
        """Each voice's log-odds, one a view. The encoder's words on a view, of its two heads, are means over its pieces."""
        found = {"linear": self.quick(views)}
        if self._encoder is not None and views:
            pieces = [self._encoder.pieces(view.ids) for view in views]
            suspected, labels, _ = self._encoder.run([piece for own in pieces for piece in own])
            starts = np.cumsum([0, *(len(own) for own in pieces)])
            for name, logits in (("encoder", suspected), (LABELLING, promo_of(labels))):
                found[name] = np.array([logits[a:b].mean() for a, b in pairwise(starts)], dtype=np.float64)
        return found

    def mixed(self, views: Sequence[View]) -> NDArray[np.float64]:
        """The voices' log-odds in the shipped mixture, one a view, not yet calibrated."""
        mixture = self.manifest.mixture
        total = np.full(len(views), mixture["bias"], dtype=np.float64)
        for name, logits in self.voices(views).items():
            total += (mixture.get(name, 0.0) if name == LABELLING else mixture[name]) * logits
        return total

    def chances(self, views: Sequence[View]) -> NDArray[np.float64]:
        """How likely each scheme is, (views, schemes), 0.0-1.0: the linear heads and the encoder's, in their shipped shares."""
        if not views or self._schemes is None:
            return np.zeros((len(views), 0))
        found = np.stack([self._schemes.chances(view.ids) for view in views])
        share = float(self.manifest.mixture.get("encoder_schemes", 0.0))
        if self._encoder is not None and share > 0.0:
            found = (1.0 - share) * found + share * self.encoder_chances(views)
        return found

    def encoder_chances(self, views: Sequence[View]) -> NDArray[np.float64]:
        """The encoder's own word on schemes, (views, schemes), mean over a view's pieces. Zeros where no encoder is shipped."""
        if self._encoder is None:
            return np.zeros((len(views), len(SCHEMES)))
        pieces = [self._encoder.pieces(view.ids) for view in views]
        _, _, logits = self._encoder.run([piece for own in pieces for piece in own])
        starts = np.cumsum([0, *(len(own) for own in pieces)])
        means = np.stack([logits[a:b].mean(axis=0) for a, b in pairwise(starts)])
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(means, -30.0, 30.0))), dtype=np.float64)

    def probability(self, logit: float) -> float:
        """The calibrated probability at a mixed log-odds."""
        return float(np.interp(logit, self._logits, self._probabilities))

    def _opinion(self, value: float, chances: NDArray[np.float64] | None, span: tuple[int, int] | None) -> Opinion:
        named: list[tuple[str, float]] = []
        if chances is not None and self._schemes is not None:
            named = [(slug, float(chance)) for slug, chance in zip(self._schemes.slugs, chances, strict=True) if chance >= LEAST_SCHEME]
            named.sort(key=lambda item: (-item[1], item[0]))
        return Opinion(
            score=Score(classifier=NAME, version=self.version, value=round(value, 6)),
            schemes=tuple((slug, round(chance, 4)) for slug, chance in named),
            spans=() if span is None else (span,),
        )


def promo_of(labels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-odds of a promo of either kind against the other labels, from log-odds (n, 9) in the order of LABELS."""
    wide = labels.astype(np.float64)
    own = np.array([label in PROMOS for label in LABELS])
    return np.asarray(np.logaddexp.reduce(wide[:, own], axis=1) - np.logaddexp.reduce(wide[:, ~own], axis=1))


def worst(views: Sequence[View], logits: NDArray[np.float64], *, penalty: float) -> NDArray[np.float64]:
    """One log-odds a document: its whole, or its worst window less `penalty`."""
    found: dict[int, float] = {}
    for view, logit in zip(views, logits, strict=True):
        found[view.document] = max(found.get(view.document, -np.inf), float(logit) - (0.0 if view.whole else penalty))
    return np.array([found[number] for number in sorted(found)])


def _characters(manifest: Manifest) -> Characters:
    data = manifest.bytes_of("tokenizer.json")
    try:
        return Characters(data)
    except ModelUnavailable as error:
        raise ModelUnavailable(f"{manifest.folder / 'tokenizer.json'}: {error}; {manifests.WAY_OUT}") from error


def _linear(manifest: Manifest) -> tuple[LinearVoice, SchemeVoice | None]:
    path = manifest.folder / "linear.npz"
    try:
        with np.load(BytesIO(manifest.bytes_of("linear.npz"))) as arrays:
            own = manifest.voices["linear"]
            voice = LinearVoice(arrays["suspected"], scale=own["scale"], bias=own["bias"])
            heads = manifest.voices.get("schemes")
            if not heads:
                return voice, None
            schemes = SchemeVoice(arrays["schemes"], slugs=heads["slugs"], scales=arrays["scales"], biases=arrays["biases"])
            return voice, schemes
    except (ValueError, KeyError, OSError) as error:
        raise ModelUnavailable(f"{path}: cannot be used: {error}; {manifests.WAY_OUT}") from error


def _screen(manifest: Manifest) -> tuple[Screen | None, float]:
    """(the screen, the least log-odds that it lets through); nothing where none is shipped."""
    own = manifest.voices.get("screen")
    if not own:
        return None, 0.0
    try:
        with np.load(BytesIO(manifest.bytes_of("linear.npz"))) as arrays:
            return Screen(arrays["screen"], scale=own["scale"], bias=own["bias"]), float(own["least"])
    except (ValueError, KeyError, OSError) as error:
        raise ModelUnavailable(f"{manifest.folder / 'linear.npz'}: cannot be used: {error}; {manifests.WAY_OUT}") from error


def load(weights_dir: Path | None = None, *, threads: int = 1, choice: Choice = "auto") -> NeuralClassifier:
    """The shipped classifier, or the one in `weights_dir`, on the backend that `choice` names or the fastest one.

    Raises ModelUnavailable when a file is missing or its sha256 is not the manifest's.
    """
    return NeuralClassifier(manifests.read(weights_dir), threads=threads, choice=choice)
