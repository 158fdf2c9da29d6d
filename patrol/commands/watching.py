"""wangxun health, log, alarms."""

from __future__ import annotations

from datetime import timedelta

import click

from domain.clock import for_people, utc_now
from domain.settings import load
from patrol.cli import show_json
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
    from rich.console import Console
    from rich.table import Table

    from pipelines.report import patrol_log

    now = utc_now()
    store = open_store(load())
    rows = patrol_log(store, since=now - timedelta(hours=hours), until=now)
    store.close()
    if as_json:
        show_json({"since": now - timedelta(hours=hours), "until": now, "hours": rows})
        return
    table = Table("小时", "平台", "次数", "成功", "空", "墙", "失败", "漏跑", "页面", "内容", "新增", "命中", "最近成功", title=f"巡查日志（近 {hours} 小时）")
    for row in rows:
        cells = (row["runs"], row["ok"], row["empty"], row["walled"], row["failed"], row["missed"], row["pages"], row["postings"], row["new"], row["hits"])
        last = for_people(row["last_success"]) if row["last_success"] else "从未"
        table.add_row(for_people(row["hour"]), row["platform"], *(str(cell) if cell else "·" for cell in cells), last)
    Console().print(table)


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
