"""wangxun run, console, sweep."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import click

from domain.settings import load
from patrol.cli import show_json


def _log_to_stderr(level: str) -> None:
    logging.getLogger().setLevel(level)
    logging.getLogger("apscheduler").setLevel("ERROR")  # what it warns of is a row of ours, see Daemon._on_trouble
    logging.getLogger("httpx").setLevel("WARNING")


@click.command()
@click.option("--pace", type=click.FloatRange(0.1, 100), default=1.0, show_default=True, help="Divides every interval; for demonstrations.")
def run(pace: float) -> None:
    """Patrol round the clock (守护进程). SIGTERM drains; a start after a crash goes on where it stood."""
    from patrol.daemon import Daemon, drain_on_signals
    from patrol.work import open_work

    settings = load()
    _log_to_stderr(settings.log_level)
    daemon = Daemon(open_work(settings), pace=pace)
    drain_on_signals(daemon)
    daemon.start()
    daemon.wait()


@click.command()
@click.option("--host", help="Address to listen on; the setting console_host where not given.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; the setting console_port where not given.")
def console(host: str | None, port: int | None) -> None:
    """The officers' pages (业务台): hit queue, one hit, documents, patrol board."""
    from console.app import serve
    from store.engine import open_store

    settings = load()
    serve(open_store(settings), host=host or settings.console_host, port=settings.console_port if port is None else port)


@click.command()
@click.argument("platform", nargs=-1)
@click.option("--judge/--no-judge", default=True, help="Judge what was found at once.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def sweep(platform: tuple[str, ...], judge: bool, as_json: bool) -> None:
    """One sweep over PLATFORM... (all enabled ones where none is named), outside the daemon's rhythm."""
    from rich.console import Console
    from rich.progress import track

    from patrol import jobs
    from patrol.work import open_work

    work = open_work(load())
    names = platform or tuple(one.id for one in work.platforms.values() if one.enabled)
    unknown = [name for name in names if name not in work.platforms]
    if unknown:
        raise click.UsageError(f"no such platform: {', '.join(unknown)}; wangxun platforms list shows them")
    sweeps: list[dict[str, Any]] = []
    result: dict[str, Any] = {"sweeps": sweeps}
    for name in track(names, description="巡查", console=Console(stderr=True), disable=as_json):
        counts = jobs.recorded(work, f"sweep:{name}", partial(_one, work, name))
        sweeps.append({"platform": name, **counts})
    if judge:
        result["judged"] = jobs.recorded(work, "assess", lambda: jobs.judge(work))
    work.close()
    if as_json:
        show_json(result)
        return
    for row in result["sweeps"]:
        click.echo("  ".join(f"{key}={value}" for key, value in row.items()))
    click.echo("  ".join(f"{key}={value}" for key, value in result.get("judged", {}).items()))


def _one(work: Any, name: str) -> dict[str, Any]:
    from patrol import jobs
    from patrol.session_pause import why_paused
    from store import captures

    sweep_id, outcome = jobs.sweep(work, name)
    if not sweep_id:
        if why := why_paused(work, work.platforms[name]):
            click.echo(f"{name} 已暂停：{why}", err=True)
        return {"sweep/skipped": 1}
    with work.store.read() as connection:
        counts = dict(captures.sweep(connection, sweep_id)["counts"])
    return {"sweep": sweep_id, f"sweep/{outcome}": 1, **counts}
