"""Every kind of file that can be taken in, and which of them a file is."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Final

from crawlers.imports.base import BUFFER, Given, Importer, Look, opened
from crawlers.imports.exported import Exported
from crawlers.imports.har import Har
from crawlers.imports.listed import Listed
from crawlers.imports.mail import Mail
from crawlers.imports.photos import Photos
from crawlers.imports.wacz import Wacz
from crawlers.imports.warc import Warc

EVERY: Final[tuple[Importer, ...]] = (Warc(), Wacz(), Har(), Mail(), Photos(), Exported(), Listed())
"""The surest marks first: a list is what nothing else is, so it comes last."""
NAMES_LOOKED_AT = 5000


def by_name() -> dict[str, Importer]:
    """Importers by their name. Raises ValueError where two have the same."""
    found = {one.name: one for one in EVERY}
    if len(found) != len(EVERY):
        raise ValueError("two importers have the same name; rename one")
    return found


def recognised(given: Given) -> Importer | None:
    """The importer whose marks the content carries, whatever the name says; None where none does. Raises Unopened."""
    look = look_at(given)
    return next((one for one in EVERY if one.knows(look)), None)


def look_at(given: Given) -> Look:
    """What is seen of a file from outside. Raises Unopened for what is neither file nor folder."""
    if isinstance(given, Path) and given.is_dir():
        names: list[str] = []
        for path in given.rglob("*"):
            if len(names) >= NAMES_LOOKED_AT:
                break
            if path.is_file():
                names.append(path.relative_to(given).as_posix())
        return Look(names=tuple(sorted(names)), folder=True)
    with opened(given) as file:
        head = file.read(BUFFER)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            file.seek(0)
            try:
                with zipfile.ZipFile(file) as archive:
                    return Look(head=head[:4], names=tuple(archive.namelist()[:NAMES_LOOKED_AT]))
            except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
                return Look(head=head[:4])
    if head.startswith(b"\x1f\x8b"):
        try:
            return Look(head=zlib.decompressobj(31).decompress(head, BUFFER), packed=True)
        except zlib.error:
            return Look(packed=True)
    return Look(head=head)
