"""What a candidate model would have said, beside the word that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from domain.model import Assessment, Level
from store.figures import CONFIRMED, DISMISSED
from store.tables import hits, labels, postings, shadows

OPENS = tuple(level.value for level in Level if level.opens_hit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A candidate against the judge in force, over all texts that both judged."""

    texts: int = 0
    agree: int = 0
    """Both at review or above, or both below."""
    up: int = 0
    """The candidate alone would open a hit."""
    down: int = 0
    """The judge in force alone does."""
    apart: float = 0.0
    """Mean distance of the two scores."""
    cost_us: float = 0.0
    """A text, on average: what the candidate costs beside, and what the whole judge in force costs."""
    live_cost_us: float = 0.0
    since: datetime | None = None
    decided: int = 0
    """Texts that an officer decided or labelled, and how often each of the two stood with the officer at review."""
    right: int = 0
    live_right: int = 0


def row(
    posting_id: int, live: Assessment, *, word: tuple[float, Level], model: str, costs_us: tuple[int, int], now: datetime
) -> dict[str, Any]:
    """A row of `shadows`; `costs_us` are the candidate's and the live judge's."""
    return {
        "posting_id": posting_id,
        "model": model,
        "at": now,
        "level": word[1].value,
        "score": word[0],
        "live_model": live.model,
        "live_level": live.level.value,
        "live_score": live.score,
        "cost_us": costs_us[0],
        "live_cost_us": costs_us[1],
    }


def keep(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep words; a posting that was judged anew has its newest alone."""
    statement = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(shadows)
    keys = (shadows.c.posting_id, shadows.c.model)
    newer = {column.name: statement.excluded[column.name] for column in shadows.c if column not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=newer), list(rows))


def forget(connection: Connection, *, but: str) -> int:
    """Drop the words of all candidates but one: how many."""
    return connection.execute(delete(shadows).where(shadows.c.model != but)).rowcount


def beside(connection: Connection, model: str) -> Beside:
    """The candidate of this version against what was in force while it listened; of officers' words only decisions, see `labelled`."""
    up, down = _flips()
    one = func.coalesce
    columns = (
        func.count(), one(func.sum(_as_count(up)), 0), one(func.sum(_as_count(down)), 0),
        one(func.avg(func.abs(shadows.c.score - shadows.c.live_score)), 0.0), one(func.avg(shadows.c.cost_us), 0.0),
        one(func.avg(shadows.c.live_cost_us), 0.0), func.min(shadows.c.at),
    )  # fmt: skip
    texts, ups, downs, apart, cost, live_cost, since = connection.execute(select(*columns).where(shadows.c.model == model)).one()
    decided, right, live_right = _decided(connection, model)
    return Beside(
        texts=texts, agree=texts - int(ups) - int(downs), up=int(ups), down=int(downs), apart=float(apart), cost_us=float(cost),
        live_cost_us=float(live_cost), since=since, decided=decided, right=right, live_right=live_right,
    )  # fmt: skip


def flips(connection: Connection, model: str, *, limit: int = 20) -> Sequence[Any]:
    """The texts on which the two fall apart at review, widest first: posting_id, scores, levels, title, body (its beginning), platform,
    hit (its id where it has one), state.
    """
    up, down = _flips()
    columns = (shadows.c.posting_id, shadows.c.score, shadows.c.level, shadows.c.live_score, shadows.c.live_level)
    more = (postings.c.title, func.substr(postings.c.body, 1, 160).label("body"), postings.c.platform, hits.c.id.label("hit"), hits.c.state)
    query = select(*columns, *more).join(postings, postings.c.id == shadows.c.posting_id)
    query = query.outerjoin(hits, hits.c.posting_id == postings.c.id).where(shadows.c.model == model, or_(up, down))
    widest = func.abs(shadows.c.score - shadows.c.live_score).desc()
    return connection.execute(query.order_by(widest, shadows.c.posting_id).limit(limit)).all()


def _flips() -> tuple[Any, Any]:
    """(the candidate alone opens a hit, the live judge alone does)."""
    mine, live = shadows.c.level.in_(OPENS), shadows.c.live_level.in_(OPENS)
    return and_(mine, ~live), and_(~mine, live)


def _as_count(condition: Any) -> Any:
    return case((condition, 1), else_=0)


def labelled(connection: Connection, model: str) -> Sequence[Any]:
    """Texts without a hit that an officer labelled and the candidate heard: label, level, live_level."""
    query = select(labels.c.label, shadows.c.level, shadows.c.live_level).join(labels, labels.c.posting_id == shadows.c.posting_id)
    query = query.outerjoin(hits, hits.c.posting_id == shadows.c.posting_id)
    return connection.execute(query.where(shadows.c.model == model, labels.c.label.is_not(None), hits.c.id.is_(None))).all()


def _decided(connection: Connection, model: str) -> tuple[int, int, int]:
    """(texts whose hit is decided, where the candidate stood with the officer, where the live judge did)."""
    query = select(hits.c.state, shadows.c.level, shadows.c.live_level).join(hits, hits.c.posting_id == shadows.c.posting_id)
    rows = connection.execute(query.where(shadows.c.model == model, hits.c.state.in_((*CONFIRMED, *DISMISSED)))).all()
    right = sum((row.level in OPENS) == (row.state in CONFIRMED) for row in rows)
    return len(rows), right, sum((row.live_level in OPENS) == (row.state in CONFIRMED) for row in rows)
