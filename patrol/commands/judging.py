"""wangxun scan: judging from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from domain.settings import load


@click.command()
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; standard output where not given.")
@click.option("--judge", "mode", type=click.Choice(["both", "keyword", "neural"]), default="both", show_default=True)
def scan(file: str, out: Path | None, mode: str) -> None:
    """Judge texts: JSON Lines in (id, text, optional title, publisher, kind), JSON Lines out, in the same order.

    A line that is broken gives an object with `error` for that line, and the rest goes on.
    """
    from rich.console import Console
    from rich.progress import Progress

    from classifiers.fusion import load_judge
    from classifiers.promotion import in_force
    from classifiers.scan import dump, scan_lines

    settings = load()
    try:
        source = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115 - closed with the process
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    judge, faults = load_judge(rules_dir=settings.rules_dir, weights_dir=in_force(settings.dir, settings.weights_dir), mode=mode)  # type: ignore[arg-type]
    for fault in faults:
        click.echo(f"warning: {fault}", err=True)
    quiet = out is None or not sys.stderr.isatty()
    # Written aside and renamed at the end: a run that breaks off never leaves half a file under the asked-for name.
    aside = out.with_name(out.name + ".part") if out else None
    sink: Any = aside.open("w", encoding="utf-8", newline="\n") if aside else sys.stdout
    if out is None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    with Progress(console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("研判", total=None)
        for result in scan_lines(source, judge):
            sink.write(dump(result) + "\n")
            bar.advance(task)
    if out and aside:
        sink.close()
        aside.replace(out)
