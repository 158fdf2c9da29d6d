"""`bench judge`: texts a second, one process, keyword layer alone and the whole judge."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classifiers.fusion import Judge, load_judge
from domain.model import Document
from patrol.bench import result

POSTS = Path(__file__).resolve().parent.parent / "demo" / "posts"
ROUNDS_S = 6.0
"""Each mode runs for this long at least."""


def texts() -> list[str]:
    """The demo city's postings, cut to 100-140 characters as ordinary streams are: about 1 in 12 a suspected promo."""
    found = []
    for path in sorted(POSTS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            text = f"{row.get('title', '')}\n{row.get('body', '')}".strip()
            found.append(text[:140])
    return found


def bench_judge() -> dict[str, Any]:
    """`keyword_texts_per_s` and `whole_texts_per_s`: batches of 256, one process."""
    stream = [Document(text=text) for text in texts()]
    figures: dict[str, float | int] = {"texts": len(stream), "mean_characters": sum(len(one.text) for one in stream) / len(stream)}
    for name, mode in (("keyword", "keyword"), ("whole", "both")):
        began = time.perf_counter()
        judge, faults = load_judge(rules_dir=None, weights_dir=None, mode=mode)  # type: ignore[arg-type]
        figures[f"{name}_load_s"] = time.perf_counter() - began
        figures[f"{name}_texts_per_s"] = _rate(judge, stream)
        if faults and mode == "both":
            figures["whole_without_model"] = 1
    return result("judge", figures=figures)


def _rate(judge: Judge, stream: Sequence[Document]) -> float:
    judge.judge(stream[:64])
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < ROUNDS_S:
        for start in range(0, len(stream), 256):
            done += len(judge.judge(stream[start : start + 256]))
    return done / (time.perf_counter() - began)
