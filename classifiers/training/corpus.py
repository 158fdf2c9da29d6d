"""Text for pretraining, as one flat array of character numbers. Made once for a recipe, then mapped from disk."""

from __future__ import annotations

import json
import lzma
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from classifiers import publicsets
from classifiers.training import tokens
from classifiers.training.recipe import Recipe
from domain.errors import ConfigFault, Fault

SEP, UNK = 3, 1
WORD_START = 0x8000
"""Set on the number of a character that begins a word; the vocabulary stays below it."""


def lines(folder: Path, name: str, *, composed: Path) -> Iterator[str]:
    """The texts of `pretrain/NAME.txt.xz`, `labelled/NAME.jsonl.xz` or the composed parts. Raises ConfigFault if there is none."""
    plain, labelled = folder / "pretrain" / f"{name}.txt.xz", folder / "labelled" / f"{name}.jsonl.xz"
    if plain.exists():
        with lzma.open(plain, "rt", encoding="utf-8", errors="replace") as file:
            yield from (line.strip() for line in file)
    elif labelled.exists():
        given = publicsets.rows(folder, name) if name == "real_train" else publicsets.read(folder, name)
        yield from (item.text for item in given)
    elif name == "composed":
        for part in sorted(composed.glob("*.jsonl")):
            yield from (json.loads(line)["text"] for line in part.read_text("utf-8").splitlines())
    else:
        remedy = "name a file of pretrain/ or labelled/, or take it out of the recipe"
        raise ConfigFault([Fault(str(folder), 1, f"no text named {name}", remedy)])


def chosen(folder: Path, recipe: Recipe) -> Iterator[str]:
    """Lines as often as `[pretrain.passes]` says, in a fixed drawn order of blocks, so that neighbours of an article stay together."""
    draw = random.Random(recipe.seed)
    blocks: list[list[str]] = []
    for name, passes in recipe.pretrain["passes"].items():
        block = 8
        texts = [line for line in lines(folder, name, composed=recipe.composed) if len(line) >= 4]
        cut = [texts[start : start + block] for start in range(0, len(texts), block)]
        whole, part = divmod(passes, 1.0)
        blocks += cut * int(whole) + draw.sample(cut, int(len(cut) * part))
    draw.shuffle(blocks)
    for texts in blocks:
        yield from texts


def prepare(folder: Path, *, recipe: Recipe, out: Path) -> NDArray[np.uint16]:
    """Writes `tokenizer.json` and `corpus.npy` under `out` unless they are there; the array, memory-mapped.

    Lines are joined by [SEP]; bit 15 marks the first character of a word, for whole-word masking.
    """
    import rjieba

    out.mkdir(parents=True, exist_ok=True)
    vocab_file, corpus_file = out / "tokenizer.json", out / "corpus.npy"
    if not vocab_file.exists():
        text = tokens.build(chosen(folder, recipe), **recipe.tokenizer)
        vocab_file.write_text(text, "utf-8")
    if not corpus_file.exists():
        normalise = Tokenizer.from_file(str(vocab_file)).normalizer.normalize_str
        numbers = tokens.vocabulary(vocab_file)
        pieces: list[NDArray[np.uint16]] = []
        row: list[int] = []
        for line in chosen(folder, recipe):
            row.append(SEP | WORD_START)
            for word in rjieba.cut(normalise(line)):
                ids = [numbers.get(character, UNK) for character in word]
                ids[0] |= WORD_START
                row += ids
            if len(row) > 1_000_000:
                pieces.append(np.array(row, dtype=np.uint16))
                row = []
        pieces.append(np.array(row, dtype=np.uint16))
        whole = out / f"corpus.{time.time_ns()}.npy"
        np.save(whole, np.concatenate(pieces))
        whole.replace(corpus_file)
    flat: NDArray[np.uint16] = np.load(corpus_file, mmap_mode="r")
    return flat
