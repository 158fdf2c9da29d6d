"""The rule pack with what its rules did: `wangxun rules list` and `wangxun rules show`, as data and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from domain.errors import StoreFault
from domain.settings import Settings
from domain.states import CHINESE
from patrol.cells import Cells
from pipelines.caps import cap_of
from rules import telling
from rules.loader import RuleSet
from rules.schema import Rule
from store import figures
from store.engine import open_store

STYLES = {"draft": "dim", "background": "#8a7bc8", "live": "#2f8f5b", "retired": "dim strike"}
WIDE = 130
"""Columns from which each fact has a column of its own; on fewer, what has none stands under the title."""


def counted(settings: Settings, *, now: datetime, days: int) -> tuple[dict[str, dict[str, Any]], str]:
    """(rule -> what it did, why nothing is known): matched today, and the figures of the last `days` days, today included.

    No database is made for the asking, and one of another version is no reason to hide the rules.
    """
    if not settings.database_url and not (settings.dir / "wangxun.db").is_file():
        return {}, "尚无数据库：没有运行数据"
    try:
        store = open_store(settings)
    except StoreFault as error:
        return {}, str(error)
    try:
        with store.read() as connection:
            today = figures.of_rules(connection, since=figures.midnight(now))
            span = figures.of_rules(connection, since=figures.midnight(now, back=days - 1))
            held, stops = figures.held_now(connection), figures.stops(connection, now=now)
    finally:
        store.close()
    nothing = figures.Figures()
    found = {}
    for rule in span.keys() | held.keys() | stops.keys():
        one, stop = span.get(rule, nothing), stops.get(rule)
        found[rule] = {
            "matched_today": today.get(rule, nothing).matched,
            "hits_today": today.get(rule, nothing).hits,
            **{name: getattr(one, name) for name in ("matched", "hits", "confirmed", "dismissed", "held", "precision")},
            "held_now": held.get(rule, 0),
            "stopped": bool(stop and not stop.lifted),
        }
    return found, ""


def row(rule: Rule, ruleset: RuleSet, did: dict[str, Any] | None) -> dict[str, Any]:
    """What the list says of one rule; `did` None where nothing is known of any."""
    nothing = dict.fromkeys(("matched_today", "hits_today", "matched", "hits", "confirmed", "dismissed", "held", "held_now"), 0)
    return {
        "id": rule.id,
        "status": rule.status,
        "severity": rule.severity,
        "scheme": rule.scheme,
        "scheme_name": telling.scheme_name(rule, ruleset),
        "title": rule.title,
        "weight": round(ruleset.weight(rule), 4),
        "daily_cap": cap_of(ruleset, rule),
        **(dict.fromkeys([*nothing, "precision", "stopped"]) if did is None else {**nothing, "precision": None, "stopped": False, **did}),
    }


SORTS: dict[str, Any] = {
    "id": lambda row: row["id"],
    "weight": lambda row: (-row["weight"], row["id"]),
    "matched": lambda row: (-(row["matched"] or 0), row["id"]),
    "hits": lambda row: (-(row["hits"] or 0), row["id"]),
    "dismissed": lambda row: (-(row["dismissed"] or 0), row["id"]),
    "precision": lambda row: (row["precision"] is None, row["precision"] or 0.0, row["id"]),
}
"""Order of the list; `precision` begins with the worst, those without a decision come last."""


def table(rows: Sequence[dict[str, Any]], *, days: int, console: Console) -> RenderableType:
    """The list for a person: on a narrow terminal id, scheme and severity stand under the title."""
    wide = console.width >= WIDE
    shown = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("状态", no_wrap=True)
    shown.add_column("规则", ratio=1, overflow="fold")
    if wide:
        shown.add_column("编号", no_wrap=True)
        shown.add_column("涉嫌类型", no_wrap=True)
        shown.add_column("程度", no_wrap=True)
    for name in ("权重", "今日", f"{days}天", "命中", "确认", "排除", "准确"):
        shown.add_column(name, justify="right", no_wrap=True)
    for one in rows:
        shown.add_row(*_cells(one, wide=wide), style="dim" if one["status"] in ("draft", "retired") else "")
    return shown


def _cells(one: dict[str, Any], *, wide: bool) -> list[Text | str]:
    severity = telling.SEVERITIES[one["severity"]]
    title = Text().append(one["title"], "bold" if one["status"] == "live" else "")
    if one["held_now"] or one["stopped"]:
        title.append(f"  待放行 {one['held_now']}" if one["held_now"] else "  已达上限", "bold #c47f17")
    told: list[Text | str] = [one["id"], one["scheme_name"] or "—", severity]
    if not wide:
        parts = (one["id"].partition(".")[2], one["scheme_name"], severity)
        title.append("\n" + " · ".join(part for part in parts if part), "dim")
        told = []
    state = Text(CHINESE["rule"][one["status"]], STYLES[one["status"]])
    weight = "试" if one["status"] == "background" else f"{one['weight']:+.2f}" if one["status"] == "live" else "—"
    counts = [_number(one[name]) for name in ("matched_today", "matched", "hits", "confirmed", "dismissed")]
    return [state, title, *told, weight, *counts, share(one["precision"])]


def _number(value: int | None) -> Text:
    return Text("—" if value is None else f"{value:,}", "" if value else "dim")


def share(precision: float | None) -> Text:
    """A precision in whole percents, in the colour of its worth."""
    if precision is None:
        return Text("—", "dim")
    return Text(f"{precision:.0%}", "#2f8f5b" if precision >= 0.8 else "#d9a400" if precision >= 0.5 else "bold #d0453f")


def page(rule: Rule, ruleset: RuleSet, one: dict[str, Any]) -> RenderableType:
    """One rule in plain Chinese."""
    head = Text.assemble((rule.title, "bold"), "  ", (CHINESE["rule"][rule.status], STYLES[rule.status]), f"\n{rule.id}", style="")
    facts = [telling.FAMILIES[rule.family], f"严重程度 {telling.SEVERITIES[rule.severity]}", f"权重 {one['weight']:+.2f}"]
    facts += [one["scheme_name"]] if one["scheme_name"] else []
    facts += [f"每日上限 {one['daily_cap']} 条"] if one["daily_cap"] else []
    parts: list[RenderableType] = [head, Text(" · ".join(facts), "dim")]
    if one["matched"] is not None:
        done = f"近期匹配 {one['matched']}，命中 {one['hits']}，确认 {one['confirmed']}，排除 {one['dismissed']}"
        parts.append(Text(f"{done}，待放行 {one['held_now']}", "dim"))
    parts.append(_section("同一段文字里须同时有", _conditions(telling.conditions(rule, ruleset), numbered=True)))
    if rule.match.less:
        parts.append(_section("旁边有以下词语时减弱", _conditions(telling.lessening(rule, ruleset), numbered=False)))
    if rule.basis:
        named = [_pair("·", article.label, article.gist) for article in telling.articles(rule, ruleset)]
        parts.append(_section("参照条文", named))
    parts.append(_section("应当命中", [_pair("✓", hit.text, "") for hit in rule.examples.hit]))
    parts.append(_section("应当放过", [_pair("✗", miss.text, miss.why) for miss in rule.examples.miss]))
    return Group(*parts)


def _pair(mark: str, text: str, more: str) -> RenderableType:
    """A mark, a text, and under it in grey what there is to say of it."""
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_column(no_wrap=True)
    row.add_column()
    row.add_row(Text(mark, "#2f8f5b" if mark == "✓" else "dim"), Cells(Text(text)))
    if more:
        row.add_row("", Cells(Text(more, "dim")))
    return row


def _section(title: str, lines: Sequence[RenderableType]) -> RenderableType:
    return Group(Padding(Text(title, "bold"), (1, 0, 0, 0)), *(Padding(line, (0, 0, 0, 2)) for line in lines))


def _conditions(given: Sequence[telling.Condition], *, numbered: bool) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for number, condition in enumerate(given, 1):
        lines.append(Cells(Text(f"{number}. {condition.text}" if numbered else f"· {condition.text}")))
        for group in condition.groups:
            words = "、".join(group.words)
            lists = "　".join(f"词表 {name}（{len(terms)} 词，如{'、'.join(terms[:6])}）" for name, terms in group.lists)
            label = f"{group.label}：" if group.label else ""
            lines.append(Padding(Cells(Text.assemble((label, "dim"), (words, "#c47f17"), (lists, "dim"))), (0, 0, 0, 3)))
        if condition.pattern:
            lines.append(Padding(Cells(Text(condition.pattern, "dim")), (0, 0, 0, 3)))
    return lines
