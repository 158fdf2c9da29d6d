"""Reads platform files. All faults of all files come in one PlatformFault, each as path:line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crawlers.platform import PlatformFile
from crawlers.templates import Templates
from domain.errors import Fault, PlatformFault
from domain.knowledge import Page, check, read
from domain.settings import Settings

PACKAGED = Path(__file__).parent / "platforms"


def platform_folders(settings: Settings) -> tuple[Path, ...]:
    """Where platform files are looked for: the folder that the settings name, else the packaged ones and DIR/platforms."""
    if settings.platforms_dir is not None:
        return (settings.platforms_dir,)
    return (PACKAGED, settings.dir / "platforms")


def load_platforms(folders: Sequence[Path]) -> dict[str, PlatformFile]:
    """Every platform in `folders`, by id. A file of a later folder takes the place of an earlier one with its id.

    A folder that does not exist is empty. Raises PlatformFault with all faults of all files.
    """
    found, faults = load_sound(folders)
    if faults:
        raise PlatformFault(faults)
    return found


def load_sound(folders: Sequence[Path]) -> tuple[dict[str, PlatformFile], list[Fault]]:
    """`load_platforms` for a patrol that goes on: the platforms whose files are sound, and all faults of the others.

    A platform with a faulty file is left out even where an earlier folder has a sound one: what its operator changed, and why, is
    not known, so neither version is patrolled until the file is mended.
    """
    faults: list[Fault] = []
    found: dict[str, PlatformFile] = {}
    faulty: set[str] = set()
    templates = Templates(list(dict.fromkeys((PACKAGED, *folders))))
    for folder in folders:
        here: dict[str, Path] = {}
        for path in sorted(folder.glob("*.yml")) if folder.is_dir() else ():
            page, problems = read(path)
            faults += problems
            if page is None or problems or not isinstance(page.data, dict):
                faulty.add(_named(path, page))
            if page is None:
                continue
            if not isinstance(page.data, dict):
                faults.append(page.fault((), "no platform stands in it", "write id, title, home and kind; see docs/platforms.md"))
                continue
            filled, problems = templates.filled(page)
            faults += problems
            if filled is None:
                faulty.add(_named(path, page))
                continue
            platform, problems = check(filled, PlatformFile)
            faults += problems
            if platform is None:
                faulty.add(_named(path, page))
                continue
            if platform.id in here:
                faulty.add(platform.id)
                faults.append(page.fault(("id",), f"the id {platform.id} is taken by {here[platform.id].name}", "give it another"))
            here[platform.id] = path
            found[platform.id] = platform
    return {name: one for name, one in found.items() if name not in faulty}, faults


def _named(path: Path, page: Page | None) -> str:
    """The id that a faulty file seems to be about: the one that it gives, else its own name."""
    given = page.data.get("id") if page and isinstance(page.data, dict) else None
    return given if isinstance(given, str) else path.stem
