"""wangxun rules: a rule's whole life from the command line. How to write one: docs/rules.md."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from domain import states
from domain.clock import utc_now
from domain.settings import load
from patrol.cli import show_json
from patrol.rulebook import SORTS
from rules.schema import FAMILIES

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
DAYS = click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="Span of the figures, today included.")


@click.group()
def rules() -> None:
    """The rule pack: write, check, test, compare, watch."""


@rules.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@JSON
def check(folder: Path | None, as_json: bool) -> None:
    """All faults of the rule pack at once, each `path:line: found; remedy`. Exit 1 where there is one."""
    from rules.lint import check as lint

    faults = lint(folder or load().rules_dir)
    if as_json:
        show_json({"ok": not faults, "faults": [str(fault) for fault in faults]})
    else:
        for fault in faults:
            click.echo(str(fault))
        click.echo(f"规则库有 {len(faults)} 处毛病" if faults else "规则库没有毛病")
    raise click.exceptions.Exit(1 if faults else 0)


@rules.command("list")
@click.option("--status", type=click.Choice(list(states.RULE)), help="Only rules in this state.")
@click.option("--scheme", help="Only rules of this scheme: its slug, or a part of its Chinese name.")
@click.option("--sort", default="id", show_default=True, type=click.Choice(list(SORTS)))
@DAYS
@JSON
def list_(status: str | None, scheme: str | None, sort: str, days: int, as_json: bool) -> None:
    """Every rule: its state and weight, how often it matched, and what officers made of its hits."""
    from rich.console import Console

    from patrol import rulebook
    from rules.loader import load as load_rules

    settings = load()
    ruleset = load_rules(settings.rules_dir)
    did, why = rulebook.counted(settings, now=utc_now(), days=days)
    rows = [rulebook.row(rule, ruleset, None if why else did.get(rule.id, {})) for rule in ruleset.rules]
    rows = [row for row in rows if (status is None or row["status"] == status) and (scheme is None or _of(row, scheme))]
    rows.sort(key=SORTS[sort])
    if as_json:
        show_json({"ruleset": ruleset.digest, "days": days, "counted": not why, "rules": rows})
        return
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)
    console.print(rulebook.table(rows, days=days, console=console))
    states_of = "，".join(f"{states.CHINESE['rule'][name]} {sum(row['status'] == name for row in rows)}" for name in states.RULE)
    console.print(f"[dim]规则库 {ruleset.digest}，列出 {len(rows)} 条：{states_of}[/]")
    if why:
        click.echo(why, err=True)


def _of(row: dict[str, Any], scheme: str) -> bool:
    return row["scheme"] == scheme or bool(row["scheme_name"] and scheme in row["scheme_name"])


@rules.command("show")
@click.argument("rule_id")
@DAYS
@JSON
def show(rule_id: str, days: int, as_json: bool) -> None:
    """One rule in plain Chinese: its conditions, articles, examples and figures. The part after the dot is enough."""
    from rich.console import Console

    from patrol import rulebook
    from rules.loader import load as load_rules

    settings = load()
    ruleset = load_rules(settings.rules_dir)
    found = [rule for rule in ruleset.rules if rule_id in (rule.id, rule.id.partition(".")[2], rule.title)]
    if len(found) != 1:
        near = [rule.id for rule in ruleset.rules if rule_id in rule.id or rule_id in rule.title][:5]
        told = "、".join(rule.id for rule in found) or "、".join(near)
        raise click.UsageError(f"{rule_id}: {'several rules' if found else 'no such rule'}; {told or 'wangxun rules list'}")
    did, why = rulebook.counted(settings, now=utc_now(), days=days)
    row = rulebook.row(found[0], ruleset, None if why else did.get(found[0].id, {}))
    if as_json:
        show_json({**row, "file": found[0].model_dump(mode="json", exclude_none=True)})
    else:
        Console(highlight=False).print(rulebook.page(found[0], ruleset, row))


@rules.command("explain")
@click.argument("text", required=False)
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read the text from a file in UTF-8.")
@JSON
def explain(text: str | None, path: Path | None, as_json: bool) -> None:
    """What the rules see in TEXT: spans, weights, rates, contacts (masked), articles. `-` reads standard input."""
    from patrol.explain import explain as data
    from patrol.explained import show as draw
    from rules.loader import load as load_rules

    if (text is None) == (path is None):
        raise click.UsageError("give a text, `-` for standard input, or --file")
    if path is not None:
        text = path.read_text(encoding="utf-8", errors="replace")
    elif text == "-":
        text = sys.stdin.read()
    ruleset = load_rules(load().rules_dir)
    seen = data(text or "", ruleset=ruleset)
    if as_json:
        show_json(seen)
    else:
        draw(seen, ruleset=ruleset)


@rules.command("test")
@click.argument("only", nargs=-1)
@JSON
def test(only: tuple[str, ...], as_json: bool) -> None:
    """Run the examples of every rule, drafts too, or of those whose id holds one of ONLY: hits must hit, misses must not."""
    from rich.console import Console
    from rich.progress import track

    from classifiers.keyword import KeywordClassifier
    from rules.examples import examples, run, tried
    from rules.loader import load as load_rules

    began = time.monotonic()
    ruleset = tried(load_rules(load().rules_dir))
    chosen = [one for one in examples(ruleset) if not only or any(part in one.rule for part in only)]
    if only and not chosen:
        raise click.UsageError(f"{' '.join(only)}: no rule has such an id; wangxun rules list")
    outcomes = run(chosen, KeywordClassifier(ruleset).strengths)
    shown = track(outcomes, "例子", total=len(chosen), console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    wrong = [str(one) for one in shown if one is not None]
    spent = time.monotonic() - began
    if as_json:
        show_json({"ok": not wrong, "examples": len(chosen), "wrong": wrong, "elapsed_s": round(spent, 3)})
    else:
        for line in wrong:
            click.echo(line)
        count = len({one.rule for one in chosen})
        told = f"{len(wrong)} 个不符" if wrong else "全部相符"
        click.echo(f"{count} 条规则的 {len(chosen)} 个例子{told}，用时 {spent:.1f} 秒")
    raise click.exceptions.Exit(1 if wrong else 0)


@rules.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--data", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Texts to judge by both.")
@click.option("--judge", "mode", type=click.Choice(["keyword", "both"]), default="keyword", show_default=True)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(0, 100_000), help="Changed texts to list.")
@JSON
def diff(old: str, new: str, path: Path, mode: str, limit: int, as_json: bool) -> None:
    """Judge the texts of a file by two rule packs, and tell which change level and why.

    OLD and NEW are folders, `packaged`, or git revisions such as HEAD~3. The file holds JSON Lines (text, optional label) or a
    text a line.
    """
    from rich.console import Console
    from rich.progress import Progress

    from classifiers import neural
    from classifiers.promotion import in_force
    from patrol import rulediff, rulediffed
    from rules.loader import load as load_rules

    settings = load()
    given = rulediff.read(path)
    with rulediff.pack_folder(old, base=settings.rules_dir) as before, rulediff.pack_folder(new, base=settings.rules_dir) as after:
        first, second = load_rules(before), load_rules(after)
    heard = neural.load(in_force(settings.dir, settings.weights_dir)) if mode == "both" else None
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("研判", total=len(given))
        found = rulediff.compare(first, second, given, neural=heard, step=lambda done: bar.advance(task, done))
    if as_json:
        show_json(found.as_json(limit=limit))
    else:
        rulediffed.show(found, titles={rule.id: rule.title for pack in (first, second) for rule in pack.rules}, limit=limit)


@rules.command("new")
@click.argument("name")
@click.option("--family", required=True, type=click.Choice(FAMILIES), help="Which folder: docs/rules.md says what belongs where.")
def new_(name: str, family: str) -> None:
    """Write the skeleton of a rule, as a draft, with what to write where."""
    import re

    from rules.loader import PACKAGED
    from rules.skeleton import skeleton

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise click.UsageError(f"{name}: a name has small letters, digits and _, and begins with a letter, such as gold_custody")
    path = (load().rules_dir or PACKAGED) / family / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(skeleton(name, family=family))
    except FileExistsError:
        raise click.UsageError(f"{path}: is there already; choose another name") from None
    click.echo(f"已写好草稿 {path}\n改好后依次运行：wangxun rules check；wangxun rules test {name}")


@rules.command("release")
@click.argument("rule_id")
@click.option("--drop", is_flag=True, help="Leave them at watch for good instead; the cap stays.")
@click.option("--officer", required=True, help="Who decides; goes into the audit log.")
def release(rule_id: str, drop: bool, officer: str) -> None:
    """Judge again what a rule's daily cap holds back; for the rest of the day the rule has no cap."""
    from store import tallies
    from store.engine import open_store

    store = open_store(load())
    try:
        with store.write() as connection:
            act = tallies.drop if drop else tallies.release
            count = act(connection, rule_id, officer=officer, now=utc_now())
    finally:
        store.close()
    click.echo(f"{rule_id}：{count} 条{'留在关注，不再待放行' if drop else '已放行，下一轮研判时进入队列'}")
