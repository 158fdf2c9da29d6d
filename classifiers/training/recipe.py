"""A training configuration, read from one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.dataset import COMPOSED
from domain.errors import ConfigFault, Fault

CONFIGS = Path(__file__).parents[1] / "configs"
SECTIONS = ("tokenizer", "model", "pretrain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One model from its first character to its shipped bytes."""

    name: str
    seed: int
    path: Path
    composed: Path
    """Folder of the composed texts; beside the recipe where it names one."""
    tokenizer: Mapping[str, Any]
    model: Mapping[str, Any]
    pretrain: Mapping[str, Any]
    tune: Mapping[str, Any]
    linear: Mapping[str, Any]
    screen: Mapping[str, Any]
    """Empty where none is to be shipped: then the encoder reads every text."""
    negatives: Mapping[str, Any]


def load(path: Path | str = "small") -> Recipe:
    """The recipe at `path`, or the packaged one of that name. Raises ConfigFault, naming the file and what is missing."""
    file = Path(path)
    if file.suffix != ".toml":
        file = CONFIGS / f"{path}.toml"
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fault = Fault(str(file), 1, f"cannot be read: {error}", "give a TOML file like classifiers/configs/small.toml")
        raise ConfigFault([fault]) from error
    missing = [key for key in ("name", "seed", *SECTIONS) if key not in data]
    if missing:
        raise ConfigFault([Fault(str(file), 1, f"{key} is missing", "copy it from classifiers/configs/small.toml") for key in missing])
    parts = {key: data.get(key, {}) for key in ("tokenizer", "model", "pretrain", "tune", "linear", "screen", "negatives")}
    composed = file.parent / data["composed"] if "composed" in data else COMPOSED
    return Recipe(name=data["name"], seed=data["seed"], path=file, composed=composed, **parts)
