"""The job `cloak`: pages looked at again as a desktop and a phone, directly and from a search; what differs raises a hit's grade.

Through the platform's own spider: its guard, pace and robots.txt hold as on patrol. What is not done: docs/decisions/0011.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from itertools import groupby

from patrol import jobs
from patrol.work import Work
from pipelines import cloak
from pipelines.overlay import stamp_waiting


def compare_views(work: Work, *, draw: random.Random | None = None) -> jobs.Counts:
    """One run within the policy's budget of requests: {"pages", "requests", "differs", "unsteady", "unclear", "skipped", "lifted"}."""
    policy, now = work.judge.ruleset.policy.cloaking, work.clock()
    counts: jobs.Counts = {}
    wanted = cloak.due(work.store, work.platforms, policy=policy, now=now, draw=draw or random.Random())
    for name, group in groupby(wanted, key=lambda one: one.platform):
        if not work.stop.is_set():
            _of_platform(work, name, list(group), counts=counts)
    counts["lifted"] = cloak.lift_waiting(work.store, policy=policy, now=work.clock())
    return {key: value for key, value in counts.items() if value}


def _of_platform(work: Work, name: str, wanted: Sequence[cloak.Wanted], *, counts: jobs.Counts) -> None:
    """Look at these pages, at those that differ once more, and keep what was found."""
    policy = work.judge.ruleset.policy.cloaking
    first = _looked(work, name, wanted, counts=counts)
    suspected = [one.wanted for one in first if one.verdict == "differs"]
    second = {one.wanted: one for one in _looked(work, name, suspected, counts=counts)} if suspected else {}
    for found in first:
        if found.verdict == "differs":
            again = second.get(found.wanted)
            if again is None:  # the second look could not begin: the page waits for the next run
                counts["skipped"] = counts.get("skipped", 0) + 1
                continue
            found = cloak.steady(found, again)
        counts["pages"] = counts.get("pages", 0) + 1
        counts[found.verdict] = counts.get(found.verdict, 0) + 1
        cloak.keep(work.store, found, policy=policy, now=work.clock())


def _looked(work: Work, name: str, wanted: Sequence[cloak.Wanted], *, counts: jobs.Counts) -> list[cloak.Compared]:
    visit = work.settings.dir / "visits" / f"{name}-views-{uuid.uuid4().hex}.jsonl"
    cloak.write_visits(visit, wanted)
    try:
        sweep_id, _ = jobs.sweep(work, name, purpose="cloak", visit=visit)
    finally:
        visit.unlink(missing_ok=True)
    if not sweep_id:
        counts["skipped"] = counts.get("skipped", 0) + len(wanted)
        return []
    jobs.judge(work)  # what only some visitors are shown is a posting like any other
    policy = work.judge.ruleset.policy.cloaking
    found = [cloak.compare(work.store, work.judge, one, platform=work.platforms[name], policy=policy, sweep_id=sweep_id) for one in wanted]
    counts["requests"] = counts.get("requests", 0) + sum(len(one.shown) for one in found)
    return found


def stamp(work: Work) -> jobs.Counts:
    """Copies of hits' screenshots with time and address on them."""
    done = stamp_waiting(work.store, now=work.clock())
    return {"stamped": done} if done else {}
