"""Retention: what is dropped, when, and never by accident. Source: 个人信息保护法 art 19, the shortest time that the purpose needs.

Captures go after `spool_days` unless a posting that waits or a hit needs them; dismissed hits' evidence after `dismissed_days`,
and so does the wait of what a rule's daily cap holds back.
Rows let go of bytes first, and files that no row names are removed after: a crash in between costs room, not evidence.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, delete, func, or_, select, update

from domain.errors import EvidenceAltered
from store import audit, overlays, readings, tables
from store.archive import Archive, idle
from store.engine import Store

ACTOR = "machine:retention"
BATCH = 500
FRESH_S = 3600.0
"""A file younger than this may belong to a transaction that has not been committed yet."""
PICTURES = ("image/%", "video/%")
LOCK = ".keep"


def apply(store: Store, archive: Archive, *, now: datetime) -> int:
    """Drop what is due: how many captures lost their bytes. Does nothing while a backup is taken."""
    with held(archive.folder, wait=False, shared=False) as free:
        if not free:
            return 0
        dropped = _expire_dismissed(store, now=now) + _expire_views(store, now=now) + _expire_pictures(store)
        with store.write() as connection:
            overlays.forget(connection)
        _expire_held(store, now=now)
        readings.expire(store, now=now)
        if store.settings.archive_policy == "hits":
            dropped += _drop_captures(store, archive, now=now)
        archive.mend(known=_known_ends(store))
        _remove_unnamed(store, archive, now=now)
    return dropped


@contextmanager
def held(folder: Path, *, wait: bool, shared: bool) -> Iterator[bool]:
    """Hold the archive: backups share it, retention has it alone. False where `wait` is off and somebody else holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


def _drop_captures(store: Store, archive: Archive, *, now: datetime) -> int:
    """Let go of old captures that neither a hit nor a waiting posting needs; seal those that a hit needs, batch by batch."""
    table, sweeps = tables.captures, tables.sweeps
    cutoff, last, dropped = now - timedelta(days=store.settings.spool_days), 0, 0
    # By the sweep's time: an import brings pages that were fetched years ago.
    kept = select(sweeps.c.id).where(sweeps.c.began_at < cutoff)
    old = (table.c.sweep_id.in_(kept), table.c.warc.is_not(None), ~table.c.sealed)
    while True:
        with store.write() as connection:
            rows = connection.execute(
                select(table).where(*old, table.c.id > last).order_by(table.c.id).limit(BATCH).with_for_update()
            ).all()
            if not rows:
                return dropped
            last = rows[-1].id
            waiting, wanted = _needed(connection, [row.id for row in rows])
            for row in rows:
                if row.id in wanted:
                    _seal(connection, archive, row.id, place=(row.warc, row.warc_offset, row.warc_length), sha256=row.sha256)
            gone = [row.id for row in rows if row.id not in waiting and row.id not in wanted]
            empty = {"warc": None, "warc_offset": None, "warc_length": None, "screenshot_sha256": None}
            connection.execute(update(table).where(table.c.id.in_(gone)).values(**empty))
            dropped += len(gone)


def _needed(connection: Connection, ids: list[int]) -> tuple[set[int], set[int]]:
    """Among these captures: those of postings that wait to be read, judged or released, and those that show a hit."""
    posts, pages = tables.postings, tables.captures
    mine = or_(posts.c.first_capture_id == pages.c.id, posts.c.last_capture_id == pages.c.id)
    shown = select(pages.c.id).join(posts, mine).where(pages.c.id.in_(ids))
    held = select(tables.held.c.rule).where(tables.held.c.posting_id == posts.c.id)
    waiting = shown.where(or_(posts.c.assessed_at.is_(None), posts.c.read_at.is_(None), held.exists()))
    hit = shown.join(tables.hits, tables.hits.c.posting_id == posts.c.id).where(tables.hits.c.state != "dismissed")
    return set(connection.execute(waiting).scalars()), set(connection.execute(hit).scalars())


def _seal(connection: Connection, archive: Archive, capture_id: int, *, place: tuple[str, int, int], sha256: str) -> None:
    try:
        warc, offset, length = archive.seal(*place, sha256=sha256)
    except EvidenceAltered:
        return  # verify names it; dropping the row's place would hide it
    values = {"warc": warc, "warc_offset": offset, "warc_length": length, "sealed": True}
    connection.execute(update(tables.captures).where(tables.captures.c.id == capture_id).values(**values))


def _expire_dismissed(store: Store, *, now: datetime) -> int:
    """Drop evidence and text of hits dismissed `dismissed_days` ago; row and fingerprint stay, so that none is judged twice."""
    hits, posts, pages = tables.hits, tables.postings, tables.captures
    due = select(hits.c.id, hits.c.posting_id, posts.c.first_capture_id, posts.c.last_capture_id).join(
        posts, posts.c.id == hits.c.posting_id
    )
    # A leaflet's photo has no body, and a picture alone not even a title.
    holds = or_(posts.c.body != "", posts.c.title != "", cast(posts.c.images, Text) != "[]")
    due = due.where(*_long_dismissed(store, now=now), holds).limit(BATCH)
    with store.write() as connection:
        audit.alone(connection)
        rows = connection.execute(due).all()
        if not rows:
            return 0
        captured = {number for row in rows for number in (row.first_capture_id, row.last_capture_id)}
        waiting, wanted = _needed(connection, sorted(captured))
        gone = sorted(captured - waiting - wanted)
        empty = {"warc": None, "warc_offset": None, "warc_length": None, "screenshot_sha256": None, "sealed": False}
        connection.execute(update(pages).where(pages.c.id.in_(gone), pages.c.warc.is_not(None)).values(**empty))
        blank: dict[str, Any] = {
            "title": "",
            "body": "",
            "images": [],
            "links": [],
            "contacts": [],
            "publisher": None,
            "publisher_address": None,
            "advertiser": None,
        }
        connection.execute(update(posts).where(posts.c.id.in_([row.posting_id for row in rows])).values(**blank))
        detail = {"hits": [row.id for row in rows]}
        audit.append(connection, actor=ACTOR, action="retention.dismissed", subject="hits", at=now, detail=detail)
    return len(gone)


def _long_dismissed(store: Store, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is true of a row of `hits` that was dismissed `dismissed_days` ago."""
    hits, decided = tables.hits, tables.decisions
    cutoff = now - timedelta(days=store.settings.dismissed_days)
    later = select(decided.c.id).where(decided.c.hit_id == hits.c.id, decided.c.at >= cutoff)
    return hits.c.state == "dismissed", hits.c.opened_at < cutoff, ~later.exists()


def _expire_views(store: Store, *, now: datetime) -> int:
    """Let go of what visitors were shown of pages whose hit expired, or that were sampled as long ago and opened none.

    The word of the comparison stays; texts, contacts and sealed pages go. How many pages.
    """
    hits, pages, seen = tables.hits, tables.captures, tables.cloaktables.cloaks
    old = and_(seen.c.hit_id.is_(None), seen.c.at < now - timedelta(days=store.settings.dismissed_days))
    expired = seen.c.hit_id.in_(select(hits.c.id).where(*_long_dismissed(store, now=now)))
    query = select(seen.c.id, seen.c.sweep_id, seen.c.views).where(or_(old, expired), cast(seen.c.views, Text) != "[]")
    with store.write() as connection:
        audit.alone(connection)
        rows = connection.execute(query.order_by(seen.c.id).limit(BATCH)).all()
        if not rows:
            return 0
        numbers = [row.id for row in rows]
        shown = {int(view["capture_id"]) for row in rows for view in row.views}
        # Hits on one page are compared by the same captures: what another one still shows stays.
        beside = select(seen.c.views).where(seen.c.sweep_id.in_({row.sweep_id for row in rows}), seen.c.id.not_in(numbers))
        shown -= {int(view["capture_id"]) for views in connection.execute(beside).scalars() for view in views}
        waiting, wanted = _needed(connection, sorted(shown))
        gone = sorted(shown - waiting - wanted)
        empty = {"warc": None, "warc_offset": None, "warc_length": None, "screenshot_sha256": None, "sealed": False}
        connection.execute(update(pages).where(pages.c.id.in_(gone), pages.c.warc.is_not(None)).values(**empty))
        blank = {"views": [], "differences": {"sentences": [], "contacts": []}}
        connection.execute(update(seen).where(seen.c.id.in_(numbers)).values(**blank))
        audit.append(connection, actor=ACTOR, action="retention.views", subject="cloaks", at=now, detail={"cloaks": numbers})
    return len(gone)


def _expire_held(store: Store, *, now: datetime) -> None:
    """Wait no longer for an officer to release what a daily cap held back as long ago as dismissed hits are kept."""
    with store.write() as connection:
        connection.execute(delete(tables.held).where(tables.held.c.at < now - timedelta(days=store.settings.dismissed_days)))


def _expire_pictures(store: Store) -> int:
    """Let go of sealed pictures and videos that no posting with a hit shows any more, as its expiry left them."""
    hits, posts, pages = tables.hits, tables.postings, tables.captures
    with store.write() as connection:
        pictured = or_(*(pages.c.mime.like(one) for one in PICTURES))
        sealed = connection.execute(select(pages.c.id, pages.c.sha256).where(pages.c.sealed, pictured)).all()
        if not sealed:
            return 0
        shown = connection.execute(select(posts.c.images).join(hits, hits.c.posting_id == posts.c.id)).scalars()
        named = {image["sha256"] for images in shown for image in images}
        unnamed = [row.id for row in sealed if row.sha256 not in named]
        # An imported photo is the page of its hit, named by its posting only once it was read.
        waiting, wanted = _needed(connection, unnamed)
        gone = [number for number in unnamed if number not in waiting and number not in wanted]
        empty = {"warc": None, "warc_offset": None, "warc_length": None, "sealed": False}
        connection.execute(update(pages).where(pages.c.id.in_(gone)).values(**empty))
    return len(gone)


def _known_ends(store: Store) -> dict[str, int]:
    """Where the last record that a row names ends, in each spool file."""
    table = tables.captures
    query = select(table.c.warc, func.max(table.c.warc_offset + table.c.warc_length)).where(table.c.warc.is_not(None), ~table.c.sealed)
    with store.read() as connection:
        return {str(name): int(end) for name, end in connection.execute(query.group_by(table.c.warc))}


def _remove_unnamed(store: Store, archive: Archive, *, now: datetime) -> None:
    """Remove files of the archive that no row names and nobody is about to name."""
    with store.read() as connection:
        warcs = set(connection.execute(select(tables.captures.c.warc).where(tables.captures.c.warc.is_not(None)).distinct()).scalars())
        blobs = named_blobs(connection)
    for name, path in archive.files("spool"):
        if name not in warcs and _old(path, now=now):
            with idle(path) as free:
                if free is not None:
                    path.unlink()
    for name, path in archive.files("evidence"):
        if name not in warcs and _old(path, now=now):
            path.unlink(missing_ok=True)
    for _, path in archive.files("blobs"):
        # Screenshots alone: a letter or a dossier that went out stays, whatever its row came to name later.
        if path.suffix == ".png" and path.name.split(".")[0] not in blobs and _old(path, now=now):
            path.unlink(missing_ok=True)
    for folder in sorted(archive.folder.glob("spool/*")):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def named_blobs(connection: Connection) -> set[str]:
    """The hashes of all blobs that rows name: screenshots, letters, dossiers."""
    found: set[str] = set()
    for table in (tables.captures, tables.notices, tables.leads, tables.cloaktables.overlays):
        for column in table.c:
            if column.name.endswith("_sha256"):
                found |= set(connection.execute(select(column).where(column.is_not(None)).distinct()).scalars())
    return found


def _old(path: Path, *, now: datetime) -> bool:
    try:
        return now.timestamp() - path.stat().st_mtime > FRESH_S
    except FileNotFoundError:
        return False
