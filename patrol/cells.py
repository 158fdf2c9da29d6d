"""Chinese text in the terminal: broken wherever the line is full, since it has few spaces to break at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

_NEVER_FIRST = set("，。、；：！？”’）》】…,.;:!?)]}%％")


@dataclass(frozen=True, slots=True)
class Cells:
    """A text, its styles kept, folded to the width at hand; no line begins with a closing sign."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for line in self.text.split("\n", allow_blank=True):
            yield from line.divide(_breaks(line.plain, options.max_width))


def _breaks(line: str, width: int) -> list[int]:
    """Where to cut, in characters."""
    cuts, used, last = [], 0, 0
    for at, character in enumerate(line):
        size = cell_len(character)
        if used + size > width and at > last:
            cut = at - 1 if character in _NEVER_FIRST and at - 1 > last else at
            cuts.append(cut)
            used, last = cell_len(line[cut:at]), cut
        used += size
    return cuts
