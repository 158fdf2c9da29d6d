"""The tables of linking: what texts say, where near ones are found, who holds which key. `store.tables` has ties and campaigns."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, Table, Text

from store.columns import Id, Moment, metadata

texts = Table(  # each thing that is said, once, however often it was posted; numbered in the order of coming
    "texts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("digest", BigInteger, nullable=False, unique=True),
    Column("hit_id", Id, nullable=False),  # the first hit that says it
    Column("family", Id, nullable=False, index=True),  # texts near each other, directly or by others: the least number among them
    Column("grams", Integer, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
text_bands = Table(  # where a text is found by those that come after it; at most a few a place
    "text_bands",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("text_id", Id, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
text_links = Table(  # by which earlier texts a text came to its family: the nearest one of each family that it joined
    "text_links",
    metadata,
    Column("text_id", Id, primary_key=True, autoincrement=False),
    Column("near_id", Id, primary_key=True, autoincrement=False),
    Column("share", Float, nullable=False),
    Index(None, "near_id"),
    sqlite_with_rowid=False,
)
tie_keys = Table(  # one row a key: who holds it, and whether it is shared by too many to tie anybody
    "tie_keys",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),  # `key_of` its kind and value
    Column("kind", Text, nullable=False),
    Column("hit_id", Id),  # one hit that is tied by it, uncut; null where there is none
    Column("postings", Integer, nullable=False, default=1),  # hits that have it, cut ones too
    Column("spread", Float, nullable=False, default=0.0),  # when it was last measured: see pipelines/link_keys.py
    Column("loose", Boolean, nullable=False, default=False),  # spread further than its kind may: holds nothing together
    Column("muted_by", Text),  # an officer who said that everybody uses it
    Column("muted_at", Moment),
    Column("why", Text),
)
tie_sites = Table(  # the sites that a platform's hits stand on: one, or the first two of several
    "tie_sites",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("site", Text, primary_key=True),
)


def key_of(kind: str, value: str) -> int:
    """The number of a key, 63 bits and a sign: what a tie is found by."""
    digest = hashlib.blake2b(f"{kind}\0{value}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def key_default(context: Any) -> int:
    """For an insert that names kind and value alone."""
    given = context.get_current_parameters()
    return key_of(given["kind"], given["value"])
