"""wangxun read: what stands in pictures and short videos, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from domain.settings import load
from patrol.cli import show_json


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="PICTURE...")
@click.option("--show", type=click.Path(dir_okay=False, path_type=Path), help="PNG to write: the picture with its lines and codes framed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file: file, text, qr, width, height, regions, fault, seconds.")
def read(files: tuple[Path, ...], show: Path | None, as_json: bool) -> None:
    """Text, QR codes and where they stand in picture and video files. A code is printed as text and never followed.

    Exit 1 where one of them could not be read.
    """
    from patrol.looking import drawn, look

    if show and len(files) != 1:
        raise click.UsageError(f"--show draws one picture, and {len(files)} are given; read them one by one")
    settings, faults = load(), 0
    for path in files:
        found = look(path, settings=settings)
        faults += bool(found["fault"])
        if as_json:
            show_json(found)
        else:
            _print(found)
        if show and not found["fault"]:
            try:
                drawn(path, found).save(show, format="PNG")
            except (OSError, ValueError) as error:
                raise click.UsageError(f"{show}: cannot be written ({error}); name another file") from error
    raise click.exceptions.Exit(1 if faults else 0)


def _print(found: dict[str, Any]) -> None:
    head = f"{found['file']}  {found['width']} x {found['height']}  {found['seconds']:.2f} 秒"
    click.echo(f"{found['file']}  未读出：{found['fault']}" if found["fault"] else head)
    for region in found["regions"]:
        left, top, right, bottom = region["box"]
        place = f"第 {region['at_s']:.1f} 秒 " if region.get("at_s") else ""
        if region["kind"] == "qr":
            said = f"二维码（未访问）：{found['qr'][region['start']]}"
        else:
            said = ("语音：" if region["kind"] == "speech" else "") + found["text"][region["start"] : region["end"]]
        click.echo(f"  {place}[{left},{top} - {right},{bottom}] {said}")
    if not found["fault"] and not found["regions"]:
        click.echo("  没有文字，也没有二维码")
