"""Which waiting hits would teach most (待学习): the judges disagree, or the score lies close to where a hit opens."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, select

from domain.doubt import LEARNS, doubt
from store.tables import assessments, hits, postings

MOST = 5000
"""Hits that are looked through, the newest: no office works off more in a day."""


def ranked(conn: Connection, conditions: Sequence[ColumnElement[bool]], *, review: float) -> list[int]:
    """Ids of the hits under these conditions that are worth learning from, the most doubtful first, of equal ones the older."""
    joined = hits.join(postings, postings.c.id == hits.c.posting_id).join(assessments, assessments.c.id == hits.c.assessment_id)
    query = select(hits.c.id, hits.c.score, assessments.c.scores).select_from(joined).where(*conditions)
    rows = conn.execute(query.order_by(hits.c.id.desc()).limit(MOST)).all()
    found = {row.id: doubt(row.scores, score=row.score, review=review) for row in rows}
    return sorted((number for number, value in found.items() if value >= LEARNS), key=lambda number: (-found[number], number))
