"""Zip files from elsewhere, read where they lie: nothing is unpacked onto the disk, so no name of theirs leads anywhere."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

MOST_MEMBERS = 100_000
RATIO_MOST = 1000
"""Deflate packs 1,032 to one at best, and only empty content comes near."""
SMALL = 1_000_000
"""Bytes below which a member's ratio does not matter."""


class BadZip(Exception):
    """The file is no whole zip file; the message says what is wrong with it."""


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Raises BadZip where it is broken, or has so many members that its list alone is an attack."""
    try:
        found = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise BadZip(f"不是完整的 zip 文件（{error}）；请重新下载或导出") from error
    if len(found.filelist) > MOST_MEMBERS:
        raise BadZip(f"含 {len(found.filelist)} 个文件，超过 {MOST_MEMBERS} 个；请分批导入")
    return found


def members(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """Every file in the order of its name, and why it must not be read: empty where it may."""
    for info in sorted(archive.infolist(), key=lambda one: one.filename):
        if not info.is_dir():
            yield info, _why_not(info)


def _why_not(info: zipfile.ZipInfo) -> str:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in info.filename.partition("/")[0]:
        return "名称指向压缩包之外，不予读取"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "是符号链接，不予读取"
    if info.flag_bits & 1:
        return "已加密；请解密后再导入"
    if info.file_size > SMALL and info.file_size > RATIO_MOST * max(1, info.compress_size):
        return f"压缩比 {info.file_size // max(1, info.compress_size)} 倍，疑似压缩炸弹，不予读取"
    return ""


def whole(archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, largest: int) -> bytes:
    """A member's bytes, one more than `largest` at most, whatever its header says. Raises BadZip where it is damaged."""
    try:
        with archive.open(info) as file:
            return file.read(largest + 1)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise BadZip(f"压缩数据已损坏（{error}）") from error
    except Exception as error:  # zlib, lzma and bz2 have errors of their own
        raise BadZip(f"压缩数据已损坏（{type(error).__name__}）") from error
