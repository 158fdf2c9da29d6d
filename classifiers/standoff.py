"""Stand-off labels: what was read in rows of public sets, kept by the hash of the text and never with the text.

Other people's texts may not be carried; what we say of them may. A line of `data/labels/NAME.jsonl` is `sha256` (of the text as
`key` gives it), `label`, `scheme` or `schemes`, `sure`, `readers`. Who has the public set at hand has the labelled rows.

`python -m classifiers.standoff LABELLED OUT` writes such a file from a labelled file.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers import dataset
from classifiers.dataset import LABELS, SCHEMES, Row
from domain.errors import ConfigFault, Fault, PatrolError
from domain.identity import sha256

FOLDER = Path(__file__).parent / "data" / "labels"
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What was said of one text."""

    key: str
    label: str
    schemes: tuple[str, ...]
    sure: bool
    readers: int


def key(text: str) -> str:
    """sha256 of the text in NFKC and lower case, without white space. It does not follow the fold, which is mended: hashes must last."""
    return sha256("".join(unicodedata.normalize("NFKC", text).lower().split()).encode("utf-8", "surrogatepass"))


def read(folder: Path = FOLDER) -> dict[str, Label]:
    """All labels of a folder by key; none where there is no folder. Raises ConfigFault with all faults at once, contradictions too."""
    found: dict[str, Label] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if not line.strip():
                continue
            try:
                one = _label(json.loads(line))
                other = found.setdefault(one.key, one)
                if (other.label, other.schemes) != (one.label, one.schemes):
                    raise ValueError(f"says {one.label} of a text that is {other.label} above or in a file before it")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                faults.append(Fault(str(path), number, said, "write it anew with python -m classifiers.standoff"))
    if faults:
        raise ConfigFault(faults)
    return found


def _label(data: Mapping[str, Any]) -> Label:
    schemes = tuple(data.get("schemes") or ([data["scheme"]] if data.get("scheme") else []))
    if not _KEY.fullmatch(data["sha256"]):
        raise ValueError("sha256 is no hash in 64 hexadecimal digits")
    if data["label"] not in LABELS:
        raise ValueError(f"label is {data['label']!r}, none of {', '.join(LABELS)}")
    if not set(schemes) <= set(SCHEMES):
        raise ValueError(f"schemes are {', '.join(schemes)}, which are not all in the list")
    return Label(
        key=data["sha256"],
        label=data["label"],
        schemes=schemes,
        sure=bool(data.get("sure", 1)),
        readers=int(data.get("readers", 1)),
    )


def joined(texts: Iterable[str], labels: Mapping[str, Label], *, source: str) -> list[Row]:
    """Rows of those texts that have a label, each text once, in their order."""
    rows: dict[str, Row] = {}
    for text in texts:
        own = key(text)
        said = labels.get(own)
        if said and own not in rows:
            group = f"{source}:{own[:12]}"
            rows[own] = Row(
                text=text, label=said.label, schemes=said.schemes, sure=said.sure, readers=said.readers, source=source, group=group
            )
    return list(rows.values())


def write(rows: Sequence[Row], path: Path) -> int:
    """Writes what the rows say, without their texts, ordered by hash so that the file tells nothing of theirs; how many lines.

    Of a text that stands twice the reading of more people counts.
    """
    lines: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.readers):
        own = key(row.text)
        schemes = {"scheme": row.schemes[0] if row.schemes else None} if len(row.schemes) < 2 else {"schemes": list(row.schemes)}
        lines[own] = json.dumps({"sha256": own, "label": row.label, **schemes, "sure": int(row.sure), "readers": row.readers})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{lines[own]}\n" for own in sorted(lines)), "utf-8")
    return len(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 well, 1 where a file is at fault."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.standoff", description=__doc__)
    parser.add_argument("labelled", type=Path, help="a labelled file, plain or .xz, as classifiers/dataset.py says")
    parser.add_argument("out", type=Path, help=f"the file to write, such as {FOLDER.name}/NAME.jsonl")
    given = parser.parse_args(arguments)
    try:
        count = write(dataset.read(given.labelled), given.out)
    except (PatrolError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{given.out}: {count} labels\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
