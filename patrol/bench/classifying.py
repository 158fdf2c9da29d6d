"""`bench classifier`: the encoder on one core beside plain torch, and a stream through the gate, with what the gate costs in recall."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from patrol import process
from patrol.bench import result
from patrol.bench.keywords import peak_mb, seconds, stream

CHARACTERS, COUNT, ROUNDS = 126, 256, 5
GOLDEN = Path(__file__).resolve().parents[2] / "classifiers" / "data" / "golden" / "golden.jsonl"


def bench_classifier(*, data: Path | None = None, labelled: Path | None = None, rounds: int = ROUNDS) -> dict[str, Any]:
    """`small_texts_per_s`: the encoder alone, 128 characters, one core, its best backend. `stream_texts_per_s`: the whole judge, gate on.

    `gate_recall_lost`: recall at review or above of `labelled` (the packaged golden set without) that the gate costs.
    `ratios.to_torch_fp32_batch1` stands where torch is installed.
    """
    command = [sys.executable, "-m", "patrol.bench.classifying", "--rounds", str(rounds), "--labelled", str(labelled or GOLDEN)]
    command += ["--data", str(data)] if data else []
    done = subprocess.run(command, cwd=process.ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    return result("classifier", figures=found["figures"], ratios=found["ratios"]) | {"backend": found["backend"]}


def _measured(*, data: Path | None, labelled: Path, rounds: int) -> dict[str, Any]:
    from classifiers import manifest
    from classifiers.encoder import EncoderVoice
    from classifiers.fusion import load_judge
    from classifiers.training.peers import plain_torch
    from domain.model import Document

    began = time.perf_counter()
    judge, faults = load_judge(rules_dir=None, weights_dir=None)
    judge.judge([Document(text="开门")])
    load_s = time.perf_counter() - began
    if faults:
        raise SystemExit("; ".join(faults))
    documents = [Document(text=text) for text in stream(data)]
    shipped = manifest.read()
    windows = list(np.random.default_rng(7).integers(5, shipped.facts["model"]["vocabulary"], (COUNT, CHARACTERS)))
    voice = EncoderVoice(shipped.bytes_of("model.onnx"), characters=CHARACTERS)
    speed = {"small": [], "stream": []}  # type: dict[str, list[float]]
    for _ in range(rounds):
        speed["small"].append(COUNT / seconds(lambda: voice.run(windows)))
        speed["stream"].append(len(documents) / seconds(lambda: judge.judge(documents)))
    peak = peak_mb()  # before torch, the peer, is loaded
    rates = {name: statistics.median(values) for name, values in speed.items()}
    read, lost = _gate(judge, documents, labelled)
    figures = {f"{name}_texts_per_s": value for name, value in rates.items()}
    figures |= {"stream_read_by_encoder": read, "gate_recall_lost": lost, "peak_mb": peak, "load_s": load_s}
    peer = plain_torch(shipped.facts["model"], windows[: 2 * rounds])
    ratios = {"to_torch_fp32_batch1": rates["small"] / peer} if peer else {}
    return {"figures": figures, "ratios": ratios, "backend": voice.backend}


def _gate(judge: Any, documents: Sequence[Any], labelled: Path) -> tuple[float, float]:
    """(share of the stream that the encoder reads, recall that the gate costs on the labelled promos)."""
    from classifiers import dataset
    from classifiers.fusion import Judge
    from domain.model import Document

    promos = [Document(text=row.text) for row in dataset.read(labelled) if row.suspected]
    opened = Judge(keyword=judge.keyword, neural=judge.neural, ruleset=judge.ruleset, gated=False)
    found = [sum(one.level.opens_hit for one in own.judge(promos)) / max(len(promos), 1) for own in (judge, opened)]
    silent = judge.neural.silent.score
    read = sum(silent not in one.scores for one in judge.judge(documents)) / len(documents)
    return read, found[1] - found[0]


def main() -> None:
    """The process that is measured: one core, one JSON object on standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--labelled", type=Path, default=GOLDEN)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(_measured(data=given.data, labelled=given.labelled, rounds=given.rounds)))


if __name__ == "__main__":
    main()
