"""The comparison of two rule packs in the terminal: what moved from which level to which, how well, and why."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from domain.contacts import mask
from patrol.cells import Cells
from patrol.rulediff import LEVELS, Change, Compared

NAMES = {"alert": "重点", "review": "待查", "watch": "关注", "clear": "无"}
STYLES = {"alert": "#d0453f", "review": "#d9a400", "watch": "#3d9db5", "clear": "dim"}
UP, DOWN = "#d0453f", "#2f8f5b"
MOST = 160
"""Characters of a text that are shown."""


def show(found: Compared, *, titles: Mapping[str, str], limit: int, console: Console | None = None) -> None:
    """Print the comparison with the first `limit` changed texts."""
    console = console or Console(highlight=False)
    parts: list[RenderableType] = [_head(found)]
    if found.old == found.new:
        parts.append(Padding(Text("两套规则完全相同。"), (1, 2)))
    parts += [_heading("等级变化（行为旧，列为新）"), Padding(_grid(found), (0, 2))]
    if found.quality:
        parts += [_heading(f"与标注相比（{found.labelled} 条有标注）"), Padding(_quality(found), (0, 2))]
    if found.rules:
        parts += [_heading("规则匹配的文本数"), Padding(_rules(found, titles), (0, 2))]
    if found.changes:
        parts.append(_heading(f"等级有变的文本（{len(found.changes)} 条，列出 {min(limit, len(found.changes))} 条，进出队列的在前）"))
        parts += [Padding(_change(one, titles), (1, 2, 0, 2)) for one in found.changes[:limit]]
    console.print(Group(*parts), highlight=False)


def _heading(title: str) -> RenderableType:
    return Padding(Line(f"[bold]{title}", align="left", style="dim"), (1, 0, 0, 0))


def _head(found: Compared) -> RenderableType:
    came = sum(n for pair, n in found.transitions.items() if _opens(pair) == (False, True))
    went = sum(n for pair, n in found.transitions.items() if _opens(pair) == (True, False))
    line = Text.assemble(
        f"{found.texts:,} 条文本，等级有变 ", (f"{len(found.changes):,}", "bold"), " 条：进队列 ", (f"+{came}", f"bold {UP}")
    )
    line.append_text(Text.assemble("，出队列 ", (f"−{went}", f"bold {DOWN}")))
    return Panel(Group(Text(f"旧 {found.old}   →   新 {found.new}", "dim"), line), border_style="dim", padding=(0, 1))


def _opens(pair: str) -> tuple[bool, bool]:
    old, new = (level in ("review", "alert") for level in pair.split(">"))
    return old, new


def _grid(found: Compared) -> RenderableType:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")
    for level in reversed(LEVELS):
        table.add_column(NAMES[level], justify="right", min_width=6)
    for old in reversed(LEVELS):
        cells = []
        for new in reversed(LEVELS):
            count = found.transitions.get(f"{old}>{new}", 0)
            way = LEVELS.index(new) - LEVELS.index(old)
            style = "dim" if not count or not way else f"bold {UP}" if way > 0 else f"bold {DOWN}"
            cells.append(Text(f"{count:,}" if count else "·", style))
        table.add_row(Text(NAMES[old], STYLES[old]), *cells)
    return table


def _quality(found: Compared) -> RenderableType:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("", "旧", "新", "变化"):
        table.add_column(name, justify="left" if not name else "right", min_width=6)
    names = {"precision_review": "待查及以上 准确率", "recall_review": "待查及以上 召回率"}
    names |= {"precision_alert": "重点 准确率", "recall_alert": "重点 召回率"}
    for key, name in names.items():
        old, new = found.quality["old"][key], found.quality["new"][key]
        step = new - old if old is not None and new is not None else 0.0
        moved = Text(f"{step * 100:+.1f}" if step else "—", f"bold {DOWN}" if step > 0 else f"bold {UP}" if step < 0 else "dim")
        table.add_row(name, *("—" if value is None else f"{value:.1%}" for value in (old, new)), moved)
    return table


def _rules(found: Compared, titles: Mapping[str, str]) -> RenderableType:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("规则", overflow="fold", ratio=1)
    for name in ("旧", "新", "变化"):
        table.add_column(name, justify="right", no_wrap=True)
    ranked = sorted(found.rules.items(), key=lambda item: -abs(item[1][1] - item[1][0]))
    for rule, (old, new) in ranked[:15]:
        title = Text().append(titles.get(rule, rule)).append(f"  {rule}", "dim")
        table.add_row(title, f"{old:,}", f"{new:,}", Text(f"{new - old:+,}", UP if new > old else DOWN))
    if len(ranked) > 15:
        table.add_row(Text(f"另有 {len(ranked) - 15} 条规则", "dim"), "", "", "")
    return table


def _change(one: Change, titles: Mapping[str, str]) -> RenderableType:
    head = Text.assemble((NAMES[one.old_level], STYLES[one.old_level]), " → ", (NAMES[one.new_level], f"bold {STYLES[one.new_level]}"))
    head.append(f"   {one.old_score:.3f} → {one.new_score:.3f}   第 {one.line} 行", "dim")
    if one.label:
        head.append(f"   {one.label}", "#8a7bc8")
    shown = " ".join(mask(one.text).split())
    lines: list[RenderableType] = [head, Cells(Text(shown if len(shown) <= MOST else shown[: MOST - 1] + "…"))]
    for sign, style, rules in (("+", UP, one.gained), ("−", DOWN, one.lost)):
        for rule, weight in rules.items():
            lines.append(Text.assemble((f"{sign} {titles.get(rule, rule)}", style), (f"  {weight:+.2f}  {rule}", "dim")))
    for rule, (old, new) in one.shifted.items():
        lines.append(Text.assemble((f"~ {titles.get(rule, rule)}", "#c47f17"), (f"  {old:+.2f} → {new:+.2f}  {rule}", "dim")))
    if not (one.gained or one.lost or one.shifted):
        lines.append(Text("  起点、阈值或长度权重不同", "dim"))
    return Group(*lines)
