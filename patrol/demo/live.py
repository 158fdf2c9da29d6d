"""`wangxun demo`: the city, the daemon and the console, until Ctrl-C. The person at the keyboard is the officer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import httpx

from domain.clock import for_people, utc_now
from domain.states import CHINESE
from patrol import process
from patrol.demo import brought
from patrol.demo.town import OFFICERS, PASSWORD, Town, open_town
from pipelines import inbox
from store import counts
from store.engine import open_store

PACE = 20.0
"""The daemon's intervals are divided by this: an hourly platform is swept every three minutes."""
LOOK_S = 2.0


def run(folder: Path, *, port: int, fresh: bool) -> None:
    """Bring the town up and stay. Ctrl-C or SIGTERM ends everything politely; a second run goes on where this one stood."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    began = time.monotonic()
    click.echo("网巡演示：正在搭建演示城市 ……")
    with open_town(folder, fresh=fresh, console_port=port) as town:
        _bring(town)
        children = [_child(town, "run", "--pace", str(PACE)), _child(town, "console", "--port", str(port))]
        try:
            _until_open(port, children, stop)
            _banner(town, port=port, took_s=time.monotonic() - began)
            _watch(town, children, stop, began=began)
        finally:
            for child in children:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
            for child in children:
                try:
                    child.wait(process.POLITE_S + 5)
                except subprocess.TimeoutExpired:
                    child.kill()
    click.echo("演示已停止；再次运行将从此处继续，--fresh 重新开始")


def _bring(town: Town) -> None:
    """Hand in, once, what was recorded and photographed outside: the daemon takes it in, and the console's page 导入 tells."""
    store = open_store(town.settings)
    try:
        if not inbox.listed(store, limit=1):
            brought.hand_in(store, brought.prepare(town.folder, now=utc_now(), reported=town.city.reported()), now=utc_now())
    finally:
        store.close()


def _child(town: Town, *words: str) -> subprocess.Popen[bytes]:
    log = (town.folder / "logs").resolve()
    log.mkdir(exist_ok=True)
    with (log / f"{words[0]}.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "patrol.cli", *words], cwd=process.ROOT, env=process.environment(town.settings),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            # Ctrl-C reaches the whole terminal group; the children are ended by us, in order.
            preexec_fn=os.setpgrp,
        )  # fmt: skip


def _until_open(port: int, children: list[subprocess.Popen[bytes]], stop: threading.Event) -> None:
    for _ in range(150):
        if stop.is_set():
            return
        for child in children:
            if child.poll() is not None:
                raise click.ClickException(f"a process of the demo ended with {child.returncode}; see its logs folder")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/login", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        stop.wait(0.2)
    raise click.ClickException(f"the console does not answer on port {port}; is it taken? --port gives another")


def _banner(town: Town, *, port: int, took_s: float) -> None:
    click.echo(f"业务台： http://127.0.0.1:{port}   （{took_s:.0f} 秒后就绪）")
    for name, shown, roles in OFFICERS:
        click.echo(f"  账号 {name}  密码 {PASSWORD}  {shown}  {', '.join(roles)}")
    click.echo("演示城市（均为虚构）：")
    for title, address in town.city.sites():
        click.echo(f"  {address}  {title}")
    click.echo(f"数据与日志： {town.folder}    Ctrl-C 停止")


def _watch(town: Town, children: list[subprocess.Popen[bytes]], stop: threading.Event, *, began: float) -> None:
    """Say when the first hit stands in the queue, and then what changes."""
    store = open_store(town.settings)
    shown: dict[str, int] = {}
    try:
        while not stop.wait(LOOK_S):
            for child in children:
                if child.poll() is not None:
                    raise click.ClickException(f"a process of the demo ended with {child.returncode}; see {town.folder}/logs")
            with store.read() as connection:
                now = counts.by_state(connection, "hit")
            if now != shown:
                if not shown and now:
                    click.echo(f"首条命中已入队，距启动 {time.monotonic() - began:.0f} 秒")
                click.echo(
                    f"{for_people(utc_now(), seconds=True)}  命中："
                    + "，".join(f"{CHINESE['hit'][state]} {count}" for state, count in sorted(now.items()))
                )
                shown = now
    finally:
        store.close()
