"""kill -9 of linking between and within its transactions, and two that link at once: the campaigns are those that the rows say."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from patrol.bench.campaignfill import Filler
from pipelines.link import link_new
from store import ties
from store.engine import Store
from tests.pipelines.test_link_batches import TEXTS, by_the_rows, together

HITS = 150


def _fill(store: Store, now: datetime) -> None:
    draw = random.Random(11)
    numbers = [f"138001380{number:02d}" for number in range(20)]
    posted: list[dict[str, Any]] = []
    for number in range(HITS):
        phones = [{"kind": "phone", "value": draw.choice(numbers), "start": 0, "end": 0}] if draw.random() < 0.6 else []
        posted.append(
            {
                "platform": "forum",
                "url": f"https://forum.example/{number}",
                "title": "",
                "body": draw.choice(TEXTS) if draw.random() < 0.3 else f"{number * 7919}号公寓招租，随时看房",
                "publisher": f"用户{number % 40}",
                "contacts": phones,
                "links": [],
                "images": [],
            }
        )
    Filler(store, now=now).keep(posted)


def _child(store: Store, now: datetime) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **store.settings.environment(), "NOW": now.isoformat()}
    return subprocess.Popen([sys.executable, "-m", "tests.pipelines.linking_child"], env=environment, stdout=subprocess.PIPE)


def _waiting(store: Store) -> int:
    with store.read() as connection:
        return len(ties.unlinked(connection, limit=HITS))


def test_linking_that_is_killed_is_taken_up_where_it_stood(any_store: Store, fixed_now: datetime) -> None:
    _fill(any_store, fixed_now)
    left = [_waiting(any_store)]
    for wait in (0.0, 0.01, 0.03):
        child = _child(any_store, fixed_now)
        assert child.stdout is not None and child.stdout.readline() == b"5\n"
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=wait)
        child.kill()
        child.wait()
        child.stdout.close()
        left.append(_waiting(any_store))
    assert left == sorted(left, reverse=True) and left[0] == HITS and 0 < left[1] < HITS
    link_new(any_store, now=fixed_now)
    assert _waiting(any_store) == 0
    assert together(any_store) == by_the_rows(any_store)
    assert 1 < len(together(any_store)) < HITS


def test_two_that_link_at_once_tie_each_hit_once(any_store: Store, fixed_now: datetime) -> None:
    _fill(any_store, fixed_now)
    both = [_child(any_store, fixed_now) for _ in range(2)]
    told = [sum(int(line) for line in child.communicate(timeout=120)[0].split()) for child in both]
    assert [child.returncode for child in both] == [0, 0]
    assert sum(told) == HITS
    assert together(any_store) == by_the_rows(any_store)
