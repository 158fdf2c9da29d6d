"""The list of what a set of weights consists of, and the check that nothing of it is missing or altered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import ModelUnavailable
from domain.identity import sha256

FORMAT = 1
PACKAGED = Path(__file__).parent / "weights"
NAME = "manifest.json"
WAY_OUT = "restore the folder from the release, or make it anew: docs/training.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `manifest.json` says. `files` maps each file's name to its sha256."""

    folder: Path
    version: str
    files: Mapping[str, str]
    reading: Mapping[str, Any]
    """How text is cut: `characters` of an encoder window."""
    voices: Mapping[str, Any]
    """`linear`: scale, bias; `schemes`: scales, biases and slugs; `encoder`: present where model.onnx is."""
    mixture: Mapping[str, float]
    """Weights of the voices' log-odds, `bias`, and `window_penalty`: log-odds taken off a window beside the whole text."""
    calibration: Mapping[str, list[float]]
    """`logits`, ascending, and `probabilities` at them; between them a straight line."""
    facts: Mapping[str, Any]
    """Everything else: data hashes, metrics, code version, when and from what it was made."""

    def bytes_of(self, name: str) -> bytes:
        """A listed file's content. Raises ModelUnavailable, with its path and the way out, when it is missing or altered."""
        path = self.folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelUnavailable(f"{path}: cannot be read: {error.strerror or error}; {WAY_OUT}") from error
        found, wanted = sha256(data), self.files.get(name, "")
        if found != wanted:
            raise ModelUnavailable(f"{path}: sha256 is {found[:12]}, the manifest says {wanted[:12] or 'nothing of it'}; {WAY_OUT}")
        return data


def read(folder: Path | None = None) -> Manifest:
    """The manifest in `folder`, the packaged one without. Raises ModelUnavailable when it is missing, broken or of another format."""
    folder = folder or PACKAGED
    path = folder / NAME
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelUnavailable(f"{path}: cannot be read: {error.strerror or error}; {WAY_OUT}") from error
    except ValueError as error:
        raise ModelUnavailable(f"{path}: is not JSON: {error}; {WAY_OUT}") from error
    parts = ("version", "files", "reading", "voices", "mixture", "calibration")
    missing = [part for part in parts if not isinstance(data, dict) or part not in data]
    if missing:
        raise ModelUnavailable(f"{path}: {missing[0]} is missing; {WAY_OUT}")
    if data.get("format") != FORMAT:
        raise ModelUnavailable(f"{path}: format is {data.get('format')!r}, this program reads {FORMAT}; update the program or {WAY_OUT}")
    facts = {key: value for key, value in data.items() if key not in (*parts, "format")}
    return Manifest(folder=folder, facts=facts, **{part: data[part] for part in parts})


def write(manifest: Manifest) -> Path:
    """Writes `manifest.json` into its folder, last of all files, whole or not at all."""
    data = {"format": FORMAT, "version": manifest.version, "files": manifest.files, "reading": manifest.reading, "voices": manifest.voices}
    data |= {"mixture": manifest.mixture, "calibration": manifest.calibration, **manifest.facts}
    path = manifest.folder / NAME
    part = path.with_suffix(".part")
    try:
        part.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", "utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
