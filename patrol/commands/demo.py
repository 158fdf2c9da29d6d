"""wangxun demo: a small town of websites on this machine, patrolled for real."""

from __future__ import annotations

from pathlib import Path

import click

from patrol.cli import show_json


@click.command()
@click.option("--once", is_flag=True, help="Play the officers with demo accounts, run the whole loop to the last receipt, and end.")
@click.option("--json", "as_json", is_flag=True, help="With --once: one JSON object.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port of the console.")
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("var/demo"), show_default=True)
@click.option("--fresh", is_flag=True, help="Begin with an empty folder.")
def demo(once: bool, as_json: bool, port: int, folder: Path, fresh: bool) -> None:
    """The demo city (演示城市): invented sites and firms, the real spiders, judges, letters, channels and clocks."""
    from patrol.demo import live
    from patrol.demo import once as play

    if once:
        result = play.run(folder, fresh=True, show=not as_json)
        if as_json:
            show_json(result)
        raise click.exceptions.Exit(0 if result["lost"] == 0 else 1)
    live.run(folder, port=port, fresh=fresh)
