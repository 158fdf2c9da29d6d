"""The light fold of many texts at once: width, Traditional to Simplified, case, look-alikes, zero width, separators between characters.

All texts of a batch stand in one array of code points, so that a step costs a nanosecond a character instead of a call a text. What is
rare (a character that unfolds to several, a financial numeral) is only flagged here; `domain.deepfold` takes such a text by itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.signs import codes_of, within

TABLES = Path(__file__).parent / "tables"
HAN = "\u3400-\u9fff"
# Zero width, direction marks, variation selectors, combining marks, keycaps, controls, private use, tags: they carry no meaning here.
INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff"
)
SYMBOLS = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff"
SEPARATORS = " ·•・‧∙⋅●_*^|/\\~`'\"=-.。+&$@丶灬丨"
MULTI = "⑩-⑳⒑-⒛\u3220-\u33ff½¼\ufb00-\ufb06\u2100-\u214f"
"""Characters that unfold to several."""
FINANCIAL = dict(zip("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千", strict=True))
_HAN, _ALNUM, _SEPARATOR, _SYMBOL, _INVISIBLE, _RARE, _KEPT, _TWICE = (1 << bit for bit in range(8))
_GAP, _WORDY = _SEPARATOR | _SYMBOL, _HAN | _ALNUM
_BETWEEN_HAN, _BETWEEN_WORDS = 4, 6
"""Separators between Han characters, and symbols between characters and letters, that are dropped at most."""
Codes = NDArray[np.uint32]


@lru_cache(maxsize=1)
def table() -> dict[int, int]:
    """Code point to code point, from tables/fold.txt; lone surrogates become U+FFFD, which every encoder takes."""
    codes = (TABLES / "fold.txt").read_text(encoding="ascii").splitlines()[1].split()
    found = {int(a, 16): int(b, 16) for a, b in (pair.split(">") for pair in codes)}
    found.update(dict.fromkeys(range(0xD800, 0xE000), 0xFFFD))
    return found


def _range(spec: str) -> list[int]:
    """Code points of `a-z` ranges and single characters written one after the other."""
    result: list[int] = []
    at = 0
    while at < len(spec):
        last = at + 2 if spec[at + 1 : at + 2] == "-" and at + 2 < len(spec) else at
        result += range(ord(spec[at]), ord(spec[last]) + 1)
        at = last + 1
    return result


@lru_cache(maxsize=1)
def _arrays() -> tuple[Codes, NDArray[np.uint8]]:
    """(code point -> folded code point, folded code point -> class bits), one entry for every code point there is."""
    to = np.arange(0x110000, dtype=np.uint32)
    for source, target in table().items():
        to[source] = target
    bits = np.zeros(0x110000, dtype=np.uint8)
    for spec, bit in ((HAN, _HAN), ("a-z", _ALNUM), ("0-9", _ALNUM), (INVISIBLE, _INVISIBLE), (MULTI, _RARE), (SYMBOLS, _SYMBOL)):
        bits[_range(spec)] |= bit
    for characters, bit in ((SEPARATORS, _SEPARATOR), ("".join(FINANCIAL), _RARE), ("。❤♥", _KEPT), (".-~=*_", _TWICE)):
        bits[[ord(character) for character in characters]] |= bit
    bits[ord("灬")] &= ~_HAN & 0xFF
    bits[ord("丶")] &= ~_HAN & 0xFF
    bits[ord("丨")] &= ~_HAN & 0xFF
    return to, bits


@dataclass(frozen=True, slots=True)
class Lights:
    """A batch after the light fold. `codes[starts[i]:starts[i + 1] - 1]` is text i; one line break stands after each."""

    text: str
    """The folded texts, a line break after each: it is no separator, so no gap crosses from one text to the next."""
    codes: Codes
    starts: NDArray[np.int64]
    """As many as texts, and one more."""
    rare: NDArray[np.bool_]
    """Texts that hold what this fold leaves to the other one."""
    _origin: NDArray[np.int64] | None
    _given: NDArray[np.int64]

    def origin(self, number: int) -> Sequence[int]:
        """For each folded character of a text, its place in the original; a folded character is one original character here."""
        start, end = int(self.starts[number]), int(self.starts[number + 1]) - 1
        first = int(self._given[number])
        if self._origin is None or (start < end and int(self._origin[end - 1]) - first == end - 1 - start):
            return range(end - start)
        places = array("q")
        places.frombytes((self._origin[start:end] - first).tobytes())
        return places


def light(texts: Sequence[str]) -> Lights:
    """The light fold of all `texts`. Never raises, whatever Unicode they hold."""
    to, bits = _arrays()
    plain, starts = codes_of(texts)
    codes, given = to[plain], starts[:-1]
    kinds = bits[codes]
    origin: NDArray[np.int64] | None = None
    # Dropping what is invisible first lets a separator and its neighbours meet.
    for drop in (_invisible, _gaps):
        gone = drop(codes, kinds)
        if gone is None:
            continue
        kept = np.flatnonzero(~gone)
        starts = np.searchsorted(kept, starts)
        codes, kinds = codes[kept], kinds[kept]
        origin = kept if origin is None else origin[kept]
    rare = within((kinds & _RARE) != 0, starts)
    return Lights(codes.tobytes().decode("utf-32-le"), codes, starts, rare, origin, given)


def _invisible(codes: Codes, kinds: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    gone: NDArray[np.bool_] = (kinds & _INVISIBLE) != 0
    return gone if gone.any() else None


def _gaps(codes: Codes, kinds: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Runs of separators that stand inside a word: between Han characters, or symbols between characters, letters and digits."""
    gap = (kinds & _GAP) != 0
    if not gap.any():
        return None
    edges = np.diff(gap.view(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    inside = (starts > 0) & (ends < len(kinds)) & (ends - starts <= _BETWEEN_WORDS)
    starts, ends = starts[inside], ends[inside]
    before, after = kinds[starts - 1], kinds[ends]
    near = ((before & _WORDY) != 0) & ((after & _WORDY) != 0)
    han = ((before & _HAN) != 0) & ((after & _HAN) != 0) & (ends - starts <= _BETWEEN_HAN)
    starts, ends, han = starts[near], ends[near], han[near]
    # The few runs that are left, a row each; what lies behind the end of one is taken for its first character once more.
    places = starts[:, None] + np.arange(_BETWEEN_WORDS)
    places = np.where(places < ends[:, None], places, starts[:, None])
    rows = kinds[places]
    pure = ((rows & _SYMBOL) != 0).all(axis=1)
    drop = (han | pure) & ~((rows & _KEPT) != 0).any(axis=1)
    for run in np.flatnonzero(drop & (ends - starts > 1) & ((rows & _TWICE) != 0).any(axis=1)):
        drop[run] = not _ruled(codes[starts[run] : ends[run]].tolist())
    if not drop.any():
        return None
    gone = np.zeros(len(kinds), dtype=np.bool_)
    gone[places[drop].ravel()] = True
    return gone


def _ruled(run: list[int]) -> bool:
    """Whether a run holds a dash, an ellipsis or a rule (.. -- ~~ == *** ___): punctuation that parts clauses."""
    for character, times in ((".", 2), ("-", 2), ("~", 2), ("=", 2), ("*", 3), ("_", 3)):
        code = ord(character)
        if any(run[at : at + times] == [code] * times for at in range(len(run) - times + 1)):
            return True
    return False
