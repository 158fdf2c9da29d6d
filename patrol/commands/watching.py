"""wangxun health, log, alarms."""

from __future__ import annotations

from datetime import timedelta

import click

from domain.clock import for_people, utc_now
from domain.settings import load
from patrol.cli import show_json
from pipelines.report import PlatformHour, patrol_log
from store.engine import open_store


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--daemon/--no-daemon", default=True, help="Whether a daemon should be running here.")
def health(as_json: bool, daemon: bool) -> None:
    """Does a person need to look? Exit 0: no. Exit 1: yes, and what would do."""
    from patrol.health import report

    result = report(load(), now=utc_now(), expect_daemon=daemon)
    if as_json:
        show_json(result)
    elif result["ok"]:
        click.echo("一切正常")
    else:
        for one in result["findings"]:  # type: ignore[attr-defined]
            click.echo(f"[{one['kind']}] {one['subject']}：{one['found']}\n    处置：{one['remedy']}")
    raise click.exceptions.Exit(0 if result["ok"] else 1)


@click.command()
@click.option("--hours", type=click.IntRange(1, 24 * 31), default=24, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def log(hours: int, as_json: bool) -> None:
    """The patrol log (巡查日志): hour by hour, every platform, its last success, misses and failures."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    now = utc_now()
    store = open_store(load())
    rows = patrol_log(store, since=now - timedelta(hours=hours), until=now)
    store.close()
    if as_json:
        show_json({"hours": [row.as_json() for row in rows]})
        return
    names = sorted({name for row in rows for name in row.platforms})
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("小时", no_wrap=True)
    for number in range(1, len(names) + 1):  # whole names would leave one letter each on a narrow terminal
        table.add_column(str(number), justify="center", no_wrap=True)
    for title in ("页面", "内容", "命中", "决定"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        cells = [_cell(row.platforms.get(name)) for name in names]
        table.add_row(
            for_people(row.hour)[5:], *cells, *(str(row.counts.get(key, 0) or "·") for key in ("captures", "postings", "hits", "decisions"))
        )
    Console().print(f"巡查日志（近 {hours} 小时；列号见表下，格内为成功次数，✗ 失败，漏 漏跑）")
    Console().print(table)
    if rows:
        for name, one in rows[-1].platforms.items():
            last = for_people(one.last_success) if one.last_success else "从未"
            Console().print(f"{names.index(name) + 1:>3}  {name:<20} 最近成功 {last}")


def _cell(one: PlatformHour | None) -> str:
    if one is None:
        return "·"
    parts = [str(one.ok)] if one.ok else []
    parts += [f"[red]✗{len(one.failures)}[/red]"] if one.failures else []
    parts += [f"[yellow]漏{one.missed}[/yellow]"] if one.missed else []
    return " ".join(parts) or ("…" if one.running else "·")


@click.group()
def alarms() -> None:
    """What a person should look at."""


@alarms.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(as_json: bool) -> None:
    """Open alarms, with what would do."""
    from patrol.health import REMEDIES
    from store.alarms import open_alarms

    store = open_store(load())
    with store.read() as connection:
        rows = [dict(row) for row in open_alarms(connection)]
    store.close()
    if as_json:
        show_json({"alarms": rows})
        return
    for row in rows:
        click.echo(f"{row['id']:>5}  [{row['kind']}] {row['text']}（{row['times']} 次，最近 {for_people(row['last_at'])}）")
        click.echo(f"       处置：{REMEDIES.get(row['kind'], '请人工核查')}")
    if not rows:
        click.echo("没有未处理的告警")


@alarms.command("clear")
@click.argument("alarm_id", type=int)
@click.option("--officer", required=True, help="Who clears it; goes into the audit log.")
def clear(alarm_id: int, officer: str) -> None:
    """Clear one alarm by hand; most clear themselves when the cause is gone."""
    from store.alarms import clear_by_id

    store = open_store(load())
    with store.write() as connection:
        clear_by_id(connection, alarm_id, by=officer, now=utc_now())
    store.close()
    click.echo(f"告警 {alarm_id} 已由 {officer} 处理")
