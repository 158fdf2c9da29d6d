"""The daemon is killed at random instants over the demo town: nothing is lost, nothing goes out twice."""

from __future__ import annotations

import pytest

from patrol.bench.killing import bench_kills

pytestmark = pytest.mark.e2e


@pytest.mark.browser
def test_kill_9_loses_nothing_and_sends_nothing_twice() -> None:
    figures = bench_kills(kills=3, seed=7, show=False)["figures"]
    assert (figures["lost"], figures["sent_twice"]) == (0, 0)
    assert figures["postings"] > 100
