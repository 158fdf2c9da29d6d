"""One sweep as a child process: started, watched for time and memory, ended politely, then by force."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from domain.settings import Settings

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent
"""Where scrapy.cfg stands: the working directory of every spider process."""
POLITE_S = 20.0
"""From SIGTERM to SIGKILL: a spider needs a few seconds to flush its last batch and close its browser."""
LOOK_S = 0.5
"""How often time and memory are looked at: a browser grows by tens of MB a second at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended. `why` is empty where it ended by itself with 0."""

    code: int
    why: str
    """empty, timed_out, too_big, drained or crashed"""
    peak_mb: float
    tail: str
    """Last lines of its log, for the alarm's text."""


def command(platform: str, *, sweep_id: int, visit: Path | None = None, sources: Path | None = None) -> list[str]:
    """The spider's command line. `python -m scrapy`, since the bare script would take a foreign `rules` package first."""
    words = [sys.executable, "-m", "scrapy", "crawl", "patrol", "-a", f"platform={platform}", "-a", f"sweep={sweep_id}"]
    words += ["-a", f"sources={sources.resolve()}"] if sources else []
    return [*words, "-a", f"visit={visit.resolve()}"] if visit else words


def environment(settings: Settings) -> dict[str, str]:
    # A spider that may not keep its compiled modules compiles Scrapy anew each time: a second a sweep.
    left_out = ("WANGXUN_", "PYTHONDONTWRITEBYTECODE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    # The folder that the parent took its code from goes first, wherever the child is started.
    return {**kept, **settings.environment(), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def run(
    words: list[str],
    *,
    settings: Settings,
    log_path: Path,
    stop: threading.Event,
    started: Callable[[int], None] = lambda pid: None,
) -> Ended:
    """Run `words` to its end, within `settings.sweep_timeout_s` and `settings.sweep_memory_mb` (its children included).

    `stop` set by another thread ends it politely. The child's output goes to `log_path`.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as output:
        child = subprocess.Popen(words, cwd=ROOT, env=environment(settings), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        started(child.pid)
    except BaseException:
        end(child.pid, wait=child.wait)  # a child whose number nobody could note is held to no limit by anybody
        raise
    deadline, peak, why = time.monotonic() + settings.sweep_timeout_s, 0.0, ""
    while True:
        try:
            code = child.wait(timeout=LOOK_S)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, resident_mb(child.pid))
            why = (
                "timed_out"
                if time.monotonic() > deadline
                else "too_big"
                if peak > settings.sweep_memory_mb
                else "drained"
                if stop.is_set()
                else ""
            )
            if why:
                code = end(child.pid, wait=child.wait)
                break
    if not why and code != 0:
        why = "crashed"
    return Ended(code=code, why=why, peak_mb=peak, tail=tail(log_path))


def resident_mb(pid: int) -> float:
    """Resident memory of a process and all its children, in MB; 0 once it is gone.

    Of children only what they hold of their own: a browser's ten processes share their program, which would count ten times.
    """
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        total = process.memory_info().rss
        for one in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                held = one.memory_info()
                total += held.rss - getattr(held, "shared", 0)
    return total / 1e6


def end(pid: int, *, wait: Callable[[float], int] | None = None) -> int:
    """End a process and its children: SIGTERM, POLITE_S later SIGKILL. Returns its exit code, -9 where unknown."""
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return -9
    family = process.children(recursive=True)
    with contextlib.suppress(psutil.Error):
        process.terminate()
    try:
        code = wait(POLITE_S) if wait else process.wait(POLITE_S)
    except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
        with contextlib.suppress(psutil.Error):
            process.kill()
        code = -9
        if wait:
            wait(POLITE_S)
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.kill()
    return int(code) if code is not None else -9


def is_spider(pid: int | None) -> bool:
    """Whether this process is a spider of ours that still runs: a number can have been given to another program since."""
    if not pid:
        return False
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        words = process.cmdline()
        return process.status() != psutil.STATUS_ZOMBIE and "scrapy" in words and "patrol" in words
    return False


def tail(path: Path, *, lines: int = 12) -> str:
    """The last lines of a log, bounded."""
    with contextlib.suppress(OSError), path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 8192))
        return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])
    return ""
