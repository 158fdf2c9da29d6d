"""wangxun schedule, queries: when each source is visited, and which words are searched for."""

from __future__ import annotations

from typing import Any

import click

from domain.clock import for_people
from domain.settings import load
from patrol.cli import show_json


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} 分" if seconds < 7200 else f"{seconds / 3600:.1f} 时"


@click.command()
@click.option("--platform", help="Only this one.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="Rows shown; --json gives all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def schedule(platform: str | None, limit: int, as_json: bool) -> None:
    """Every source (入口) with its rate, interval, last and next visit, and why then."""
    from patrol.schedule_shown import WHY, shown
    from patrol.work import open_work

    work = open_work(load())
    if platform is not None and platform not in work.platforms:
        work.close()
        raise click.UsageError(f"no such platform: {platform}; wangxun platforms list shows them")
    rows = [row for row in shown(work) if platform in (None, row["platform"])]
    budget = work.settings.requests_per_hour
    work.close()
    if as_json:
        show_json({"requests_per_hour": budget, "sources": rows})
        return
    for row in rows[:limit]:
        last = for_people(row["last_at"]) if row["last_at"] else "从未"
        rate = f"{row['rate_per_h']:.2f} 条/时" if row["rate_per_h"] is not None else "—"
        click.echo(f"{for_people(row['next_at'])}  {row['platform']}  {row['url']}")
        click.echo(
            f"    {WHY[row['why']]}；频率 {rate}，间隔 {_minutes(row['interval_s'])}，上次 {last}，新增 {row['found']}，命中 {row['hits']}"
        )
    rest = len(rows) - min(limit, len(rows))
    tail = f"，另有 {rest} 个未列出（--limit）" if rest else ""
    click.echo(f"入口 {len(rows)} 个，每小时请求上限 {budget}{tail}" if rows else "没有入口：没有启用任何平台（wangxun platforms list）")


@click.command()
@click.option("--platform", help="Only this one.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="Rows shown; --json gives all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def queries(platform: str | None, limit: int, as_json: bool) -> None:
    """The rotation of queries (检索词), best yield first: asked, requests, new postings, hits."""
    from patrol.schedule_errand import refill_all
    from patrol.work import open_work
    from store.queries import rotation

    work = open_work(load())
    if platform is not None and platform not in work.platforms:
        work.close()
        raise click.UsageError(f"no such platform: {platform}; wangxun platforms list shows them")
    refill_all(work)
    with work.store.read() as connection:
        rows = [_row(dict(row)) for row in rotation(connection, platform)]
    fixed = [
        {"platform": one.id, "text": text}
        for one in work.platforms.values()
        if one.enabled and not one.rotates and platform in (None, one.id)
        for text in one.queries
    ]
    work.close()
    rows.sort(key=lambda row: (-row["hits_per_request"], -row["hits"], -row["severity"], row["platform"], row["text"]))
    if as_json:
        show_json({"queries": rows, "fixed": fixed})
        return
    for row in rows[:limit]:
        last = for_people(row["last_at"]) if row["last_at"] else "从未"
        span = f"（近 {row['span_h']} 时）" if row["span_h"] else ""
        click.echo(
            f"{row['platform']}  {row['text']}{span}  检索 {row['asked']} 次，请求 {row['requests']}，"
            f"新增 {row['found']}，命中 {row['hits']}，上次 {last}"
        )
    for one in fixed[:limit]:
        click.echo(f"{one['platform']}  {one['text']}  （固定检索词）")
    click.echo(f"轮换检索词 {len(rows)} 条，固定 {len(fixed)} 条" if rows or fixed else "没有检索词：平台文件写 queries: auto 即由规则生成")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("id", "platform", "text", "term", "place", "span_h", "severity", "asked", "requests", "found", "hits", "last_at")
    return {**{name: row[name] for name in kept}, "hits_per_request": round(row["hits"] / row["requests"], 4) if row["requests"] else 0.0}
