"""Reads platform files. All faults of all files come in one PlatformFault, each as path:line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crawlers.platform import PlatformFile
from domain.errors import Fault, PlatformFault
from domain.knowledge import check, read
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
    faults: list[Fault] = []
    found: dict[str, PlatformFile] = {}
    for folder in folders:
        here: dict[str, Path] = {}
        for path in sorted(folder.glob("*.yml")) if folder.is_dir() else ():
            page, problems = read(path)
            faults += problems
            if page is None:
                continue
            if not isinstance(page.data, dict):
                faults.append(page.fault((), "no platform stands in it", "write id, title, home and kind; see docs/platforms.md"))
                continue
            platform, problems = check(page, PlatformFile)
            faults += problems
            if platform is None:
                continue
            if platform.id in here:
                faults.append(page.fault(("id",), f"the id {platform.id} is taken by {here[platform.id].name}", "give it another"))
            here[platform.id] = path
            found[platform.id] = platform
    if faults:
        raise PlatformFault(faults)
    return found
