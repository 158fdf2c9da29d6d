"""Settle a batch of new hits: their keys counted, what they tie united, what a key holds no longer parted. All in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from classifiers.near import Ties
from pipelines import link_texts
from pipelines.link_keys import Key, account, equal_text, keys, look_at, site_of
from pipelines.link_spread import measure
from pipelines.link_texts import Families
from store import campaigns, signatures, ties


@dataclass(slots=True, kw_only=True)
class Newcomer:
    """A hit that is to be linked."""

    hit_id: int
    title: str
    account: int
    keys: list[Key]
    text_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Held:
    """One key while a batch is settled."""

    key: Key
    anchors: list[int]
    """Hits that it ties: one, or one of each family where families become one."""
    postings: int = 0
    spread: float = 0.0
    loose: bool = False
    muted_by: str | None = None
    fresh: bool = True
    changed: bool = False
    held_before: bool = False
    """Whether it held hits of the store together before the batch came."""
    unlike: bool = False
    """Whether its postings are no longer those that it was measured by: two families of texts became one."""
    by: list[int] = field(default_factory=list)
    """Places in the batch of the newcomers that it ties."""

    @property
    def holds(self) -> bool:
        return not self.loose and self.muted_by is None

    @property
    def loosened(self) -> bool:
        return self.held_before and not self.holds

    def row(self) -> dict[str, Any]:
        return {
            "key": self.key.number,
            "kind": self.key.kind,
            "hit_id": min(self.anchors, default=None),
            "postings": self.postings,
            "spread": self.spread,
            "loose": self.loose,
            "muted_by": self.muted_by,
        }


def settle(connection: Connection, rows: Sequence[Mapping[Any, Any]], *, now: datetime) -> int:
    """Link rows of `store.ties.unlinked`: how many were tied to others."""
    newcomers, families = _newcomers(connection, rows)
    held = _held(connection, newcomers, families)
    _look(connection, newcomers, held)
    signatures.add(connection, families.rows, places=families.places, links=families.links)
    signatures.unite(connection, families.merged())
    places, tied = _campaigns(connection, newcomers, held, now=now)
    campaigns.enter(connection, places)
    ties.add(connection, [_tie(one, key, campaign=places[one.hit_id]) for one in newcomers for key in one.keys])
    ties.keep_keys(
        connection,
        fresh=[one.row() for one in held.values() if one.fresh],
        changed=[one.row() for one in held.values() if one.changed and not one.fresh],
    )
    parting = {hit for one in held.values() if one.loosened and not one.fresh for hit in one.anchors}
    for campaign in sorted(set(campaigns.of_hits(connection, parting).values())):
        campaigns.part(connection, campaign, now=now)
    return tied


def _tie(one: Newcomer, key: Key, *, campaign: int) -> dict[str, Any]:
    text_id = one.text_id if key.kind == "text" and not key.value.startswith("=") else None
    row = {"hit_id": one.hit_id, "campaign_id": campaign, "kind": key.kind, "value": key.value, "key": key.number}
    return row | {"text_id": text_id, "account": one.account}


def _newcomers(connection: Connection, rows: Sequence[Mapping[Any, Any]]) -> tuple[list[Newcomer], Families]:
    """The hits with all their keys but those that an officer has cut for them."""
    cuts = _cuts(connection, [row["id"] for row in rows if row["linked_before"]])
    wide = _wide(connection, rows)
    folded, said = link_texts.said_by(rows)
    speaking = [(row["id"], one) for row, one in zip(rows, said, strict=True) if one is not None and "text" not in cuts.get(row["id"], {})]
    families, texts = link_texts.place(connection, speaking)
    found = []
    for row, text, also_wide in zip(rows, folded, wide, strict=True):
        given = keys(row, also_wide=also_wide)
        own = texts.get(row["id"])
        short = equal_text(text) if own is None else Key(kind="text", value=str(families.of(own)))
        cut = cuts.get(row["id"], {})
        kept = [
            key for key in (*given, short) if key and key.value not in cut.get(key.kind, ()) and not (key.kind == "text" and "text" in cut)
        ]
        title = row["title"] or row["body"][:40] or row["url"]
        found.append(Newcomer(hit_id=row["id"], title=title, account=account(row), keys=kept, text_id=own))
    return found, families


def _cuts(connection: Connection, hit_ids: Sequence[int]) -> dict[int, dict[str, set[str]]]:
    """What officers have cut, {hit: {kind: values}}, of hits that were linked before and are linked anew; their other ties are dropped."""
    found: dict[int, dict[str, set[str]]] = {}
    old = ties.held_by(connection, hit_ids)
    for row in old:
        if row.cut_by is not None:
            found.setdefault(row.hit_id, {}).setdefault(row.kind, set()).add(row.value)
    ties.forget(connection, [row.id for row in old if row.cut_by is None])
    return found


def _wide(connection: Connection, rows: Sequence[Mapping[Any, Any]]) -> list[frozenset[str]]:
    """For each row the domains that are platforms when it comes: those whose hits stand on one site, by then.

    A search engine's postings stand on many sites, and none of them counts as its own.
    """
    known = ties.sites(connection)
    new: list[tuple[str, str]] = []
    found = []
    wide: frozenset[str] | None = None
    for row in rows:
        there, site = known.setdefault(row["platform"], set()), site_of(row["url"])
        if site not in there and len(there) < 2:
            there.add(site)
            new.append((row["platform"], site))
            wide = None
        if wide is None:
            wide = frozenset(next(iter(one)) for one in known.values() if len(one) == 1)
        found.append(wide)
    ties.note_sites(connection, new)
    return found


def _held(connection: Connection, newcomers: Sequence[Newcomer], families: Families) -> dict[int, Held]:
    """All keys of the newcomers, with what is known of them, counted."""
    merged = {Key(kind="text", value=str(family)): Key(kind="text", value=str(into)) for family, into in sorted(families.merged().items())}
    named = {key.number: key for one in newcomers for key in one.keys} | {key.number: key for pair in merged.items() for key in pair}
    known = ties.keys(connection, named)
    held = {number: _known(key, known.get(number)) for number, key in named.items()}
    for key, into in merged.items():
        _merge(held.pop(key.number), into=held[into.number])
        ties.rename(connection, number=key.number, key=(into.kind, into.value))
    for at, one in enumerate(newcomers):
        for key in one.keys:
            here = held[key.number]
            here.by.append(at)
            here.changed = True
            if not here.anchors:
                here.anchors.append(one.hit_id)
    return {number: one for number, one in held.items() if one.by or not one.fresh}


def _known(key: Key, row: Any | None) -> Held:
    if row is None:
        return Held(key=key, anchors=[])
    anchors = [row.hit_id] if row.hit_id is not None else []
    holds = not row.loose and row.muted_by is None
    told = {"postings": row.postings, "spread": row.spread, "loose": row.loose, "muted_by": row.muted_by}
    return Held(key=key, anchors=anchors, fresh=False, held_before=holds, **told)


def _merge(one: Held, *, into: Held) -> None:
    """Two families of texts are one: what held either holds them both, until they are measured together."""
    into.anchors += one.anchors
    into.postings += one.postings
    into.held_before = into.held_before or one.held_before
    into.muted_by = into.muted_by or one.muted_by
    into.loose = into.loose and one.loose
    into.unlike = into.changed = True


def _look(connection: Connection, newcomers: Sequence[Newcomer], held: Mapping[int, Held]) -> None:
    """Count the newcomers, and measure each key whose postings have doubled since."""
    for one in held.values():
        before = look_at(one.key, one.postings)
        one.postings += len(one.by)
        size = look_at(one.key, one.postings)
        if not size or (size == before and not one.unlike):
            continue
        new = [(newcomers[at].hit_id, newcomers[at].account, newcomers[at].keys) for at in one.by]
        was_loose = one.loose
        one.spread, one.loose = measure(connection, one.key, size=size, new=new)
        if (was_loose or one.unlike) and not one.loose and not one.fresh:
            one.anchors = ties.all_with(connection, one.key.number) or one.anchors


def _campaigns(
    connection: Connection, newcomers: Sequence[Newcomer], held: Mapping[int, Held], *, now: datetime
) -> tuple[dict[int, int], int]:
    """({hit: campaign} of the newcomers, how many were tied to others). Campaigns that turn out to be one are made one."""
    own = {one.hit_id: at for at, one in enumerate(newcomers)}
    strong = [one for one in held.values() if one.holds]
    of_anchor = campaigns.of_hits(connection, {hit for one in strong for hit in one.anchors if hit not in own})
    old = {campaign: at for at, campaign in enumerate(sorted(set(of_anchor.values())), len(newcomers))}
    groups = Ties(len(newcomers) + len(old))
    for one in strong:
        nodes = [*one.by, *(own[hit] if hit in own else old[of_anchor[hit]] for hit in one.anchors if hit in own or hit in of_anchor)]
        for node in nodes[1:]:
            groups.tie(nodes[0], node)
    members: dict[int, list[int]] = {}
    for at in range(len(newcomers)):
        members.setdefault(groups.top(at), []).append(at)
    known: dict[int, list[int]] = {}
    for campaign, at in old.items():
        known.setdefault(groups.top(at), []).append(campaign)
    made = iter(campaigns.open_many(connection, [newcomers[group[0]].title for top, group in members.items() if top not in known], now=now))
    places: dict[int, int] = {}
    for top, group in members.items():
        by = f"hit:{newcomers[group[0]].hit_id}"
        campaign = campaigns.join(connection, known[top], by=by, now=now) if top in known else next(made)
        places |= {newcomers[at].hit_id: campaign for at in group}
    tied = len(newcomers) - sum(top not in known for top in members)
    return places, tied
