"""Folders and zip files of small files (letters, photos), or one such file alone: what is in them, and their bytes one at a time."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawlers.imports.base import Asked, Given, Refused, Unopened, opened, too_large
from crawlers.imports.zips import BadZip, members, open_zip, whole

DEEPEST = 12
"""Folders inside folders."""
MOST_FILES = 200_000


class Bundle:
    """The files of one folder, zip file, or path, by their name inside it."""

    def __init__(
        self, *, names: list[str], refused: list[Refused], root: Path | None = None, archive: zipfile.ZipFile | None = None
    ) -> None:
        self.names, self.refused, self._root, self._archive = names, refused, root, archive

    def read(self, name: str, *, largest: int) -> bytes:
        """A file's bytes. Raises Unopened for one that is too large, gone, or no regular file."""
        try:
            if self._archive is not None:
                data = whole(self._archive, self._archive.getinfo(name), largest=largest)
                size = self._archive.getinfo(name).file_size
            else:
                assert self._root is not None
                path = self._root / name if name else self._root
                with opened(path) as file:
                    size = path.stat().st_size
                    data = file.read(largest + 1)
        except BadZip as error:
            raise Unopened(str(error)) from error
        except OSError as error:
            raise Unopened(f"读不了（{error.strerror}）") from error
        if len(data) > largest:
            raise Unopened(too_large(max(size, len(data)), largest))
        return data


@contextmanager
def bundle(given: Given, asked: Asked) -> Iterator[Bundle]:
    """What is given, whichever of the three it is. Raises Unopened."""
    if isinstance(given, Path) and given.is_dir():
        names, refused = _walked(given)
        yield Bundle(names=names, refused=refused, root=given)
        return
    with opened(given) as file:
        if file.peek(4)[:4] in (b"PK\x03\x04", b"PK\x05\x06"):  # type: ignore[attr-defined]
            try:
                archive = open_zip(file)
            except BadZip as error:
                raise Unopened(str(error)) from error
            with archive:
                listed = list(members(archive))
                refused = [Refused(0, info.filename, why_not) for info, why_not in listed if why_not]
                yield Bundle(names=[info.filename for info, why_not in listed if not why_not], refused=refused, archive=archive)
            return
        if not isinstance(given, Path):
            yield _Upload(file.read(asked.largest + 1), name=asked.name)
            return
    yield Bundle(names=[given.name], refused=[], root=given.parent)


class _Upload(Bundle):
    """One file that was uploaded."""

    def __init__(self, data: bytes, *, name: str) -> None:
        super().__init__(names=[name or "upload"], refused=[])
        self._data = data

    def read(self, name: str, *, largest: int) -> bytes:
        if len(self._data) > largest:
            raise Unopened(too_large(len(self._data), largest))
        return self._data


def _walked(folder: Path) -> tuple[list[str], list[Refused]]:
    """Names of all regular files below a folder, sorted, and what else lies there. Links are not followed: they may lead anywhere."""
    names: list[str] = []
    refused: list[Refused] = []
    for here, folders, files in os.walk(folder, followlinks=False):
        inside = Path(here).relative_to(folder)
        if len(inside.parts) >= DEEPEST:
            refused.append(Refused(0, inside.as_posix(), f"文件夹嵌套超过 {DEEPEST} 层，不再深入"))
            folders.clear()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted([*files, *folders]):
            path = Path(here) / name
            shown = (inside / name).as_posix()
            if path.is_symlink():
                refused.append(Refused(0, shown, "是符号链接，不予读取；请放入文件本身"))
            elif name in files and not name.startswith("."):
                if path.is_file():
                    names.append(shown)
                else:
                    refused.append(Refused(0, shown, "不是普通文件（管道、设备或套接字），不予读取"))
        if len(names) > MOST_FILES:
            raise Unopened(f"文件夹里超过 {MOST_FILES} 个文件；请分批导入")
    return names, refused
