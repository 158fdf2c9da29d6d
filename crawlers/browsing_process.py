"""The browser as processes of this machine: how it is started, ended and held to its memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import psutil

PAGE_MB = 700
"""Data of one page's process, held by the kernel: a page that allocates without end crashes alone, faster than anybody could look."""
ARGUMENTS = (
    "--disable-quic", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync", "--no-first-run",
    "--disable-component-update", "--disable-extensions", "--mute-audio", "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--dns-prefetch-disable", "--disable-features=DnsOverHttps,AsyncDns",
    "--js-flags=--max-old-space-size=512",
)  # fmt: skip
BY_FLAG = {"image": "--blink-settings=imagesEnabled=false", "font": "--disable-remote-fonts"}


def family() -> list[psutil.Process]:
    """The browser's processes and its driver's: all that this process started."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process().children(recursive=True)
    return []


def held_mb(processes: Sequence[psutil.Process]) -> float:
    """What they hold of their own, in MB. Ten processes share some 60 MB of program each, which would count ten times."""
    total = 0
    for one in processes:
        with contextlib.suppress(psutil.Error):
            found = one.memory_info()
            total += found.rss - getattr(found, "shared", 0)
    return total / 1e6


def drives(process: psutil.Process) -> bool:
    """Whether it is the library's driver, which is a child of ours; the browser is the driver's."""
    with contextlib.suppress(psutil.Error):
        return process.ppid() == os.getpid()
    return False


def end_all(processes: Sequence[psutil.Process]) -> None:
    for one in processes:
        with contextlib.suppress(psutil.Error):
            one.kill()
    with contextlib.suppress(psutil.Error):
        psutil.wait_procs(processes, timeout=0.5)


def hold(processes: Sequence[psutil.Process]) -> None:
    """Give each page's process its limit, by way of the process that they are forked from. Where the system has none, `_look` is left."""
    for one in processes:
        with contextlib.suppress(psutil.Error, OSError, ValueError, AttributeError):
            if "--type=zygote" in one.cmdline():
                one.rlimit(psutil.RLIMIT_DATA, (PAGE_MB << 20, PAGE_MB << 20))
