"""Near texts for campaigns: a fixed signature of what a text says aloud, and the walk that finds the texts before it that say the same.

A text is read as its characters' syllables, folded, with digits, Latin letters and signs dropped: an exchanged contact, an amount, an
emoji between two characters or a homophone of the trade makes no new text. Signatures are MinHash over grams of four syllables, of our
own making, since they are kept: a library that hashes otherwise in its next version would part what belongs together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.syllables import TABLE

SIZE = 4
"""Syllables of a gram."""
BANDS, DEPTH = 32, 4
HASHES = BANDS * DEPTH
"""Texts that share half of their grams meet in a band 9 times in 10; strangers of the trade, who share a fiftieth, 1 time in 100,000."""
NEAR = 0.34
"""Share of grams in both from which two texts are near. `bench campaigns` moves little from 0.28 to 0.4; reports of one event lie below."""
CONTAINED = 0.7
"""Or this share of the shorter one's grams, where at least LEAST_SHARE of all are in both: a text shortened, or drowned in noise."""
LEAST_SHARE = 0.2
COVERED = 0.75
"""So near to an earlier text, a text is not looked for by itself: whoever is near to it is near to that one."""
ROOM = 4
"""Texts that one place of a band holds: what fills it up is a phrase of the trade."""
LEAST = 24
"""Different grams that a text needs to be told from others: 欢迎咨询 twenty times over has four."""
_DROPPED = re.compile(r"[\W_0-9a-z]+")
_MIX = np.uint64(0x9E3779B97F4A7C15)
_BLOCK = 1 << 10
"""Grams that are hashed at a time, so that they stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one text says. Texts of one `digest` (63 bits and a sign) say the same aloud."""

    digest: int
    signature: bytes
    """HASHES bytes: the low byte of each least hash. Four in a row are a band."""
    grams: int
    """Different grams."""


@lru_cache(maxsize=1)
def _sounds() -> NDArray[np.uint32]:
    """Code point to syllable, where `domain/tables/syllables.txt` knows it, else to itself."""
    found = np.arange(0x110000, dtype=np.uint32)
    lines = TABLE.read_text("utf-8").splitlines()[1:]
    for line in lines[: lines.index("")]:
        chars = [ord(char) for char in line.split("\t")[1]]
        found[chars] = chars[0]
    return found


@lru_cache(maxsize=1)
def _factors() -> NDArray[np.uint64]:
    draw = np.random.default_rng(20261128)
    return draw.integers(0, 2**63, size=HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def read(folded: Sequence[str]) -> list[Said | None]:
    """What each folded text says, in order; None where it says too little to be told from others."""
    bare = [_DROPPED.sub("", text) for text in folded]
    codes = [_sounds()[np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)] for text in bare]
    grams = [np.unique(_grams(one)) if len(one) >= LEAST + SIZE - 1 else np.empty(0, dtype=np.uint64) for one in codes]
    wanted = [number for number, one in enumerate(grams) if len(one) >= LEAST]
    found: list[Said | None] = [None] * len(folded)
    for number, signature in zip(wanted, _signatures([grams[number] for number in wanted]), strict=True):
        digest = hashlib.blake2b(codes[number].tobytes(), digest_size=8).digest()
        found[number] = Said(int.from_bytes(digest, "big", signed=True), signature.tobytes(), len(grams[number]))
    return found


def _grams(codes: NDArray[np.uint32]) -> NDArray[np.uint64]:
    wide = codes.astype(np.uint64)
    rolled = wide[: len(wide) - SIZE + 1]
    for ahead in range(1, SIZE):
        rolled = rolled * _MIX + wide[ahead : len(wide) - SIZE + 1 + ahead]
    return rolled ^ (rolled >> np.uint64(29))


def _signatures(grams: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint8]:
    """(texts, HASHES), each the low byte of the least of the grams' hashes under one factor."""
    found = np.empty((len(grams), HASHES), dtype=np.uint8)
    start = 0
    while start < len(grams):
        end, size = start, 0
        while end < len(grams) and (size == 0 or size + len(grams[end]) <= _BLOCK):
            size += len(grams[end])
            end += 1
        part = grams[start:end]
        places = np.concatenate([[0], np.cumsum([len(one) for one in part])[:-1]])
        joined = np.concatenate(part)
        hashed = (_factors()[:, None] * joined) >> np.uint64(32)
        found[start:end] = np.minimum.reduceat(hashed, places, axis=1).T.astype(np.uint8)
        start = end
    return found


def bands(signature: bytes) -> list[int]:
    """The BANDS places of a signature: four of its bytes each, and the band's number above them."""
    parts = np.frombuffer(signature, dtype="<u4").astype(np.int64)
    return (parts + (np.arange(BANDS, dtype=np.int64) << 32)).tolist()  # type: ignore[no-any-return]


def alike(signature: bytes, others: Sequence[bytes]) -> NDArray[np.float64]:
    """The share of grams in both, estimated, for each of the others: within 0.09 nineteen times in twenty."""
    table = np.frombuffer(b"".join(others), dtype=np.uint8).reshape(len(others), HASHES)
    same = (table == np.frombuffer(signature, dtype=np.uint8)).mean(axis=1)
    return np.asarray(np.clip((same - 1 / 256) / (1 - 1 / 256), 0.0, 1.0), dtype=np.float64)


def near(share: float, *, grams: int, other: int) -> bool:
    """Whether two texts of `grams` and `other` different grams, of which they share `share` of all, are near."""
    if share >= NEAR:
        return True
    return share >= LEAST_SHARE and share / (1 + share) * (grams + other) / min(grams, other) >= CONTAINED


@dataclass(slots=True)
class Shelf:
    """What the walk knows of earlier texts: those that it may meet, and where in the bands they stand."""

    places: dict[int, list[int]] = field(default_factory=dict)
    """Band's place to the texts there, at most ROOM."""
    said: dict[int, Said] = field(default_factory=dict)
    family: dict[int, int] = field(default_factory=dict)
    """Text to the number of its family, as it was when the text was put here."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new text belongs."""

    near: tuple[tuple[int, float], ...]
    """(earlier text, share of grams in both), the nearest first."""
    kept_at: tuple[int, ...]
    """Places of bands where it is to be found from now on."""


def put(shelf: Shelf, number: int, said: Said) -> Place:
    """Find the texts before it that are near, and put the text on the shelf. Texts are put in the order of their numbers."""
    wanted = bands(said.signature)
    met = sorted({other for place in wanted for other in shelf.places.get(place, ())})
    close: list[tuple[int, float]] = []
    if met:
        shares = alike(said.signature, [shelf.said[other].signature for other in met]).tolist()
        pairs = zip(met, shares, strict=True)
        close = [(other, share) for other, share in pairs if near(share, grams=said.grams, other=shelf.said[other].grams)]
        close.sort(key=lambda one: (-one[1], one[0]))
    shelf.said[number] = said
    kept: list[int] = []
    if not close or close[0][1] < COVERED:
        mates = {other for other, _share in close}
        for place in wanted:
            there = shelf.places.setdefault(place, [])
            if len(there) < ROOM and not mates.intersection(there):
                there.append(number)
                kept.append(place)
    return Place(tuple(close), tuple(kept))


def shelf_of(places: Mapping[int, Iterable[int]], said: Mapping[int, Said], family: Mapping[int, int]) -> Shelf:
    """A shelf that holds what the store knows."""
    return Shelf({place: list(there) for place, there in places.items()}, dict(said), dict(family))
