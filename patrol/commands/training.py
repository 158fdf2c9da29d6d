"""wangxun train: making weights (needs the train extra), learning from officers, and bringing weights into force."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from domain.clock import utc_now
from patrol.cli import show_json

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
    help="Labelled file that is measured on: no drawn negative and no decision comes near it.",
)
DECISIONS = click.option(
    "--decisions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="More labelled rows, as export-decisions writes them; the same for tune and export.",
)
OFFICER = click.option("--officer", required=True, help="Who decides, an approver or admin; goes into the audit log.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group()
def train() -> None:
    """Make the neural classifier, teach it what officers decided, and bring its weights into force or take them back.

    pretrain, tune and export need the train extra (make setup TRAIN=1); each is taken up where it was stopped.
    """


@train.command()
@CONFIG
@DATA
@RUNS
def pretrain(config: str, data: Path, runs: Path) -> None:
    """Masked-LM pretraining; goes on where a run was stopped."""
    from classifiers import train as room
    from patrol.training import watched

    with watched("pretrain", config=config, runs=runs):
        done = room.pretrain(data, config=config, runs=runs)
    click.echo(done)


@train.command()
@CONFIG
@DATA
@RUNS
@AVOID
@DECISIONS
@click.option("--encoder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Any encoder of transformers instead.")
def tune(config: str, data: Path, runs: Path, avoid: Path | None, decisions: Path | None, encoder: Path | None) -> None:
    """Fine-tuning with early stopping; goes on where a run was stopped."""
    from classifiers import train as room
    from patrol.training import watched

    with watched("tune", config=config, runs=runs):
        done = room.tune(data, config=config, runs=runs, encoder=encoder, avoid=avoid, decisions=decisions)
    click.echo(done)


@train.command()
@CONFIG
@DATA
@RUNS
@AVOID
@DECISIONS
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to ship into; the packaged weights without.")
def export(config: str, data: Path, runs: Path, avoid: Path | None, decisions: Path | None, out: Path | None) -> None:
    """ONNX, linear voice, mixture, calibration, manifest and card."""
    from classifiers import train as room
    from patrol.training import watched

    with watched("export", config=config, runs=runs):
        done = room.export(data, config=config, runs=runs, avoid=avoid, decisions=decisions, out=out)
    click.echo(done)


@train.command("export-decisions")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="JSON Lines file to write, whole or not at all."
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day, in Shanghai, whose decisions are wanted; all without.")
@JSON
def export_decisions(out: Path, since: datetime | None, as_json: bool) -> None:
    """Officers' decisions as labelled rows: a posting each, contacts exchanged, nobody named. The same decisions, the same bytes."""
    from patrol.commands.acting import opened
    from pipelines import learn
    from rules.loader import load as load_rules

    with opened() as store:
        ruleset = load_rules(store.settings.rules_dir)
        done = learn.export(store, out, ruleset=ruleset, since=since.date() if since else None, now=utc_now())
    if as_json:
        show_json(asdict(done))
        return
    click.echo(f"{done.path}: {done.rows} 条，sha256 {done.sha256[:12]}")
    for label, count in done.labels.items():
        click.echo(f"  {label:<24}{count:>6}")


@train.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--none", "none", is_flag=True, help="Let no candidate judge beside any longer.")
@OFFICER
@JSON
def candidate(folder: Path | None, none: bool, officer: str, as_json: bool) -> None:
    """Let the weights in FOLDER judge beside those in force: their words are kept and do nothing. The folder is copied."""
    from patrol.commands.acting import opened
    from pipelines import promote as acts

    if (folder is None) != none:
        raise click.UsageError("name a FOLDER, or --none")
    with opened() as store:
        if folder is None:
            done = acts.withdraw(store, officer=officer, now=utc_now())
        else:
            done = acts.propose(store, folder, officer=officer, now=utc_now())
    if as_json:
        show_json({"candidate": done.now, "version": done.version, "was": done.was})
    else:
        click.echo(f"候选模型 {done.version}：与现用模型并行评分，不参与研判" if done.now else "不再有候选模型")


@train.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--allow-regression", "reason", help="Why a lost figure of the gate is worth it; goes into the audit log.")
@click.option("--floors", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Floors of your own.")
@click.option(
    "--file", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A pinned file to hold too."
)
@OFFICER
@JSON
def promote(folder: Path | None, reason: str | None, floors: Path | None, files: tuple[Path, ...], officer: str, as_json: bool) -> None:
    """Bring the candidate, or the weights in FOLDER, into force, where the gate holds. A running daemon takes them at its next batch."""
    from patrol.commands.acting import opened
    from patrol.training import busy
    from pipelines import promote as acts

    with opened() as store, busy("过门槛测试"):
        done = acts.promote(store, folder, officer=officer, reason=reason, now=utc_now(), floors=floors, files=files)
    if as_json:
        show_json({**asdict(done), "lost": len(done.lost)})
        return
    click.echo(f"{done.version} 已启用（门槛 {len(done.held)} 项，下降 {len(done.lost)} 项）；撤回：wangxun train rollback")


@train.command()
@click.option("--reason", required=True, help="Why; goes into the audit log.")
@OFFICER
@JSON
def rollback(reason: str, officer: str, as_json: bool) -> None:
    """Bring back the weights that were in force before. A running daemon takes them at its next batch."""
    from patrol.commands.acting import opened
    from pipelines import promote as acts

    with opened() as store:
        done = acts.roll_back(store, officer=officer, reason=reason, now=utc_now())
    if as_json:
        show_json({"live": done.now, "version": done.version, "was": done.was})
    else:
        click.echo(f"已恢复 {done.version}")


@train.command()
@click.option("--flips", default=10, show_default=True, type=click.IntRange(0, 1000), help="Texts to list on which the two fall apart.")
@JSON
def status(flips: int, as_json: bool) -> None:
    """Which weights judge, how the candidate agrees with them, what it costs, and how much officers have taught."""
    from rich.console import Console

    from patrol import training
    from patrol.commands.acting import opened
    from pipelines.standing import standing

    with opened() as store:
        found = standing(store, flips=flips)
    if as_json:
        show_json(training.plain(found))
    else:
        Console(highlight=False, width=None if sys.stdout.isatty() else 100).print(training.shown(found))
