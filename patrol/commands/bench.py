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
    """Measure: patrol, keyword, classifier, judge, freshness, kills. Ratios travel between machines, absolute figures do not."""


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


@bench.command()
@click.argument("pages", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("readings", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def articles(pages: Path, readings: Path, as_json: bool) -> None:
    """Articles of the WARC file PAGES as they are read, against the folder READINGS of what a person read."""
    from patrol.bench.articles import bench_articles

    _print(bench_articles(pages, readings, show=not as_json), as_json=as_json)


@bench.command()
@click.option("--seed", default=20261123, show_default=True)
@click.option("--tail", type=click.Choice(["pareto1.2", "pareto1.6", "lognormal"]), default="pareto1.2", show_default=True)
@click.option("--sources", default=20_000, show_default=True, type=click.IntRange(100, 1_000_000))
@click.option("--requests", default=20_000, show_default=True, type=click.IntRange(10, 10_000_000), help="An hour, all sites together.")
@click.option("--ablations", is_flag=True, help="Also without bursts, without hours of day, and beside one who is told of bursts.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def freshness(seed: int, tail: str, sources: int, requests: int, ablations: bool, as_json: bool) -> None:
    """A simulated week of sources under the schedule of the daemon: how long postings wait to be seen."""
    from patrol.bench.freshness import bench_freshness

    found = bench_freshness(seed=seed, tail=tail, sources=sources, requests_per_hour=requests, ablations=ablations)
    _print(found, as_json=as_json)


@bench.command()
@click.option("--count", default=4, show_default=True, type=click.IntRange(1, 200), help="Posters of each face and each hardship.")
@click.option("--seed", default=20261123, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def images(count: int, seed: int, as_json: bool) -> None:
    """Pictures a second, character accuracy on clean and hard posters, codes decoded, repeats read once."""
    from patrol.bench.imaging import bench_images

    _print(bench_images(count=count, seed=seed), as_json=as_json)


@bench.command()
@click.option("--pages", default=2000, show_default=True, type=click.IntRange(150, 100_000), help="Loads, in blocks of 50.")
@click.option("--screenshot", default="none", show_default=True, type=click.Choice(["none", "view", "full"]), help="Of both alike.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def browser(pages: int, screenshot: str, as_json: bool) -> None:
    """Page loads through the browser in one sweep, memory and speed, beside plain Playwright in alternating blocks."""
    from patrol.bench.browsing import bench_browser

    _print(bench_browser(pages=pages, screenshot=screenshot, show=not as_json), as_json=as_json)


@bench.command()
@click.option("--postings", default=1_000_000, show_default=True, type=click.IntRange(100, 5_000_000))
@click.option("--singles", default=500, show_default=True, type=click.IntRange(0, 100_000), help="New ones linked one by one in the end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def campaigns(postings: int, singles: int, as_json: bool) -> None:
    """A made-up city's postings tied into campaigns: time, memory, and pairs against the truth."""
    from patrol.bench.campaigning import bench_campaigns

    _print(bench_campaigns(postings=postings, singles=singles, show=not as_json), as_json=as_json)


@bench.command()
@click.option("--har-mb", default=500, show_default=True, type=click.IntRange(1, 20_000))
@click.option("--rows", default=1_000_000, show_default=True, type=click.IntRange(10, 1_048_575), help="Of a workbook; a fifth in a CSV.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def imports(har_mb: int, rows: int, as_json: bool) -> None:
    """Large files from elsewhere: a HAR, a workbook, a CSV; the rate, and the memory that each takes."""
    from patrol.bench.importing import bench_imports

    _print(bench_imports(har_mb=har_mb, rows=rows), as_json=as_json)


@bench.command()
@click.option(
    "--pages", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A WARC of real pages in place of the fixtures."
)
@click.option("--rounds", default=9, show_default=True, type=click.IntRange(1, 100))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def extract(pages: Path | None, rounds: int, as_json: bool) -> None:
    """Pages a second by selectors and by the general extractor, beside bare lxml that asks for the same fields."""
    from patrol.bench.extracting import bench_extract

    _print(bench_extract(pages=pages, rounds=rounds), as_json=as_json)
