"""cloaking: what different visitors were shown of one page, and copies of screenshots with time and address on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _number(name: str, *, nullable: bool) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=nullable)


def upgrade() -> None:
    """Make the two tables, empty: nothing was compared before."""
    op.create_table(
        "cloaks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        _number("hit_id", nullable=True),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        _number("sweep_id", nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("views", sa.JSON(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _number("assessment_id", nullable=True),
        sa.ForeignKeyConstraint(["hit_id"], ["hits.id"], name=op.f("fk_cloaks_hit_id")),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name=op.f("fk_cloaks_sweep_id")),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessments.id"], name=op.f("fk_cloaks_assessment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cloaks")),
    )
    op.create_index(op.f("ix_cloaks_hit_id"), "cloaks", ["hit_id"], unique=False)
    op.create_index(op.f("ix_cloaks_url"), "cloaks", ["url"], unique=False)
    op.create_index(op.f("ix_cloaks_platform_at"), "cloaks", ["platform", "at"], unique=False)
    op.create_table(
        "overlays",
        sa.Column("screenshot_sha256", sa.Text(), nullable=False),
        sa.Column("overlay_sha256", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("screenshot_sha256", name=op.f("pk_overlays")),
    )


def downgrade() -> None:
    """Drop both; the captures that were compared stay."""
    op.drop_table("overlays")
    op.drop_index(op.f("ix_cloaks_platform_at"), table_name="cloaks")
    op.drop_index(op.f("ix_cloaks_url"), table_name="cloaks")
    op.drop_index(op.f("ix_cloaks_hit_id"), table_name="cloaks")
    op.drop_table("cloaks")
