"""`bench kills`: random kill -9 over a running demo patrol. Nothing may be lost, nothing sent twice.

The daemon (and, half of the time, its spiders with it) is killed at a random moment of whatever it does: fetching, keeping,
judging, sending. It is started again at once, as a supervisor would. Demo officers decide all the while.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import psutil
from rich.console import Console
from rich.progress import Progress

from domain.errors import PatrolError
from patrol import jobs, process
from patrol.bench import result
from patrol.demo.play import Officers
from patrol.demo.tally import Key, tally
from patrol.demo.town import Town, open_town
from patrol.work import Work, open_work
from pipelines import dispatch
from store import counts, outbox

PACE = 60.0
LIFE_S = (0.5, 5.0)
"""A daemon lives this long before it is killed: from its imports to well into its sweeps."""
CALM_S = 240.0
"""How long the last daemon may take to bring everything to its end."""


def bench_kills(*, kills: int, seed: int, show: bool) -> dict[str, Any]:
    """`kills` kills from the random stream of `seed`; then peace until all is quiet, and the count."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="wangxun-kills-") as folder:
        with open_town(Path(folder), fresh=False, recheck_hours=1e-6) as town:
            work = open_work(town.settings)
            key = Key(town)
            key.note()
            officers = Officers(work, truth=key.truth)
            stop = threading.Event()
            player = threading.Thread(target=_play, args=(officers, stop), daemon=True)
            player.start()
            began = time.monotonic()
            mid_sweep = _kill_often(town, kills=kills, draw=draw, show=show)
            calm_s = _until_calm(town, work, key=key)
            stop.set()
            player.join(30)
            _settle_uncertain(town, work)
            found = tally(work, key=key)
            work.close()
        # A mail that came twice, or a lead that the police hold twice. A repeat that they recognised by its key is told apart.
        numbers = [str(lead["number"]) for lead in town.police.leads()]
        sent_twice = town.mailbox.duplicates() + len(numbers) - len(set(numbers))
        spent = {"elapsed_s": time.monotonic() - began, "calm_s": calm_s}
        kept = {name: found[name] for name in ("captures", "postings", "assessments", "notices", "leads", "receipts")}
        figures = {
            "kills": kills,
            "kills_with_spiders": mid_sweep,
            "lost": found["lost"],
            "sent_twice": sent_twice,
            "repeats_recognised": town.police.duplicates(),
            **spent,
            **kept,
        }
    return result("kills", figures=figures)


def _daemon(town: Town) -> subprocess.Popen[bytes]:
    log = town.folder / "logs" / "run.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as output:
        words = [sys.executable, "-m", "patrol.cli", "run", "--pace", str(PACE)]
        return subprocess.Popen(
            words, cwd=process.ROOT, env=process.environment(town.settings), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


def _kill_often(town: Town, *, kills: int, draw: random.Random, show: bool) -> int:
    """Start and kill `kills` daemons; how many times spiders of its were killed with it."""
    with_spiders = 0
    pause = threading.Event()
    with Progress(console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task("kill -9", total=kills)
        for _ in range(kills):
            daemon = _daemon(town)
            pause.wait(draw.uniform(*LIFE_S))
            family = psutil.Process(daemon.pid).children(recursive=True) if daemon.poll() is None else []
            if daemon.poll() is not None:
                log = town.folder / "logs" / "run.log"
                raise PatrolError(f"{log}: the daemon ended by itself ({daemon.returncode}):\n{process.tail(log)}")
            os.kill(daemon.pid, signal.SIGKILL)
            daemon.wait()
            if family and draw.random() < 0.5:
                with_spiders += 1
                for one in family:
                    try:
                        one.kill()
                    except psutil.NoSuchProcess:
                        continue
            bar.advance(task)
    return with_spiders


def _play(officers: Officers, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        officers.work_through_queue()


def _until_calm(town: Town, work: Work, *, key: Key) -> float:
    """One last daemon, left alone until nothing waits; how long it took, in seconds."""
    began, since = time.monotonic(), work.clock()
    key.note()
    daemon = _daemon(town)
    pause = threading.Event()
    try:
        while time.monotonic() - began < CALM_S:
            pause.wait(2.0)
            if _calm(work, since=since):
                break
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
    return time.monotonic() - began


def _calm(work: Work, *, since: datetime) -> bool:
    """Every platform that is patrolled was swept whole since, and nothing waits to be judged or sent."""
    patrolled = {one.id for one in work.platforms.values() if one.enabled}
    with work.store.read() as connection:
        swept = counts.platforms_swept(connection, since=since) >= patrolled
        states = counts.by_state(connection, "delivery")
        hits = counts.by_state(connection, "hit")
        referred, _, heard = counts.with_feedback(connection)
        judged = counts.unassessed(connection) == 0
    sent = not (states.get("due") or states.get("sending"))
    return swept and judged and sent and referred == heard and not (hits.get("open") or hits.get("claimed"))


def _settle_uncertain(town: Town, work: Work) -> None:
    """What a person does with an e-mail that a crash left in doubt: asks the receiver, then says delivered or resend."""
    with work.store.read() as connection:
        doubtful = [row for row in outbox.waiting(connection) if row["state"] == "uncertain"]
    for row in doubtful:
        how: Literal["delivered", "resend"] = "delivered" if town.mailbox.has(row["idempotency_key"]) else "resend"
        dispatch.settle(work.store, row["id"], how=how, officer="demo-zhao", now=work.clock())
    jobs.deliver(work)
    jobs.judge(work)  # what the last drain left waiting
