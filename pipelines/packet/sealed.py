"""A sealed zip that proves its own wholeness offline.

Nothing is compressed, times are fixed, names are ASCII. manifest.json lists every part with its SHA-256; manifest.sha256 holds the
manifest's own hash, which the letter quotes; the zip's comment holds the hash of all bytes before it. So any altered byte is found by
`verify`, and a forged whole by the hash in the letter.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.identity import sha256

FORMAT = "wangxun-dossier-1"
_SEAL = b"sha256:"
_COMMENT = len(_SEAL) + 64


def manifest_hash(path: Path) -> str:
    """The hash that the letter quotes. Raises KeyError or BadZipFile for what is no dossier."""
    with zipfile.ZipFile(path) as box:
        return hashlib.sha256(box.read("manifest.json")).hexdigest()


def pack(parts: Mapping[str, bytes], *, about: Mapping[str, Any]) -> bytes:
    """One sealed zip of `parts` (name -> bytes); the same parts give the same bytes."""
    listed = [{"name": name, "sha256": sha256(data), "size": len(data)} for name, data in sorted(parts.items())]
    manifest = as_json({"format": FORMAT, "nature": "线索材料", **about, "parts": listed})
    whole = {**parts, "manifest.json": manifest, "manifest.sha256": f"{sha256(manifest)}  manifest.json\n".encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression=zipfile.ZIP_STORED) as box:
        for name, data in sorted(whole.items()):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o444 << 16
            box.writestr(info, data)
        box.comment = _SEAL + b"0" * 64
    data = out.getvalue()
    return data[:-64] + sha256(data[:-64]).encode()


def verify(path: Path) -> list[str]:
    """Faults of a dossier, each naming its part; none where every byte is as it was sealed. Needs neither store nor network."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return [f"{path}: cannot be read ({error.strerror})"]
    faults = []
    if data[-_COMMENT:-64] != _SEAL:
        faults.append(f"{path.name}: the seal at its end is missing; it was cut, or is no dossier")
    elif sha256(data[:-64]) != data[-64:].decode("ascii", "replace"):
        faults.append(f"{path.name}: its bytes are not those that were sealed")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as box:
            faults += _part_faults(box)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError, NotImplementedError, RuntimeError, EOFError) as error:
        faults.append(f"{path.name}: cannot be read as a dossier ({type(error).__name__}: {error})")
    return faults


def _part_faults(box: zipfile.ZipFile) -> list[str]:
    manifest = box.read("manifest.json")
    faults = []
    if box.read("manifest.sha256").decode("ascii", "replace") != f"{sha256(manifest)}  manifest.json\n":
        faults.append("manifest.json: is not the list that was sealed")
    listed = {part["name"]: part for part in json.loads(manifest)["parts"]}
    names = box.namelist()
    strangers = sorted(set(names) - set(listed) - {"manifest.json", "manifest.sha256"})
    faults += [f"{name}: is not on the list" for name in strangers]
    for name, part in listed.items():
        if name not in names:
            faults.append(f"{name}: is missing")
            continue
        try:
            data = box.read(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
            faults.append(f"{name}: cannot be read ({error})")
            continue
        if sha256(data) != part["sha256"] or len(data) != part["size"]:
            faults.append(f"{name}: was altered")
    return faults


def as_json(value: Any) -> bytes:
    """Readable, sorted, moments as ISO 8601 in UTC."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=_plain).encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not JSON: {type(value).__name__}")
