"""`bench campaigns`: a made-up city's postings linked into campaigns, and how well that meets the truth.

Three processes: one makes the postings and keeps them, one links them (its time and its memory are what is told), and goes on with new ones
one by one; nothing of the making is counted. What runs in memory is one batch at a time; texts, bands, keys and ties lie in SQLite.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.settings import Settings, load
from patrol import process
from patrol.bench import result
from patrol.bench.campaignworld import Made, world

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
SINGLES = 500
"""New postings that are linked one by one in the end."""
PART = 5000


def bench_campaigns(*, postings: int = 1_000_000, singles: int = SINGLES, show: bool = False) -> dict[str, Any]:
    """`link_s`, `peak_mb` of linking `postings`; `one_ms_p95` of `singles` more; `pairwise_f1`, `precision`, `recall` over pairs.

    `link_cpu_s` and `one_cpu_ms_p95` are the same in processor time: what they would be on a machine with nothing else to do.
    """
    with tempfile.TemporaryDirectory(prefix="wangxun-bench-") as folder:
        for step in ("make", "link"):
            command = [
                sys.executable,
                "-m",
                "patrol.bench.campaigning",
                step,
                folder,
                str(postings),
                str(singles),
                "--show" if show else "",
            ]
            done = subprocess.run([word for word in command if word], cwd=process.ROOT, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        found["database_mb"] = sum(one.stat().st_size for one in Path(folder).glob("wangxun.db*")) / 1e6
    return result("campaigns", figures=found)


def make(folder: Path, *, postings: int, singles: int) -> None:
    """Keep the postings as hits that wait, and the truth beside them: `truth.npy`, the makers in the order of the hits."""
    from patrol.bench.campaignfill import Filler
    from store.engine import open_store
    from store.migrate import upgrade

    store = open_store(_settings(folder), check_version=False)
    upgrade(store)
    filler = Filler(store, now=NOW)
    makers: list[int] = []
    made = world(postings + singles)
    while part := list(islice(made, min(PART, postings - len(makers)))):
        filler.keep([one.row for one in part])
        makers += [one.maker for one in part]
    rest: list[Made] = list(made)
    np.save(folder / "truth.npy", np.array(makers + [one.maker for one in rest]))
    (folder / "rest.json").write_text(json.dumps([one.row for one in rest], ensure_ascii=False), encoding="utf-8")
    store.close()


def measure(folder: Path, *, postings: int, show: bool) -> dict[str, Any]:
    """Link what waits, then the rest one by one, each kept first, outside of the time that is told."""
    from patrol.bench.campaignfill import Filler
    from pipelines.link import link_new
    from store.engine import open_store

    store = open_store(_settings(folder))
    linked, began, cpu = 0, time.perf_counter(), time.process_time()

    def told(count: int) -> None:
        nonlocal linked
        linked += count
        if show:
            print(f"\r{linked:>9} / {postings} 条  {time.perf_counter() - began:6.0f} s", end="", file=sys.stderr, flush=True)

    link_new(store, now=NOW, progress=told)
    link_s = time.perf_counter() - began
    figures: dict[str, Any] = {"postings": postings, "link_s": link_s, "link_cpu_s": time.process_time() - cpu, "peak_mb": _peak_mb()}
    filler, taken, busy = Filler(store, now=NOW), [], []
    for row in json.loads((folder / "rest.json").read_text(encoding="utf-8")):
        filler.keep([row])
        one, cpu = time.perf_counter(), time.process_time()
        link_new(store, now=NOW)
        taken.append((time.perf_counter() - one) * 1000)
        busy.append((time.process_time() - cpu) * 1000)
    for share in (50, 95, 99):
        figures[f"one_ms_p{share}"] = float(np.percentile(taken, share)) if taken else 0.0
    figures["one_cpu_ms_p95"] = float(np.percentile(busy, 95)) if busy else 0.0
    counted = filler.counts()
    campaigns = np.array(filler.campaigns())
    store.close()
    figures |= pairwise(np.load(folder / "truth.npy"), campaigns) | counted
    figures["largest_campaign"] = int(np.unique(campaigns, return_counts=True)[1].max())
    return figures


def pairwise(truth: NDArray[Any] | Sequence[int], found: NDArray[Any] | Sequence[int]) -> dict[str, float]:
    """Over all pairs of postings: of those put together, how many belong together (precision), and the other way round (recall)."""
    both = np.stack([np.unique(truth, return_inverse=True)[1], np.unique(found, return_inverse=True)[1]])
    right = _pairs(np.unique(both, axis=1, return_counts=True)[1])
    together, belong = (_pairs(np.unique(one, return_counts=True)[1]) for one in (found, truth))
    precision = right / together if together else 1.0
    recall = right / belong if belong else 1.0
    return {"pairwise_f1": 2 * precision * recall / (precision + recall or 1.0), "precision": precision, "recall": recall}


def _pairs(sizes: Iterable[int]) -> float:
    return float(sum(int(size) * (int(size) - 1) // 2 for size in sizes))


def _settings(folder: Path) -> Settings:
    return load(dir=folder, database_url="")


def _peak_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """One step in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=("make", "link"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("postings", type=int)
    parser.add_argument("singles", type=int)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    if given.step == "make":
        make(given.folder, postings=given.postings, singles=given.singles)
    else:
        print(json.dumps(measure(given.folder, postings=given.postings, show=given.show)))


if __name__ == "__main__":
    main()
