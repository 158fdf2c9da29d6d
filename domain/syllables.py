"""Homophones by syllable: unusual spellings that sound like a core word of the trade (里财, 投姿, 葆费, tou资) are read as the word.

A spelling counts only where it is odd (ordinary words hardly ever meet to form it) and where the text speaks of the trade besides.
`tables/trade.txt` holds the words, `tables/syllables.txt` (made by `domain/syllabletable.py`) how characters sound and how common they are
at the edges of words. Names, ordinary words and what lies across two of them survive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import ahocorasick_rs
import numpy as np
from numpy.typing import NDArray

_TABLES = Path(__file__).parent / "tables"
TABLE = _TABLES / "syllables.txt"
_TRADE = _TABLES / "trade.txt"
STEP = 0.8
"""Bits a level of the table: counts are kept as steps of their logarithm."""
_COUNTED = 26
"""Bits of all counts of the dictionary together, some 60 million."""
_LETTERS = {chr(ord("a") + n): n + 1 for n in range(26)}
_SPACE, _FIRST = 27, 28

_ODD, _NEAR, _ODD_BOTH, _NEAR_BOTH = 0.5, 6.0, 0.05, 1.0
"""How often, in 60 million words, two words may meet to form a spelling that is read: anywhere in a text of the trade, or right beside a
word of it; less where no character of the word is left. Chosen so that of ordinary posts and titles fewer than one in 3,000 changes."""
_NEVER, _RISKY, _BESIDE, _FREELY = range(4)
"""Never the word; where a word of the trade stands near, figures not counting; right beside a sign of the trade; near any sign of it."""
_CONFUSION = 8.0
"""A spelling that only an accent makes equal (zh z, ing in) must be that much rarer."""
_STROKES = frozenset("一丨丶丿乀")
"""Characters that are put between others as signs are."""
_WIDE, _CLOSE = 60, 14
"""Characters on both sides within which another sign of the trade is asked for."""
_FIGURE = re.compile(r"\d(?:%|万|w(?![a-z])|个点|倍|分利)|百分之|翻[\d一二两三五十百]|返[\d一二三]")
_CALL = re.compile(
    r"微信|(?<![a-z])(?:vx|wx|qq|v信)(?![a-z])|[加+][vq微薇](?![a-z])|日赚|月入|稳赚|躺赚"
    r"|高收益|零风险|无风险|秒[批到]|不看|私我|内部|起投|拉人|提成|联系|咨询|名额"
)


class Word(NamedTuple):
    """One line of tables/trade.txt."""

    text: str
    weak: bool
    allowed: dict[str, tuple[str, str]]
    """Spelling to the characters before and after which it is not the word."""
    never: frozenset[str]


class _Index(NamedTuple):
    classes: NDArray[np.uint8]
    """Code point to its class: 0, a letter, a space or a syllable."""
    automaton: ahocorasick_rs.BytesAhoCorasick
    meant: tuple[tuple[Word, bool], ...]
    """For each pattern the word, and whether an accent was needed."""
    ends: dict[str, int]
    starts: dict[str, int]
    ordinary: frozenset[str]
    words: dict[str, Word]


def sounds_near(syllable: str) -> tuple[str, ...]:
    """The syllable and the one that an accent confuses with it, if any."""
    for flat, curled in (("z", "zh"), ("c", "ch"), ("s", "sh")):
        if syllable.startswith(curled):
            return syllable, flat + syllable[2:]
        if syllable.startswith(flat):
            return syllable, curled + syllable[1:]
    for front, back in (("in", "ing"), ("en", "eng")):
        if syllable.endswith(back):
            return syllable, syllable[:-1]
        if syllable.endswith(front):
            return syllable, syllable + "g"
    return (syllable,)


@lru_cache(maxsize=1)
def trade_words() -> tuple[Word, ...]:
    """The core words, in the order of the file."""
    found = []
    for line in _TRADE.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        text, *marks = line.split()
        allowed = {}
        for mark in marks:
            if mark.startswith("+"):
                before, _, rest = mark[1:].rpartition("^")
                spelling, _, after = rest.partition("!")
                allowed[spelling] = (before, after)
        never = frozenset(mark[1:] for mark in marks if mark.startswith("-"))
        found.append(Word(text, "weak" in marks, allowed, never))
    return tuple(found)


@lru_cache(maxsize=1)
def _index() -> _Index:
    lines = TABLE.read_text("utf-8").splitlines()[1:]
    cut = lines.index("")
    numbers, sound, ends, starts = {}, {}, {}, {}
    classes = np.zeros(0x110000, dtype=np.uint8)
    for letter, number in _LETTERS.items():
        classes[ord(letter)] = number
    classes[ord(" ")] = _SPACE
    for number, line in enumerate(lines[:cut], _FIRST):
        syllable, chars, end, start = line.split("\t")
        numbers[syllable] = number
        for char, last, first in zip(chars, end, start, strict=True):
            classes[ord(char)] = number
            sound[char], ends[char], starts[char] = syllable, int(last, 36), int(first, 36)
    patterns: dict[bytes, tuple[Word, bool]] = {}
    words = {word.text: word for word in trade_words()}
    for word in words.values():
        for pattern, accent in _patterns([sound[char] for char in word.text], numbers):
            patterns.setdefault(pattern, (word, accent))
    automaton = ahocorasick_rs.BytesAhoCorasick(list(patterns), implementation=ahocorasick_rs.Implementation.DFA)
    return _Index(classes, automaton, tuple(patterns.values()), ends, starts, frozenset(lines[cut + 1].split()), words)


def _patterns(sounds: list[str], numbers: dict[str, int]) -> Iterable[tuple[bytes, bool]]:
    """Class strings of a word: by syllable, with one syllable in another accent, and with syllables in Latin letters."""
    plain = [bytes([numbers[sound]]) for sound in sounds]
    yield b"".join(plain), False
    for place, sound in enumerate(sounds):
        for near in sounds_near(sound)[1:]:
            if near in numbers:
                yield b"".join([*plain[:place], bytes([numbers[near]]), *plain[place + 1 :]]), True
    spelt = [bytes(_LETTERS[letter] for letter in sound) for sound in sounds]
    for latin in product((False, True), repeat=len(sounds)):
        parts = [spelt[n] if own else plain[n] for n, own in enumerate(latin)]
        if any(latin):
            yield b"".join(parts), False
            if len(sounds) == 2:
                yield bytes([_SPACE]).join(parts), False


@lru_cache(maxsize=50_000)
def _tier(piece: str, place: int) -> int:
    """How freely a spelling is read as the word: one of _NEVER, _RISKY, _BESIDE and _FREELY."""
    index = _index()
    word, accent = index.meant[place]
    if piece not in word.allowed and (piece in word.never or piece in index.ordinary):
        return _NEVER
    if piece[0] < "\u3400" or piece[-1] < "\u3400" or any(char < "{" for char in piece):
        return _FREELY if all(char < "{" or char in word.text for char in piece) else _NEVER
    changed = [at for at, char in enumerate(piece) if char != word.text[at]]
    pairs = [
        2.0 ** (STEP * (index.ends[piece[at]] + index.starts[piece[at + 1]]) - _COUNTED)
        for at in range(len(piece) - 1)
        if at in changed or at + 1 in changed
    ]
    rare = min(pairs) * (_CONFUSION if accent else 1.0)
    odd, near = (_ODD, _NEAR) if len(changed) < len(piece) else (_ODD_BOTH, _NEAR_BOTH)
    if piece in word.allowed:
        return _FREELY if len(piece) > 2 or (rare <= near and piece not in index.ordinary) else _RISKY
    return _FREELY if rare <= odd else _BESIDE if rare <= near else _NEVER


def alternating(codes: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Where in a text, or in a whole batch, one character stands three times with others between: only there can signs be interleaved."""
    same = codes[2:] == codes[:-2]
    return np.flatnonzero(same[:-2] & same[2:] & (codes[:-4] != codes[1:-3]))


def interleaved(flat: str) -> list[tuple[int, int]]:
    """Spans of the signs to be dropped where one sign stands between all characters of a run (保❤本❤保❤息, 保一本一保一息).

    At least three times the same sign, and only where a word of the trade comes together that does not stand there by itself.
    """
    gone: list[tuple[int, int]] = []
    for start in alternating(_codes(flat)).tolist():
        sign = flat[start]
        if (sign.isalnum() and sign not in _STROKES) or (gone and start < gone[-1][1]):
            continue
        end = start
        while end + 2 < len(flat) and flat[end + 2] == sign != flat[end + 1] and flat[end + 1].isalnum():
            end += 2
        run = flat[max(0, start - 1) : end + 2]
        if end - start >= 4 and _brings_together(run, run.replace(sign, "")):
            gone += [(place, place + 1) for place in range(start, end + 1, 2)]
    return gone


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _brings_together(run: str, joined: str) -> bool:
    words = _index().words
    return any(word in joined and word not in run for word in words)


def places(codes: NDArray[np.uint32], text: str) -> list[int]:
    """Where in a whole batch (its code points, and as text) an odd spelling begins: only texts that hold one are worth a `find`."""
    index = _index()
    hits = index.automaton.find_matches_as_indexes(index.classes[codes].tobytes(), overlapping=True)
    words = index.words
    return [start for place, start, end in hits if (piece := text[start:end]) not in words and _tier(piece, place)]


def find(flat: str) -> list[tuple[int, int, str]]:
    """(start, end, word), in order and apart, of every odd spelling of a core word in light-folded text. Never raises."""
    index = _index()
    hits = index.automaton.find_matches_as_indexes(index.classes[_codes(flat)].tobytes(), overlapping=True)
    if not hits:
        return []
    known: list[tuple[int, int, Word]] = []
    odd: list[tuple[int, int, Word, int]] = []
    for place, start, end in hits:
        piece, word = flat[start:end], index.meant[place][0]
        if piece in index.words:
            known.append((start, end, index.words[piece]))
            continue
        tier = _tier(piece, place)
        if tier and _fits(flat, start, end, word):
            odd.append((start, end, word, tier))
    if not odd:
        return []
    spoken = [*known, *(hit[:3] for hit in odd)]
    taken = [(start, end, word) for start, end, word, tier in odd if _trade(flat, (start, end), spoken, tier)]
    return _apart(taken, known)


def _fits(flat: str, start: int, end: int, word: Word) -> bool:
    """Whether the neighbours let the spelling stand: letters stand alone, and what trade.txt excludes does not follow."""
    before, after = flat[start - 1 : start] if start else "", flat[end : end + 1]
    if (flat[start] < "{" and "a" <= before <= "z") or (flat[end - 1] < "{" and "a" <= after <= "z"):
        return False
    barred = word.allowed.get(flat[start:end])
    return barred is None or not ((before and before in barred[0]) or (after and after in barred[1]))


def _trade(flat: str, span: tuple[int, int], spoken: list[tuple[int, int, Word]], tier: int) -> bool:
    """Whether another word or sign of the trade stands as near as the spelling's tier asks."""
    start, end = span
    reach = {_RISKY: _CLOSE * 2, _BESIDE: _CLOSE, _FREELY: _WIDE}[tier]
    low, high = max(0, start - reach), end + reach
    own = {word.text for first, last, word in spoken if first < end and start < last}
    if any(not word.weak and word.text not in own and first < high and last > low for first, last, word in spoken):
        return True
    return _CALL.search(flat, low, high) is not None or (tier != _RISKY and _FIGURE.search(flat, low, high) is not None)


def _apart(taken: list[tuple[int, int, Word]], known: list[tuple[int, int, Word]]) -> list[tuple[int, int, str]]:
    """None overlaps another, nor a word that stands there as it is written; the longest win, then the first."""
    held = [(start, end) for start, end, _ in known]
    kept: list[tuple[int, int, str]] = []
    for start, end, word in sorted(taken, key=lambda hit: (hit[0] - hit[1], hit[0])):
        if all(end <= first or last <= start for first, last in held):
            held.append((start, end))
            kept.append((start, end, word.text))
    return sorted(kept)
