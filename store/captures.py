"""Keeping what was fetched: sweeps, captures, postings; and leasing postings to those who judge."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, and_, case, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from domain.clock import CLOCK_SLACK
from domain.errors import StoreFault
from domain.identity import sha256
from domain.model import Contact, Harvest, Posting, PostingKind
from store import repeats, tables
from store.archive import Archive, Place
from store.door import clean, room
from store.engine import Store
from store.picturefields import image_of
from store.shelves import Sighting, capture_row, sightings

READ_WAIT_S = 900.0
"""How long a posting waits for its pictures to be read before it is judged without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one `keep` did. `new + seen` are the different postings on these pages; `cleaned` the fields that had to be mended."""

    captures: int
    new: int
    seen: int
    cleaned: int = 0


def begin_sweep(connection: Connection, *, platform: str, purpose: str, at: datetime, pid: int | None) -> int:
    """Open a sweep's row: its number. `purpose` is patrol, recheck or import."""
    row = {"platform": platform, "purpose": purpose, "began_at": at, "pid": pid, "outcome": "running", "why": "", "counts": {}}
    return int(connection.execute(insert(tables.sweeps).values(**row)).inserted_primary_key[0])  # type: ignore[index]


def set_pid(connection: Connection, sweep_id: int, *, pid: int) -> None:
    """Note which process runs the sweep."""
    connection.execute(update(tables.sweeps).where(tables.sweeps.c.id == sweep_id).values(pid=pid))


def end_sweep(connection: Connection, sweep_id: int, *, outcome: str, why: str, counts: Mapping[str, int] | None, at: datetime) -> None:
    """Close a sweep's row. `counts` None leaves what stands there. Raises StoreFault where there is no such sweep."""
    values: dict[str, Any] = {"outcome": outcome, "why": clean(why)[:2000], "ended_at": at}
    if counts is not None:
        values["counts"] = dict(counts)
    if not connection.execute(update(tables.sweeps).where(tables.sweeps.c.id == sweep_id).values(**values)).rowcount:
        raise StoreFault(f"sweep:{sweep_id}: no such sweep; begin one first")


def sweep(connection: Connection, sweep_id: int) -> RowMapping:
    """One sweep's row. Raises StoreFault where there is none."""
    row = connection.execute(select(tables.sweeps).where(tables.sweeps.c.id == sweep_id)).mappings().first()
    if row is None:
        raise StoreFault(f"sweep:{sweep_id}: no such sweep; begin one first")
    return row


def counted_before(connection: Connection, sweep_id: int) -> Mapping[str, Any]:
    """The counts of the platform's last patrol before this sweep that ended with some; empty where there was none."""
    table, this = tables.sweeps, sweep(connection, sweep_id)
    query = select(table.c.counts).where(table.c.platform == this["platform"], table.c.purpose == "patrol", table.c.id < sweep_id)
    rows = connection.execute(query.where(table.c.ended_at.is_not(None)).order_by(table.c.id.desc()).limit(5)).scalars()
    return next((counts for counts in rows if counts), {})


def last_counts(connection: Connection, platforms: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Platform -> the counts of its last patrol that ended with some; platforms without one are left out."""
    table, found = tables.sweeps, {}
    for name in platforms:
        query = select(table.c.counts).where(table.c.platform == name, table.c.purpose == "patrol", table.c.ended_at.is_not(None))
        counts = next((one for one in connection.execute(query.order_by(table.c.id.desc()).limit(5)).scalars() if one), None)
        if counts:
            found[name] = counts
    return found


def running_sweeps(connection: Connection, *, platform: str | None) -> Sequence[RowMapping]:
    """Sweeps that nobody has ended, of one platform or (None) of all, oldest first."""
    table = tables.sweeps
    query = select(table).where(table.c.outcome == "running").order_by(table.c.id)
    return connection.execute(query.where(table.c.platform == platform) if platform is not None else query).mappings().all()


def keep(store: Store, harvests: Sequence[Harvest], *, sweep_id: int, archive: Archive) -> Kept:
    """Keep a batch whole or not at all: bytes into the archive and onto the disk first, then the rows in one transaction.

    A fingerprint seen before is counted (`seen`, `last_seen_at`, `last_capture_id`) and not judged again.
    Raises DiskFull, with archive and database back where they stood, and StoreFault for a body that has another hash than
    its Capture says.
    """
    if not harvests:
        return Kept(captures=0, new=0, seen=0)
    for harvest in harvests:
        if sha256(harvest.body) != harvest.capture.sha256:
            raise StoreFault(f"{harvest.capture.url[:200]}: the body has another hash than its capture says; harvest it again")
    found = sightings(harvests)
    try:
        places = [archive.append(sweep_id, harvest) for harvest in harvests]
        shots = [archive.put_blob(harvest.screenshot, ".png") if harvest.screenshot else None for harvest in harvests]
        archive.flush(sweep_id)
        with room(str(store.settings.dir)), store.write() as connection:
            kept = _write_rows(connection, harvests, sweep_id=sweep_id, places=places, shots=shots, found=found)
    except BaseException:
        _take_back(store, archive, sweep_id=sweep_id)
        raise
    archive.commit(sweep_id)
    return kept


def keep_once(store: Store, harvests: Sequence[Harvest], *, sweep_id: int, archive: Archive, undated: datetime) -> Kept:
    """As `keep`, of those alone that were not taken in before (`store.repeats`): a file that is imported twice adds nothing.

    `undated` is the moment of the import, which is that of its sweep. Two imports on one machine take turns, batch by batch.
    """
    with _turn(store):
        with store.read() as connection:
            before = repeats.known(connection, harvests, undated=undated)
        fresh = [one for one, known in zip(harvests, before, strict=True) if not known]
        return keep(store, fresh, sweep_id=sweep_id, archive=archive)


@contextmanager
def _turn(store: Store) -> Iterator[None]:
    """Held by one import at a time: otherwise two of the same file would each find that the other's pages are not there yet."""
    with room(str(store.settings.dir)):
        handle = os.open(store.settings.dir / ".import", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _take_back(store: Store, archive: Archive, *, sweep_id: int) -> None:
    """Cut the archive back, unless rows already name the bytes: a connection can break after its commit went through."""
    mark = archive.mark(sweep_id)
    if mark is None:
        return
    table = tables.captures
    named = select(table.c.id).where(table.c.sweep_id == sweep_id, table.c.warc == mark.warc, table.c.warc_offset >= mark.offset).limit(1)
    try:
        with store.read() as connection:
            committed = connection.execute(named).first() is not None
    except Exception:
        # Unknown: bytes that no row names cost room, rows that name no bytes cost the evidence.
        committed = True
    if committed:
        archive.commit(sweep_id)
    else:
        archive.rollback(sweep_id)


def _write_rows(
    connection: Connection,
    harvests: Sequence[Harvest],
    *,
    sweep_id: int,
    places: Sequence[Place],
    shots: Sequence[str | None],
    found: Sequence[Sighting],
) -> Kept:
    platform = str(sweep(connection, sweep_id)["platform"])
    given = zip(harvests, places, shots, strict=True)
    rows = [capture_row(one, sweep_id=sweep_id, platform=platform, place=place, shot=shot) for one, place, shot in given]
    added = insert(tables.captures).returning(tables.captures.c.id, sort_by_parameter_order=True)
    ids = list(connection.execute(added, rows).scalars())
    if not found:
        return Kept(captures=len(ids), new=0, seen=0)
    table = tables.postings
    connection.execute(_upsert(connection), [one.row(ids) for one in found])
    # Asked afterwards, so that another sweep's insert of the same posting in the same second is counted right.
    mine, new = set(ids), 0
    prints = [one.fingerprint for one in found]
    for start in range(0, len(prints), 500):
        query = select(table.c.first_capture_id).where(table.c.fingerprint.in_(prints[start : start + 500]))
        new += sum(first in mine for first in connection.execute(query).scalars())
    return Kept(captures=len(ids), new=new, seen=len(found) - new, cleaned=sum(one.cleaned for one in found))


def _upsert(connection: Connection) -> Any:
    """Insert a posting, or count the one that is there; an import of old pages does not turn `last_seen_at` back."""
    table = tables.postings
    statement = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)
    given = statement.excluded
    newer = given.last_seen_at >= table.c.last_seen_at
    return statement.on_conflict_do_update(
        index_elements=[table.c.fingerprint],
        set_={
            "seen": table.c.seen + given.seen,
            "last_seen_at": case((newer, given.last_seen_at), else_=table.c.last_seen_at),
            "last_capture_id": case((newer, given.last_capture_id), else_=table.c.last_capture_id),
        },
    )


def posting(row: Row[Any] | RowMapping) -> Posting:
    """The Posting of a row of `postings`."""
    get = row if isinstance(row, RowMapping) else row._mapping
    return Posting(
        platform=get["platform"], url=get["url"], kind=PostingKind(get["kind"]), title=get["title"], body=get["body"],
        images=tuple(image_of(one) for one in get["images"]),
        publisher=get["publisher"], publisher_address=get["publisher_address"], advertiser=get["advertiser"], links=tuple(get["links"]),
        contacts=tuple(Contact(**one) for one in get["contacts"]), published_at=get["published_at"], marked_ad=get["marked_ad"],
        fingerprint=get["fingerprint"],
    )  # fmt: skip


def lease_unassessed(store: Store, *, worker: str, now: datetime, limit: int, lease_s: float) -> Sequence[Row[Any]]:
    """Up to `limit` postings to judge, oldest first, held for `worker` for `lease_s` seconds; then they are free again.

    A posting with pictures waits until they are read, READ_WAIT_S at most.
    """
    table = tables.postings
    possible = now + timedelta(seconds=lease_s) + CLOCK_SLACK
    free = or_(table.c.leased_until.is_(None), table.c.leased_until <= now, table.c.leased_until > possible)
    waited = now - timedelta(seconds=READ_WAIT_S)
    pages, sweeps = tables.captures, tables.sweeps
    # An import brings photos that were taken days ago: their wait begins with their sweep.
    just_came = select(sweeps.c.id).join(pages, pages.c.sweep_id == sweeps.c.id).where(pages.c.id == table.c.last_capture_id)
    late = and_(table.c.last_seen_at <= waited, ~just_came.where(sweeps.c.began_at > waited).exists())
    ready = or_(table.c.read_at.is_not(None), late)
    query = select(table.c.id).where(and_(table.c.assessed_at.is_(None), free, ready)).order_by(table.c.id).limit(limit)
    with store.write() as connection:
        ids = list(connection.execute(query.with_for_update(skip_locked=True)).scalars())
        if not ids:
            return []
        until = now + timedelta(seconds=lease_s)
        connection.execute(update(table).where(table.c.id.in_(ids)).values(leased_by=worker, leased_until=until))
        return connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id)).all()


def release(store: Store, *, worker: str) -> int:
    """Give back what `worker` still holds, where it stops in order: how many."""
    table = tables.postings
    with store.write() as connection:
        held = update(table).where(table.c.leased_by == worker, table.c.assessed_at.is_(None))
        return connection.execute(held.values(leased_by=None, leased_until=None)).rowcount


def requeue(connection: Connection, *, ruleset: str, model: str) -> int:
    """Put every posting back to be judged that has no assessment by this rule set and model: how many."""
    table, judged = tables.postings, tables.assessments
    by_these = select(judged.c.id).where(judged.c.posting_id == table.c.id, judged.c.ruleset == ruleset, judged.c.model == model)
    again = update(table).where(table.c.assessed_at.is_not(None), ~by_these.exists())
    return connection.execute(again.values(assessed_at=None, leased_by=None, leased_until=None)).rowcount
