"""What the rules are worth: how often each matched, in how many hits it stood, and what officers made of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from domain.clock import SHANGHAI
from store.tables import held, hit_rules, hits, postings, rule_days
from store.tallies import day_of

CONFIRMED, DISMISSED = ("confirmed", "closed"), ("dismissed",)
"""States in which a hit carries an officer's word; nothing but a confirmed hit is ever closed."""


@dataclass(slots=True, kw_only=True)
class Figures:
    """One rule over a span of days."""

    matched: int = 0
    """Texts in which it matched."""
    hits: int = 0
    """Hits, opened in the span, in which it stands."""
    confirmed: int = 0
    dismissed: int = 0
    """Of those hits, as decided by now."""
    held: int = 0
    """Texts that its daily cap held back."""

    @property
    def precision(self) -> float | None:
        """Of the decided hits, the share that was confirmed; None where none is decided."""
        decided = self.confirmed + self.dismissed
        return self.confirmed / decided if decided else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A rule that a cap holds, or an officer let go on, today."""

    at: datetime | None
    lifted: bool


def midnight(now: datetime, *, back: int = 0) -> datetime:
    """The beginning of the day in Shanghai that lies `back` days before today."""
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=back)


def of_rules(connection: Connection, *, since: datetime) -> dict[str, Figures]:
    """Rule -> its figures from the day of `since` on; rules that did nothing are left out."""
    found: dict[str, Figures] = {}
    totals = select(rule_days.c.rule, func.sum(rule_days.c.matched), func.sum(rule_days.c.held)).group_by(rule_days.c.rule)
    for rule, matched, back in connection.execute(totals.where(rule_days.c.day >= day_of(since))):
        found[rule] = Figures(matched=int(matched), held=int(back))
    stood = select(hit_rules.c.rule, hits.c.state, func.count()).join(hits, hits.c.id == hit_rules.c.hit_id)
    stood = stood.where(hits.c.opened_at >= since).group_by(hit_rules.c.rule, hits.c.state)
    for rule, state, count in connection.execute(stood):
        _count(found.setdefault(rule, Figures()), state, int(count))
    return found


def of_days(connection: Connection, rule: str, *, since: datetime) -> dict[str, Figures]:
    """Day in Shanghai -> the rule's figures of it, oldest first; days on which it did nothing are left out."""
    found: dict[str, Figures] = {}
    counted = select(rule_days).where(rule_days.c.rule == rule, rule_days.c.day >= day_of(since))
    for row in connection.execute(counted):
        found[row.day] = Figures(matched=row.matched, held=row.held)
    stood = select(hits.c.opened_at, hits.c.state).join(hit_rules, hit_rules.c.hit_id == hits.c.id)
    for row in connection.execute(stood.where(hit_rules.c.rule == rule, hits.c.opened_at >= since)):
        _count(found.setdefault(day_of(row.opened_at), Figures()), row.state, 1)
    return dict(sorted(found.items()))


def _count(figures: Figures, state: str, count: int) -> None:
    figures.hits += count
    figures.confirmed += count if state in CONFIRMED else 0
    figures.dismissed += count if state in DISMISSED else 0


def held_now(connection: Connection) -> dict[str, int]:
    """Rule -> texts that its cap holds back and no officer has released or dropped."""
    return {str(rule): int(count) for rule, count in connection.execute(select(held.c.rule, func.count()).group_by(held.c.rule))}


def stops(connection: Connection, *, now: datetime) -> dict[str, Stop]:
    """Rules that passed their cap today."""
    passed = select(rule_days).where(rule_days.c.day >= day_of(now), rule_days.c.stopped_at.is_not(None))
    return {row.rule: Stop(at=row.stopped_at, lifted=row.lifted) for row in connection.execute(passed.order_by(rule_days.c.day))}


def hits_of(connection: Connection, rule: str, *, limit: int = 10) -> Sequence[Any]:
    """The newest hits in which the rule stands: id, state, score, opened_at, title, body (its beginning), platform."""
    columns = (hits.c.id, hits.c.state, hits.c.score, hits.c.opened_at, postings.c.title, func.substr(postings.c.body, 1, 80).label("body"))
    query = select(*columns, postings.c.platform).join(hit_rules, hit_rules.c.hit_id == hits.c.id)
    query = query.join(postings, postings.c.id == hits.c.posting_id).where(hit_rules.c.rule == rule)
    return connection.execute(query.order_by(hits.c.id.desc()).limit(limit)).all()


def held_of(connection: Connection, rule: str, *, limit: int = 10) -> Sequence[Any]:
    """The newest texts that the rule's cap holds back: posting id, at, title, body (its beginning), platform, url."""
    columns = (postings.c.id, held.c.at, postings.c.title, func.substr(postings.c.body, 1, 160).label("body"), postings.c.platform)
    query = select(*columns, postings.c.url).join(held, held.c.posting_id == postings.c.id).where(held.c.rule == rule)
    return connection.execute(query.order_by(held.c.at.desc(), postings.c.id.desc()).limit(limit)).all()
