"""wangxun platforms, import: what is patrolled, and what comes from elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from domain.clock import utc_now
from domain.errors import PlatformFault
from domain.settings import load
from patrol.cli import show_json


@click.group()
def platforms() -> None:
    """The platforms that are patrolled, one YAML each."""


@platforms.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(as_json: bool) -> None:
    """Every platform: id, kind, how it is fetched, how often."""
    from crawlers.loader import load_platforms, platform_folders

    found = load_platforms(platform_folders(load()))
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "kind": one.kind,
            "fetch": one.fetch,
            "every_s": one.every_s,
            "enabled": one.enabled,
            "home": one.home,
        }
        for one in found.values()
    ]
    if as_json:
        show_json({"platforms": rows})
        return
    for row in rows:
        state = "" if row["enabled"] else "（未启用）"
        click.echo(f"{row['id']:<24} {row['kind']:<12} {row['fetch']:<8} 每 {row['every_s']:.0f} 秒  {row['title']}{state}  {row['home']}")


@platforms.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folder: Path | None, as_json: bool) -> None:
    """All faults of all platform files at once, each `path:line: found; remedy`. Exit 1 where there is one."""
    from crawlers.loader import load_platforms, platform_folders

    faults: list[str] = []
    count = 0
    try:
        count = len(load_platforms([folder] if folder else platform_folders(load())))
    except PlatformFault as error:
        faults = [str(fault) for fault in error.faults]
    if as_json:
        show_json({"ok": not faults, "platforms": count, "faults": faults})
    else:
        for fault in faults:
            click.echo(fault)
        click.echo(f"{len(faults)} faults" if faults else f"platforms: {count}, no faults")
    raise click.exceptions.Exit(1 if faults else 0)


@click.group("import")
def import_() -> None:
    """Take in captures made elsewhere, as a spider's."""


@import_.command("warc")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--judge/--no-judge", default=False, help="Judge what was taken in at once.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: captures, refused, postings, hosts, new, reasons.")
def warc(path: Path, judge: bool, as_json: bool) -> None:
    """Every page of a WARC file (.warc, .warc.gz) as a Capture, with the Postings found on it. Idempotent."""
    from patrol.importing import import_warc
    from patrol.work import create_if_new

    settings = load()
    create_if_new(settings)
    report = import_warc(path, settings=settings, now=utc_now, show=not as_json)
    if judge:
        from patrol import jobs
        from patrol.work import open_work

        work = open_work(settings)
        report["judged"] = jobs.recorded(work, "assess", lambda: jobs.judge(work))
        work.close()
    if as_json:
        show_json(report)
        return
    head = f"取证页面 {report['captures']}，拒收 {report['refused']}，站点 {report['hosts']}"
    click.echo(f"{head}，内容 {report['postings']}（新增 {report['new']}）")
    for reason in report["reasons"][:20]:
        click.echo(f"  拒收：{reason}")
    if report["new"] and not judge:
        click.echo("新增内容尚未研判：由 wangxun run 研判，或加 --judge 立即研判")
