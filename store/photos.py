"""What an officer wrote down about an imported photo, as its record in the archive keeps it."""

from __future__ import annotations

from typing import Any

from domain.errors import EvidenceAltered
from store import records
from store.archive import Archive

TOLD = ("Place", "Time", "Officer", "Carrier", "Note", "Position", "File")
"""In the order in which they are shown."""


def told_of(archive: Archive, capture: Any) -> dict[str, str]:
    """Field -> text of a photo's capture (columns via, warc, warc_offset, warc_length); empty of others, and where the bytes are gone."""
    if capture.via != "photos" or capture.warc is None:
        return {}
    try:
        members = archive.members(capture.warc, capture.warc_offset, capture.warc_length)
        found = records.photo_fields(members, where=f"archive/{capture.warc}@{capture.warc_offset}")
    except EvidenceAltered:
        return {}  # verify names it
    return {name: found[name] for name in TOLD if found.get(name)}
