"""wangxun evaluate: figures on labelled texts, the gate that holds them, and a candidate beside what is live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domain.settings import Settings, load
from patrol.cli import show_json

if TYPE_CHECKING:
    from classifiers.fusion import Mode
    from classifiers.labelled import Labelled

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    file: Path | None
    mode: Mode | None
    baselines: bool
    evasions: bool
    errors: int
    picture: Path | None
    compare: tuple[str, str] | None
    gate: bool
    pin: str | None
    reason: str | None
    floors: Path | None
    public: Path | None
    as_json: bool


def _weights(settings: Settings) -> Path | None:
    """The weights that judge: named, promoted, or the packaged ones (None)."""
    from classifiers.promotion import in_force

    return in_force(settings.dir, settings.weights_dir)


@click.command()
@click.argument("file", required=False, type=EXISTING)
@click.option(
    "--judge", "mode", type=click.Choice(["both", "keyword", "neural"]), help="Who judges: both, or with --gate and --pin all pinned ones."
)
@click.option("--errors", type=click.IntRange(min=0), default=0, metavar="N", help="The N worst misses and false hits, contacts masked.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="A PNG: precision over recall, and calibration.")
@click.option("--evasions", is_flag=True, help="The evasion suite that Wangxun carries, beside or without FILE.")
@click.option("--baselines", is_flag=True, help="Published keywords, keyword, linear, encoder, neural and whole side by side.")
@click.option("--compare", nargs=2, metavar="A B", help="Two rule folders or two weight folders; `live` for what the settings name.")
@click.option("--gate", is_flag=True, help="Hold FILE, or the carried sets, against pinned floors; exit 1 where one is lost.")
@click.option("--pin", metavar="NAME", help="Write floors for FILE from what is measured.")
@click.option("--allow-regression", "reason", metavar="REASON", help="With --pin: let floors go down, and write down why.")
@click.option("--floors", type=click.Path(dir_okay=False, path_type=Path), help="Another file of floors than the packaged one.")
@click.option("--public", type=FOLDER, metavar="FOLDER", help="Public sets beside published figures: learned and tested here, minutes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(**given: Any) -> None:
    """Precision, recall and false hits on a labelled JSON Lines FILE (text, label, sure), by level, label, scheme, evasion and register."""
    asked = Asked(**given)
    _fits(asked)
    ways = ((asked.public, _public), (asked.gate, _gate), (asked.pin, _pin), (asked.compare, _compare), (asked.baselines, _baselines))
    way = next((way for given, way in ways if given), _report)
    try:
        way(asked)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _fits(asked: Asked) -> None:
    """Raises UsageError where the options do not go together."""
    ways = {"--public": asked.public, "--gate": asked.gate, "--pin": asked.pin, "--compare": asked.compare, "--baselines": asked.baselines}
    chosen = [name for name, value in ways.items() if value]
    shown = {"--picture": asked.picture, "--evasions": asked.evasions, "--errors": asked.errors}
    beside = [name for name, value in shown.items() if value and not (name == "--errors" and chosen == ["--compare"])]
    if len(chosen) > 1 or (chosen and beside):
        raise click.UsageError(f"{' and '.join([*chosen, *beside])} do not go together")
    if asked.reason is not None and not asked.pin:
        raise click.UsageError("--allow-regression goes with --pin NAME")
    if asked.floors and not (asked.gate or asked.pin):
        raise click.UsageError("--floors goes with --gate or --pin NAME")
    if asked.public and (asked.file or asked.mode):
        raise click.UsageError("--public FOLDER asks no judge of ours and takes no FILE")
    if asked.baselines and asked.mode:
        raise click.UsageError("--baselines asks every judge: leave --judge out")
    if asked.file is None and (not (asked.gate or asked.evasions or asked.public) or asked.picture or asked.errors):
        raise click.UsageError("name a FILE; only --gate, --evasions and --public do without")


def _public(asked: Asked) -> None:
    from classifiers.training import published

    assert asked.public is not None
    lines, seconds = published.timed(asked.public)
    if asked.as_json:
        show_json({"figures": [asdict(line) for line in lines], "seconds": round(seconds, 1)})
    else:
        click.echo(published.table(lines, seconds=seconds))


def _gate(asked: Asked) -> None:
    from classifiers import gate, labelled
    from patrol.evaluation import show_verdicts

    settings, floors = load(), gate.read(asked.floors or gate.FLOORS)
    files = [labelled.read(path) for path in ([asked.file] if asked.file else gate.carried(floors).values())]
    if not files:
        raise click.UsageError("no set is carried by these floors: name a FILE")
    found: list[dict[str, Any]] = []
    for file in files:
        name = gate.name_of(floors, file)
        pinned = gate.pinned(floors, name, asked.mode)
        for mode, own in pinned.items():
            verdicts = gate.check(own, _taken(file, mode, settings).figures)
            found.append({"set": name, "sha256": file.sha256, "judge": mode, "figures": [asdict(one) for one in verdicts]})
            if not asked.as_json:
                show_verdicts(verdicts, title=f"{name}, judge {mode}: {sum(one.ok for one in verdicts)} of {len(verdicts)} kept")
    lost = [one["figure"] for part in found for one in part["figures"] if not one["ok"]]
    if asked.as_json:
        show_json({"ok": not lost, "checks": found})
    else:
        click.echo(f"\ngate: {len(lost)} figures lost" if lost else "\ngate: every figure kept")
    raise click.exceptions.Exit(1 if lost else 0)


def _pin(asked: Asked) -> None:
    from classifiers import gate, labelled, pinning

    assert asked.file is not None and asked.pin is not None
    path, settings = asked.floors or gate.FLOORS, load()
    floors, file = gate.read(path), labelled.read(asked.file)
    modes: Sequence[Mode] = (asked.mode,) if asked.mode else ("keyword", "both")
    taken = {mode: _taken(file, mode, settings) for mode in modes}
    floors, line = pinning.pin(floors, asked.pin, file=file, taken=taken, reason=asked.reason or "")
    if line and asked.floors is None and pinning.CHANGELOG.is_file():
        # The changelog first: floors that were lowered without a word would be worse than a word too many.
        pinning.record(pinning.CHANGELOG, line)
    gate.write(floors, path)
    own = floors.sets[asked.pin]
    if asked.as_json:
        show_json({"set": asked.pin, "lowered": line, **own.model_dump(mode="json")})
        return
    click.echo(f"{path}: {asked.pin} pinned, {own.rows} rows, judges {', '.join(own.judges)}")
    if line:
        click.echo(line)


def _taken(file: Labelled, mode: Mode, settings: Settings) -> Any:
    """One judge's figures on a file, with what was measured."""
    from classifiers.evaluate import judge_of, words
    from classifiers.figures import figures
    from classifiers.pinning import Taken

    judge = judge_of(mode, rules_dir=settings.rules_dir, weights_dir=_weights(settings))
    return Taken(figures=figures(file.rows, words(file.rows, judge)), rules=judge.ruleset.digest, weights=judge.model)


def _compare(asked: Asked) -> None:
    from classifiers import labelled
    from classifiers.comparison import compare
    from patrol.evaluation import show_comparison

    assert asked.file is not None and asked.compare is not None
    settings, (a, b) = load(), asked.compare
    rows = labelled.read(asked.file).rows
    folders = {"rules_dir": settings.rules_dir, "weights_dir": _weights(settings)}
    found = compare(rows, a=a, b=b, mode=asked.mode or "both", **folders)
    if asked.as_json:
        show_json(asdict(found))
    else:
        show_comparison(found, flips=asked.errors or 10)


def _baselines(asked: Asked) -> None:
    from classifiers import labelled
    from classifiers.evaluate import baselines, plain, table

    assert asked.file is not None
    settings = load()
    found = baselines(labelled.read(asked.file).rows, rules_dir=settings.rules_dir, weights_dir=_weights(settings))
    if asked.as_json:
        show_json(plain(found))
    else:
        click.echo(table(found))


def _report(asked: Asked) -> None:
    from classifiers.evaluate import SPEAKERS
    from classifiers.fusion import load_judge

    settings, mode = load(), asked.mode or "both"
    judge, faults = load_judge(rules_dir=settings.rules_dir, weights_dir=_weights(settings), mode=mode)
    for fault in faults:
        click.echo(f"warning: {fault}", err=True)
    # Named for what judges in truth: without a model, rules alone do.
    name = SPEAKERS[mode if judge.neural is not None else "keyword"]
    data: dict[str, Any] = _reported(asked, judge, name) if asked.file else {}
    if asked.evasions:
        from classifiers.evasions import measure
        from patrol.evaluation import show_evasions

        data["evasions"] = measure(judge)
        if not asked.as_json:
            show_evasions(data["evasions"])
    if asked.as_json:
        show_json({name: data})


def _reported(asked: Asked, judge: Any, name: str) -> dict[str, Any]:
    """Figures, parts and mistakes as data; shown, and drawn, where that is asked for."""
    from classifiers import labelled
    from classifiers.breakdown import parts
    from classifiers.evaluate import sets, words
    from classifiers.mistakes import worst
    from patrol.evaluation import show_figures, show_mistakes, show_parts

    assert asked.file is not None
    file = labelled.read(asked.file)
    said = words(file.rows, judge)
    found, parted = sets(file.rows, said), parts(file, said)
    mistakes = worst(file.rows, said, most=asked.errors)
    title = f"{file.path.name}, sha256 {file.sha256[:12]}: {name}, {judge.ruleset.digest}, weights {judge.model}"
    if asked.picture:
        from classifiers.training.curves import draw

        draw(asked.picture, rows=file.rows, said=said, found=found["all"], title=title)
    if not asked.as_json:
        show_figures(found, title=title)
        show_parts(parted)
        if asked.errors:
            show_mistakes(mistakes)
    plain: dict[str, Any] = {which: asdict(own) for which, own in found.items()}
    plain |= {"file": file.path.name, "sha256": file.sha256, "ruleset": judge.ruleset.digest, "model": judge.model}
    plain["parts"] = {by: {key: asdict(part) for key, part in own.items()} for by, own in parted.items()}
    return plain | ({"mistakes": [asdict(one) for one in mistakes]} if asked.errors else {})
