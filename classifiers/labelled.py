"""A labelled file as an evaluation reads it: its rows and the sha256 of its content."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from pathlib import Path

from classifiers import dataset
from classifiers.dataset import Row
from domain.errors import ConfigFault, Fault
from domain.identity import sha256

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The rows of a file, in its order."""

    path: Path
    sha256: str
    """Of the content, unpacked where the file is `.xz`."""
    rows: tuple[Row, ...]

    @property
    def registers(self) -> tuple[str, ...]:
        """Of each row, such as sms or leaflet; empty where the row says none."""
        return tuple(row.register for row in self.rows)

    @property
    def evasions(self) -> tuple[tuple[str, ...], ...]:
        """Of each row."""
        return tuple(row.evasion for row in self.rows)


def read(path: Path) -> Labelled:
    """A labelled file. Raises ConfigFault with all faulty lines at once, and where there is no row."""
    rows = dataset.read(path)
    if not rows:
        raise ConfigFault([Fault(str(path), 1, "no rows", "give a file with at least one labelled text")])
    content = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    return Labelled(path=path, sha256=sha256(content), rows=tuple(rows))
