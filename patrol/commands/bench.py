"""wangxun bench: heavy figures, each printed as one JSON object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from patrol.cli import show_json


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    click.echo(f"bench {found['name']}  ({found['machine']['cores']} cores, {found['machine']['cpu']})")
    for group in ("figures", "ratios"):
        for key, value in found[group].items():
            click.echo(f"  {group}.{key:<28} {value}")


@click.group()
def bench() -> None:
    """Measure: patrol, keyword, classifier, judge, kills. Ratios travel between machines, absolute figures do not."""


@bench.command()
@click.option("--pages", default=600, show_default=True, type=click.IntRange(10, 100_000))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 50))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def patrol(pages: int, rounds: int, as_json: bool) -> None:
    """One sweep process, archive and SQLite included, beside a bare Scrapy spider."""
    from patrol.bench.patrolling import bench_patrol

    _print(bench_patrol(pages=pages, rounds=rounds), as_json=as_json)


@bench.command()
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Ordinary texts, one a line.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 100))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def keyword(data: Path | None, rounds: int, as_json: bool) -> None:
    """The keyword layer on one core: gate and whole, beside a plain automaton and plain segmentation."""
    from patrol.bench.keywords import bench_keyword

    _print(bench_keyword(data=data, rounds=rounds), as_json=as_json)


@bench.command()
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Ordinary texts, one a line.")
@click.option("--labelled", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Labelled texts for what the gate loses.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 100))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def classifier(data: Path | None, labelled: Path | None, rounds: int, as_json: bool) -> None:
    """The neural classifier on one core, beside plain torch, and a stream through the gate."""
    from patrol.bench.classifying import bench_classifier

    _print(bench_classifier(data=data, labelled=labelled, rounds=rounds), as_json=as_json)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def judge(as_json: bool) -> None:
    """Texts a second, keyword layer alone and the whole judge."""
    from patrol.bench.judging import bench_judge

    _print(bench_judge(), as_json=as_json)


@bench.command()
@click.option("--kills", default=100, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--seed", default=20261123, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def kills(kills: int, seed: int, as_json: bool) -> None:
    """Random kill -9 over a running demo patrol: nothing lost, nothing sent twice."""
    from patrol.bench.killing import bench_kills

    found = bench_kills(kills=kills, seed=seed, show=not as_json)
    _print(found, as_json=as_json)
    raise click.exceptions.Exit(0 if not (found["figures"]["lost"] or found["figures"]["sent_twice"]) else 1)
