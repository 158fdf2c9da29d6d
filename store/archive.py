"""The archive: the bytes of captures in WARC files, and content-addressed evidence and blobs.

    archive/spool/20261123/sweep-12.warc.gz   one a sweep, dropped by retention
    archive/evidence/ab/<sha256>.warc.gz      the records of a hit's capture, by the hash of the file itself
    archive/blobs/ab/<sha256>.png             screenshots, letters, dossiers, by their own hash

A record's bytes are on the disk before any row names them, so that rows never point to missing bytes.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from domain.errors import EvidenceAltered, StoreFault
from domain.identity import sha256 as digest
from domain.model import Harvest
from store import records
from store.door import room


class Place(NamedTuple):
    """Where a capture's records lie: file below the archive folder, first byte, number of bytes."""

    warc: str
    offset: int
    length: int


@dataclass(slots=True)
class _Spool:
    """One open spool file. `mark` is the end of what rows may name; `end` that of what was written."""

    name: str
    path: Path
    handle: int
    mark: int
    end: int


class Archive:
    """All kept bytes of one data folder. One writer a sweep: a second process is refused that sweep's file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spools: dict[int, _Spool] = {}

    def append(self, sweep_id: int, harvest: Harvest) -> Place:
        """Write the records of one capture at the end of its sweep's file; `flush` makes them last.

        Raises DiskFull, after cutting the file back to what was flushed, and StoreFault where another process writes it.
        """
        spool = self._spools.get(sweep_id) or self._open(sweep_id, harvest)
        data = records.members(harvest)
        offset = spool.end
        try:
            with room(str(spool.path)):
                _write(spool.handle, data)
        except BaseException:
            self.rollback(sweep_id)
            raise
        spool.end += len(data)
        return Place(spool.name, offset, len(data))

    def flush(self, sweep_id: int) -> None:
        """Force what was appended to the disk. Rows may name it from here on; `commit` says that they do."""
        spool = self._spools[sweep_id]
        with room(str(spool.path)):
            os.fsync(spool.handle)

    def commit(self, sweep_id: int) -> None:
        """Rows name all that was flushed: `rollback` will not reach behind this point."""
        spool = self._spools[sweep_id]
        spool.mark = spool.end

    def rollback(self, sweep_id: int) -> None:
        """Cut off what was appended since the last commit."""
        spool = self._spools.get(sweep_id)
        if spool is not None:
            os.ftruncate(spool.handle, spool.mark)
            spool.end = spool.mark

    def mark(self, sweep_id: int) -> Place | None:
        """Where the uncommitted part of a sweep's file begins, and how long it is."""
        spool = self._spools.get(sweep_id)
        return Place(spool.name, spool.mark, spool.end - spool.mark) if spool else None

    def close(self) -> None:
        """Let go of all spool files. The archive can be used again."""
        for spool in self._spools.values():
            os.close(spool.handle)
        self._spools.clear()

    def read(self, warc: str, offset: int, length: int, sha256: str) -> bytes:
        """The body of the capture at a Place, as it was received.

        Raises EvidenceAltered where it is gone, cut, or no longer has the hash written when it was kept.
        """
        return records.body_of(self.members(warc, offset, length), sha256=sha256, where=f"archive/{warc}@{offset}")

    def members(self, warc: str, offset: int, length: int) -> bytes:
        """The gzip members at a Place, as they lie. Raises EvidenceAltered where they are gone or cut."""
        path = self.path(warc)
        try:
            with path.open("rb") as handle:
                handle.seek(offset)
                data = handle.read(length)
        except OSError as error:
            raise EvidenceAltered(f"archive/{warc}: cannot be read ({error.strerror}); restore it from a backup") from error
        if len(data) != length:
            raise EvidenceAltered(f"archive/{warc}@{offset}: {len(data)} of {length} bytes are left; restore it from a backup")
        return data

    def path(self, name: str) -> Path:
        """The file of a name below the archive folder. Raises StoreFault for a name that leads outside."""
        path = self.folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise StoreFault(f"archive: {name!r} leads outside of the archive; the row that names it was altered")
        return path

    def seal(self, warc: str, offset: int, length: int, *, sha256: str) -> Place:
        """Copy a capture's records to the evidence part, under the hash of the file itself, checked and on the disk.

        Sealing twice gives the same place. Raises EvidenceAltered where the records are no longer what was kept.
        """
        data = self.members(warc, offset, length)
        records.body_of(data, sha256=sha256, where=f"archive/{warc}@{offset}")
        name = digest(data)
        place = Place(f"evidence/{name[:2]}/{name}.warc.gz", 0, length)
        self._put(place.warc, data)
        return place

    def put_blob(self, data: bytes, suffix: str) -> str:
        """Keep `data` under its own SHA-256, which is given back. `suffix` such as ".png" is for people who look at the folder."""
        if not suffix.startswith(".") or not suffix[1:].replace(".", "").isalnum() or len(suffix) > 12:
            raise ValueError(f"not a suffix: {suffix!r}")
        name = digest(data)
        known = self._find(name)
        self._put(known.relative_to(self.folder).as_posix() if known else f"blobs/{name[:2]}/{name}{suffix}", data)
        return name

    def blob(self, sha256: str) -> Path:
        """The file of a blob. Raises EvidenceAltered where it is gone."""
        found = self._find(sha256)
        if found is None:
            raise EvidenceAltered(f"archive/blobs: {sha256} is gone; restore it from a backup")
        return found

    def read_blob(self, sha256: str) -> bytes:
        """The bytes of a blob, checked against its name. Raises EvidenceAltered where it is gone or altered."""
        path = self.blob(sha256)
        data = path.read_bytes()
        if digest(data) != sha256:
            raise EvidenceAltered(f"{path}: its content was changed; restore it from a backup")
        return data

    def files(self, part: str) -> Iterator[tuple[str, Path]]:
        """(name below the archive folder, path) of all files of one part: spool, evidence or blobs. Unfinished ones left out."""
        for path in sorted((self.folder / part).glob("*/*")):
            if path.is_file() and not path.name.startswith(".part-"):
                yield path.relative_to(self.folder).as_posix(), path

    def mend(self, *, known: Mapping[str, int] | None = None) -> int:
        """Cut half-written records off the ends of spool files that nobody writes, as a kill leaves them: bytes cut.

        `known` names the end of the last record that a row names, so that only what lies behind it is read.
        """
        cut = 0
        for name, path in self.files("spool"):
            with idle(path) as handle:
                if handle is not None:
                    cut += _cut_tail(handle, start=(known or {}).get(name, 0))
        return cut

    def _find(self, sha256: str) -> Path | None:
        if len(sha256) != 64 or not sha256.isalnum():
            raise StoreFault(f"archive/blobs: {sha256[:80]!r} is no SHA-256; the row that names it was altered")
        return next(iter(sorted((self.folder / "blobs" / sha256[:2]).glob(f"{sha256}.*"))), None)

    def _open(self, sweep_id: int, harvest: Harvest) -> _Spool:
        """The sweep's file, held for this process, a half-written end cut off, a warcinfo record in front."""
        known = sorted((self.folder / "spool").glob(f"*/sweep-{sweep_id}.warc.gz"))
        day = harvest.capture.fetched_at.strftime("%Y%m%d")
        path = known[0] if known else self.folder / "spool" / day / f"sweep-{sweep_id}.warc.gz"
        with room(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _cut_tail(handle)
            end = os.fstat(handle).st_size
            if end == 0:
                end = _begin(handle, path, at=harvest.capture.fetched_at)
        except BaseException as error:
            os.close(handle)
            if isinstance(error, BlockingIOError):
                raise StoreFault(f"{path}: another process writes this sweep; give this one a sweep of its own") from None
            raise
        self._spools[sweep_id] = _Spool(path.relative_to(self.folder).as_posix(), path, handle, end, end)
        return self._spools[sweep_id]

    def _put(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all, and make it last."""
        path = self.folder / name
        if path.is_file() and path.stat().st_size == len(data):
            os.utime(path)  # fresh again: retention spares what somebody is about to name
            return
        with room(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".part-", dir=path.parent)
            try:
                _write(handle, data)
                os.fchmod(handle, 0o440)
                os.fsync(handle)
                Path(temporary).replace(path)
                _sync_folder(path.parent)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            finally:
                os.close(handle)


@contextmanager
def idle(path: Path) -> Iterator[int | None]:
    """A handle on a spool file that no sweep writes, held meanwhile; None where one does."""
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield handle
    except BlockingIOError:
        yield None
    finally:
        os.close(handle)


def _begin(handle: int, path: Path, *, at: datetime) -> int:
    """Write the warcinfo record of a new file: the file's size."""
    head = records.warcinfo(path.name, at=at)
    try:
        with room(str(path)):
            _write(handle, head)
            _sync_folder(path.parent)
    except BaseException:
        os.ftruncate(handle, 0)
        raise
    return len(head)


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync_folder(folder: Path) -> None:
    """Make a new name in `folder` last; the file's own fsync does not cover it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cut_tail(handle: int, *, start: int = 0) -> int:
    """Cut the file at the end of its last whole gzip member, none of which crosses `start`: bytes cut."""
    size = os.fstat(handle).st_size
    if size <= start:
        return 0
    good = position = start
    inflater = zlib.decompressobj(31)
    os.lseek(handle, start, os.SEEK_SET)
    try:
        while block := os.read(handle, 1 << 16):
            position += len(block)
            while block:
                # What comes out is thrown away; 64 KB in give 66 MB out at most, by deflate's own limit of 1,032 times.
                inflater.decompress(block)
                block = inflater.unused_data if inflater.eof else b""
                if inflater.eof:
                    good, inflater = position - len(block), zlib.decompressobj(31)
    except zlib.error:
        pass
    if good < size:
        os.ftruncate(handle, good)
    return size - good
