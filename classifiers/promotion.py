"""Sets of weights that an office has promoted: which is in force, which came before, which is a candidate.

HOME/NAME/           one whole set, copied in and never changed after; NAME is its version and the beginning of its manifest's sha256
HOME/pointers.json   which of them is what; replaced whole, so that a kill at any instant leaves the old one or the new one in force
"""

from __future__ import annotations

import fcntl
import json
import math
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from classifiers import manifest as manifests
from classifiers import neural
from classifiers.backends import Choice
from classifiers.manifest import Manifest
from classifiers.neural import NeuralClassifier
from domain import wholefile
from domain.errors import ModelUnavailable
from domain.identity import sha256
from domain.model import Document

POINTERS = "pointers.json"
KEPT = 3
"""Earlier sets that stay for a rollback."""
TRIALS = ("保本保息，年化收益18%，到期还本付息，加微信咨询", "明天下午小区停水检修，请提前储水", "")
"""Every set judges these before it is trusted with anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointers:
    """Names of sets under HOME; an empty name stands for the weights that came with the program."""

    live: str = ""
    previous: tuple[str, ...] = ()
    """Newest first, at most KEPT."""
    candidate: str = ""
    """Empty: none."""
    since: str = ""
    """When `live` came into force, ISO; empty where nothing was ever promoted."""


def home_of(data: Path) -> Path:
    """Where the data folder `data` keeps its sets."""
    return data / "weights"


def read(home: Path) -> Pointers:
    """The pointers; those of a fresh folder where there is no file. Raises ModelUnavailable for a file that nobody can read."""
    path = home / POINTERS
    try:
        data = json.loads(path.read_text("utf-8"))
        found = Pointers(live=data["live"], previous=tuple(data["previous"]), candidate=data["candidate"], since=data["since"])
        if not all(isinstance(name, str) and Path(name).name == name for name in (found.live, found.candidate, *found.previous) if name):
            raise ValueError("a name is no plain folder name")
    except FileNotFoundError:
        return Pointers()
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = f"{type(error).__name__}: {error}"
        raise ModelUnavailable(f"{path}: cannot be read: {said}; delete it, and the weights that came with the program judge") from error
    return found


def write(home: Path, pointers: Pointers) -> None:
    """Replace the pointers, on the disk before this returns. Raises ModelUnavailable, with the old ones in force."""
    path = home / POINTERS
    try:
        home.mkdir(parents=True, exist_ok=True)
        wholefile.replace(path, (json.dumps(asdict(pointers), ensure_ascii=False, indent=1) + "\n").encode())
    except OSError as error:
        raise ModelUnavailable(f"{path}: cannot be written: {error.strerror or error}; {_room()}") from error


def checked(folder: Path | None, *, choice: Choice = "auto") -> NeuralClassifier:
    """The set in `folder`, after its every file was held against the manifest and it judged the trials within bounds.

    Raises ModelUnavailable, naming the file and the way out.
    """
    found = manifests.read(folder)
    for name in found.files:
        found.bytes_of(name)
    try:
        made = neural.load(folder, choice=choice)
        values = [opinion.score.value for opinion in made.judge([Document(text=text) for text in TRIALS])]
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        said = f"{type(error).__name__}: {str(error)[:200]}"
        raise ModelUnavailable(f"{found.folder}: cannot judge: {said}; {manifests.WAY_OUT}") from error
    if not all(math.isfinite(value) and 0.0 <= value <= 1.0 for value in values):
        raise ModelUnavailable(f"{found.folder}: scores lie outside 0-1; {manifests.WAY_OUT}")
    return made


def name_of(found: Manifest) -> str:
    """What a set is called under HOME: the same set always the same."""
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', found.version)[:60].lstrip('.')}-{sha256((found.folder / manifests.NAME).read_bytes())[:8]}"


def take_in(source: Path, home: Path) -> str:
    """Copy a whole set into HOME, check the copy, and give its name. A set that is there already, and whole, is left as it is.

    Raises ModelUnavailable where the set is missing, altered, or there is no room; then HOME is as it was.
    """
    found = manifests.read(source)
    name = name_of(found)
    target = home / name
    if target.is_dir() and _whole(target):
        return name
    part = home / f"{wholefile.PART}{name}"
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for file in (*found.files, manifests.NAME):
            if Path(file).name != file:
                raise ModelUnavailable(f"{source}: the manifest names {file!r}, which is no plain file name; {manifests.WAY_OUT}")
            wholefile.put(part / file, found.bytes_of(file) if file != manifests.NAME else (source / file).read_bytes())
        wholefile.sync(part)
        checked(part)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
        wholefile.sync(home)
    except OSError as error:
        raise ModelUnavailable(f"{target}: cannot be written: {error.strerror or error}; {_room()}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return name


def _whole(folder: Path) -> bool:
    try:
        found = manifests.read(folder)
        return all(found.bytes_of(name) is not None for name in found.files)
    except ModelUnavailable:
        return False


def promoted(pointers: Pointers, name: str, *, since: str) -> Pointers:
    """`name` in force, what was in force before it kept first for a rollback; it is a candidate no longer."""
    before = (pointers.live, *(one for one in pointers.previous if one not in (name, pointers.live)))[:KEPT]
    return Pointers(live=name, previous=before, candidate="" if pointers.candidate == name else pointers.candidate, since=since)


def rolled_back(pointers: Pointers, *, since: str) -> Pointers:
    """The set before the present one in force. Raises ModelUnavailable where there was none."""
    if not pointers.previous:
        raise ModelUnavailable("weights: nothing was promoted here, so there is nothing to go back to; see: wangxun train status")
    return replace(pointers, live=pointers.previous[0], previous=pointers.previous[1:], since=since)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Be the only one who changes what is in force. Raises ModelUnavailable where another process does so now."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (home / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError as error:
        raise ModelUnavailable(f"{home}: another command changes the weights now; wait until it ends") from error
    except PermissionError as error:
        raise ModelUnavailable(f"{home}: cannot be opened: {error.strerror}; run it as the owner of the data folder") from error


def prune(home: Path, pointers: Pointers) -> None:
    """Remove the sets that no pointer names, and copies that a kill left half."""
    wanted = {pointers.live, pointers.candidate, *pointers.previous}
    for path in home.iterdir() if home.is_dir() else ():
        if path.is_dir() and path.name not in wanted:
            shutil.rmtree(path, ignore_errors=True)


def order(home: Path, named: Path | None) -> list[Path | None]:
    """Where the weights in force are looked for, the first first: the setting alone, or what was promoted and then what came before it.

    None stands for the weights that came with the program. Broken pointers leave those alone.
    """
    if named is not None:
        return [named]
    try:
        found = read(home)
    except ModelUnavailable:
        return [None]
    return [home / name if name else None for name in dict.fromkeys((found.live, *found.previous, ""))]


def in_force(data: Path, named: Path | None) -> Path | None:
    """The folder of the weights that judge, for commands that judge once: `named`, else the promoted ones, else None for the packaged."""
    return order(home_of(data), named)[0]


def _room() -> str:
    return "free room or mend the permissions; the weights in force are the old ones"
