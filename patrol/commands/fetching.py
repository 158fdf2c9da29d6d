"""wangxun platforms: what is patrolled."""

from __future__ import annotations

import click

from domain.settings import load
from patrol.cli import show_json
from patrol.commands.checking import check
from patrol.commands.promoted import promoted_layouts
from patrol.commands.proposing import new


@click.group()
def platforms() -> None:
    """The platforms that are patrolled, one YAML each."""


@platforms.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(as_json: bool) -> None:
    """Every platform: id, kind, how it is fetched, how often; with `fetch: auto`, the layouts that go to the browser."""
    from crawlers.loader import load_platforms, platform_folders

    found = load_platforms(platform_folders(load()))
    promoted = promoted_layouts([one.id for one in found.values() if one.fetch == "auto"], load())
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "kind": one.kind,
            "fetch": one.fetch,
            "browser": promoted.get(one.id, {}),
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
        for layout, ago in promoted.get(str(row["id"]), {}).items():
            click.echo(f"{'':<24} {layout} 经浏览器抓取（不运行脚本则无正文，{ago} 轮前核实）")


platforms.add_command(check)
platforms.add_command(new)
