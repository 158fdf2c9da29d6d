"""Who may do what: the question that every act of a person begins with."""

from __future__ import annotations

from sqlalchemy import Connection, select

from domain.errors import NotPermitted
from store.tables import officers


def require(conn: Connection, officer: str, *roles: str) -> str:
    """The name under which letters show `officer`, who is active and has one of `roles`.

    Raises NotPermitted for anybody else, machines included: every decision is a person's (个人信息保护法 art 24).
    """
    row = conn.execute(select(officers.c.shown, officers.c.roles, officers.c.active).where(officers.c.name == officer)).one_or_none()
    if row is None or not row.active:
        raise NotPermitted(f"officer {officer!r}: not known or not active; an admin adds officers")
    if roles and not set(roles).intersection(row.roles):
        raise NotPermitted(f"officer {officer!r}: has no role {' or '.join(roles)}; an admin gives roles")
    return str(row.shown or officer)


def shown(conn: Connection, officer: str | None) -> str:
    """The name under which letters show somebody, active or not; the given one where nobody is known by it."""
    if officer is None:
        return ""
    name = conn.execute(select(officers.c.shown).where(officers.c.name == officer)).scalar_one_or_none()
    return str(name or officer)
