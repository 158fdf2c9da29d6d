"""What a kill -9, a full disk and a limit on files leave behind: rows that never point to missing bytes, nothing judged twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from domain.clock import utc_now
from domain.errors import DiskFull
from domain.model import Assessment, Level
from domain.settings import Settings
from store import captures, hits, tables
from store.archive import Archive
from store.backup import verify
from store.engine import Store, open_store
from tests.conftest import MakeHarvest

ROOT = Path(__file__).parents[2]

CHILD = """
import resource, sys
from datetime import UTC, datetime
from domain.identity import sha256
from domain.model import Assessment, Capture, Harvest, Level, Posting, PostingKind
from domain.settings import load
from store import captures, hits
from store.archive import Archive
from store.engine import open_store

first, limit = int(sys.argv[1]), int(sys.argv[2])
store = open_store(load())
archive = Archive(store.settings.archive_dir)
now = datetime.now(UTC)
with store.write() as connection:
    sweep_id = captures.begin_sweep(connection, platform="p", purpose="patrol", at=now, pid=None)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

def page(number):
    import random
    body = random.Random(number).randbytes(20_000)
    capture = Capture(url=f"http://x.example/{number}", final_url=f"http://x.example/{number}", fetched_at=now, status=200,
                      sha256=sha256(body), size=len(body))
    url = f"http://x.example/{number}/"
    cut = tuple(Posting(platform="p", url=f"{url}{n}", kind=PostingKind.POST, body=f"{number} {n}" * 20) for n in range(8))
    return Harvest(capture=capture, body=body, postings=cut)

def judge(row):
    level = Level.ALERT if row.id % 9 == 0 else Level.CLEAR
    return row.id, Assessment(level=level, score=0.5, ruleset="t@1", model="none")

number = first
print("ready", flush=True)
while True:
    kept = captures.keep(store, [page(number + n) for n in range(20)], sweep_id=sweep_id, archive=archive)
    number += 20
    rows = captures.lease_unassessed(store, worker=str(sweep_id), now=now, limit=200, lease_s=60)
    hits.record(store, [judge(row) for row in rows], now=now, worker=str(sweep_id))
    print("kept", number - first, flush=True)
"""


def child(store: Store, tmp_path: Path, *, first: int, limit: int = 0) -> subprocess.Popen[str]:
    script = tmp_path / "child.py"
    script.write_text(CHILD, encoding="utf-8")
    environment = {**os.environ, **store.settings.environment(), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), str(first), str(limit)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def count(store: Store, what: object) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(what)).scalar_one())  # type: ignore[arg-type]


def test_kills_at_random_moments_lose_nothing_and_double_nothing(any_store: Store, tmp_path: Path) -> None:
    rng, promised = random.Random(20261123), 0
    for turn in range(3):
        process = child(any_store, tmp_path, first=turn * 10_000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(rng.randrange(1, 5)):
            assert process.stdout.readline().startswith("kept")
        for _ in range(rng.randrange(2_000_000)):
            pass  # the kill falls anywhere into the next round
        process.kill()
        lines = process.communicate()[0].split("\n")
        promised += max([int(line.split()[1]) for line in lines if line.startswith("kept") and len(line.split()) == 2], default=20)
        archive = Archive(any_store.settings.archive_dir)
        archive.mend()
        assert verify(any_store).faults == []
    assert count(any_store, tables.captures) >= promised
    assert count(any_store, tables.captures) % 20 == 0
    assert count(any_store, tables.postings) == 8 * count(any_store, tables.captures)
    later = utc_now() + timedelta(hours=1)
    while rows := captures.lease_unassessed(any_store, worker="heir", now=later, limit=500, lease_s=60):
        hits.record(any_store, [(row.id, Assessment(level=Level.CLEAR, score=0.1)) for row in rows], now=later, worker="heir")
    assert count(any_store, tables.assessments) == count(any_store, tables.postings)
    assert count(any_store, select(tables.assessments.c.posting_id).distinct().subquery()) == count(any_store, tables.postings)
    assert verify(any_store).faults == []


def test_a_file_limit_is_a_full_disk(any_store: Store, tmp_path: Path) -> None:
    process = child(any_store, tmp_path, first=0, limit=3_000_000)
    out, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "DiskFull" in told.splitlines()[-1], told
    kept = int(out.strip().splitlines()[-1].split()[1])
    assert count(any_store, tables.captures) == kept
    assert verify(any_store).faults == []
    archive = Archive(any_store.settings.archive_dir)
    assert archive.mend() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a small disk wants root; test_a_file_limit_is_a_full_disk stands in")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_costs_nothing_that_was_kept(
    small_disk: Path, make_harvest: MakeHarvest, fixed_now: datetime, migrated_sqlite: Path
) -> None:
    (small_disk / "wangxun.db").write_bytes(migrated_sqlite.read_bytes())
    store = open_store(Settings(dir=small_disk))
    archive = Archive(store.settings.archive_dir)
    with store.write() as connection:
        sweep_id = captures.begin_sweep(connection, platform="forum", purpose="patrol", at=fixed_now, pid=None)
    kept = 0

    def fill() -> None:
        nonlocal kept
        for number in range(0, 100_000, 10):
            captures.keep(store, [make_harvest(number + n, postings=20) for n in range(10)], sweep_id=sweep_id, archive=archive)
            kept += 10

    with pytest.raises(DiskFull, match="free space"):
        fill()
    assert kept > 0
    assert count(store, tables.captures) == kept
    assert verify(store).faults == []
    archive.close()
    store.close()


def test_a_blob_that_finds_no_room_leaves_no_half_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(store.settings.archive_dir)

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("store.archive.os.write", full)
    with pytest.raises(DiskFull):
        archive.put_blob(b"letter", ".pdf")
    assert [path for path in store.settings.archive_dir.rglob("*") if path.is_file()] == []
