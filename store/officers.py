"""Officers: who may do what, with a password kept as scrypt only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, insert, select, update

from domain.errors import StoreFault
from store import audit, tables
from store.door import clean

ROLES = ("patroller", "reviewer", "approver", "liaison", "auditor", "admin")
"""巡查, 复核, 审批, 联络, 审计, 管理."""

_N, _R, _P = 2**14, 8, 1
"""scrypt's cost: 16 MB and some 50 ms a try. Source: RFC 7914, and OWASP's password storage sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """One account. `demo` marks those that the demo city plays; they never stand for a person."""

    name: str
    shown: str
    roles: tuple[str, ...]
    demo: bool = False
    active: bool = True


def add(
    connection: Connection,
    *,
    name: str,
    shown: str,
    roles: Sequence[str],
    password: str,
    now: datetime,
    by: str = "cli",
    demo: bool = False,
) -> Officer:
    """A new account, audited.

    Raises StoreFault for an empty or taken name, an unknown role, or a password under 8 characters.
    """
    name = name.strip()
    unknown = sorted(set(roles) - set(ROLES))
    if not name or name.startswith("machine:"):
        raise StoreFault(f"officer {name!r}: not a name for a person; give another")
    if unknown or not roles:
        raise StoreFault(f"officer {name}: unknown roles {', '.join(unknown) or '(none given)'}; give some of {', '.join(ROLES)}")
    if len(password) < 8:
        raise StoreFault(f"officer {name}: the password has {len(password)} characters; give 8 or more")
    table = tables.officers
    if connection.execute(select(table.c.name).where(table.c.name == name)).first():
        raise StoreFault(f"officer {name}: exists already; choose another name")
    roles = tuple(role for role in ROLES if role in roles)
    row = {"name": name, "shown": shown or name, "roles": list(roles), "secret": hash_password(password), "demo": demo, "active": True}
    connection.execute(insert(table).values(**row))
    audit.append(connection, actor=by, action="officer.add", subject=f"officer:{name}", at=now, detail={"roles": list(roles), "demo": demo})
    return Officer(name=name, shown=shown or name, roles=roles, demo=demo)


def verify(connection: Connection, *, name: str, password: str) -> Officer | None:
    """The officer, where name and password fit an active account. A wrong name costs the same time as a wrong password."""
    row = connection.execute(select(tables.officers).where(tables.officers.c.name == clean(name))).first()
    good = check_password(password, row.secret if row else _NOBODY)
    return _officer(row) if row and row.active and good else None


def get(connection: Connection, name: str) -> Officer | None:
    """The account, active or not."""
    row = connection.execute(select(tables.officers).where(tables.officers.c.name == clean(name))).first()
    return _officer(row) if row else None


def all_officers(connection: Connection) -> Sequence[RowMapping]:
    """All accounts by name, without their secrets."""
    columns = [column for column in tables.officers.c if column.name != "secret"]
    return connection.execute(select(*columns).order_by(tables.officers.c.name)).mappings().all()


def deactivate(connection: Connection, *, name: str, by: str, now: datetime) -> None:
    """Close an account; its name stays in the records. Raises StoreFault where there is no such account."""
    if not connection.execute(update(tables.officers).where(tables.officers.c.name == name).values(active=False)).rowcount:
        raise StoreFault(f"officer {name}: no such account; list them: wangxun officer list")
    audit.append(connection, actor=by, action="officer.deactivate", subject=f"officer:{name}", at=now)


def hash_password(password: str) -> str:
    """`scrypt$N$r$p$salt$key`, base64."""
    salt = secrets.token_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P)
    return f"scrypt${_N}${_R}${_P}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def check_password(password: str, secret: str) -> bool:
    """Whether `password` is the one that `secret` was made of."""
    _, n, r, p, salt, key = secret.split("$")
    try:
        made = hashlib.scrypt(password.encode(), salt=base64.b64decode(salt), n=int(n), r=int(r), p=int(p))
    except UnicodeEncodeError:
        return False
    return hmac.compare_digest(made, base64.b64decode(key))


def _officer(row: Row[Any]) -> Officer:
    return Officer(name=row.name, shown=row.shown, roles=tuple(row.roles), demo=row.demo, active=row.active)


_NOBODY = f"scrypt${_N}${_R}${_P}$AAAAAAAAAAAAAAAAAAAAAA==${base64.b64encode(bytes(64)).decode()}"
"""Checked where the name is unknown, so that the time taken tells nobody which names exist."""
