"""A sweep's process is held to its time and its memory, and ends when the daemon does."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from domain.settings import Settings
from patrol import process

FOREVER = [sys.executable, "-c", "import signal, threading; signal.signal(signal.SIGTERM, lambda *_: exit(0)); threading.Event().wait()"]
GREEDY = [sys.executable, "-c", "import threading; kept = b'x' * 400_000_000; threading.Event().wait()"]


def run(words: list[str], settings: Settings, tmp_path: Path, stop: threading.Event | None = None) -> process.Ended:
    return process.run(words, settings=settings, log_path=tmp_path / "child.log", stop=stop or threading.Event())


def test_run_gives_the_code_and_the_log_tail(settings: Settings, tmp_path: Path) -> None:
    ended = run([sys.executable, "-c", "print('说了一句'); exit(3)"], settings, tmp_path)
    assert (ended.code, ended.why) == (3, "crashed")
    assert ended.tail == "说了一句"


def test_run_ends_a_child_that_takes_too_long(settings: Settings, tmp_path: Path) -> None:
    ended = run(FOREVER, settings.model_copy(update={"sweep_timeout_s": 0.3}), tmp_path)
    assert ended.why == "timed_out"


def test_run_ends_a_child_that_grows_too_big(settings: Settings, tmp_path: Path) -> None:
    ended = run(GREEDY, settings.model_copy(update={"sweep_memory_mb": 200}), tmp_path)
    assert ended.why == "too_big"
    assert ended.peak_mb > 200


def test_run_ends_politely_when_the_daemon_drains(settings: Settings, tmp_path: Path) -> None:
    stop = threading.Event()
    pids: list[int] = []

    def started(pid: int) -> None:
        pids.append(pid)
        stop.set()

    ended = process.run(FOREVER, settings=settings, log_path=tmp_path / "child.log", stop=stop, started=started)
    assert ended.why == "drained"
    assert not psutil.pid_exists(pids[0])


def test_end_takes_the_children_of_a_child_too() -> None:
    code = f"import subprocess; child = subprocess.Popen({FOREVER!r}); print(child.pid, flush=True); child.wait()"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    process.end(child.pid, wait=child.wait)
    psutil.wait_procs([psutil.Process(grandchild)] if psutil.pid_exists(grandchild) else [], timeout=5)
    assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE
    child.stdout.close()


def test_is_spider_knows_a_recycled_number() -> None:
    other = subprocess.Popen(FOREVER)
    try:
        assert not process.is_spider(other.pid)
    finally:
        other.kill()
        other.wait()
    assert not process.is_spider(None)
    assert not process.is_spider(other.pid)


@pytest.mark.parametrize("name", ["WANGXUN_DIR", "WANGXUN_OFFICE"])
def test_environment_carries_the_parents_settings_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "from-the-shell")
    given = process.environment(settings)
    assert given["WANGXUN_DIR"] == str(settings.dir.resolve())
    assert given.get("WANGXUN_OFFICE") != "from-the-shell"


def test_run_ends_a_child_whose_number_could_not_be_noted(settings: Settings, tmp_path: Path) -> None:
    pids: list[int] = []

    def started(pid: int) -> None:
        pids.append(pid)
        raise OSError("database is locked")

    with pytest.raises(OSError, match="locked"):
        process.run(FOREVER, settings=settings, log_path=tmp_path / "child.log", stop=threading.Event(), started=started)
    assert not psutil.pid_exists(pids[0])


def test_run_kills_a_child_that_does_not_listen(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "POLITE_S", 0.5)
    deaf = "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); threading.Event().wait()"
    pids: list[int] = []
    ended = process.run(
        [sys.executable, "-c", deaf],
        settings=settings.model_copy(update={"sweep_timeout_s": 1.0}),
        log_path=tmp_path / "child.log",
        stop=threading.Event(),
        started=pids.append,
    )
    assert (ended.code, ended.why, ended.tail) == (-9, "timed_out", "deaf")
    assert not psutil.pid_exists(pids[0])
