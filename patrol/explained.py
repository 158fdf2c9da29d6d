"""One text's explanation in the terminal: the text with its marks, what they mean, what each rule adds, and by which articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from domain import contacts
from domain.model import Feature
from patrol.cells import Cells
from rules.loader import RuleSet

LEVELS = {
    "alert": ("重点", "white on red"),
    "review": ("待查", "black on yellow"),
    "watch": ("关注", "black on cyan"),
    "clear": ("无", "black on green"),
}
FOR, AGAINST, TRIED, RATE, CONTACT, DEEP = "bold #d0453f", "#2f8f5b", "#8a7bc8", "underline", "#3d7dc4", "bold #c47f17"
NOTES = {"negated": "否定提示语中", "quoted": "引号中", "less": "旁有减轻词", "outside": "在文中别处"}
KINDS = {"split": "拆字", "homophone": "谐音", "pinyin": "拼音", "lookalike": "形近", "slang": "黑话"}
CONTACTS = contacts.NAMES
LONG = 700
"""Characters beyond which only the part that decides is shown."""


def show(seen: Mapping[str, Any], *, ruleset: RuleSet, console: Console | None = None) -> None:
    """Print the whole explanation; readable from 60 columns on."""
    console = console or Console(highlight=False)
    parts: list[RenderableType] = [_verdict(seen, ruleset), *_text(seen), _legend(seen)]
    if seen["rules"]:
        parts += [_heading("规则与分值"), _bars(seen, width=console.width)]
    parts += _more(seen)
    console.print(Group(*parts), highlight=False)


def _heading(title: str) -> RenderableType:
    return Padding(Line(f"[bold]{title}", align="left", style="dim"), (1, 0, 0, 0))


def _verdict(seen: Mapping[str, Any], ruleset: RuleSet) -> RenderableType:
    name, style = LEVELS[seen["level"]]
    head = Text.assemble((f" {name} ", style), "  分值 ", (f"{seen['score']:.3f}", "bold"), "  ")
    head.append_text(_scale(seen["score"], seen["thresholds"]))
    if seen["grade"]:
        head.append(f"  {seen['grade']}", "bold")
    schemes = "、".join(ruleset.schemes[slug].name for slug in seen["schemes"]) or "—"
    features = "、".join(Feature(value).chinese for value in seen["features"]) or "—"
    lines = [head, Text.assemble(("涉嫌类型 ", "dim"), schemes), Text.assemble(("所示特征 ", "dim"), features)]
    return Panel(Group(*lines), title=f"仅规则研判 · {seen['ruleset']}", title_align="left", border_style="dim", padding=(0, 1))


def _scale(score: float, thresholds: Mapping[str, float], *, cells: int = 28) -> Text:
    """A bar of 0 to 1 in the level's colour, with a tick where review begins and one where alert does."""
    filled, ticks = round(score * cells), {round(thresholds[name] * cells) for name in ("review", "alert")}
    colour = "#d0453f" if score >= thresholds["alert"] else "#d9a400" if score >= thresholds["review"] else "#2f8f5b"
    bar = Text()
    for at in range(cells):
        bar.append("┃" if at in ticks else "█" if at < filled else "─", "bold" if at in ticks else colour if at < filled else "dim")
    return bar


def _text(seen: Mapping[str, Any]) -> list[RenderableType]:
    """The original, marked; and the folded form where a deep fold rewrote something."""
    text, (first, last) = seen["text"], seen["window"] if len(seen["text"]) > LONG else (0, len(seen["text"]))
    marked = Text(text)
    for match in seen["matches"]:
        marked.stylize(_style(match, seen["rules"]), match["start"], match["end"])
    for one in seen["rates"]:
        marked.stylize(RATE, one["start"], one["end"])
    for one in seen["contacts"]:
        marked.stylize(CONTACT, one["start"], one["end"])
    title = "原文" if len(text) <= LONG else f"原文（共 {len(text)} 字，只列起决定作用的一段）"
    parts = [_heading(title), Padding(Cells(marked[first:last]), (0, 2))]
    if seen["deep"]:
        folded = Text(seen["folded"])
        for one in seen["deep"]:
            folded.stylize(DEEP, one["folded_start"], one["folded_end"])
        kinds = "、".join(dict.fromkeys(KINDS.get(one["kind"], one["kind"]) for one in seen["deep"]))
        inside = [one for one in seen["deep"] if first <= one["start"] < last]
        start = max(0, min((one["folded_start"] for one in inside), default=0) - 80) if len(text) > LONG else 0
        shown = folded[start : start + LONG] if len(text) > LONG else folded
        parts += [_heading(f"还原变形书写之后（{kinds}）"), Padding(Cells(shown), (0, 2))]
    return parts


def _style(match: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> str:
    rule = next((one for one in rules if one["rule"] == match["rule"]), None)
    if rule is not None and rule["status"] == "background":
        return TRIED
    return AGAINST if match["weight"] < 0 or (rule is not None and rule["excuse"]) else FOR


def _legend(seen: Mapping[str, Any]) -> RenderableType:
    """What the colours mean, of those that occur."""
    used = {_style(match, seen["rules"]) for match in seen["matches"]} | ({RATE} if seen["rates"] else set())
    used |= ({CONTACT} if seen["contacts"] else set()) | ({DEEP} if seen["deep"] else set())
    line = Text("  ")
    for style, name in ((FOR, "加分"), (AGAINST, "减轻"), (TRIED, "试运行"), (RATE, "回报率"), (CONTACT, "联系方式"), (DEEP, "还原处")):
        if style in used:
            line.append("下划线" if style == RATE else "■", style)
            line.append(f" {name}   ", "dim")
    return Padding(line, (1, 0, 0, 0)) if used else Text()


def _bars(seen: Mapping[str, Any], *, width: int) -> RenderableType:
    """A line a rule: its weight, a bar that grows right for and left against suspicion, its title, its words."""
    rows, half = seen["rules"], 7
    most = max((abs(row["weight"]) for row in rows), default=0.0) or 1.0
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False, width=min(width, 110))
    table.add_column(justify="right", no_wrap=True, width=6)
    table.add_column(no_wrap=True, width=2 * half + 1)
    table.add_column(ratio=1)
    for row in rows:
        table.add_row(_weight(row), _bar(row["weight"] / most, half), _said(row, width=min(width, 110) - 2 * half - 10))
    if seen["start"] is not None:
        total = seen["start"] + sum(row["weight"] for row in rows)
        table.add_row("", "", "")
        tail = f"[dim]起点 {seen['start']:+.2f}，各条相加后为对数几率 {total:+.2f}，即分值 {seen['score']:.3f}[/]"
        table.add_row(f"[dim]{total:+.2f}[/]", "[dim]" + " " * half + "│[/]", tail)
    return table


def _weight(row: Mapping[str, Any]) -> Text:
    if row["status"] == "background":
        return Text("试运行", TRIED)
    return Text(f"{row['weight']:+.2f}", FOR if row["weight"] > 0 else AGAINST if row["weight"] < 0 else "dim")


def _bar(share: float, half: int) -> Text:
    """`share` in -1 to 1, drawn from the middle in eighths of a cell."""
    eighths = round(abs(share) * half * 8)
    full, part = divmod(eighths, 8)
    if share > 0:
        return Text.assemble(" " * half, ("│", "dim"), ("█" * full + (" ▏▎▍▌▋▊▉"[part] if part else ""), FOR))
    left = ("▐" if part >= 4 else "") + "█" * full
    return Text.assemble(left.rjust(half) if share else " " * half, ("│", "dim"), style=AGAINST)


def _said(row: Mapping[str, Any], *, width: int) -> Text:
    """The title and the words on one line, then the rule's id and why it counts less than in full."""
    said = Text().append(row["title"], "bold" if row["weight"] > 0 else "")
    words = "、".join(f"“{word}”" for word in row["words"])
    room = width - cell_len(row["title"]) - 2
    if words and room > 10:
        said.append("  " + (words if cell_len(words) <= room else set_cell_size(words, room - 1).rstrip() + "…"), "dim")
    said.append(f"\n{row['rule']}", "dim")
    if row["note"]:
        factor = f" ×{row['strength']:.0%}" if row["strength"] < 1 else ""
        said.append(f"  {NOTES[row['note']]}{factor}", "#c47f17")
    return said


def _more(seen: Mapping[str, Any]) -> list[RenderableType]:
    """Rates with their yearly value, contacts, and the articles that the reasons name."""
    parts: list[RenderableType] = []
    if seen["rates"]:
        parts.append(_heading("回报率"))
        for one in seen["rates"]:
            value = f"{one['yearly']:.1%}" if one["high"] == one["yearly"] else f"{one['yearly']:.1%} 至 {one['high']:.1%}"
            gain = f"（1 万元一年 {one['yearly'] * 10000:,.0f} 元）" if one["yearly"] < 100 else ""
            parts.append(Text.assemble("  ", (one["text"], RATE), " → 折成年化 ", (value, "bold"), (gain, "dim")))
    if seen["contacts"]:
        named = "   ".join(f"{CONTACTS.get(one['kind'], one['kind'])} {one['value']}" for one in seen["contacts"])
        parts += [_heading("联系方式（已遮挡）"), Text(f"  {named}", CONTACT)]
    articles = list(dict.fromkeys(article for one in seen["reasons"] for article in one["articles"]))
    if articles:
        parts.append(_heading("参照条文"))
        parts += [Padding(Text(f"· {article}"), (0, 2)) for article in articles]
    if not seen["rules"]:
        parts.append(Padding(Text("没有规则在这段文字里说话。"), (1, 2, 0, 2)))
    return parts
