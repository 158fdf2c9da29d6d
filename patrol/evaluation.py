"""What `wangxun evaluate` shows a person: tables within 100 columns. The same as data: the functions of `classifiers` themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from classifiers.breakdown import Part
    from classifiers.comparison import Comparison
    from classifiers.figures import Figures
    from classifiers.gate import Verdict
    from classifiers.mistakes import Mistake

WIDTH = 100
LEVELS = ("watch", "review", "alert")


def console() -> Console:
    """As wide as the terminal, WIDTH at most; WIDTH where there is no terminal, so that a file reads the same everywhere."""
    found = Console(highlight=False)
    return Console(highlight=False, width=min(found.width, WIDTH) if found.is_terminal else WIDTH)


def _table(*columns: str, title: str = "") -> Table:
    """A plain table, the first column to the left and the others to the right."""
    table = Table(box=None, pad_edge=False, title=title or None, title_justify="left", title_style="bold", padding=(0, 1))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True, min_width=0 if number else 22)
    return table


def _share(value: float, *, of: int = 1) -> str:
    return f"{value:.3f}" if of else "-"


def show_figures(sets: Mapping[str, Figures], *, title: str) -> None:
    """The headline, a line a set of rows, then precision and recall at each level."""
    out = console()
    out.print(Text(title, style="bold"))
    table = _table("rows", "n", "promos", "AP", "best F1", "calibr. error", "pairs right", "scheme right")
    for which, own in sets.items():
        cells = (_share(own.average_precision, of=own.promos), _share(own.best_f1, of=own.promos), _share(own.calibration_error))
        last = (_share(own.pairs_right, of=own.counts["pairs"]), _share(own.scheme_right, of=own.counts["named"]))
        table.add_row(which, str(own.rows), str(own.promos), *cells, *last)
    out.print(table)
    levels = _table("at each level or above", "level", "hits", "right", "precision", "recall")
    for which, own in sets.items():
        for level, at in own.at.items():
            shares = (_share(at.precision, of=at.hits), _share(at.recall, of=own.promos))
            levels.add_row(which, level, str(at.hits), str(at.right), *shares)
    out.print("", levels)


def show_parts(parts: Mapping[str, Mapping[str, Part]]) -> None:
    """A table a way of parting the rows: recall of the promos, and false hits among the others, at each level or above."""
    for by, own in parts.items():
        found, false = any(part.promos for part in own.values()), any(part.rows > part.promos for part in own.values())
        columns = [f"found\n{level}" for level in LEVELS if found] + [f"false\n{level}" for level in LEVELS if false]
        table = _table(f"\nby {by}", "\nrows", "\npromos", *columns)
        for name, part in own.items():
            shares = [_share(part.found[level], of=part.promos) for level in LEVELS if found]
            shares += [_share(part.false[level], of=part.rows - part.promos) for level in LEVELS if false]
            table.add_row(name, str(part.rows), str(part.promos), *shares)
        console().print("", table)


def show_evasions(found: Mapping[str, Any]) -> None:
    """Recall of promos written plainly and to be missed, by tactic."""
    table = _table("evasion suite", "rows", "plain", "evading", "kept", "false hits")
    negatives = found["negatives"]
    for tactic, own in found["tactics"].items():
        false = negatives["by_tactic"].get(tactic, negatives["evaded"])
        table.add_row(tactic, str(own["rows"]), *map(_share, (own["clean"], own["evaded"], own["ratio"], false)))
    console().print("", table)


def show_mistakes(mistakes: Sequence[Mistake]) -> None:
    """Misses first, then false hits; texts folded under their figures."""
    out = console()
    for missed, title in ((True, "worst misses"), (False, "worst false hits")):
        own = [one for one in mistakes if one.missed is missed]
        out.print(Text(f"\n{title}: {len(own)}", style="bold"))
        for one in own:
            schemes, doubt = ",".join(one.schemes) or "-", "" if one.sure else " (readers unsure)"
            out.print(Text(f"row {one.number}  {one.score:.3f} {one.level}  {one.label}  {schemes}{doubt}"))
            out.print(Text(f"  {one.text}", style="dim"))


def show_verdicts(verdicts: Iterable[Verdict], *, title: str) -> None:
    """Each figure, what it must keep, and how far it is from there."""
    table = _table("figure", "measured", "pinned", "margin", "", title=title)
    for one in verdicts:
        sign = "at most" if one.less_is_better else "at least"
        word = Text("ok" if one.ok else "LOST", style="green" if one.ok else "bold red")
        table.add_row(one.figure, f"{one.measured:.4f}", f"{sign} {one.bound:.4f}", f"{one.margin:+.4f}", word)
    console().print(table)


def show_comparison(found: Comparison, *, flips: int) -> None:
    """Figures side by side, the hint, and the first `flips` rows that flip, those that B loses before those that it gains."""
    out = console()
    for letter, side in (("A", found.a), ("B", found.b)):
        out.print(Text(f"{letter} {side.name}: rules {side.rules}, weights {side.weights}"))
    table = _table("figure", "A", "B", "B - A")
    for name, (a, b) in compared(found).items():
        table.add_row(name, _share(a), _share(b), f"{b - a:+.3f}")
    out.print("", table)
    lost = sum(flip.right == "a" for flip in found.flips)
    out.print(Text(f"\nrows that flip at review: {lost} only A right, {len(found.flips) - lost} only B right"))
    out.print(Text(f"near-duplicates once: {found.only_a} and {found.only_b}; chance {found.chance:.2g}"))
    out.print(Text(found.hint, style="bold"))
    for flip in sorted(found.flips, key=lambda flip: (flip.right, flip.number))[:flips]:
        out.print(Text(f"\nrow {flip.number}  {flip.right.upper()} right  {flip.label}  A {flip.levels[0]}, B {flip.levels[1]}"))
        out.print(Text(f"  {flip.text}", style="dim"))


def compared(found: Comparison) -> dict[str, tuple[float, float]]:
    """(A, B) of each figure worth a look, by slash path; those of nothing left out."""
    from classifiers.gate import measured

    a, b = measured(found.a.figures), measured(found.b.figures)
    return {name: (a[name].value, b[name].value) for name in a if name in b}
