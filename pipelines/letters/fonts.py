"""Finding a Chinese font on this machine: official letters are set in a song or fangsong face."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.errors import LetterFault

PREFERRED = (
    ("NotoSerifCJK-Regular.ttc", "Noto Serif CJK SC"),
    ("NotoSerifCJKsc-Regular.otf", "Noto Serif CJK SC"),
    ("NotoSerifSC-Regular.otf", "Noto Serif SC"),
    ("SourceHanSerifSC-Regular.otf", "Source Han Serif SC"),
    ("SourceHanSerif.ttc", "Source Han Serif SC"),
    ("simfang.ttf", "FangSong"),
    ("STFANGSO.TTF", "STFangsong"),
    ("simsun.ttc", "SimSun"),
    ("Songti.ttc", "Songti SC"),
    ("uming.ttc", "AR PL UMing CN"),
    ("NotoSansCJK-Regular.ttc", "Noto Sans CJK SC"),
    ("SourceHanSansSC-Regular.otf", "Source Han Sans SC"),
    ("wqy-zenhei.ttc", "WenQuanYi Zen Hei"),
    ("wqy-microhei.ttc", "WenQuanYi Micro Hei"),
)
"""(file, family), best first: song and fangsong faces before sans ones."""
FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts",
    "/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    family: str
    folder: Path
    """Folder of the regular face; the bold one lies beside it."""


def find_font(folders: Sequence[str | Path] | None = None) -> Font:
    """The best Chinese font under `folders` (the system's where none are given).

    Raises LetterFault where there is none, naming the command that installs one.
    """
    found: dict[str, Path] = {}
    searched = [Path(folder).expanduser() for folder in (FOLDERS if folders is None else folders)]
    wanted = {name for name, _family in PREFERRED}
    for folder in searched:
        for root, _below, names in os.walk(folder):
            for name in wanted.intersection(names):
                found.setdefault(name, Path(root))
    for name, family in PREFERRED:
        if name in found:
            return Font(family=family, folder=found[name])
    looked = ", ".join(str(folder) for folder in searched)
    raise LetterFault(f"letters: no Chinese font in {looked}; run: apt-get install fonts-noto-cjk")
