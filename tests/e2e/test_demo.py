"""The whole loop over the demo city: real sites, spiders, judge, letters, mail box, police receiver."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from patrol.bench.killing import bench_kills
from patrol.process import ROOT

pytestmark = pytest.mark.e2e
PARTS = (
    *("sweeps", "captures", "postings", "assessments", "hits", "decisions", "notices", "notices_rectified"),
    *("leads", "receipts", "feedback", "alarms"),
    *("imported", "imported_hits", "refused", "generic", "feeds", "queries", "query_hits"),
    *("promoted", "promoted_hits", "campaigns", "cloaked"),
)


@pytest.mark.browser
def test_demo_once_runs_the_whole_loop(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "patrol.cli", "demo", "--once", "--json", "--dir", str(tmp_path / "demo")]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert answer.returncode == 0, answer.stderr[-3000:]
    found = json.loads(answer.stdout)
    assert found["lost"] == 0
    assert {part: found[part] for part in PARTS if found[part] < 1} == {}
    assert found["leads"] == found["receipts"]
    assert found["precision"] > 0.8
    assert found["recall"] > 0.9


@pytest.mark.browser
def test_kill_9_loses_nothing_and_sends_nothing_twice() -> None:
    figures = bench_kills(kills=4, seed=7, show=False)["figures"]
    assert (figures["lost"], figures["sent_twice"]) == (0, 0)
    assert figures["postings"] > 100
