"""What `wangxun train` shows a person: progress of a run, and how the weights stand."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from domain import contacts
from domain.clock import for_people
from pipelines.standing import Standing, Weights

LOOK_S = 1.0
SOURCES = {"packaged": "随程序提供", "setting": "由设置指定", "promoted": ""}
LEVELS = {"alert": "重点", "review": "待查", "watch": "关注", "clear": "无"}


def _bar(*columns: Any) -> Progress:
    console = Console(stderr=True)
    return Progress(SpinnerColumn(), TextColumn("{task.description}"), *columns, TimeElapsedColumn(), console=console, transient=True)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """A sign of life for a person who watches; nothing where nobody does."""
    if not sys.stderr.isatty():
        yield
        return
    with _bar() as bar:
        bar.add_task(what, total=None)
        yield


@contextmanager
def watched(verb: str, *, config: str, runs: Path) -> Iterator[None]:
    """A bar of the minutes that a run has taken of those its recipe gives it, with the loss it noted last.

    The run itself knows nothing of it: its notes are read as it writes them. Nothing is shown where nobody watches.
    """
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    with _bar(BarColumn(), TextColumn("[dim]{task.fields[said]}")) as bar:
        budget, log = _plan(verb, config=config, runs=runs)
        task = bar.add_task(verb, total=budget, said="")
        spent = _last(log).get("minutes", 0.0)
        looking = threading.Thread(target=_look, args=(bar, task, log, spent, done), daemon=True)
        looking.start()
        try:
            yield
        finally:
            done.set()
            looking.join()


def _plan(verb: str, *, config: str, runs: Path) -> tuple[float | None, Path]:
    """(minutes that the recipe gives, None where it gives none; the run's notes)."""
    from classifiers.training.recipe import load

    recipe = load(config)
    plan = {"pretrain": recipe.pretrain, "tune": recipe.tune}.get(verb, {})
    return plan.get("budget_min"), runs / recipe.name / f"{verb}.jsonl"


def _look(bar: Progress, task: TaskID, log: Path, spent: float, done: threading.Event) -> None:
    began = time.monotonic()
    while not done.wait(LOOK_S):
        last = _last(log)
        said = "  ".join(f"{name} {value:.4g}" for name, value in last.items() if name != "minutes")
        bar.update(task, completed=max(last.get("minutes", 0.0), spent + (time.monotonic() - began) / 60), said=said)


def _last(log: Path) -> dict[str, float]:
    """The last whole line of a run's notes; nothing where there is none yet."""
    import json

    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 2000))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except ValueError:
            continue  # being written now, or cut by the seek
        return {name: float(value) for name, value in found.items()} if isinstance(found, dict) else {}
    return {}


def plain(found: Standing) -> dict[str, Any]:
    """As JSON knows it; contacts masked."""
    said = asdict(found) | {"flips": [_flip(row) for row in found.flips]}
    return said | {"agreement": _agreement(found)}


def _agreement(found: Standing) -> float | None:
    """Share of texts on which candidate and judge stand on the same side of review; None where none was heard."""
    return found.beside.agree / found.beside.texts if found.beside and found.beside.texts else None


def _flip(row: Any) -> dict[str, Any]:
    names = ("posting_id", "hit", "state", "platform", "score", "level", "live_score", "live_level")
    text = contacts.mask(" ".join(f"{row.title} {row.body}".split()))[:80]
    return {**{name: getattr(row, name) for name in names}, "text": text}


def shown(found: Standing) -> RenderableType:
    """For a person."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("现用", _weights(found.live, since=found.since))
    for number, one in enumerate(found.previous):
        table.add_row("可恢复" if number == 0 else "", _weights(one))
    table.add_row("候选", _weights(found.candidate) if found.candidate else Text("无（wangxun train candidate 目录）", "dim"))
    if found.fault:
        table.add_row("指针", Text(found.fault, "bold #c47f17"))
    parts: list[RenderableType] = [table]
    if found.beside and found.beside.texts:
        parts.append(_beside(found))
    taught = found.taught
    learned = f"可供学习：已确认 {taught['confirmed']}，已排除 {taught['dismissed']}，标注 {taught['labelled']}"
    return Group(*parts, Text(f"\n{learned}（wangxun train export-decisions）", "dim"))


def _weights(one: Weights, *, since: str = "") -> Text:
    if one.fault:
        return Text(one.fault, "bold #c47f17")
    told = [f"{for_people(datetime.fromisoformat(since))} 启用"] if since and one.source != "setting" else [SOURCES[one.source]]
    told = [part for part in told if part]
    told += [f"{one.rows:,} 条训练"] if one.rows else []
    told += [f"制于 {one.made_at[:10]}"] if one.made_at else []
    return Text.assemble((one.version, "bold"), ("  " + " · ".join(told) if told else "", "dim"))


def _beside(found: Standing) -> RenderableType:
    assert found.beside is not None
    own = found.beside
    lines: list[RenderableType] = [
        Text.assemble("\n", ("旁评 ", "dim"), f"{own.texts:,} 条，一致 {own.agree / own.texts:.2%}，分值平均相差 {own.apart:.3f}")
    ]
    lines.append(Text(f"     候选会多进队列 {own.up} 条，会少进 {own.down} 条"))
    if own.decided:
        lines.append(Text(f"     有人工决定或标注的 {own.decided} 条：候选相符 {own.right}，现用相符 {own.live_right}"))
    lines.append(Text(f"     每条多用 {own.cost_us / 1000:.2f} 毫秒，现用全部研判 {own.live_cost_us / 1000:.2f} 毫秒"))
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("现用", "候选"):
        table.add_column(name, no_wrap=True)
    table.add_column("命中", justify="right", no_wrap=True)
    table.add_column("内容", overflow="ellipsis", no_wrap=True)
    for row in found.flips:
        one = _flip(row)
        live, other = (f"{LEVELS[one[level]]} {one[score]:.2f}" for level, score in (("live_level", "live_score"), ("level", "score")))
        table.add_row(live, other, str(one["hit"] or "—"), one["text"])
    lines += [Text(""), table] if found.flips else []
    return Group(*lines)
