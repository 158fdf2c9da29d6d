"""What each rule did: counters by the day, the rules of each hit, and what a daily cap holds back."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BATCH = 2000
_EIGHT_HOURS = timedelta(hours=8)


def upgrade() -> None:
    """Make the three tables, and fill them from the assessments that are there."""
    op.create_table(
        "rule_days",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(), nullable=True),
        sa.Column("lifted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("day", "rule", name=op.f("pk_rule_days")),
    )
    op.create_table(
        "hit_rules",
        sa.Column("hit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name=op.f("fk_hit_rules_hit_id")),
        sa.PrimaryKeyConstraint("hit_id", "rule", name=op.f("pk_hit_rules")),
    )
    op.create_index(op.f("ix_hit_rules_rule"), "hit_rules", ["rule"], unique=False)
    op.create_table(
        "held",
        sa.Column("posting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["postings.id"], name=op.f("fk_held_posting_id")),
        sa.PrimaryKeyConstraint("posting_id", "rule", name=op.f("pk_held")),
    )
    op.create_index(op.f("ix_held_rule"), "held", ["rule"], unique=False)
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """Count what was judged before this version, so that the figures of the last month are whole on the first day."""
    days: dict[tuple[str, str], Counter[str]] = {}
    seen: set[tuple[int, str]] = set()
    judged = sa.text("SELECT id, posting_id, at, matches FROM assessments WHERE id > :last ORDER BY id LIMIT :most")
    for row in _rows(connection, judged.columns(at=sa.DateTime(), matches=sa.Text())):
        for rule in _rules(row.matches):
            if (row.posting_id, rule) not in seen:
                seen.add((row.posting_id, rule))
                days.setdefault((_day(row.at), rule), Counter())["matched"] += 1
    opened = sa.text(
        "SELECT hits.id AS id, hits.opened_at AS at, assessments.matches AS matches FROM hits "
        "JOIN assessments ON assessments.id = hits.assessment_id WHERE hits.id > :last ORDER BY hits.id LIMIT :most"
    )
    pairs: list[dict[str, Any]] = []
    for row in _rows(connection, opened.columns(at=sa.DateTime(), matches=sa.Text())):
        for rule in sorted(_rules(row.matches)):
            pairs.append({"hit_id": row.id, "rule": rule})
            days.setdefault((_day(row.at), rule), Counter())["hits"] += 1
    kept = sa.table("hit_rules", sa.column("hit_id"), sa.column("rule"))
    for start in range(0, len(pairs), _BATCH):
        connection.execute(sa.insert(kept), pairs[start : start + _BATCH])
    names = ("day", "rule", "matched", "hits", "held", "lifted")
    counted = sa.table("rule_days", *(sa.column(name, sa.Boolean() if name == "lifted" else None) for name in names))
    rows = [
        {"day": day, "rule": rule, "matched": found["matched"], "hits": found["hits"], "held": 0, "lifted": False}
        for (day, rule), found in sorted(days.items())
    ]
    for start in range(0, len(rows), _BATCH):
        connection.execute(sa.insert(counted), rows[start : start + _BATCH])


def _rows(connection: sa.Connection, query: Any) -> Any:
    last = 0
    while True:
        rows = connection.execute(query, {"last": last, "most": _BATCH}).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id


def _rules(matches: Any) -> set[str]:
    """The rules of a column `matches`, which one driver gives as text and another as a list."""
    given = json.loads(matches) if isinstance(matches, str) else matches or []
    return {match["rule"] for match in given}


def _day(moment: datetime) -> str:
    return f"{moment + _EIGHT_HOURS:%Y-%m-%d}"
