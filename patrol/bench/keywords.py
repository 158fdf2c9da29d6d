"""`bench keyword`: the keyword layer on one core, on an ordinary stream, beside a plain automaton and a plain segmentation.

Everything is measured in one process of its own, in turns, so that the ratios are of one machine at one time. The stream is made of the
demo town's postings joined to texts of 100-140 characters: one in a hundred a suspected promo, one in twenty a look-alike, the rest
ordinary, unless a file of ordinary texts is given.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from patrol import process
from patrol.bench import result

POSTS = Path(__file__).resolve().parent.parent / "demo" / "posts"
SHORTEST, LONGEST = 100, 140
SHARES = {"promo": 0.01, "lookalike": 0.05}
"""Of the stream: suspected promos, and warnings, news and shop ads that look like them. The rest is ordinary."""
COUNT, ROUNDS = 4000, 5


def bench_keyword(*, data: Path | None = None, rounds: int = ROUNDS) -> dict[str, Any]:
    """`stream_texts_per_s`: all of it; `gate_texts_per_s`: fold and gate; `peak_mb` and `start_s` of that process. Medians of `rounds`.

    `ratios.to_ahocorasick`: the gate to one pass of a plain automaton over the same terms; `to_jieba_cut`: the stream to jieba alone.
    """
    command = [sys.executable, "-m", "patrol.bench.keywords", "--rounds", str(rounds), *(["--data", str(data)] if data else [])]
    done = subprocess.run(command, cwd=process.ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    return result("keyword", figures=found["figures"], ratios=found["ratios"])


def stream(data: Path | None = None) -> list[str]:
    """COUNT texts of 100-140 characters, in a fixed drawn order. `data`: a text a line, JSON Lines with `text`, or either as .xz."""
    draw = random.Random(20261128)
    posts = _posts()
    counts = {kind: int(COUNT * share) for kind, share in SHARES.items()}
    if data is not None:
        posts["ordinary"] = _lines(data)
        counts.pop("lookalike")
    counts["ordinary"] = COUNT - sum(counts.values())
    texts = [text for kind, count in counts.items() for text in _sized(posts[kind], draw, count)]
    draw.shuffle(texts)
    return texts


def _posts() -> dict[str, list[str]]:
    """Texts of the demo town by what they are: promo, lookalike, ordinary."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for path in sorted(POSTS.glob("*.jsonl")):
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            text = f"{row.get('title', '')}\n{row.get('body', '')}".strip()
            if text:
                kinds[row["truth"]].append(text)
    return kinds


def _lines(path: Path) -> list[str]:
    with lzma.open(path, "rt", encoding="utf-8", errors="replace") if path.suffix == ".xz" else path.open(errors="replace") as file:
        lines = [line.strip() for line in file]
    texts = [json.loads(line)["text"] if ".jsonl" in path.suffixes else line for line in lines if line]
    return [text for text in texts if text]


def _sized(texts: Sequence[str], draw: random.Random, count: int) -> list[str]:
    """`count` texts of the wanted length: short ones joined, long ones cut."""
    found: list[str] = []
    while len(found) < count:
        order = draw.sample(range(len(texts)), len(texts))
        held = ""
        for place in order:
            held = f"{held}\n{texts[place]}" if held else texts[place]
            if len(held) >= SHORTEST:
                found.append(held[: draw.randint(SHORTEST, LONGEST)])
                held = ""
    return found[:count]


def _measured(texts: Sequence[str], *, rounds: int, start_s: float) -> dict[str, Any]:
    from classifiers.keyword import KeywordClassifier
    from classifiers.peers import plain_automaton
    from domain.model import Document
    from rules.loader import load

    began = time.perf_counter()
    keyword = KeywordClassifier(load())
    keyword.judge([Document(text=texts[0])])
    start_s += time.perf_counter() - began
    documents = [Document(text=text) for text in texts]
    find = plain_automaton(keyword.matcher.lexicon.terms)
    ways: dict[str, Callable[[], object]] = {
        "stream": lambda: keyword.judge(documents),
        "gate": lambda: _passing(keyword, texts),
        "ahocorasick": lambda: [find(text) for text in texts],
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(seconds(way))
    speed = {name: len(texts) / statistics.median(values) for name, values in taken.items()}
    peak = peak_mb()  # before the peer's dictionary is loaded: it is not ours
    speed["jieba"] = _jieba(texts[:400], rounds=rounds)
    figures = {
        "texts": len(texts),
        "mean_characters": sum(map(len, texts)) / len(texts),
        **{f"{name}_texts_per_s": value for name, value in speed.items()},
        "gate_passes": _passing(keyword, texts) / len(texts),
        "peak_mb": peak,
        "start_s": start_s,
    }
    ratios = {"to_ahocorasick": speed["gate"] / speed["ahocorasick"], "to_jieba_cut": speed["stream"] / speed["jieba"]}
    return {"figures": figures, "ratios": ratios}


def _passing(keyword: Any, texts: Sequence[str]) -> int:
    """How many texts the gate lets through to a closer look; fold and gate, and nothing else."""
    from classifiers.keyword import BATCH
    from domain.text import fold_all

    batches = (texts[at : at + BATCH] for at in range(0, len(texts), BATCH))
    return sum(int(keyword.sieve.passing(fold_all(batch).texts).sum()) for batch in batches)


def _jieba(texts: Sequence[str], *, rounds: int) -> float:
    """Texts a second that jieba cuts into words, and does nothing else."""
    from classifiers.tokens import _Jieba

    cut = _Jieba().cut
    return len(texts) / statistics.median(seconds(lambda: [cut(text) for text in texts]) for _ in range(min(rounds, 3)))


def seconds(way: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """The process that is measured: one core, one JSON object on standard output."""
    import psutil

    # From the interpreter's own start: what it took to import is part of starting.
    start_s = time.time() - psutil.Process().create_time()
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(_measured(stream(given.data), rounds=given.rounds, start_s=start_s)))


if __name__ == "__main__":
    main()
