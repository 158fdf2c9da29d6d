"""A folder that a person carries from: post, a closed network, a leadership's own system. Whole or not at all.

DIR/outbox/<key>/ with parcel.json and the attachments. The folder appears in one rename, so that nobody sees half a parcel.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from domain.errors import Permanent, Transient
from domain.identity import sha256
from domain.settings import Settings
from pipelines.channels.base import Parcel, Receipt, example_parcels


class FolderChannel:
    name = "folder"
    idempotent = True

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.outbox_dir or settings.dir / "outbox"

    def send(self, parcel: Parcel) -> Receipt:
        files = {item.name: item.data for item in parcel.attachments}
        for name in files:
            if not name.replace(".", "").replace("-", "").replace("_", "").isalnum() or not name.isascii() or name.startswith("."):
                raise Permanent(f"folder: {name!r} is no plain file name")
        words = {name: getattr(parcel, name) for name in ("key", "subject", "number", "address", "addressee", "title", "text", "fields")}
        listed = {name: sha256(data) for name, data in sorted(files.items())}
        note = json.dumps({**words, "at": parcel.at.isoformat(), "files": listed}, ensure_ascii=True, indent=1).encode()
        place = self._folder / parcel.key
        if not place.is_dir():
            try:
                self._write(place, {**files, "parcel.json": note})
            except OSError as error:
                raise Transient(f"{place}: {error.strerror}; it will be tried again") from error
        return Receipt(number=None, received_at=None, detail={"folder": str(place), "files": listed})

    def examples(self) -> Sequence[Parcel]:
        return example_parcels(address="folder")

    def _write(self, place: Path, files: dict[str, bytes]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".part-{os.getpid()}-{place.name}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            for name, data in files.items():
                with (part / name).open("wb") as handle:
                    handle.write(data)
                    handle.flush()
                    os.fsync(handle.fileno())
            _sync(part)
            try:
                part.rename(place)
            except OSError:
                if not place.is_dir():  # another worker was first with the same parcel
                    raise
            _sync(self._folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
