"""Proof that what is kept is what was kept: the audit chain, every capture's bytes, every blob, every reference."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from domain.errors import EvidenceAltered, StoreFault
from store import anchor, audit, tables
from store.archive import Archive
from store.engine import Store
from store.retention import named_blobs

FAULTS_MOST = 1000
"""More are counted and not listed."""


@dataclass(slots=True)
class Report:
    """What was read, and what does not fit. `ok` where nothing is at fault."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults

    def as_dict(self) -> dict[str, Any]:
        """`{"ok", "counts", "faults"}`."""
        return {"ok": self.ok, "counts": self.counts, "faults": self.faults}

    def fault(self, found: str) -> None:
        self.counts["faults"] = self.counts.get("faults", 0) + 1
        if len(self.faults) < FAULTS_MOST:
            self.faults.append(found)


def verify(store: Store, *, progress: Callable[[int, int], None] | None = None) -> Report:
    """Read everything again, in one steady view. `progress` is told (captures read, captures in all).

    Safe beside writers: what is committed after the view began is not looked at.
    """
    report, archive = Report(), Archive(store.settings.archive_dir)
    with store.read() as connection:
        report.counts["audit"], faults = audit.verify(connection)
        report.counts["heads"], noted = anchor.verify(connection, store.settings.dir)
        for found in (*faults, *noted):
            report.fault(found)
        if store.is_sqlite:
            for row in connection.exec_driver_sql("PRAGMA integrity_check(100)"):
                if row[0] != "ok":
                    report.fault(f"database: {row[0]}")
            for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
                report.fault(f"database: {row[0]}:{row[1]} names a row of {row[2]} that is not there")
        total = int(connection.execute(select(func.count()).select_from(tables.captures)).scalar_one())
        named = named_blobs(connection)
        rows = connection.execution_options(yield_per=1000).execute(select(tables.captures).order_by(tables.captures.c.id))
        _check_captures(report, archive, rows, total=total, progress=progress)
        _check_hits(report, connection)
    _check_blobs(report, archive, named)
    return report


def _check_captures(report: Report, archive: Archive, rows: Any, *, total: int, progress: Callable[[int, int], None] | None) -> None:
    read = gone = 0
    for number, row in enumerate(rows, 1):
        if row.warc is None:
            gone += 1
        else:
            try:
                archive.read(row.warc, row.warc_offset, row.warc_length, row.sha256)
                if row.sealed:
                    _check_name(archive, row)
                read += 1
            except (EvidenceAltered, StoreFault) as error:
                report.fault(f"capture:{row.id}: {error}")
        if progress and (number % 100 == 0 or number == total):
            progress(number, total)
    report.counts |= {"captures": total, "captures_read": read, "captures_dropped": gone}


def _check_name(archive: Archive, row: Any) -> None:
    data = archive.members(row.warc, row.warc_offset, row.warc_length)
    if hashlib.sha256(data).hexdigest() != archive.path(row.warc).name.split(".")[0]:
        raise EvidenceAltered(f"archive/{row.warc}: its content no longer fits its name; restore it from a backup")


def _check_hits(report: Report, connection: Connection) -> None:
    """Hits in force whose pages have no bytes left."""
    hits, posts, pages = tables.hits, tables.postings, tables.captures
    kept = select(pages.c.id).where(pages.c.id.in_((posts.c.first_capture_id, posts.c.last_capture_id)), pages.c.warc.is_not(None))
    query = select(hits.c.id).join(posts, posts.c.id == hits.c.posting_id).where(hits.c.state != "dismissed", ~kept.exists())
    for number in connection.execute(query.order_by(hits.c.id)).scalars():
        report.fault(f"hit:{number}: none of its pages is kept; patrol its platform again, or restore from a backup")
    report.counts["hits"] = int(connection.execute(select(func.count()).select_from(hits)).scalar_one())


def _check_blobs(report: Report, archive: Archive, named: set[str]) -> None:
    found = set()
    for name, digest in _digests(archive):
        wanted = name.rsplit("/", 1)[-1].split(".")[0]
        found.add(wanted)
        if digest != wanted:
            report.fault(f"archive/{name}: its content no longer fits its name; restore it from a backup")
    for missing in sorted(named - found):
        report.fault(f"archive/blobs: {missing} is named by a row and gone; restore it from a backup")
    report.counts["blobs"] = len(found)


def _digests(archive: Archive) -> Iterator[tuple[str, str]]:
    for name, path in archive.files("blobs"):
        with path.open("rb") as handle:
            yield name, hashlib.file_digest(handle, "sha256").hexdigest()
