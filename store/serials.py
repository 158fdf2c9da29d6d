"""Running numbers, such as those of documents: no gap by a crash, no number twice."""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store import tables


def next_serial(connection: Connection, name: str) -> int:
    """The next number of the row `name`, from 1, inside the caller's write transaction.

    A rolled-back transaction gives its number back; another writer waits for this one's end.
    """
    table = tables.serials
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(table).values(name=name, last=0).on_conflict_do_nothing(index_elements=[table.c.name]))
    connection.execute(update(table).where(table.c.name == name).values(last=table.c.last + 1))
    return int(connection.execute(select(table.c.last).where(table.c.name == name)).scalar_one())
