"""The schema's versions: Alembic migrations, packaged in `store/migrations`, run from here.

The migration files carry their order in their names: `0001_first.py` has the revision `0001`.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import StoreFault
from store.engine import Store

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6D696772  # "migr": one advisory lock, so that two machines never upgrade at once


def revisions() -> list[str]:
    """Every revision that this program knows, oldest first. Read from the file names: a sweep need not load Alembic."""
    return sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def current(store: Store) -> str | None:
    """The revision of the database; None where it holds nothing of ours yet.

    Raises StoreFault where the database cannot be reached or is no database.
    """
    try:
        with store.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
            return str(row[0]) if row else None
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        name = store.engine.url.render_as_string(hide_password=True)
        raise StoreFault(f"database {name}: cannot be read ({cause}); check the address, the permissions and the disk") from error


def require_current(store: Store) -> None:
    """Return where the database fits this program.

    Raises StoreFault that names the way out: `wangxun db upgrade` for an older or an empty one; a newer program, or the
    backup made before it, for a newer one.
    """
    found, known = current(store), revisions()
    name = store.engine.url.render_as_string(hide_password=True)
    if found == known[-1]:
        return
    if found is None:
        raise StoreFault(f"database {name}: has no tables of Wangxun; run: wangxun db upgrade")
    if found in known:
        raise StoreFault(f"database {name}: is at revision {found}, this program needs {known[-1]}; run: wangxun db upgrade")
    raise StoreFault(
        f"database {name}: is at revision {found}, written by a newer Wangxun (this one knows up to {known[-1]}); "
        "start the newer program again, or restore a backup made before it into an empty folder: wangxun db restore"
    )


def upgrade(store: Store) -> tuple[str | None, str]:
    """Bring the database to this program's revision, in one transaction: (revision before, revision after).

    Nothing happens where it is there already. Raises StoreFault for a database of a newer program.
    """
    from alembic import command  # here, since every sweep imports this module and none migrates
    from alembic.config import Config

    head = revisions()[-1]
    with store.write() as connection:
        if not store.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = None
        if inspect(connection).has_table("alembic_version"):
            before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if before == head:
            return before, head
        if before is not None and before not in revisions():
            raise StoreFault(f"database: is at revision {before}, written by a newer Wangxun; start the newer program again")
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, head
