"""wangxun db, officer: the store's upkeep."""

from __future__ import annotations

from pathlib import Path

import click

from domain.clock import utc_now
from domain.settings import load
from patrol.cli import show_json
from store.engine import open_store

ROLES = ("patroller", "reviewer", "approver", "liaison", "auditor", "admin")


@click.group()
def db() -> None:
    """The database and the archive: upgrade, verify, backup, restore."""


@db.command()
def upgrade() -> None:
    """Create the database, or bring it to this version. Safe to repeat."""
    from store import migrate

    store = open_store(load(), check_version=False)
    before = migrate.current(store)
    migrate.upgrade(store)
    after = migrate.current(store)
    store.close()
    click.echo(f"database: {before or 'empty'} -> {after}" if before != after else f"database: at {after} already")


@db.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(as_json: bool) -> None:
    """Read everything again: the audit chain, every kept byte against its hash, every link. Exit 1 on any fault."""
    from store.backup import verify as check

    store = open_store(load())
    report = check(store)
    store.close()
    if as_json:
        show_json(report.as_dict())
    else:
        click.echo("  ".join(f"{key}={value}" for key, value in report.counts.items()))
        for fault in report.faults:
            click.echo(fault)
        click.echo("verify: no faults" if not report.faults else f"verify: {len(report.faults)} faults")
    raise click.exceptions.Exit(1 if report.faults else 0)


@db.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
def backup(target: Path) -> None:
    """Copy database and archive to the new folder TARGET, while the daemon goes on."""
    from store.backup import backup as copy

    store = open_store(load())
    copy(store, target)
    store.close()
    click.echo(f"backup: {target}")


@db.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(source: Path) -> None:
    """Bring a backup back into an empty WANGXUN_DIR. Refuses where data already stands."""
    from store.backup import restore as bring

    bring(source, load())
    click.echo("restore: done; wangxun db verify reads everything again")


@click.group()
def officer() -> None:
    """Officers and their roles (复核、签发 and so on)."""


@officer.command("add")
@click.argument("name")
@click.option("--shown", required=True, help="Name as letters and pages show it.")
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), required=True, help="May be given several times.")
@click.password_option(help="Asked for where not given.")
def add(name: str, shown: str, roles: tuple[str, ...], password: str) -> None:
    """Add an officer. Drafter and approver of one letter must be two people, so at least two are needed."""
    from store import officers

    store = open_store(load())
    with store.write() as connection:
        officers.add(connection, name=name, shown=shown, roles=roles, password=password, now=utc_now())
    store.close()
    click.echo(f"officer {name}: {', '.join(roles)}")


@officer.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(as_json: bool) -> None:
    """Every officer and role; never the secrets."""
    from store import officers

    store = open_store(load())
    with store.read() as connection:
        rows = [{key: row[key] for key in ("name", "shown", "roles", "demo", "active")} for row in officers.all_officers(connection)]
    store.close()
    if as_json:
        show_json({"officers": rows})
        return
    for row in rows:
        marks = "（演示账号）" if row["demo"] else ""
        click.echo(f"{row['name']:<16} {row['shown']}{marks}  {', '.join(row['roles'])}{'' if row['active'] else '  已停用'}")
