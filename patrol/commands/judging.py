"""wangxun scan, rules, evaluate: judging from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from domain.settings import load
from patrol.cli import show_json


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
    from classifiers.scan import dump, scan_lines

    settings = load()
    try:
        source = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115 - closed with the process
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    judge, faults = load_judge(rules_dir=settings.rules_dir, weights_dir=settings.weights_dir, mode=mode)  # type: ignore[arg-type]
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


@click.group()
def rules() -> None:
    """The rule pack: check, list, explain, test."""


@rules.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folder: Path | None, as_json: bool) -> None:
    """All faults of the rule pack at once, each `path:line: found; remedy`. Exit 1 where there is one."""
    from rules.lint import check as lint

    faults = lint(folder or load().rules_dir)
    if as_json:
        show_json({"ok": not faults, "faults": [str(fault) for fault in faults]})
    else:
        for fault in faults:
            click.echo(str(fault))
        click.echo(f"{len(faults)} faults" if faults else "rules: no faults")
    raise click.exceptions.Exit(1 if faults else 0)


@rules.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(as_json: bool) -> None:
    """Every rule: id, status, severity, scheme, title."""
    from rules.loader import load as load_rules

    ruleset = load_rules(load().rules_dir)
    rows = [
        {"id": rule.id, "status": rule.status, "severity": rule.severity, "scheme": rule.scheme, "title": rule.title}
        for rule in ruleset.rules
    ]
    if as_json:
        show_json({"ruleset": ruleset.digest, "rules": rows})
        return
    click.echo(f"规则集 {ruleset.digest}，共 {len(rows)} 条")
    for row in rows:
        click.echo(f"{row['id']:<50} {row['status']:<10} {row['severity'] or '':<8} {row['scheme'] or '':<22} {row['title']}")


@rules.command("explain")
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def explain(text: str, as_json: bool) -> None:
    """What the keyword layer sees in TEXT: spans, rules, rates, contacts, articles. `-` reads standard input."""
    from patrol.explain import explain as data
    from patrol.explain import show

    if text == "-":
        text = sys.stdin.read()
    seen = data(text, settings=load())
    if as_json:
        show_json(seen)
    else:
        show(text, seen)


@rules.command("test")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def test(as_json: bool) -> None:
    """Run every example of every rule: hits must hit, misses must not."""
    from classifiers.keyword import KeywordClassifier
    from rules.examples import run
    from rules.loader import load as load_rules

    ruleset = load_rules(load().rules_dir)
    wrong = [str(one) for one in run(ruleset, KeywordClassifier(ruleset).strengths)]
    if as_json:
        show_json({"ok": not wrong, "wrong": wrong})
    else:
        for line in wrong:
            click.echo(line)
        click.echo(f"{len(wrong)} examples wrong" if wrong else "rules: every example as written")
    raise click.exceptions.Exit(1 if wrong else 0)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--judge", "mode", type=click.Choice(["both", "keyword", "neural"]), default="both", show_default=True)
@click.option("--baselines", is_flag=True, help="Keyword, linear, encoder, neural and whole side by side.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(file: Path, mode: str, baselines: bool, as_json: bool) -> None:
    """Precision and recall on a labelled JSON Lines FILE (text, label, sure), at review and at alert."""
    from dataclasses import asdict

    from classifiers import dataset
    from classifiers import evaluate as room
    from classifiers.fusion import load_judge

    settings = load()
    try:
        rows = dataset.read(file)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if baselines:
        found = room.baselines(rows, rules_dir=settings.rules_dir, weights_dir=settings.weights_dir)
    else:
        judge, faults = load_judge(rules_dir=settings.rules_dir, weights_dir=settings.weights_dir, mode=mode)  # type: ignore[arg-type]
        for fault in faults:
            click.echo(f"warning: {fault}", err=True)
        found = {"whole" if mode == "both" else mode: room.report(rows, judge)}
    if as_json:
        show_json({name: {which: asdict(own) for which, own in sets.items()} for name, sets in found.items()})
    else:
        click.echo(room.table(found))
