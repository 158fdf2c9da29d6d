"""Sets of weights for tests: the shipped ones, copied, under another version and leaning another way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from classifiers import manifest


def weights(folder: Path, version: str, *, bias: float = 0.0) -> Path:
    """The shipped weights in `folder`, called `version`, with `bias` added to the log-odds of every text."""
    shutil.copytree(manifest.PACKAGED, folder, dirs_exist_ok=True)
    path = folder / manifest.NAME
    data = json.loads(path.read_text("utf-8"))
    data["version"] = version
    data["mixture"]["bias"] += bias
    path.write_text(json.dumps(data), "utf-8")
    return folder


def spoilt(folder: Path, name: str = "linear.npz") -> Path:
    """The same folder with one byte of one file altered."""
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    return folder
