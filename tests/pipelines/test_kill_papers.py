"""kill -9 while papers are numbered, printed, sealed and queued, and while hits are tied and captures dropped: KILLS=100 is a long run."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select

from domain.clock import utc_now
from pipelines import refer, warn
from pipelines.dossier import manifest_hash, verify
from pipelines.report import reconcile
from store import backup, tables
from store.archive import Archive
from tests.pipelines.conftest import House

KILLS = int(os.environ.get("KILLS", "4"))
ROOT = Path(__file__).parents[2]


def kill_at_random(house: House, drawn: random.Random) -> None:
    environment = {**os.environ, **house.store.settings.environment(), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "tests.pipelines.approving_child"]
    child = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=drawn.uniform(0.05, 1.5))
    assert child.poll() is None
    child.kill()
    child.wait()
    child.stdout.close()


def test_no_paper_is_lost_doubled_or_numbered_twice(house: House, tmp_path: Path) -> None:
    store = house.store
    for number in range(KILLS * 2):
        hit = house.confirmed(url=f"https://forum.example/thread-{number}")
        warn.draft(store, hit, officer="wang", channel="folder", now=house.now)
        house.submitted_lead(hit)
    drawn = random.Random(int(os.environ.get("SEED", "23")))
    for _ in range(KILLS):
        kill_at_random(house, drawn)
    backup.backup(store, tmp_path / "backup")

    with store.read() as conn:
        submitted = conn.execute(select(tables.leads.c.id).where(tables.leads.c.state == "submitted")).scalars().all()
        drafts = conn.execute(select(tables.notices.c.id).where(tables.notices.c.state == "draft")).scalars().all()
    for lead in submitted:
        refer.approve(store, lead, officer="zhao", now=utc_now())
    for notice in drafts:
        warn.approve(store, notice, officer="zhao", now=utc_now())

    with store.read() as conn:
        leads = conn.execute(select(tables.leads)).all()
        notices = conn.execute(select(tables.notices)).all()
        deliveries = conn.execute(select(tables.deliveries)).all()
    assert len({row.number for row in leads}) == len({row.number for row in notices}) == KILLS * 2
    assert len({(row.subject, row.subject_id) for row in deliveries}) == len(deliveries) == KILLS * 4
    for row in leads:
        dossier = Archive(store.settings.archive_dir).blob(row.dossier_sha256)
        assert verify(dossier) == []
        assert manifest_hash(dossier) == row.body["manifest_sha256"]
    assert backup.verify(store).faults == []
    assert reconcile(store, now=utc_now()).lost == 0
