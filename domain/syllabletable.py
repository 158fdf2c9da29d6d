"""Makes `domain/tables/syllables.txt`: how characters sound, how common they are at the edges of words, and which spellings are words.

Run `python -m domain.syllabletable` after a change of `tables/trade.txt`. It needs jieba (dict.txt) and, at this time only, pypinyin
0.55 (MIT), which nothing else here needs: install it in an environment of its own.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from importlib import import_module, resources
from itertools import product
from pathlib import Path

from domain.syllables import STEP, TABLE, sounds_near, trade_words

FIRST, LAST = 0x4E00, 0x9FA5
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_POLYPHONE = {"还": "huan", "重": "zhong", "长": "zhang", "呗": "bei", "薇": "wei", "咔": "ka", "率": "lv"}
"""Characters whose reading in the trade is not the commonest one."""


def readings() -> dict[str, str]:
    """Character to toneless syllable, its commonest reading."""
    pypinyin = import_module("pypinyin")
    found = {}
    for code in range(FIRST, LAST + 1):
        char = chr(code)
        syllable = pypinyin.lazy_pinyin(char)[0].replace("ü", "v")
        if syllable != char and syllable.isalpha():
            found[char] = _POLYPHONE.get(char, syllable)
    return found


def dictionary() -> Iterable[tuple[str, int]]:
    """Words and their counts, from jieba."""
    lines = (resources.files("jieba") / "dict.txt").read_text("utf-8").splitlines()
    for line in lines:
        word, count, _ = line.split(" ")
        yield word, int(count)


def _level(count: int) -> str:
    """A count as one character: steps of STEP bits."""
    return _DIGITS[min(round(math.log2(count + 1) / STEP), len(_DIGITS) - 1)]


def build() -> list[str]:
    """Lines of the table: a syllable, its characters, their levels at word ends and at word starts; then the spellings that are words."""
    sound = readings()
    words = [word.text for word in trade_words()]
    wanted = {near for word in words for char in word for near in sounds_near(sound[char])}
    ends, starts, inner = Counter[str](), Counter[str](), Counter[str]()
    for word, count in dictionary():
        ends[word[-1]] += count
        starts[word[0]] += count
        for size in {len(word) for word in words}:
            for at in range(len(word) - size + 1):
                inner[word[at : at + size]] += count
    by_sound: dict[str, list[str]] = defaultdict(list)
    for char, syllable in sound.items():
        if syllable in wanted:
            by_sound[syllable].append(char)
    lines = []
    for syllable, chars in sorted(by_sound.items()):
        ordered = "".join(chars)
        lines.append("\t".join((syllable, ordered, "".join(_level(ends[c]) for c in ordered), "".join(_level(starts[c]) for c in ordered))))
    patterns = {key for word in words for key in product(*(sounds_near(sound[char]) for char in word))}
    ordinary = {piece for piece in inner if piece not in words and tuple(sound.get(char, "") for char in piece) in patterns}
    return [*lines, "", " ".join(sorted(ordinary))]


def main() -> None:
    """Write the table."""
    head = "# made by domain/syllabletable.py from pypinyin (MIT) and the dictionary of jieba (MIT)"
    Path(TABLE).write_text("\n".join([head, *build()]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
