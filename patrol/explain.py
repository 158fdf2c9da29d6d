"""`wangxun rules explain TEXT`: what the keyword layer sees, as data and as a coloured view."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from domain.contacts import mask
from domain.model import Document
from domain.settings import Settings
from rules.loader import load


def explain(text: str, *, settings: Settings) -> dict[str, Any]:
    """The keyword layer's whole reading of `text`: level, score, matches, rates, contacts (masked), reasons with articles."""
    ruleset = load(settings.rules_dir)
    keyword = KeywordClassifier(ruleset)
    seen = keyword.explain(text)
    assessment = Judge(keyword=keyword, neural=None, ruleset=ruleset).judge([Document(text=text)])[0]
    return {
        "ruleset": ruleset.digest,
        "level": assessment.level.value,
        "score": seen.score,
        "folded": seen.folded.text,
        "schemes": list(assessment.schemes),
        "features": [feature.value for feature in assessment.features],
        "matches": [
            {"rule": m.rule, "start": m.start, "end": m.end, "text": m.text, "weight": m.weight, "fold": m.fold} for m in seen.matches
        ],
        "rates": [{"yearly": rate.yearly, "start": rate.start, "end": rate.end} for rate in seen.rates],
        "contacts": [{"kind": one.kind, "value": mask(one.value), "start": one.start, "end": one.end} for one in seen.contacts],
        "reasons": [{"text": one.text, "articles": list(one.articles)} for one in assessment.reasons],
    }


def show(text: str, seen: dict[str, Any]) -> None:
    """The same for a person: the text with its spans marked, and a table of what they mean."""
    console = Console()
    marked = Text(text)
    for match in seen["matches"]:
        marked.stylize("bold red" if match["weight"] > 0 else "green", match["start"], match["end"])
    for rate in seen["rates"]:
        marked.stylize("underline", rate["start"], rate["end"])
    for contact in seen["contacts"]:
        marked.stylize("blue", contact["start"], contact["end"])
    console.print(marked)
    kinds, features = "、".join(seen["schemes"]) or "无", " ".join(seen["features"]) or "无"
    console.print(f"\n研判 {seen['level']}  分值 {seen['score']:.3f}  类型 {kinds}  特征 {features}")
    table = Table("规则", "命中", "折叠后", "权重", box=None)
    for match in seen["matches"]:
        table.add_row(match["rule"], text[match["start"] : match["end"]], match["fold"], f"{match['weight']:+.2f}")
    console.print(table)
    for rate in seen["rates"]:
        console.print(f"收益率 {text[rate['start'] : rate['end']]} → 年化 {rate['yearly']:.1%}")
    for contact in seen["contacts"]:
        console.print(f"联系方式 {contact['kind']} {contact['value']}")
    for reason in seen["reasons"]:
        console.print(f"· {reason['text']}  {'；'.join(reason['articles'])}")
    if seen["folded"] != text:
        console.print(f"[dim]折叠文本：{seen['folded']}[/dim]", highlight=False)
