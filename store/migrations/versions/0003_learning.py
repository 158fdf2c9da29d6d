"""What is learned from officers: labels on texts that opened no hit, and a candidate model's word beside the one that counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _posting() -> sa.Column[int]:
    return sa.Column("posting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def upgrade() -> None:
    """Make the two tables, empty: neither holds anything that was known before."""
    op.create_table(
        "shadows",
        _posting(),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("live_model", sa.Text(), nullable=False),
        sa.Column("live_level", sa.Text(), nullable=False),
        sa.Column("live_score", sa.Float(), nullable=False),
        sa.Column("cost_us", sa.Integer(), nullable=False),
        sa.Column("live_cost_us", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["postings.id"], name=op.f("fk_shadows_posting_id")),
        sa.PrimaryKeyConstraint("posting_id", "model", name=op.f("pk_shadows")),
    )
    op.create_index(op.f("ix_shadows_model_at"), "shadows", ["model", "at"], unique=False)
    op.create_table(
        "labels",
        _posting(),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("scheme", sa.Text(), nullable=True),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("ruleset", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["postings.id"], name=op.f("fk_labels_posting_id")),
        sa.PrimaryKeyConstraint("posting_id", name=op.f("pk_labels")),
    )
    op.create_index(op.f("ix_labels_at"), "labels", ["at"], unique=False)
