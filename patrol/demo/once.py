"""`wangxun demo --once`: the whole loop to the last receipt, the officers played by marked demo accounts.

They decide by the city's own key, as a careful person would decide by reading. Everything else is what production does:
the same spiders, judge, letters, mail, receiver, receipts and rechecks.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

from patrol import cloaking, inbox, jobs
from patrol.demo import brought
from patrol.demo.play import Officers
from patrol.demo.tally import Key, tally
from patrol.demo.town import Town, open_town
from patrol.work import Work, open_work
from store import counts, sources

ROUNDS = 3
"""Patrols: the city as found; what arrived and what came down after warnings; what came back."""
WAIT_S = 60.0
"""How long receipts and feedback may take on this machine before the run says that they are missing."""


def run(folder: Path, *, fresh: bool, show: bool) -> dict[str, Any]:
    """Play the demo once; the object that `--json` prints. Ends with lost 0 where every part of the loop held."""
    say = Console(stderr=True, quiet=not show)
    began = time.monotonic()
    with open_town(folder, fresh=fresh, recheck_hours=1e-6) as town:
        work = open_work(town.settings)
        try:
            key = Key(town, brought=_bring(work, town, say))
            officers = Officers(work, truth=key.truth)
            for number in range(1, ROUNDS + 1):
                say.print(f"[bold]第 {number} 轮巡查[/bold]")
                key.note()
                _patrol(work, say, compare=number == 1)
                officers.work_through_queue()
                _settle(work, town, officers)
                say.print(f"  {officers.summary()}")
                town.city.advance_to_round(number + 1)
            _wait_for(lambda: _quiet(work), work=work, limit_s=WAIT_S)
            result = tally(work, key=key)
        finally:
            work.close()
    result["elapsed_s"] = round(time.monotonic() - began, 1)
    if show:
        for name, value in result.items():
            say.print(f"{name:<20} {value}")
    return result


def _bring(work: Work, town: Town, say: Console) -> dict[str, str]:
    """Hand in what was recorded and photographed outside, take it in, and look at what was reported as others see it: its key."""
    things = brought.prepare(town.folder, now=work.clock(), reported=town.city.reported())
    brought.hand_in(work.store, things, now=work.clock())
    counts = jobs.recorded(work, "inbox", lambda: inbox.take_in(work))
    say.print(f"导入 {counts.get('taken', 0)} 个文件：取证页面 {counts.get('captures', 0)}，拒收 {counts.get('refused', 0)}")
    jobs.recorded(work, "assess", lambda: jobs.judge(work))
    _compare(work, say)
    return dict(things.truth)


def _compare(work: Work, say: Console) -> None:
    """Pages as other visitors see them."""
    seen = jobs.recorded(work, "cloak", lambda: cloaking.compare_views(work, draw=random.Random(len(work.platforms))))
    say.print(f"  分访客比对 {seen.get('pages', 0)} 页，不同 {seen.get('differs', 0)}")


def _patrol(work: Work, say: Console, *, compare: bool) -> None:
    """Every platform once, as many side by side as production would, then judging until nothing waits.

    `compare` looks at pages as other visitors too: what cloaks does so from the first round on, and each look costs a browser.
    """

    def one(platform: str) -> tuple[str, str]:
        outcome = ["skipped"]

        def body() -> jobs.Counts:
            sweep_id, outcome[0] = jobs.sweep(work, platform)
            return {"sweep": sweep_id, f"sweep/{outcome[0]}": 1}

        jobs.recorded(work, f"sweep:{platform}", body)
        return platform, outcome[0]

    patrolled = [one.id for one in work.platforms.values() if one.enabled]
    with ThreadPoolExecutor(work.settings.sweeps_at_once) as pool:
        for platform, outcome in pool.map(one, patrolled):
            say.print(f"  {platform:<14} {outcome}")
    counts = jobs.recorded(work, "assess", lambda: jobs.judge(work))
    if compare:
        _compare(work, say)
    jobs.recorded(work, "stamp", lambda: cloaking.stamp(work))
    jobs.recorded(work, "rotation", lambda: _credit(work))
    say.print(f"  研判 {counts.get('assessed', 0)}，命中 {counts.get('hits', 0)}")


def _credit(work: Work) -> jobs.Counts:
    """Tell the queries of the rotation which hits they brought: the next round asks what brought some."""
    with work.store.write() as connection:
        return {"hits": sources.credit_hits(connection)}


def _settle(work: Work, town: Town, officers: Officers) -> None:
    """Send what was approved, fetch again what was warned about, and hear what the police say."""
    jobs.recorded(work, "dispatch", lambda: jobs.deliver(work))
    _wait_for(lambda: _waiting(work) == 0, work=work, limit_s=WAIT_S)
    town.mailbox.wait_idle(timeout_s=10)
    jobs.recorded(work, "recheck", lambda: jobs.verify_notices(work))
    jobs.recorded(work, "feedback", lambda: jobs.feedback(work))
    officers.follow_up()


def _waiting(work: Work) -> int:
    """Deliveries that are still to be sent, or in somebody's hands."""
    with work.store.read() as connection:
        states = counts.by_state(connection, "delivery")
    return states.get("due", 0) + states.get("sending", 0)


def _quiet(work: Work) -> bool:
    with work.store.read() as connection:
        referred, receipts, heard = counts.with_feedback(connection)
    return _waiting(work) == 0 and referred == receipts == heard


def _wait_for(done: Callable[[], bool], *, work: Work, limit_s: float) -> None:
    """Go on with delivering and asking until `done`, at most `limit_s`: the receivers answer in their own time."""
    pause = threading.Event()
    deadline = time.monotonic() + limit_s
    while not done() and time.monotonic() < deadline:
        jobs.deliver(work)
        jobs.feedback(work)
        pause.wait(0.3)
