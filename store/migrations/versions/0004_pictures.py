"""What was read in pictures, so that each is read once: by its bytes' hash, and by a perceptual one in five parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BANDS = [f"band{number}" for number in range(5)]


def upgrade() -> None:
    """Make the table, empty: pictures that were read before are read again when they are met again."""
    op.create_table(
        "pictures",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("capture_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phash", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in BANDS),
        sa.Column("like", sa.Text(), nullable=True),
        sa.Column("reading", sa.JSON(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.id"], name=op.f("fk_pictures_capture_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_pictures")),
    )
    for name in ("last_at", *BANDS):
        op.create_index(op.f(f"ix_pictures_{name}"), "pictures", [name], unique=False)


def downgrade() -> None:
    """Drop it: what was read stands in the postings too."""
    op.drop_table("pictures")
