"""Rows of campaigns (同源线索): opening, joining, parting, and what became of each. A number once given always leads somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update

from domain.errors import StoreFault
from store.door import clean_key
from store.linktables import tie_keys
from store.signatures import parts
from store.tables import campaigns, hits, postings, ties

NO_TITLE = "（无标题）"
_OF_HITS = select(hits.c.id, hits.c.campaign_id).where(hits.c.id.in_(bindparam("some", expanding=True)), hits.c.campaign_id.is_not(None))
_OPEN = insert(campaigns).returning(campaigns.c.id, sort_by_parameter_order=True)
_ENTER = update(hits).where(hits.c.id == bindparam("h")).values(campaign_id=bindparam("c"))


def open_many(connection: Connection, titles: Sequence[str], *, now: datetime, parted_from: int | None = None) -> list[int]:
    """New campaigns of these titles: their numbers, in order."""
    if not titles:
        return []
    rows = [{"opened_at": now, "title": clean_key(title)[:80] or NO_TITLE, "parted_from": parted_from} for title in titles]
    return list(connection.execute(_OPEN, rows).scalars())


def of_hits(connection: Connection, hit_ids: Iterable[int]) -> dict[int, int]:
    """Hit -> its campaign; hits without one are left out."""
    found: dict[int, int] = {}
    for part in parts(hit_ids):
        found.update((row[0], row[1]) for row in connection.execute(_OF_HITS, {"some": part}))
    return found


def of_hit(connection: Connection, hit_id: int) -> int:
    """The hit's campaign. Raises StoreFault where it has none, or where there is no such hit."""
    found = of_hits(connection, [hit_id])
    if hit_id not in found:
        raise StoreFault(f"hit:{hit_id}: is in no campaign; wait until it is linked")
    return found[hit_id]


def enter(connection: Connection, places: Mapping[int, int]) -> None:
    """Put hits into campaigns: {hit: campaign}."""
    if places:
        connection.execute(_ENTER, [{"h": hit, "c": campaign} for hit, campaign in places.items()])


def join(connection: Connection, numbers: Iterable[int], *, by: str, now: datetime) -> int:
    """Make campaigns one: the oldest lives on and is returned, the numbers of the others lead to it from now on."""
    chosen, *others = sorted(set(numbers))
    for other in others:
        for table in (hits, ties):
            connection.execute(update(table).where(table.c.campaign_id == other).values(campaign_id=chosen))
        told = {"merged_into": chosen, "merged_at": now, "merged_by": by}
        connection.execute(update(campaigns).where(campaigns.c.id == other).values(**told))
        connection.execute(update(campaigns).where(campaigns.c.merged_into == other).values(merged_into=chosen))
    return chosen


def part(connection: Connection, campaign_id: int, *, now: datetime) -> list[int]:
    """Split a campaign into what still holds together: the campaigns, the old number (with the most hits) first.

    A tie holds unless it is cut, or its key is loose or muted.
    """
    members = list(connection.execute(select(hits.c.id).where(hits.c.campaign_id == campaign_id).order_by(hits.c.id)).scalars())
    groups = _groups(connection, campaign_id, members)
    rest = sorted(groups, key=lambda one: (-len(one), one[0]))[1:]
    made = open_many(connection, titles_of(connection, [group[0] for group in rest]), now=now, parted_from=campaign_id)
    moved = {hit: number for number, group in zip(made, rest, strict=True) for hit in group}
    enter(connection, moved)
    if moved:
        statement = update(ties).where(ties.c.hit_id == bindparam("h")).values(campaign_id=bindparam("c"))
        connection.execute(statement, [{"h": hit, "c": campaign} for hit, campaign in moved.items()])
    return [campaign_id, *made]


def _groups(connection: Connection, campaign_id: int, members: Sequence[int]) -> list[list[int]]:
    """The campaign's hits by what still ties them, each group sorted."""
    leader = {one: one for one in members}

    def lead(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    holds = or_(tie_keys.c.key.is_(None), (~tie_keys.c.loose) & tie_keys.c.muted_by.is_(None))
    query = select(ties.c.hit_id, ties.c.key).outerjoin(tie_keys, tie_keys.c.key == ties.c.key)
    first_with: dict[int, int] = {}
    for hit_id, key in connection.execute(query.where(ties.c.campaign_id == campaign_id, ties.c.cut_by.is_(None), holds)):
        leader[lead(hit_id)] = lead(first_with.setdefault(key, hit_id))
    groups: dict[int, list[int]] = {}
    for one in members:
        groups.setdefault(lead(one), []).append(one)
    return list(groups.values())


def titles_of(connection: Connection, hit_ids: Sequence[int]) -> list[str]:
    """What campaigns that begin with these hits are called, in order."""
    found: dict[int, str] = {}
    for some in parts(hit_ids):
        query = select(hits.c.id, postings.c.title, func.substr(postings.c.body, 1, 40)).join(postings, postings.c.id == hits.c.posting_id)
        found.update({number: title or body or NO_TITLE for number, title, body in connection.execute(query.where(hits.c.id.in_(some)))})
    return [found[number] for number in hit_ids]


def now_called(connection: Connection, campaign_id: int) -> Row[Any]:
    """The campaign that a number leads to: id, title, opened_at, parted_from. Raises StoreFault where it was never given."""
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).first()
    if row is not None and row.merged_into is not None:
        row = connection.execute(select(campaigns).where(campaigns.c.id == row.merged_into)).first()
    if row is None:
        raise StoreFault(f"campaign:{campaign_id}: no such campaign; list them with wangxun campaigns list")
    return row
