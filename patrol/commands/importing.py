"""wangxun import: captures made elsewhere, as a spider's."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from domain.clock import utc_now
from domain.settings import load
from patrol.cli import show_json

FIELDS = ("title", "text", "url", "publisher", "advertiser", "time", "seen", "images", "platform", "kind")


@click.command("import")
@click.argument("words", metavar="[KIND] PATH", nargs=-1, required=True)
@click.option("--map", "columns", help="Columns of a list: text=正文,url=链接. Fields: " + ", ".join(FIELDS) + ".")
@click.option("--dry-run", is_flag=True, help="Only tell what would be taken in and what refused; nothing is written.")
@click.option("--judge/--no-judge", default=False, help="Judge what was taken in at once.")
@click.option(
    "--refused", "refused_to", type=click.File("w", encoding="utf-8"), help="Write every refusal to this file, one JSON object a line."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: kind, captures, repeated, refused, postings, new, hosts, reasons.")
def import_(words: tuple[str, ...], columns: str | None, dry_run: bool, judge: bool, refused_to: Any, as_json: bool) -> None:
    """Take in PATH: a file, or a folder of photos or letters. Importing it twice adds nothing; after a kill it goes on.

    KIND is warc, wacz, har, eml, photos, export or list; without it, or as auto, the content tells. Exit 1 where nothing was taken.
    """
    from patrol.importing import import_file
    from patrol.work import create_if_new

    kind, path = _kind_and_path(words)
    settings = load()
    if not dry_run:
        create_if_new(settings)
    with refused_to or nullcontext():
        report = import_file(
            path,
            kind=kind,
            settings=settings,
            now=utc_now,
            show=not as_json,
            dry_run=dry_run,
            columns=_columns(columns),
            refused_to=refused_to,
        )
    if judge and not dry_run:
        from patrol import jobs
        from patrol.work import open_work

        work = open_work(settings)
        report["judged"] = jobs.recorded(work, "assess", lambda: jobs.judge(work))
        work.close()
    if as_json:
        show_json(report)
    else:
        _tell(report, judge=judge)
    nothing = report["refused"] and not report["captures"] + report["repeated"]
    raise click.exceptions.Exit(1 if nothing else 0)


def _kind_and_path(words: tuple[str, ...]) -> tuple[str, Path]:
    """Raises UsageError for more than one path, and for one that is not there."""
    from crawlers.imports.registry import by_name

    kinds = ("auto", *by_name())
    kind, rest = (words[0], words[1:]) if len(words) > 1 and words[0] in kinds else ("auto", words)
    if len(rest) != 1:
        hint = f"; {words[0]} is no kind: {', '.join(kinds)}" if len(words) == 2 else "; give one file, or one folder"
        raise click.UsageError(f"one PATH is taken in at a time{hint}")
    path = Path(rest[0])
    if not path.exists():
        raise click.UsageError(f"{path}: no such file or folder")
    return kind, path


def _columns(text: str | None) -> dict[str, str]:
    """`text=正文,url=链接` taken apart. Raises UsageError for a field that there is not."""
    found: dict[str, str] = {}
    for part in (text or "").replace("，", ",").split(","):
        name, mark, column = part.partition("=")
        name = {"body": "text", "link": "url", "account": "publisher"}.get(name.strip(), name.strip())
        if part.strip() and (not mark or name not in FIELDS or not column.strip()):
            raise click.UsageError(f"--map {part}: write FIELD=column; fields: {', '.join(FIELDS)}")
        if part.strip():
            found[name] = column.strip()
    return found


def _tell(report: dict[str, Any], *, judge: bool) -> None:
    head = "试运行，未写入：" if report["dry_run"] else ""
    pages = f"取证页面 {report['captures']}，已有 {report['repeated']}，拒收 {report['refused']}，站点 {report['hosts']}"
    click.echo(f"{head}{report['file']}（{report['kind']}）：{pages}，内容 {report['postings']}（新增 {report['new']}）")
    for reason in report["reasons"][:20]:
        click.echo(f"  拒收：{reason}")
    if report["refused"] > 20:
        click.echo(f"  另有 {report['refused'] - 20} 项拒收；加 --refused 文件名 写出全部")
    if report["new"] and not judge and not report["dry_run"]:
        click.echo("新增内容尚未研判：由 wangxun run 研判，或加 --judge 立即研判")
