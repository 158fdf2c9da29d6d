"""How far a key spreads: into how many parts its first postings fall without it. The rule stands in `pipelines/link_keys.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from classifiers.near import Ties
from pipelines.link_keys import PRIVATE, Key, leads_to_one, limit, spread
from store import ties

New = tuple[int, int, Sequence[Key]]
"""A hit that the store does not hold ties of yet: number, account, keys."""


def measure(connection: Connection, key: Key, *, size: int, new: Sequence[New] = ()) -> tuple[float, bool]:
    """(spread, whether that is too far) of a key over the first `size` hits that have it, those of the store and the new ones."""
    kept = ties.first_with(connection, key.number, limit=size)
    accounts = dict(sorted({**{hit: account for hit, account, _keys in new}, **dict(kept)}.items())[:size])
    if leads_to_one(key):
        found = spread(Counter(accounts.values()).values())
        return round(found, 2), found > limit(key)
    told: dict[int, set[Key]] = {hit: set() for hit in accounts}
    for hit, _account, keys in new:
        if hit in told:
            told[hit].update(one for one in keys if leads_to_one(one))
    stored = [hit for hit, _account in kept if hit in told]
    for hit, kind, value in ties.keys_of(connection, stored, kinds=PRIVATE):
        if leads_to_one(one := Key(kind=kind, value=value)):
            told[hit].add(one)
    found = spread(parts(told) or Counter(accounts.values()).values())
    return round(found, 2), found > limit(key)


def parts(told: dict[int, set[Key]]) -> list[int]:
    """Sizes of the parts into which hits fall by their keys; hits without a key are left out."""
    speaking = [keys for keys in told.values() if keys]
    groups = Ties(len(speaking))
    first: dict[Key, int] = {}
    for number, keys in enumerate(speaking):
        for key in keys:
            groups.tie(number, first.setdefault(key, number))
    return list(_sizes(groups.tops()))


def _sizes(tops: Iterable[int]) -> Iterable[int]:
    return Counter(tops).values()
