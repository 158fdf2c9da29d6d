"""wangxun platforms check: every platform file, every page that was written for one, and what they make of real pages."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domain.settings import load
from patrol.cli import show_json

if TYPE_CHECKING:
    from crawlers.platform import PlatformFile
    from crawlers.survey import Surveyed

COLUMNS = ("平台", "页", "墙", "空", "漂移", "通读", "条目", "有标题", "有链接", "有摘要", "有时间", "有来源", "标明广告")


@click.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--pages", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A WARC of real pages: what is found on each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folder: Path | None, pages: Path | None, as_json: bool) -> None:
    """All faults of all platform files at once, each `path:line: found; remedy`, and every page in their pages/ID.

    Exit 1 where there is a fault.
    """
    from crawlers.fixtures import fixtures_in, unmet
    from crawlers.loader import load_sound, platform_folders

    folders = [folder] if folder else list(platform_folders(load()))
    platforms, found = load_sound(folders)
    fixtures, more = fixtures_in(folders)
    faults = [str(fault) for fault in (*found, *more)]
    failed = [f"{one.path}: {fault}" for one in fixtures if one.platform in platforms or not found for fault in unmet(one, platforms)]
    rows, short = _surveyed(pages, platforms, show=not as_json) if pages is not None else ([], [])
    ok = not faults and not failed and not short
    if as_json:
        report: dict[str, Any] = {"ok": ok, "platforms": len(platforms), "fixtures": len(fixtures), "faults": [*faults, *failed, *short]}
        show_json(report | (_pages_report(rows) if pages is not None else {}))
    else:
        for fault in (*faults, *failed):
            click.echo(fault)
        if pages is not None:
            _table(rows)
        for fault in short:
            click.echo(fault)
        count = len(faults) + len(failed) + len(short)
        click.echo(f"{count} faults" if count else f"platforms: {len(platforms)}, pages written for them: {len(fixtures)}, no faults")
    raise click.exceptions.Exit(0 if ok else 1)


def _surveyed(path: Path, platforms: Mapping[str, PlatformFile], *, show: bool) -> tuple[list[Surveyed], list[str]]:
    from crawlers.survey import shortcomings, survey

    rows: list[Surveyed] = []
    broken: list[str] = []
    watched = show and sys.stderr.isatty()
    for one in survey(path, platforms):
        if isinstance(one, str):
            broken.append(one)
        else:
            rows.append(one)
        if watched:
            click.echo(f"\r已读 {len(rows)} 页", nl=False, err=True)
    if watched:
        click.echo("\r", nl=False, err=True)
    return rows, broken + shortcomings(rows, platforms)


def _pages_report(rows: Sequence[Surveyed]) -> dict[str, Any]:
    from crawlers.survey import as_row, sums

    keep = ("platform", "url", "layout", "wall", "drift", "entries", "titled", "linked", "texted", "ads")
    return {
        "by_platform": [as_row(one) for one in sums(rows)],
        "pages": [{name: getattr(one, name) for name in keep} for one in rows],
    }


def _table(rows: Sequence[Surveyed]) -> None:
    from crawlers.survey import sums

    lines = [
        (
            one.platform, *(str(value) for value in (one.pages, one.walled, one.bare, one.drifted, one.general, one.entries)),
            *(_percent(one.share(name)) for name in ("titled", "linked", "texted", "dated", "named")), str(one.ads),
        )
        for one in sums(rows)
    ]  # fmt: skip
    widths = [max(_width(line[column]) for line in (COLUMNS, *lines)) for column in range(len(COLUMNS))]
    for line in (COLUMNS, *lines):
        first, *rest = (" " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        click.echo(line[0] + first + "".join(f"  {space}{cell}" for space, cell in zip(rest, line[1:], strict=True)))
    click.echo("空：没有条目也不是墙（站点说没有结果，或要用浏览器）；通读：没有选择器认得，由通用提取器读；有链接只算列表里的条目")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)
