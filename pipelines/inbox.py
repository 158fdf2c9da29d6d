"""Inbox: files that officers hand in through the console, each with its kind and its officer, and what became of it.

One folder a file under DIR/inbox: `upload.json`, `file`, then `progress.json` while it is taken in and `report.json` at the end. The
console writes the first two under another name and renames the folder, so that nobody sees half a file; the daemon's job writes the rest.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Literal

from domain.errors import DiskFull, StoreFault
from store import audit
from store.door import is_disk_full
from store.engine import Store

log = logging.getLogger(__name__)

CHUNK = 1 << 20
NAME_MOST = 120
"""Characters of a file's name that are kept."""
STALE = timedelta(days=1)
"""Age from which a folder whose upload never ended is removed."""
FAILED_KEPT = timedelta(days=30)
"""How long a file that could not be taken in stays, for a look at what was wrong with it."""
_ID = re.compile(r"^\d{8}T\d{12}-[0-9a-f]{8}$")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control and direction characters: a name could show another ending than it has."""

State = Literal["waiting", "running", "done", "failed"]


class TooLarge(StoreFault):
    """A file above the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file in the inbox, and how far it is."""

    id: str
    kind: str
    """An importer's name, or `auto`."""
    name: str
    """As the officer's computer calls it; for people, never a path."""
    size: int
    sha256: str
    officer: str
    at: datetime
    state: State = "waiting"
    progress: dict[str, Any] = field(default_factory=dict)
    """`done`, `all` (bytes, or files of a bundle) and `attempts`."""
    report: dict[str, Any] = field(default_factory=dict)
    """What `import_file` tells, with `outcome`, `why` and `ended_at`."""

    @property
    def size_told(self) -> str:
        """For people: 12 KB, 3.4 MB."""
        return f"{self.size / 1_000_000:.1f} MB" if self.size >= 100_000 else f"{max(1, round(self.size / 1000))} KB"

    @property
    def ended_at(self) -> datetime | None:
        """When its report was written."""
        told = self.report.get("ended_at")
        return datetime.fromisoformat(told) if told else None

    @property
    def share(self) -> int | None:
        """Per cent taken in, 0-100; None where nobody knows."""
        done, whole = self.progress.get("done", 0), self.progress.get("all", 0)
        return min(100, 100 * done // whole) if whole else None


def folder_of(store: Store) -> Path:
    return store.settings.dir / "inbox"


def receive(store: Store, file: BinaryIO, *, name: str, kind: str, officer: str, now: datetime, most: int) -> str:
    """Keep an upload, with a row in the audit log: its id. Raises TooLarge above `most` bytes, StoreFault for an empty one, DiskFull."""
    number = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
    place, draft = folder_of(store) / number, folder_of(store) / f".{number}"
    try:
        draft.mkdir(parents=True, mode=0o700)
        size, digest = _copied(file, draft / "file", most=most)
        if not size:
            raise StoreFault("文件是空的；请检查后重新选择")
        about = {
            "id": number, "kind": kind, "name": shown_name(name), "size": size, "sha256": digest, "officer": officer, "at": now.isoformat(),
        }  # fmt: skip
        _write(draft / "upload.json", about)
        with store.write() as connection:
            detail = {key: about[key] for key in ("kind", "name", "size", "sha256")}
            audit.append(connection, actor=officer, action="inbox.upload", subject=f"inbox:{number}", at=now, detail=detail)
            draft.replace(place)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull("磁盘已满，文件未能保存；请联系维护人员清理后重新上传") from error
        raise StoreFault(f"收件目录写不了（{error.strerror}）；请联系维护人员检查目录权限") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return number


def _copied(file: BinaryIO, path: Path, *, most: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        while data := file.read(CHUNK):
            size += len(data)
            if size > most:
                raise TooLarge(f"文件超过上限 {most / 1_000_000:.0f} MB；请分批导出，或由维护人员用 wangxun import 导入")
            digest.update(data)
            target.write(data)
        target.flush()
        os.fsync(target.fileno())
    return size, digest.hexdigest()


def shown_name(name: str) -> str:
    """A file's own name, without folders and without characters that deceive."""
    plain = _UNFIT.sub("", name.replace("\\", "/").rpartition("/")[2]).strip()
    return plain[:NAME_MOST] or "未命名文件"


def listed(store: Store, *, limit: int = 100) -> list[Upload]:
    """What was handed in, the newest first."""
    names = sorted((name for name in _names(store) if _ID.match(name)), reverse=True)
    return [found for name in names[:limit] if (found := one(store, name)) is not None]


def one(store: Store, number: str) -> Upload | None:
    """The upload with this id; None where there is none, or its note is broken."""
    if not _ID.match(number):
        return None
    place = folder_of(store) / number
    about, progress, report = (_read(place / f"{part}.json") for part in ("upload", "progress", "report"))
    try:
        state: State = "failed" if report.get("outcome") == "failed" else "done" if report else "running" if progress else "waiting"
        return Upload(
            id=number, kind=str(about["kind"]), name=str(about["name"]), size=int(about["size"]), sha256=str(about["sha256"]),
            officer=str(about["officer"]), at=datetime.fromisoformat(about["at"]), state=state, progress=progress, report=report,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None


def waiting(store: Store) -> list[Upload]:
    """What has no report yet, the oldest first: those that a killed job left half done, too."""
    found = (one(store, name) for name in sorted(_names(store)) if _ID.match(name))
    return [upload for upload in found if upload is not None and upload.state in ("waiting", "running")]


def file_of(store: Store, upload: Upload) -> Path:
    return folder_of(store) / upload.id / "file"


def note_progress(store: Store, upload: Upload, *, done: int, whole: int, attempts: int) -> None:
    """Say how far it is. What cannot be written is only logged: it costs nobody the file."""
    try:
        _write(folder_of(store) / upload.id / "progress.json", {"done": done, "all": whole, "attempts": attempts})
    except OSError as error:
        log.warning("inbox=%s progress=unwritten why=%s", upload.id, error)


def settle(store: Store, upload: Upload, report: dict[str, Any], *, outcome: str, why: str, now: datetime) -> None:
    """Write the report and its row in the audit log. What was taken in lies in the archive, so the file goes; a failed one stays."""
    whole = {**report, "outcome": outcome, "why": why, "ended_at": now.isoformat()}
    numbers: dict[str, Any] = {key: report[key] for key in ("kind", "captures", "repeated", "refused", "postings", "new") if key in report}
    with store.write() as connection:
        detail = {**numbers, "outcome": outcome}
        audit.append(connection, actor="machine:inbox", action="inbox.taken", subject=f"inbox:{upload.id}", at=now, detail=detail)
    _write(folder_of(store) / upload.id / "report.json", whole)
    if outcome == "ok":
        file_of(store, upload).unlink(missing_ok=True)


def clear_stale(store: Store, *, now: datetime) -> int:
    """Remove what uploads that broke off left behind, and files that failed long ago: how many."""
    gone = 0
    for name in _names(store):
        path = folder_of(store) / name
        try:
            age_s = now.timestamp() - path.stat().st_mtime
            if name.startswith(".") and age_s > STALE.total_seconds():
                shutil.rmtree(path)
                gone += 1
            elif age_s > FAILED_KEPT.total_seconds() and (path / "report.json").exists() and (path / "file").exists():
                (path / "file").unlink()
                gone += 1
        except OSError as error:
            log.warning("inbox=%s unremoved why=%s", name, error)
    return gone


def _names(store: Store) -> Iterator[str]:
    try:
        yield from [path.name for path in folder_of(store).iterdir()]
    except FileNotFoundError:
        return


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, what: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(what, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)
