"""Leases of workers that are gone: freed at once by the daemon that starts where they died, instead of after their time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from store import tables


def let_go(connection: Connection, *, host: str, alive: Callable[[int], bool], now: datetime) -> int:
    """Free what workers of `host` held whose process `alive` denies: how many rows.

    A posting goes back to those that wait. A delivery's lease is only brought to its end: whether it is due again or in doubt is
    for `store.attempts` to say. A worker is named by `store.engine.worker_name`, host and process.
    """
    freed = 0
    for table, values in (
        (tables.postings, {"leased_by": None, "leased_until": None}),
        (tables.deliveries, {"leased_until": now - timedelta(seconds=1)}),
    ):
        holders = connection.execute(select(table.c.leased_by).where(table.c.leased_by.startswith(f"{host}:", autoescape=True)).distinct())
        for worker in list(holders.scalars()):
            number = worker.rpartition(":")[2]
            if number.isdigit() and not alive(int(number)):
                freed += connection.execute(update(table).where(table.c.leased_by == worker).values(values)).rowcount
    return freed
