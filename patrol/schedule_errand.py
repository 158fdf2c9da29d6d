"""A sweep's list of beginnings: the due sources of a platform as a file for its spider, queries of the rotation filled in."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from crawlers.platform import PlatformFile
from patrol import queries
from patrol.schedule_plan import belief, templates
from patrol.work import Work
from rules.loader import RuleSet
from store import queries as kept
from store import sources
from store.captures import sweep as sweep_row
from store.door import clean_key

log = logging.getLogger(__name__)
WEIGHED = timedelta(days=60)
"""Hits of so long ago say what a rule's terms bring."""


def fill_rotation(connection: Connection, platform: PlatformFile, *, ruleset: RuleSet, places: str, now: datetime) -> int:
    """Bring a platform's rotation up to the rules and places of today: how many queries are new."""
    windows = any("{since_s}" in address for address in templates(platform))
    found = queries.pool(
        ruleset, places=queries.place_names(places), brought=kept.hits_of_rules(connection, since=now - WEIGHED),
        spans_h=queries.SPANS_H if windows else (),
    )  # fmt: skip
    return kept.enter(connection, platform.id, found)


def beginnings(
    platform: PlatformFile, due: Sequence[Mapping[str, Any]], *, drawn: Sequence[Mapping[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """Lines of the file: each source's address, once for every drawn query where it takes one."""
    lines = []
    for row in due:
        takes = platform.rotates and "{query}" in row["url"]
        for query in drawn if takes else (None,):
            address = row["url"] if query is None else platform.filled(row["url"], query["text"])
            since = now - timedelta(hours=query["span_h"]) if query is not None and query["span_h"] else now - timedelta(days=3650)
            address = address.replace("{since_s}", str(int(since.timestamp()))).replace("{until_s}", str(int(now.timestamp())))
            lines.append({"url": address, "source": row["id"], "query": None if query is None else query["id"]})
    return lines


def _begin_rotation(work: Work, platform: PlatformFile, *, now: datetime) -> None:
    """Fill the rotation of a platform that has none yet."""
    if not platform.rotates:
        return
    with work.store.read() as connection:
        if kept.rotation(connection, platform.id):
            return
    ruleset = work.judge.ruleset  # before the transaction: it may have something to write itself
    with work.store.write() as connection:
        fill_rotation(connection, platform, ruleset=ruleset, places=work.settings.places, now=now)


@contextmanager
def errand_file(work: Work, name: str, *, numbers: Collection[int] | None = None) -> Iterator[Path | None]:
    """The file for a sweep of platform `name` over the sources with these numbers (all, without); gone afterwards.

    None where the platform is not known here: the spider says so itself. Raises OSError where it cannot be written.
    """
    platform = work.platforms.get(name)
    if platform is None:
        yield None
        return
    now = work.clock()
    given = {clean_key(url): url for url in templates(platform)}  # an overlong address is kept shortened
    _begin_rotation(work, platform, now=now)
    with work.store.write() as connection:
        sources.enter(connection, {name: templates(platform)}, belief=belief(), now=now)
        rows = [row for row in sources.of_platform(connection, name) if numbers is None or row["id"] in numbers]
        due = [{"id": row["id"], "url": given[row["url"]]} for row in rows]
        drawn: Sequence[Mapping[str, Any]] = ()
        if platform.rotates:
            generator = np.random.default_rng([int(now.timestamp()), len(name)])
            rotation = [dict(row) for row in kept.rotation(connection, name)]
            drawn = queries.draw(rotation, count=queries.EACH, now=now, generator=generator)
            kept.note_asked(connection, [row["id"] for row in drawn], now=now)
        sources.set_out(connection, [row["id"] for row in due], now=now)
    lines = beginnings(platform, due, drawn=drawn, now=now)
    path = work.settings.dir / "visits" / f"sources-{name}-{uuid.uuid4().hex}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        yield path
    finally:
        path.unlink(missing_ok=True)


def refill_all(work: Work) -> int:
    """Bring every rotation up to the rules and places of today: how many queries are new."""
    rotating = [one for one in work.platforms.values() if one.enabled and one.rotates]
    if not rotating:
        return 0
    ruleset, now = work.judge.ruleset, work.clock()
    with work.store.write() as connection:
        return sum(fill_rotation(connection, one, ruleset=ruleset, places=work.settings.places, now=now) for one in rotating)


def counts_of(work: Work, sweep_id: int) -> dict[str, int]:
    """What a sweep counted."""
    with work.store.read() as connection:
        return dict(sweep_row(connection, sweep_id)["counts"])


def clear_left(work: Work) -> int:
    """Remove the lists of sweeps whose daemon was killed a day ago or more: how many. Younger ones may be a hand-made sweep's."""
    old = time.time() - 86400
    left = [path for path in (work.settings.dir / "visits").glob("sources-*.jsonl") if path.stat().st_mtime < old]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)
