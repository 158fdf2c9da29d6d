"""What the campaign page, the list and the command line read: hits in time, what ties them, what near texts they came by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, select

from store.linktables import text_links, texts, tie_keys
from store.signatures import parts
from store.tables import assessments, campaigns, hits, postings, ties
from store.views import WAITING, QueueFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """One key of a campaign, and the hits that it ties there."""

    tie_id: int
    """Of one of its ties: by it the key is named in forms."""
    kind: str
    value: str
    hits: tuple[int, ...]
    loose: bool
    spread: float
    muted_by: str | None
    why: str | None

    @property
    def holds(self) -> bool:
        return not self.loose and self.muted_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One tie that an officer cut."""

    tie_id: int
    hit_id: int
    kind: str
    value: str
    by: str
    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """By which earlier hit's text a hit's text came here: the share of the text that is in both, 1.0 for the same words."""

    hit_id: int
    other_hit: int
    share: float


_WAITS = func.sum(case((hits.c.state.in_(WAITING), 1), else_=0)).label("waiting")
_CONFIRMED = func.sum(case((hits.c.state.in_(("confirmed", "closed")), 1), else_=0)).label("confirmed")


def listed(connection: Connection, *, least: int = 2, waiting: bool = False, limit: int = 50, offset: int = 0) -> Sequence[Row[Any]]:
    """Campaigns of `least` hits or more, the largest first: id, title, hits, waiting, confirmed, platforms, first_at, last_at, score."""
    grouped = (
        select(
            hits.c.campaign_id,
            func.count().label("hits"),
            _WAITS,
            _CONFIRMED,
            func.count(postings.c.platform.distinct()).label("platforms"),
            func.min(hits.c.opened_at).label("first_at"),
            func.max(hits.c.opened_at).label("last_at"),
            func.max(hits.c.score).label("score"),
        )
        .join(postings, postings.c.id == hits.c.posting_id)
        .where(hits.c.campaign_id.is_not(None))
        .group_by(hits.c.campaign_id)
        .having(and_(func.count() >= least, *((_waits() > 0,) if waiting else ())))
        .subquery()
    )
    query = select(campaigns.c.id, campaigns.c.title, campaigns.c.opened_at, grouped).join(grouped, grouped.c.campaign_id == campaigns.c.id)
    return connection.execute(query.order_by(grouped.c.hits.desc(), campaigns.c.id).limit(limit).offset(offset)).all()


def _waits() -> Any:
    return func.sum(case((hits.c.state.in_(WAITING), 1), else_=0))


def members(connection: Connection, campaign_id: int, *, limit: int = 2000) -> Sequence[Row[Any]]:
    """Its hits, the first seen first: id, state, level, grade, score, opened_at, claimed_by, claimed_until, and those of the posting."""
    columns = [hits.c[name] for name in ("id", "state", "level", "grade", "score", "opened_at", "claimed_by", "claimed_until")]
    seen = func.coalesce(postings.c.published_at, postings.c.first_seen_at).label("at")
    shown = [postings.c.platform, postings.c.title, func.substr(postings.c.body, 1, 80).label("body"), postings.c.publisher, seen]
    query = select(*columns, *shown).join(postings, postings.c.id == hits.c.posting_id).where(hits.c.campaign_id == campaign_id)
    return connection.execute(query.order_by(seen, hits.c.id).limit(limit)).all()


def bonds(connection: Connection, campaign_id: int) -> list[Bond]:
    """The keys that two of its hits or more share uncut, those that hold first, then by how many hits they tie."""
    query = select(ties.c.id, ties.c.hit_id, ties.c.key, ties.c.kind, ties.c.value).where(
        ties.c.campaign_id == campaign_id, ties.c.cut_by.is_(None)
    )
    held: dict[int, list[Any]] = {}
    for row in connection.execute(query.order_by(ties.c.hit_id)):
        held.setdefault(row.key, []).append(row)
    shared = {key: rows for key, rows in held.items() if len(rows) > 1}
    told = {row.key: row for part in parts(shared) for row in connection.execute(select(tie_keys).where(tie_keys.c.key.in_(part)))}
    found = []
    for key, rows in shared.items():
        state = told.get(key)
        found.append(
            Bond(
                tie_id=rows[0].id, kind=rows[0].kind, value=rows[0].value, hits=tuple(row.hit_id for row in rows),
                loose=bool(state and state.loose), spread=float(state.spread) if state else 0.0,
                muted_by=state.muted_by if state else None, why=state.why if state else None,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (not one.holds, -len(one.hits), one.kind, one.value))


def own_ties(connection: Connection, campaign_id: int) -> dict[int, list[Any]]:
    """Hit -> its uncut ties (id, hit_id, kind, value, key), for the page to offer each for cutting."""
    found: dict[int, list[Any]] = {}
    columns = (ties.c.id, ties.c.hit_id, ties.c.kind, ties.c.value, ties.c.key)
    query = select(*columns).where(ties.c.campaign_id == campaign_id, ties.c.cut_by.is_(None)).order_by(ties.c.kind, ties.c.id)
    for row in connection.execute(query):
        found.setdefault(row.hit_id, []).append(row)
    return found


def cuts(connection: Connection, campaign_id: int) -> list[Cut]:
    """Ties of its hits, and of those that went out of it by a cut, that officers have cut, the latest first."""
    parted = select(campaigns.c.id).where(campaigns.c.parted_from == campaign_id)
    here = ties.c.campaign_id.in_(parted) | (ties.c.campaign_id == campaign_id)
    rows = connection.execute(select(ties).where(here, ties.c.cut_by.is_not(None)).order_by(ties.c.cut_at.desc(), ties.c.id)).all()
    return [
        Cut(tie_id=row.id, hit_id=row.hit_id, kind=row.kind, value=row.value, by=row.cut_by, at=row.cut_at, why=row.why or "")
        for row in rows
    ]


def nearness(connection: Connection, campaign_id: int) -> list[Nearness]:
    """How near the texts of its hits are to the earlier ones by which they came here, by hit."""
    own = select(ties.c.hit_id, ties.c.text_id, texts.c.hit_id.label("first")).join(texts, texts.c.id == ties.c.text_id)
    rows = connection.execute(own.where(ties.c.campaign_id == campaign_id, ties.c.cut_by.is_(None)).order_by(ties.c.hit_id)).all()
    here = {row.hit_id for row in rows}
    same = [Nearness(hit_id=row.hit_id, other_hit=row.first, share=1.0) for row in rows if row.first != row.hit_id and row.first in here]
    first = {row.text_id: row.first for row in rows if row.first == row.hit_id}
    found = []
    for part in parts(first):
        query = select(text_links.c.text_id, text_links.c.share, texts.c.hit_id).join(texts, texts.c.id == text_links.c.near_id)
        for text_id, share, other in connection.execute(query.where(text_links.c.text_id.in_(part))):
            if other in here:
                found.append(Nearness(hit_id=first[text_id], other_hit=other, share=share))
    return sorted([*same, *found], key=lambda one: (one.hit_id, -one.share, one.other_hit))


def merged_here(connection: Connection, campaign_id: int) -> Sequence[Any]:
    """Campaigns that went up into this one, the latest first: id, title, merged_at, merged_by."""
    query = select(campaigns.c.id, campaigns.c.title, campaigns.c.merged_at, campaigns.c.merged_by)
    return connection.execute(query.where(campaigns.c.merged_into == campaign_id).order_by(campaigns.c.merged_at.desc()).limit(50)).all()


def waiting_ids(connection: Connection, campaign_id: int) -> list[int]:
    """Its hits that wait for a person, in order."""
    query = select(hits.c.id).where(hits.c.campaign_id == campaign_id, hits.c.state.in_(WAITING))
    return list(connection.execute(query.order_by(hits.c.id)).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueByCampaign(QueueFilter):
    """The same list with one hit a campaign: the strongest of those that the filter shows."""

    def conditions(self, *, officer: str) -> list[ColumnElement[bool]]:
        wanted = QueueFilter.conditions(self, officer=officer)
        rank = func.row_number().over(
            partition_by=func.coalesce(hits.c.campaign_id, -hits.c.id), order_by=(hits.c.level, hits.c.score.desc(), hits.c.id)
        )
        joined = hits.join(postings, postings.c.id == hits.c.posting_id).join(assessments, assessments.c.id == hits.c.assessment_id)
        ranked = select(hits.c.id, rank.label("rank")).select_from(joined).where(*wanted).subquery()
        return [*wanted, hits.c.id.in_(select(ranked.c.id).where(ranked.c.rank == 1))]
