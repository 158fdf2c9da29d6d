"""The job that takes in what officers handed in through the console, one file after the other, and writes each one's report."""

from __future__ import annotations

import logging
import time
from typing import Any

from domain.errors import DiskFull, PatrolError
from patrol.importing import import_file
from patrol.work import Work
from pipelines import inbox
from pipelines.inbox import Upload

log = logging.getLogger(__name__)

ATTEMPTS_MOST = 3
"""Times that a file may end the whole program before it is left alone."""
SHOW_S = 1.0
"""Seconds between two notes of how far a file is."""


def take_in(work: Work) -> dict[str, int]:
    """Take in all that waits; an import that was killed goes on where it stood. A full disk leaves the file for the next run."""
    counts = {"taken": 0, "failed": 0, "captures": 0, "refused": 0, "new": 0}
    for upload in inbox.waiting(work.store):
        if work.stop.is_set():
            break
        report = _one(work, upload)
        counts["failed" if report is None else "taken"] += 1
        for name in ("captures", "refused", "new"):
            counts[name] += int((report or {}).get(name, 0))
    counts["cleared"] = inbox.clear_stale(work.store, now=work.clock())
    return {name: count for name, count in counts.items() if count}


def _one(work: Work, upload: Upload) -> dict[str, Any] | None:
    """The report of one file; None where it failed as a whole. Raises DiskFull."""
    attempts = int(upload.progress.get("attempts", 0)) + 1
    if attempts > ATTEMPTS_MOST:
        _fail(work, upload, f"读取该文件时程序已 {ATTEMPTS_MOST} 次异常终止，不再尝试；请联系维护人员查看日志")
        return None
    inbox.note_progress(work.store, upload, done=0, whole=upload.size, attempts=attempts)
    shown = [time.monotonic()]

    def watch(done: int, whole: int) -> None:
        if time.monotonic() - shown[0] >= SHOW_S:
            shown[0] = time.monotonic()
            inbox.note_progress(work.store, upload, done=done, whole=whole, attempts=attempts)

    try:
        with inbox.file_of(work.store, upload).open("rb") as file:
            report = import_file(file, kind=upload.kind, settings=work.settings, now=work.clock, name=upload.name, watch=watch)
    except DiskFull:
        inbox.note_progress(work.store, upload, done=0, whole=upload.size, attempts=attempts - 1)  # the disk's fault, not the file's
        raise
    except PatrolError as error:
        _fail(work, upload, str(error))
        return None
    except OSError as error:
        _fail(work, upload, f"文件读不了（{error.strerror}）；请重新上传")
        return None
    nothing = report["refused"] and not report["captures"] + report["repeated"]
    why = "没有一项能够收下；原因见下" if nothing else ""
    inbox.settle(work.store, upload, report, outcome="failed" if nothing else "ok", why=why, now=work.clock())
    log.info("inbox=%s kind=%s captures=%d refused=%d", upload.id, report["kind"], report["captures"], report["refused"])
    return report


def _fail(work: Work, upload: Upload, why: str) -> None:
    inbox.settle(work.store, upload, {}, outcome="failed", why=why, now=work.clock())
    log.warning("inbox=%s outcome=failed why=%s", upload.id, why)
