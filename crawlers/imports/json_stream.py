"""JSON files of any size, a value at a time: one hostile string, object or nest of them does not fill the memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

CHUNK = 1 << 16
DEEPEST = 4000
"""Characters of a path. Honest files have under 100; ijson's cost grows with the square of the depth."""
MOST_EVENTS = 20_000
"""Keys and values of one object; an export's row has 30."""
_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.S)
_CONTROLS = bytes(32 if byte < 32 else byte for byte in range(256))
CUT_MARK = "\U0010fffd\U0010fffe"
"""Ends a string that was cut. No character has these numbers, and a file that writes them has its own piece refused, no more."""
JSONError = ijson.JSONError


class TooDeep(ijson.JSONError):  # type: ignore[misc]
    """Objects nest deeper than those of any honest file."""


class SoundJson:
    """A JSON file as the parser can take it: UTF-8 whatever it holds, no control characters, no string above `most` bytes.

    A string that is longer is cut there and ends in CUT_MARK, for whoever reads it to refuse it.
    """

    def __init__(self, file: BinaryIO, *, most: int) -> None:
        self._file, self._most = file, most
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._inside, self._length, self._dropping, self._carry = False, 0, False, b""

    def read(self, size: int = CHUNK) -> bytes:
        """The next bytes; empty at the end alone."""
        if size == 0:
            return b""  # ijson asks so whether the file is binary
        while True:
            raw = self._file.read(CHUNK)
            chunk = self._carry + self._decoder.decode(raw, final=not raw).encode("utf-8", "replace").translate(_CONTROLS)
            self._carry = b""
            found = self._sound(chunk)
            if found or not raw:
                return found

    def _sound(self, chunk: bytes) -> bytes:
        out, at, end = [], 0, len(chunk)
        while at < end:
            if not self._inside:
                quote = chunk.find(b'"', at)
                stop = end if quote < 0 else quote + 1
                out.append(chunk[at:stop])
                at, self._inside, self._length, self._dropping = stop, quote >= 0, 0, False
                continue
            found = _STRING.match(chunk, at)
            stop = found.end() if found else at
            out.append(self._piece(chunk[at:stop]))
            at = stop
            if at < end:
                if chunk[at : at + 1] == b'"':
                    out.append(b'"')
                    at, self._inside = at + 1, False
                else:  # half an escape: the other half comes with the next chunk
                    self._carry = chunk[at:]
                    break
        return b"".join(out)

    def _piece(self, piece: bytes) -> bytes:
        if self._dropping:
            return b""
        free = self._most - self._length
        self._length += len(piece)
        if len(piece) <= free:
            return piece
        self._dropping = True
        kept = piece[:free].decode("utf-8", "ignore").encode()
        escape = kept.rfind(b"\\", max(0, len(kept) - 6))
        return (kept if escape < 0 else kept[:escape]) + CUT_MARK.encode()


def events(file: BinaryIO, *, most: int) -> Iterator[tuple[str, str, Any]]:
    """(path, event, value) as `ijson.parse` gives them. Raises JSONError where the file is no JSON, cut, or a nest."""
    for event in ijson.parse(SoundJson(file, most=most), buf_size=CHUNK, use_float=True):
        if len(event[0]) > DEEPEST:
            raise TooDeep("嵌套过深")
        yield event


def objects(file: BinaryIO, *, most: int, paths: frozenset[str]) -> Iterator[Any]:
    """Every value at one of the paths (`item`, `data.item`), built; None for one with too many parts. Raises JSONError."""
    builder: Any = None
    count, depth = 0, 0
    for path, event, value in events(file, most=most):
        if not depth and path not in paths:
            continue
        if not depth:
            builder, count = ijson.ObjectBuilder(), 0
        count += 1
        if builder is not None and count > MOST_EVENTS:
            builder = None
        if builder is not None:
            builder.event(event, value)
        depth += (event in ("start_map", "start_array")) - (event in ("end_map", "end_array"))
        if not depth and path in paths and event not in ("map_key", "end_array"):
            yield builder.value if builder is not None else None
