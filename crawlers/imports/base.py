"""What an importer is: a file that was made elsewhere, read piece by piece into Harvests, refusing what cannot be taken in.

One file in this folder a kind; `registry` lists them, and the conformance suite of the tests runs over all of them. A reader knows no
database and no command line: a page of the console that takes an upload calls it as the command line does.
"""

from __future__ import annotations

import io
import logging
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from crawlers.platform import PlatformFile
from domain.clock import utc_now
from domain.errors import PatrolError
from domain.model import Harvest

log = logging.getLogger(__name__)

LARGEST = 16 * 1024 * 1024
"""Bytes of one page, picture or letter; a larger one is refused."""
BUFFER = 1 << 18
Given = Path | BinaryIO
"""A path, or an upload: a binary file that can be read from its beginning again."""
Progress = Callable[[int, int], None]
"""Called with what is done and what there is: bytes of a file, or files of a folder."""


def _silent(_done: int, _all: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A piece that was not taken in, and why, in Chinese. `number` counts the pieces of the file from 1; 0 means the file itself."""

    number: int
    where: str
    """Its address, name or cell, where it has one."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a file is to be read."""

    now: datetime = field(default_factory=utc_now)
    """The moment of the import. A piece that does not say when it was seen carries exactly this moment: see `store.repeats`."""
    platforms: Mapping[str, PlatformFile] = field(default_factory=dict)
    """They read the pages that are theirs; the general extractor reads the others."""
    largest: int = LARGEST
    progress: Progress = _silent
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field of ours -> column of a list, where its header does not say it."""
    name: str = ""
    """Name of an upload's file."""
    owners: dict[str, PlatformFile | None] = field(default_factory=dict, compare=False, repr=False)
    """Host -> platform that owns it, as far as it was asked: a list names one host a million times."""


@dataclass(frozen=True, slots=True)
class Look:
    """What recognises a kind: the first bytes (of what is inside, for gzip), and the names in a folder or a zip file."""

    head: bytes = b""
    names: tuple[str, ...] = ()
    folder: bool = False
    packed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A small file of the kind, made for this purpose, and what it gives. A folder where `files` has several names."""

    files: Mapping[str, bytes]
    captures: int
    postings: int
    refused: int = 0
    broken: Mapping[str, bytes] = field(default_factory=dict)
    """The same file hurt in one place: at least one piece still comes, at least one is refused."""


class Importer(Protocol):
    """A kind of file. Held by tests/crawlers/imports/test_conformance.py."""

    @property
    def name(self) -> str:
        """As `wangxun import NAME` and `Capture.via` have it."""
        ...

    @property
    def title(self) -> str:
        """Chinese, for officers."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Lower case, with the dot; content decides, and they only help a person to choose."""
        ...

    def knows(self, look: Look) -> bool:
        """Whether this looks like a file of the kind, whatever its name says."""
        ...

    def read(self, given: Given, asked: Asked) -> Iterator[Harvest | Refused]:
        """Every piece in the order of the file, one at a time: memory does not grow with the file.

        Never raises for what the file holds, or for what it is. Raises DiskFull.
        """
        ...

    def examples(self) -> tuple[Example, ...]:
        """Small files of the kind: an importer without one is not held to anything."""
        ...


class Unopened(Exception):
    """This is no file that can be read; the message says why and what would do."""


class OneFile:
    """An importer of single files: `pieces` reads one that is open, and whatever breaks there becomes a Refused."""

    def read(self, given: Given, asked: Asked) -> Iterator[Harvest | Refused]:
        """See Importer.read."""
        where = asked.name or (given.name if isinstance(given, Path) else "")
        try:
            with opened(given, progress=asked.progress) as file:
                yield from self.pieces(file, asked)
        except Unopened as error:
            yield Refused(0, where, str(error))
        except PatrolError:
            raise
        except Exception as error:  # the libraries of ten formats raise types of their own for broken files
            log.warning("file=%s unread", where[:200], exc_info=error)
            yield Refused(0, where, f"文件读不下去（{type(error).__name__}: {str(error)[:150]}）；请重新导出后再试")

    def pieces(self, file: BinaryIO, asked: Asked) -> Iterator[Harvest | Refused]:
        """Every piece of an open file. May raise anything for a broken one."""
        raise NotImplementedError


@contextmanager
def opened(given: Given, *, progress: Progress = _silent) -> Iterator[BinaryIO]:
    """A regular file, buffered and counted, at its beginning. An upload is left open. Raises Unopened for all else, at once."""
    if not isinstance(given, Path):
        given.seek(0, os.SEEK_END)
        size = given.tell()
        given.seek(0)
        yield io.BufferedReader(_Counted(given, size, progress), BUFFER)
        return
    try:
        # Without O_NONBLOCK a FIFO would wait here for ever for somebody to write.
        handle = os.open(given, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unopened(f"打不开（{error.strerror}）；请检查路径和读取权限") from error
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        os.close(handle)
        folder = "这是文件夹，不是文件；请给出其中的文件，照片和邮件的文件夹请用 photos 或 eml"
        raise Unopened(folder if stat.S_ISDIR(about.st_mode) else "这不是普通文件（管道、设备或套接字）；请先存成文件")
    with os.fdopen(handle, "rb", buffering=0) as raw:
        yield io.BufferedReader(_Counted(raw, about.st_size, progress), BUFFER)


class _Counted(io.RawIOBase):
    """A binary file that tells how far it was read; closing it leaves the file open."""

    def __init__(self, file: Any, size: int, progress: Progress) -> None:
        self._file, self._size, self._progress = file, size, progress

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer)) or b""
        buffer[: len(data)] = data
        self._progress(self._file.tell(), self._size)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())


def size_of(file: BinaryIO) -> int:
    """Bytes of an open file, which stays where it is."""
    here = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(here)
    return end


def too_large(size: int, largest: int) -> str:
    """Why a piece of this size is refused."""
    return f"大小 {size / 1_000_000:.1f} MB，超过上限 {largest / 1_000_000:.0f} MB；请压缩后再导入，或调高 WANGXUN_MAX_BODY_MB"
