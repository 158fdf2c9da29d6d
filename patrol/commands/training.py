"""wangxun train: pretraining, tuning and export of the neural classifier; needs the train extra."""

from __future__ import annotations

from pathlib import Path

import click

CONFIG = click.option("--config", default="small", show_default=True, help="A name under classifiers/configs, or a TOML file.")
DATA = click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with pretrain/ and labelled/, as docs/training.md says.",
)
RUNS = click.option("--runs", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"), show_default=True)
AVOID = click.option(
    "--avoid",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Labelled file that is measured on: no drawn negative comes near it.",
)


@click.group()
def train() -> None:
    """Make the neural classifier: pretrain, tune, export. Resumable; needs the train extra (make setup TRAIN=1)."""


@train.command()
@CONFIG
@DATA
@RUNS
def pretrain(config: str, data: Path, runs: Path) -> None:
    """Masked-LM pretraining; goes on where a run was stopped."""
    from classifiers import train as room

    click.echo(room.pretrain(data, config=config, runs=runs))


@train.command()
@CONFIG
@DATA
@RUNS
@AVOID
@click.option("--encoder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Any encoder of transformers instead.")
def tune(config: str, data: Path, runs: Path, avoid: Path | None, encoder: Path | None) -> None:
    """Fine-tuning with early stopping; goes on where a run was stopped."""
    from classifiers import train as room

    click.echo(room.tune(data, config=config, runs=runs, encoder=encoder, avoid=avoid))


@train.command()
@CONFIG
@DATA
@RUNS
@AVOID
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to ship into; the packaged weights without.")
def export(config: str, data: Path, runs: Path, avoid: Path | None, out: Path | None) -> None:
    """ONNX, linear voice, mixture, calibration, manifest and card."""
    from classifiers import train as room

    click.echo(room.export(data, config=config, runs=runs, avoid=avoid, out=out))
