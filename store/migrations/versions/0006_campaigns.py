"""Campaigns by near text: signatures and their bands, one row a key with who holds it, and what became of each campaign.

Ties of the version before knew equal texts alone and no accounts: hits are linked anew by the next run of the daemon, all of them, and what
officers cut stays cut.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, widen ties and campaigns, and let every hit be linked anew."""
    op.create_table(
        "texts",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("hit_id", _ID, nullable=False),
        sa.Column("family", _ID, nullable=False),
        sa.Column("grams", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_texts")),
        sa.UniqueConstraint("digest", name=op.f("uq_texts_digest")),
    )
    op.create_index(op.f("ix_texts_family"), "texts", ["family"], unique=False)
    op.create_table(
        "text_bands",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text_id", _ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("place", "text_id", name=op.f("pk_text_bands")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "text_links",
        sa.Column("text_id", _ID, autoincrement=False, nullable=False),
        sa.Column("near_id", _ID, autoincrement=False, nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("text_id", "near_id", name=op.f("pk_text_links")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_text_links_near_id"), "text_links", ["near_id"], unique=False)
    _make_keys()
    _widen()
    op.execute("DELETE FROM ties WHERE cut_by IS NULL")
    op.execute("UPDATE hits SET campaign_id = NULL")
    op.execute("DELETE FROM campaigns WHERE id NOT IN (SELECT campaign_id FROM ties)")


def _make_keys() -> None:
    op.create_table(
        "tie_keys",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hit_id", _ID, nullable=True),
        sa.Column("postings", sa.Integer(), nullable=False),
        sa.Column("spread", sa.Float(), nullable=False),
        sa.Column("loose", sa.Boolean(), nullable=False),
        sa.Column("muted_by", sa.Text(), nullable=True),
        sa.Column("muted_at", sa.DateTime(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tie_keys")),
    )
    op.create_table(
        "tie_sites",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "site", name=op.f("pk_tie_sites")),
    )


def _widen() -> None:
    op.add_column("ties", sa.Column("key", sa.BigInteger(), nullable=True))
    op.add_column("ties", sa.Column("text_id", _ID, nullable=True))
    op.add_column("ties", sa.Column("account", sa.BigInteger(), nullable=True))
    op.add_column("ties", sa.Column("cut_at", sa.DateTime(), nullable=True))
    op.add_column("ties", sa.Column("why", sa.Text(), nullable=True))
    op.drop_index("ix_ties_kind_value", table_name="ties")
    op.create_index(op.f("ix_ties_key"), "ties", ["key"], unique=False)
    op.add_column("campaigns", sa.Column("merged_into", _ID, nullable=True))
    op.add_column("campaigns", sa.Column("merged_at", sa.DateTime(), nullable=True))
    op.add_column("campaigns", sa.Column("merged_by", sa.Text(), nullable=True))
    op.add_column("campaigns", sa.Column("parted_from", _ID, nullable=True))
    op.create_index(op.f("ix_campaigns_merged_into"), "campaigns", ["merged_into"], unique=False)


def downgrade() -> None:
    """Take it all away again; ties are made anew by the version before."""
    op.execute("DELETE FROM ties WHERE cut_by IS NULL")
    op.execute("UPDATE hits SET campaign_id = NULL")
    op.execute("DELETE FROM campaigns WHERE id NOT IN (SELECT campaign_id FROM ties)")
    op.drop_index(op.f("ix_campaigns_merged_into"), table_name="campaigns")
    for name in ("merged_into", "merged_at", "merged_by", "parted_from"):
        op.drop_column("campaigns", name)
    op.drop_index(op.f("ix_ties_key"), table_name="ties")
    op.create_index("ix_ties_kind_value", "ties", ["kind", "value"], unique=False)
    for name in ("key", "text_id", "account", "cut_at", "why"):
        op.drop_column("ties", name)
    for name in ("tie_sites", "tie_keys", "text_links", "text_bands", "texts"):
        op.drop_table(name)
