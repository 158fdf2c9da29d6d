"""Rows of ties and campaigns: which hits belong together, why, and what an officer has cut."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, delete, exists, func, insert, or_, select, update

from domain.errors import StoreFault
from store import audit
from store.door import clean_key
from store.tables import campaigns, hits, postings, ties

Named = tuple[str, str]
"""Kind and value of a tie."""


def alone(connection: Connection) -> None:
    """Be the only one who ties until this transaction ends."""
    audit.alone(connection)


def unlinked(connection: Connection, *, limit: int) -> Sequence[RowMapping]:
    """Hits without a campaign, oldest first, with the columns of their postings that carry keys."""
    columns = (postings.c.url, postings.c.title, postings.c.body, postings.c.contacts, postings.c.links, postings.c.images)
    query = select(hits.c.id, *columns).join(postings, postings.c.id == hits.c.posting_id)
    return connection.execute(query.where(hits.c.campaign_id.is_(None)).order_by(hits.c.id).limit(limit)).mappings().all()


def platform_ends(connection: Connection) -> Sequence[tuple[str, str]]:
    """The first and the last address, in sorting order, of each platform's postings with hits: alike where it is one site."""
    query = select(func.min(postings.c.url), func.max(postings.c.url)).join(hits, hits.c.posting_id == postings.c.id)
    return [(str(first), str(last)) for first, last in connection.execute(query.group_by(postings.c.platform))]


def join(connection: Connection, hit_id: int, named: Sequence[Named], *, title: str, now: datetime) -> bool:
    """Put a hit into the campaign of those it shares a key with, or into a new one of its own. True where it shares one.

    Its keys become ties, except those that an officer has cut for this hit.
    """
    cut_ones = {
        (row.kind, row.value) for row in connection.execute(select(ties).where(ties.c.hit_id == hit_id, ties.c.cut_by.is_not(None)))
    }
    wanted = [(kind, clean_key(value)) for kind, value in named]
    wanted = [one for one in wanted if one not in cut_ones]
    found = _campaigns_of(connection, wanted)
    if found:
        chosen, *others = sorted(found)
        for other in others:
            _merge(connection, other, into=chosen)
    else:
        made = connection.execute(insert(campaigns).values(opened_at=now, title=clean_key(title)[:80])).inserted_primary_key
        assert made is not None
        chosen = int(made[0])
    connection.execute(update(hits).where(hits.c.id == hit_id).values(campaign_id=chosen))
    if wanted:
        connection.execute(
            insert(ties), [{"hit_id": hit_id, "campaign_id": chosen, "kind": kind, "value": value} for kind, value in wanted]
        )
    return bool(found)


def cut(connection: Connection, tie_id: int, *, officer: str, reason: str, now: datetime) -> list[int]:
    """Cut one tie, audited, and let what it alone held together part. See `pipelines.link.cut`."""
    row = connection.execute(select(ties).where(ties.c.id == tie_id)).first()
    if row is None:
        raise StoreFault(f"tie:{tie_id}: no such tie; list those of its campaign first")
    if not reason.strip():
        raise StoreFault(f"tie:{tie_id}: no reason given; write why these hits do not belong together")
    if row.cut_by is None:
        connection.execute(update(ties).where(ties.c.id == tie_id).values(cut_by=officer))
        detail = {"hit": row.hit_id, "campaign": row.campaign_id, "kind": row.kind, "reason": reason}
        audit.append(connection, actor=officer, action="tie.cut", subject=f"tie:{tie_id}", at=now, detail=detail)
    return _part(connection, row.campaign_id, now=now)


def of_campaign(connection: Connection, campaign_id: int) -> Sequence[RowMapping]:
    """The ties that hold a campaign together: those whose key two of its hits or more share, and those cut. Sorted by key."""
    other = ties.alias("other")
    same = and_(
        other.c.campaign_id == ties.c.campaign_id,
        other.c.kind == ties.c.kind,
        other.c.value == ties.c.value,
        other.c.hit_id != ties.c.hit_id,
    )
    shared = exists(select(other.c.id).where(same, other.c.cut_by.is_(None)))
    query = select(ties).where(ties.c.campaign_id == campaign_id, or_(shared, ties.c.cut_by.is_not(None)))
    return connection.execute(query.order_by(ties.c.kind, ties.c.value, ties.c.hit_id)).mappings().all()


def _campaigns_of(connection: Connection, wanted: Sequence[Named]) -> set[int]:
    """The campaigns that hold one of these keys by an uncut tie."""
    found: set[int] = set()
    for start in range(0, len(wanted), 200):
        either = or_(*(and_(ties.c.kind == kind, ties.c.value == value) for kind, value in wanted[start : start + 200]))
        found |= set(connection.execute(select(ties.c.campaign_id).where(ties.c.cut_by.is_(None), either).distinct()).scalars())
    return found


def _merge(connection: Connection, campaign_id: int, *, into: int) -> None:
    for table in (hits, ties):
        connection.execute(update(table).where(table.c.campaign_id == campaign_id).values(campaign_id=into))
    connection.execute(delete(campaigns).where(campaigns.c.id == campaign_id))


def _part(connection: Connection, campaign_id: int, *, now: datetime) -> list[int]:
    """Split a campaign into what uncut ties still hold together: the campaigns, the old one (with the most hits) first."""
    members = list(connection.execute(select(hits.c.id).where(hits.c.campaign_id == campaign_id).order_by(hits.c.id)).scalars())
    leader = {one: one for one in members}

    def lead(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    first_with: dict[Named, int] = {}
    held = select(ties.c.hit_id, ties.c.kind, ties.c.value).where(ties.c.campaign_id == campaign_id, ties.c.cut_by.is_(None))
    for hit_id, kind, value in connection.execute(held):
        known = first_with.setdefault((kind, value), hit_id)
        leader[lead(hit_id)] = lead(known)
    groups: dict[int, list[int]] = {}
    for one in members:
        groups.setdefault(lead(one), []).append(one)
    result = [campaign_id]
    for group in sorted(groups.values(), key=lambda one: (-len(one), one[0]))[1:]:
        title = connection.execute(
            select(postings.c.title).join(hits, hits.c.posting_id == postings.c.id).where(hits.c.id == group[0])
        ).scalar()
        made = connection.execute(insert(campaigns).values(opened_at=now, title=title or "（无标题）")).inserted_primary_key
        assert made is not None
        result.append(int(made[0]))
        connection.execute(update(hits).where(hits.c.id.in_(group)).values(campaign_id=result[-1]))
        connection.execute(update(ties).where(ties.c.hit_id.in_(group), ties.c.campaign_id == campaign_id).values(campaign_id=result[-1]))
    return result


def size(connection: Connection, campaign_id: int) -> int:
    """How many hits a campaign has."""
    return int(connection.execute(select(func.count()).where(hits.c.campaign_id == campaign_id)).scalar_one())
