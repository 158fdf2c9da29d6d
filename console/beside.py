"""What different visitors were shown of a hit's page, side by side: for the part 分访客比对 of its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console import marks
from console.words import VIEWS
from store import cloaks, overlays

MOST_TEXT = 1200
"""Characters of a view that are shown: the whole page is in the archive."""
VERDICTS = {
    "differs": "两次访问均显示不同内容",
    "same": "各访客所见推广内容一致",
    "unsteady": "两次访问结果不一致（可能为轮换内容），未作为依据",
}


def views_of(connection: Any, hit_id: int, *, reveal: bool, known: Sequence[str]) -> dict[str, Any] | None:
    """The newest comparison for the template: verdict, columns (one a view), rows (one a difference); None where there is none."""
    row = cloaks.of_hit(connection, hit_id)
    if row is None or not row["views"]:
        return None
    shots = cloaks.screenshots(connection, [one["capture_id"] for one in row["views"]])
    copies = {shot: overlays.of(connection, shot) for shot in shots.values()}
    people = [*known, *(one["value"] for view in row["views"] for one in view["contacts"])]
    apart = [one["text"] for one in row["differences"]["sentences"]]
    names = [one["view"] for one in row["views"]]
    columns = [_column(one, apart=apart, people=people, reveal=reveal) for one in row["views"]]
    for column in columns:
        column["shot"] = shots.get(column["capture_id"])
        column["copy"] = copies.get(column["shot"] or "")
    return {
        "at": row["at"], "verdict": row["verdict"], "said": VERDICTS.get(row["verdict"], row["verdict"]), "reason": row["reason"],
        "columns": columns, "rows": _rows(row["differences"], names, people=people, reveal=reveal),
    }  # fmt: skip


def picture_kind(connection: Any, hit_id: int, sha256: str, *, screenshot: str | None) -> str | None:
    """`screenshot` where a comparison of this hit has it, or where it is the stamped copy of a picture that the hit has."""
    own = [screenshot] if screenshot else []
    row = cloaks.of_hit(connection, hit_id)
    if row is not None:
        own += cloaks.screenshots(connection, [one["capture_id"] for one in row["views"]]).values()
    return "screenshot" if sha256 in own or any(overlays.of(connection, one) == sha256 for one in own) else None


def _column(view: Mapping[str, Any], *, apart: Sequence[str], people: Sequence[str], reveal: bool) -> dict[str, Any]:
    text = view["text"]
    found = [(text.find(sentence), sentence) for sentence in apart]
    matches = [{"rule": "cloak", "start": at, "end": at + len(sentence), "weight": 1.0} for at, sentence in found if at >= 0]
    spans = marks.contact_spans(text, people)
    shown = text if reveal else marks.hide(text, spans)
    pieces = marks.cut(shown, matches=matches, contacts=spans, end=MOST_TEXT)
    status = view["status"]
    return {
        "name": VIEWS.get(view["view"], view["view"]), "capture_id": view["capture_id"], "status": status, "known": view["known"],
        "level": view["level"], "pieces": pieces, "more": len(text) > MOST_TEXT, "gone": status in (404, 410),
    }  # fmt: skip


def _rows(differences: Mapping[str, Any], names: Sequence[str], *, people: Sequence[str], reveal: bool) -> list[dict[str, Any]]:
    rows = []
    for one in differences["sentences"]:
        text = one["text"] if reveal else marks.hide(one["text"], marks.contact_spans(one["text"], people))
        rows.append({"kind": "推广语句", "text": text, "seen": [name in one["views"] for name in names]})
    for one in differences["contacts"]:
        text = one["value"] if reveal else marks.hide(one["value"], [(0, len(one["value"]))])
        rows.append({"kind": "联系方式", "text": text, "seen": [name in one["views"] for name in names]})
    return rows
