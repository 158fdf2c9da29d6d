"""Where the texts of new hits belong: to which family of near texts, and which families they make one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from domain.text import fold_all
from pipelines import near
from pipelines.near import Said
from store import signatures


@dataclass(slots=True)
class Families:
    """The families of the texts of some new hits, and what is to be kept of them."""

    parent: dict[int, int] = field(default_factory=dict)
    of_text: dict[int, int] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    links: list[tuple[int, int, float]] = field(default_factory=list)
    first_new: int = 0

    def top(self, family: int) -> int:
        while (above := self.parent.get(family, family)) != family:
            self.parent[family] = self.parent.get(above, above)
            family = above
        return family

    def of(self, text: int) -> int:
        """The family of a text, as it is after all."""
        return self.top(self.of_text[text])

    def unite(self, one: int, other: int) -> None:
        first, second = self.top(one), self.top(other)
        self.parent[max(first, second)] = min(first, second)

    def merged(self) -> dict[int, int]:
        """Families that the store knows and that went up into another one: {family: into}."""
        return {family: self.top(family) for family in self.parent if family < self.first_new and self.top(family) != family}


def said_by(rows: Sequence[Mapping[Any, Any]]) -> tuple[list[str], list[Said | None]]:
    """(folded texts, what they say) of rows of `postings`. Where title and body say too little, what its pictures say counts too."""
    folded = fold_all([f"{row['title']}\n{row['body']}" for row in rows]).texts
    found = near.read(folded)
    poor = [n for n, one in enumerate(found) if one is None and any(image.get("text") for image in rows[n]["images"])]
    if poor:
        wide = fold_all(["\n".join([folded[n], *(image.get("text") or "" for image in rows[n]["images"])]) for n in poor]).texts
        for number, one in zip(poor, near.read(wide), strict=True):
            found[number] = one
    return folded, found


def place(connection: Connection, newcomers: Sequence[tuple[int, Said]]) -> tuple[Families, dict[int, int]]:
    """(the families, hit -> its text) for (hit, what it says), in the order of their coming."""
    known = signatures.by_digest(connection, {said.digest for _hit, said in newcomers})
    fresh: dict[int, tuple[int, Said]] = {}
    for hit_id, said in newcomers:
        if said.digest not in known:
            fresh.setdefault(said.digest, (hit_id, said))
    families = Families()
    families.of_text = dict(known.values())
    numbers = {digest: text for digest, (text, _family) in known.items()}
    families.first_new = signatures.next_number(connection) if fresh else 1 << 62
    shelf = _shelf(connection, [said for _hit, said in fresh.values()]) if fresh else near.Shelf()
    families.of_text.update(shelf.family)
    for number, (digest, (hit_id, said)) in enumerate(fresh.items(), families.first_new):
        numbers[digest] = number
        _settle(families, shelf, number, hit_id=hit_id, said=said)
    for row in families.rows:
        row["family"] = families.of(row["id"])
    return families, {hit_id: numbers[said.digest] for hit_id, said in newcomers}


def _settle(families: Families, shelf: near.Shelf, number: int, *, hit_id: int, said: Said) -> None:
    """Put one new text on the shelf and into its family, with the link to the nearest text of each family that it joins."""
    place = near.put(shelf, number, said)
    families.of_text[number] = number
    seen: set[int] = set()
    for other, share in place.near:
        family = families.of(other)
        if family not in seen:
            seen.add(family)
            families.links.append((number, other, round(share, 3)))
    for family in seen:
        families.unite(number, family)
    families.places.extend((at, number) for at in place.kept_at)
    families.rows.append(
        {"id": number, "digest": said.digest, "hit_id": hit_id, "family": number, "grams": said.grams, "signature": said.signature}
    )


def _shelf(connection: Connection, new: Sequence[Said]) -> near.Shelf:
    """What the store knows of texts that could be near to one of these."""
    places = signatures.at_places(connection, {place for said in new for place in near.bands(said.signature)})
    shelf = near.Shelf(places)
    for row in signatures.said(connection, {text for there in places.values() for text in there}):
        shelf.said[row.id] = Said(row.digest, bytes(row.signature), row.grams)
        shelf.family[row.id] = row.family
    return shelf
