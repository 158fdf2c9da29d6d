"""`wangxun scan`: JSON Lines in, JSON Lines out, in the same order. A broken line gives an error for itself alone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from classifiers.fusion import Judge
from domain.model import Assessment, Document

BATCH = 256
MAX_LINE = 8 * 1024 * 1024
"""Bytes of one line, at most."""


def scan_lines(lines: Iterable[bytes], judge: Judge) -> Iterator[dict[str, Any]]:
    """One object a line that is not blank: the assessment, or `id` and `error`. Offsets are in characters of the input's `text`.

    A `title` is judged in front of the text; matches in it have negative offsets in no case: they are left out of `matches`
    and stand in `reasons` alone.
    """
    waiting = iter(lines)
    number = 0
    while batch := list(islice(waiting, BATCH)):
        read: list[tuple[dict[str, Any], Document | None]] = []
        for line in batch:
            number += 1
            if line.strip():
                read.append(_read(line, number))
        yield from _judged(read, judge)


def _judged(read: list[tuple[dict[str, Any], Document | None]], judge: Judge) -> Iterator[dict[str, Any]]:
    documents = [document for _, document in read if document is not None]
    assessments = iter(_assess(documents, judge))
    for head, document in read:
        if document is None:
            yield head
            continue
        outcome = next(assessments)
        yield head | ({"error": outcome} if isinstance(outcome, dict) else record(outcome, shift=_shift(document)))


def _assess(documents: list[Document], judge: Judge) -> list[Assessment | dict[str, str]]:
    """All at once; where a classifier fails on the batch, one by one, so that a single text carries the error."""
    try:
        return list(judge.judge(documents))
    except Exception:
        result: list[Assessment | dict[str, str]] = []
        for document in documents:
            try:
                result += judge.judge([document])
            except Exception as error:
                result.append({"kind": "judge", "message": f"{type(error).__name__}: {error}"[:300]})
        return result


def _read(line: bytes, number: int) -> tuple[dict[str, Any], Document | None]:
    """(head with the id, document), or (whole answer with the error, None)."""
    if len(line) > MAX_LINE:
        return _broken(None, number, "too_long", f"{len(line)} bytes; give at most {MAX_LINE}"), None
    try:
        data = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return _broken(None, number, "encoding", "bytes that are not UTF-8"), None
    except (ValueError, RecursionError) as error:
        return _broken(None, number, "json", f"not JSON: {str(error)[:120]}"), None
    if not isinstance(data, dict):
        return _broken(None, number, "shape", "not an object; give {\"id\": ..., \"text\": ...}"), None
    key = data.get("id")
    if key is None or isinstance(key, dict | list | bool) or (isinstance(key, float) and not math.isfinite(key)):
        return _broken(None, number, "shape", "id is missing or no text or number"), None
    for name in ("text", "title", "publisher", "kind"):
        value = data.get(name)
        if not isinstance(value, str) and (value is not None or name == "text"):
            return _broken(key, number, "shape", f"{name} is missing or no text"), None
    title = data.get("title") or ""
    text = f"{title}\n{data['text']}" if title else data["text"]
    return {"id": key}, Document(text=text, title=title, publisher=data.get("publisher") or "", kind=data.get("kind") or "")


def _broken(key: Any, number: int, kind: str, message: str) -> dict[str, Any]:
    return {"id": key, "error": {"kind": kind, "line": number, "message": message}}


def _shift(document: Document) -> int:
    return len(document.title) + 1 if document.title else 0


def record(assessment: Assessment, *, shift: int = 0) -> dict[str, Any]:
    """An assessment as plain JSON values. `shift`: characters in front of the text that were the caller's title."""
    matches = [
        {"rule": m.rule, "start": m.start - shift, "end": m.end - shift, "text": m.text, "weight": m.weight}
        | ({"fold": m.fold} if m.fold else {})
        for m in assessment.matches
        if m.start >= shift
    ]
    reasons = []
    for reason in assessment.reasons:
        entry: dict[str, Any] = {"text": reason.text, "rule": reason.rule, "articles": list(reason.articles)}
        if reason.start is not None and reason.end is not None and reason.start >= shift:
            entry |= {"start": reason.start - shift, "end": reason.end - shift}
        reasons.append(entry)
    return {
        "level": assessment.level.value,
        "score": assessment.score,
        "grade": assessment.grade.value if assessment.grade else None,
        "layer": assessment.layer.value if assessment.layer else None,
        "schemes": list(assessment.schemes),
        "features": [feature.value for feature in assessment.features],
        "matches": matches,
        "reasons": reasons,
        "codes": list(assessment.codes),
        "authorities": list(assessment.authorities),
        "scores": {score.classifier: score.value for score in assessment.scores},
        "ruleset": assessment.ruleset,
        "model": assessment.model,
    }


def dump(row: dict[str, Any]) -> str:
    """One output line without its line feed; lone surrogates, which UTF-8 cannot carry, are escaped."""
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(row)
    return text
