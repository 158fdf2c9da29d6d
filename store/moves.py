"""The only writer of state columns: `move`, with its audit row, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select, update

from domain import states
from domain.errors import LeaseLost, StoreFault
from store import audit, tables
from store.engine import Store
from store.shelves import mended

TABLES: dict[str, Table] = {"hit": tables.hits, "notice": tables.notices, "lead": tables.leads, "delivery": tables.deliveries}


def move(
    connection: Connection,
    machine: str,
    row_id: int,
    event: str,
    *,
    actor: str,
    at: datetime,
    detail: dict[str, Any] | None = None,
    **columns: Any,
) -> str:
    """Move one row by `event`, set `columns` with it, and write the audit row. Returns the new state.

    Raises IllegalMove where the table does not list it, LeaseLost where the row's state changed meanwhile, and
    StoreFault where there is no such row.
    """
    table = TABLES[machine]
    state = connection.execute(select(table.c.state).where(table.c.id == row_id)).scalar_one_or_none()
    if state is None:
        raise StoreFault(f"{machine}:{row_id}: no such row; list them first")
    after = states.move(machine, state, event)
    changed = connection.execute(update(table).where(table.c.id == row_id, table.c.state == state).values(state=after, **mended(columns)))
    if changed.rowcount != 1:
        raise LeaseLost(f"{machine}:{row_id}: somebody else moved it meanwhile; reload it")
    audit.append(
        connection,
        actor=actor,
        action=f"{machine}.{event}",
        subject=f"{machine}:{row_id}",
        at=at,
        detail={"from": state, "to": after, **(detail or {})},
    )
    return after


@contextmanager
def writing(store: Store) -> Iterator[Connection]:
    """A write transaction that takes the audit chain's lock first: on PostgreSQL, row locks taken before it could cross with another's."""
    with store.write() as conn:
        audit.alone(conn)
        yield conn
