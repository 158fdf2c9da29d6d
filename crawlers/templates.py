"""Platform files that say `like: NAME`: what every forum of one make has in common stands in `templates/NAME.yml`.

The file's own keys take the place of the template's; pace, budget, walls, page and browser are joined key by key. `id` is the file's
name where it gives none, and `title` the host of its home.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawlers.platform import PlatformFile
from domain.errors import Fault
from domain.knowledge import Page, check, read

OWN = ("id", "title", "home", "like")
"""Keys of one place, which a template of many cannot have."""
_STANDS_FOR = {"id": "template", "title": "x", "home": "http://x.example/"}


class Templates:
    """The templates of some folders, each read when it is first asked for. A later folder's takes the place of an earlier one's."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._known: dict[str, tuple[dict[str, Any] | None, list[Fault]]] = {}

    @property
    def names(self) -> list[str]:
        """Every template there is."""
        return sorted({path.stem for folder in self._folders for path in (folder / "templates").glob("*.yml")})

    def check(self) -> list[Fault]:
        """All faults of all templates."""
        return [fault for name in self.names for fault in self._template(name)[1]]

    def filled(self, page: Page) -> tuple[Page | None, list[Fault]]:
        """`page` with what the template that it is like gives; `page` itself where it names none; None where that template is faulty.

        A template's own faults come with the first file that asks for it.
        """
        data = page.data
        if not isinstance(data, dict) or "like" not in data:
            return page, []
        name = data["like"]
        if name not in self.names:
            known = ", ".join(self.names) or "none"
            return None, [page.fault(("like",), f"no template {name!r}", f"use one of {known}, or leave like out")]
        first = name not in self._known
        template, faults = self._template(name)
        if template is None:
            return None, faults if first else []
        own = {"id": page.path.stem, "title": _host(data.get("home")), **data}
        joined = {key: {**template[key], **own[key]} for key in own if _joined(template.get(key), own[key])}
        return Page(page.path, {**template, **own, **joined}, page.lines), []

    def _template(self, name: str) -> tuple[dict[str, Any] | None, list[Fault]]:
        if name not in self._known:
            path = next(path for folder in reversed(self._folders) if (path := folder / "templates" / f"{name}.yml").exists())
            self._known[name] = _read(path)
        return self._known[name]


def _read(path: Path) -> tuple[dict[str, Any] | None, list[Fault]]:
    page, faults = read(path)
    if page is None:
        return None, faults
    if not isinstance(page.data, dict):
        return None, [*faults, page.fault((), "no template stands in it", "write list and detail as in a platform file")]
    faults += [
        page.fault((key,), f"{key} belongs to one place", "leave it to the files that are like it") for key in OWN if key in page.data
    ]
    faults += check(Page(path, {**page.data, **_STANDS_FOR}, page.lines), PlatformFile)[1] if not faults else []
    return (None if faults else page.data), faults


def _joined(theirs: Any, own: Any) -> bool:
    return isinstance(theirs, dict) and isinstance(own, dict)


def _host(home: Any) -> str:
    try:
        return urlsplit(home).hostname or "" if isinstance(home, str) else ""
    except ValueError:
        return ""
