"""The table of what was read in pictures: each is read once, wherever it hangs."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, Table, Text

from store.columns import Id, Moment, metadata

BANDS = 5
"""Parts of a hash that are looked up by equality: of two hashes that differ in 4 bits at most, one part is the same."""

pictures = Table(
    "pictures", metadata,
    Column("sha256", Text, primary_key=True),  # of the file's bytes
    Column("reader", Text, nullable=False),  # version of the reader; another one's word does not count
    Column("capture_id", Id, ForeignKey("captures.id"), nullable=False),  # where its bytes lay when it was read
    Column("phash", Text, nullable=False, default=""),  # 16 hexadecimal digits; empty for what is no picture
    *(Column(f"band{number}", Integer) for number in range(BANDS)),
    Column("like", Text),  # sha256 of the near-identical picture whose reading it took over
    Column("reading", JSON(none_as_null=True)),  # null while it is being read: {"text","qr","width","height","regions","fault"}
    Column("attempts", Integer, nullable=False, default=0),  # readings begun; one that ends the program is not begun for ever
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),  # last wanted; old ones are let go of
    Index(None, "last_at"),
    *(Index(None, f"band{number}") for number in range(BANDS)),
)  # fmt: skip
