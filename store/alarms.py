"""Alarms: what a person must know. One open row a kind and subject; more of the same only counts up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from domain.errors import StoreFault
from store import audit, tables
from store.door import clean


def raise_alarm(connection: Connection, *, kind: str, subject: str, text: str, now: datetime) -> bool:
    """Open an alarm, or count the open one of this kind and subject once more with the newer text.

    True where it is a new one: the moment to tell somebody. `subject` is short: a platform, a job, a path.
    """
    audit.alone(connection)  # PostgreSQL has no lock of its own for a row that is not there yet
    table, text, subject = tables.alarms, clean(text), clean(subject)
    same = (table.c.kind == kind, table.c.subject == subject, table.c.cleared_at.is_(None))
    found = connection.execute(update(table).where(*same).values(times=table.c.times + 1, last_at=now, text=text))
    if found.rowcount:
        return False
    connection.execute(insert(table).values(kind=kind, subject=subject, text=text, opened_at=now, last_at=now, times=1))
    return True


def clear(connection: Connection, *, kind: str, subject: str, by: str, now: datetime) -> bool:
    """Clear the open alarm of this kind and subject: by an officer, or by the machine that saw it mended. False where none is open."""
    table = tables.alarms
    same = (table.c.kind == clean(kind), table.c.subject == clean(subject), table.c.cleared_at.is_(None))
    return connection.execute(update(table).where(*same).values(cleared_at=now, cleared_by=by)).rowcount > 0


def clear_by_id(connection: Connection, alarm_id: int, *, by: str, now: datetime) -> None:
    """An officer clears one alarm by hand, audited. Raises StoreFault where no open alarm has this number."""
    table = tables.alarms
    where = (table.c.id == alarm_id, table.c.cleared_at.is_(None))
    if not connection.execute(update(table).where(*where).values(cleared_at=now, cleared_by=by)).rowcount:
        raise StoreFault(f"alarm:{alarm_id}: not an open alarm; list them: wangxun alarms list")
    audit.append(connection, actor=by, action="alarm.clear", subject=f"alarm:{alarm_id}", at=now)


def open_alarms(connection: Connection) -> Sequence[RowMapping]:
    """Rows of the open alarms, the newest first."""
    table = tables.alarms
    query = select(table).where(table.c.cleared_at.is_(None)).order_by(table.c.last_at.desc(), table.c.id.desc())
    return connection.execute(query).mappings().all()
