"""Rows of what texts say (signatures) and of where near ones are found, so that a new text is compared with a handful and not with all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from store.linktables import text_bands, text_links, texts

PART = 2000
"""Values in one IN list: below what either database takes, and more are no quicker."""
_SOME: Any = bindparam("some", expanding=True)
# Put together once: a single new hit is linked in the time that it takes to put ten statements together.
_BY_DIGEST = select(texts.c.digest, texts.c.id, texts.c.family).where(texts.c.digest.in_(_SOME))
_AT_PLACES = select(text_bands.c.place, text_bands.c.text_id).where(text_bands.c.place.in_(_SOME))
_SAID = select(texts.c.id, texts.c.digest, texts.c.family, texts.c.grams, texts.c.signature).where(texts.c.id.in_(_SOME))
_LAST = select(func.coalesce(func.max(texts.c.id), 0))
_ADD_TEXT, _ADD_BAND, _ADD_LINK = insert(texts), insert(text_bands), insert(text_links)


def parts(values: Iterable[int]) -> Iterator[list[int]]:
    """Sorted values in lists of at most PART: rows that lie near each other are asked for together."""
    ordered = sorted(values)
    for start in range(0, len(ordered), PART):
        yield ordered[start : start + PART]


def by_digest(connection: Connection, digests: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Digest -> (text, family) of those that are known."""
    found: dict[int, tuple[int, int]] = {}
    for part in parts(digests):
        found.update({digest: (number, family) for digest, number, family in connection.execute(_BY_DIGEST, {"some": part})})
    return found


def at_places(connection: Connection, places: Iterable[int]) -> dict[int, list[int]]:
    """Place of a band -> texts there, in order; empty places are left out."""
    found: dict[int, list[int]] = {}
    for part in parts(places):
        for place, number in connection.execute(_AT_PLACES, {"some": part}):
            found.setdefault(place, []).append(number)
    for there in found.values():
        there.sort()
    return found


def said(connection: Connection, numbers: Iterable[int]) -> Iterator[Row[*tuple[Any, ...]]]:
    """Rows of `texts` by number: id, digest, family, grams, signature."""
    for part in parts(numbers):
        yield from connection.execute(_SAID, {"some": part})


def next_number(connection: Connection) -> int:
    """The number that the next new text gets; only whoever links alone may use it."""
    return int(connection.execute(_LAST).scalar_one()) + 1


def add(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    *,
    places: Sequence[tuple[int, int]],
    links: Sequence[tuple[int, int, float]],
) -> None:
    """Keep new texts, the (place, text) where they are found, and the (text, earlier text, share) by which they came to a family."""
    if rows:
        connection.execute(_ADD_TEXT, list(rows))
    if places:
        connection.execute(_ADD_BAND, [{"place": place, "text_id": number} for place, number in sorted(places)])
    if links:
        connection.execute(_ADD_LINK, [{"text_id": one, "near_id": other, "share": share} for one, other, share in links])


def unite(connection: Connection, merged: Mapping[int, int]) -> None:
    """Give the texts of families the number of the family that they went up into: {family: into}."""
    for family, into in merged.items():
        connection.execute(update(texts).where(texts.c.family == family).values(family=into))


def links_between(connection: Connection, numbers: Iterable[int]) -> Iterator[Row[*tuple[Any, ...]]]:
    """Rows of `text_links` that begin at these texts: text_id, near_id, share."""
    for part in parts(numbers):
        yield from connection.execute(select(text_links).where(text_links.c.text_id.in_(part)).order_by(text_links.c.text_id))


def count(connection: Connection) -> dict[str, int]:
    """How many rows each of the tables has: texts, text_bands, text_links."""
    tables = (texts, text_bands, text_links)
    return {table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables}
