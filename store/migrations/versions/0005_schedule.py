"""The schedule: sources, what their visits found, hours of day, manners of platforms, and queries of the rotation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=True),
        sa.Column("tried_at", sa.DateTime(), nullable=True),
        sa.Column("not_before", sa.DateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("shape", sa.Float(), nullable=False),
        sa.Column("exposure", sa.Float(), nullable=False),
        sa.Column("bursting", sa.Float(), nullable=False),
        sa.Column("burst_shape", sa.Float(), nullable=False),
        sa.Column("burst_hours", sa.Float(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("platform", "url", name=op.f("uq_sources_platform_url")),
    )


def _visits() -> None:
    op.create_table(
        "source_visits",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("source_id", _ID, nullable=False),
        sa.Column("sweep_id", _ID, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("learned", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_source_visits_source_id")),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name=op.f("fk_source_visits_sweep_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_visits")),
    )
    op.create_index(op.f("ix_source_visits_learned_id"), "source_visits", ["learned", "id"], unique=False)
    op.create_index(op.f("ix_source_visits_source_id_at"), "source_visits", ["source_id", "at"], unique=False)
    op.create_table(
        "finds",
        sa.Column("capture_id", _ID, autoincrement=False, nullable=False),
        sa.Column("source_id", _ID, nullable=False),
        sa.Column("query_id", _ID, nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.id"], name=op.f("fk_finds_capture_id")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_finds_source_id")),
        sa.PrimaryKeyConstraint("capture_id", name=op.f("pk_finds")),
    )
    op.create_index(op.f("ix_finds_source_id"), "finds", ["source_id"], unique=False)
    op.create_index(op.f("ix_finds_query_id"), "finds", ["query_id"], unique=False)


def _others() -> None:
    op.create_table(
        "rhythms",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_rhythms")),
    )
    op.create_table(
        "manners",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("crawl_delay_s", sa.Float(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("walls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_manners")),
    )
    op.create_table(
        "queries",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("span_h", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queries")),
        sa.UniqueConstraint("platform", "text", "span_h", name=op.f("uq_queries_platform_text_span_h")),
    )


def upgrade() -> None:
    """Make the tables, empty: sources are entered by the daemon, and the first visits teach their rates."""
    _sources()
    _visits()
    _others()


def downgrade() -> None:
    """Drop them: what was learned of rates and yields is forgotten, nothing of the evidence is."""
    for table in ("queries", "manners", "rhythms", "finds", "source_visits", "sources"):
        op.drop_table(table)
