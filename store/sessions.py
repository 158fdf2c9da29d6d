"""Sessions in the audit log; the sessions themselves are files (crawlers.sessions), and no row holds anything of them."""

from __future__ import annotations

from sqlalchemy import Connection, select

from store import tables


def entered(connection: Connection, name: str) -> set[str]:
    """Serials of all entries under this name that the audit log knows."""
    table = tables.audit
    query = select(table.c.detail).where(table.c.subject == f"session:{name}", table.c.action.in_(("session.add", "session.renew")))
    return {str(detail.get("serial")) for detail in connection.execute(query).scalars()}
