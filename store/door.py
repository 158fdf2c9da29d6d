"""The store's door: text that a database cannot hold is mended here, and failures that mean "no room" get their name."""

from __future__ import annotations

import errno
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from domain.errors import DiskFull

KEY_BYTES = 2000
"""Longest indexed text. PostgreSQL's B-tree refuses rows above 2,704 bytes, and one page with such an address must not end a batch."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLITE_FULL; and the write, fsync and resize failures of a full disk or a file-size limit. 10 is the primary SQLITE_IOERR.
_SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_SHMSIZE}


def clean(text: str) -> str:
    """`text` without NUL characters, which PostgreSQL refuses, and with U+FFFD for lone surrogates, which UTF-8 cannot carry.

    Browsers drop a NUL in a page's text too, so nothing that a reader could see is lost.
    """
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_key(text: str) -> str:
    """`clean`, and an overlong text (an address of kilobytes) cut to KEY_BYTES with its own hash at the end: still one key a text."""
    text = clean(text)
    data = text.encode("utf-8")
    if len(data) <= KEY_BYTES:
        return text
    return data[: KEY_BYTES - 80].decode("utf-8", "ignore") + "#sha256-" + hashlib.sha256(data).hexdigest()


def is_disk_full(error: BaseException) -> bool:
    """Whether `error`, or what it came from, says that there is no room to write."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and current.errno in _FULL:
            return True
        if getattr(current, "sqlite_errorcode", None) in _SQLITE_FULL or getattr(current, "sqlstate", None) == "53100":
            return True
        current = getattr(current, "orig", None) or current.__cause__ or current.__context__
    return False


@contextmanager
def room(where: str) -> Iterator[None]:
    """Turns a failure inside that means "no room" into DiskFull; every other one goes on as it is."""
    try:
        yield
    except (OSError, DBAPIError) as error:
        if is_disk_full(error):
            raise DiskFull(
                f"{where}: no room left on the disk; free space or lower WANGXUN_SPOOL_DAYS, then start the sweep again"
            ) from error
        raise
