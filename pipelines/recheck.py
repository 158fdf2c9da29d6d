"""Recheck (复查): the page of a notice is fetched again, and what stands there settles the notice.

House rules: gone (404, 410), the posting absent, or edited and now judged below review is rectified; the same words still there persist;
a wall, an error or no answer tells nothing and is tried again later. A rectified page is looked at again some days after: some come back.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row

from domain.errors import EvidenceAltered
from domain.identity import canonical_url
from domain.model import Level
from store import cloaks, notices
from store.archive import Archive
from store.engine import Store
from store.moves import move, writing

Outcome = Literal["rectified", "persists", "unknown"]
GONE = (404, 410)
AGAIN = (timedelta(days=3), timedelta(days=14))
"""After a page was found gone it is looked at again this long after; then the notice rests."""
WAIT_MOST = timedelta(days=7)
UNTRUSTED = ("walled", "failed", "killed", "timed_out", "drifted", "disk_full", "running")
"""Sweeps that ended so tell nothing by what they did not see."""
MACHINE = "machine:recheck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One page to look at again."""

    notice_id: int
    platform: str
    url: str
    view: str | None = None
    """The visitor to whom a cloaking page shows its promotion; None where it shows all the same."""


def due(store: Store, now: datetime) -> list[Due]:
    """Notices whose recheck time has come, longest overdue first."""
    with store.read() as conn:
        rows = notices.due_for_recheck(conn, now)
        return [
            Due(notice_id=row.id, platform=row.platform, url=row.url, view=cloaks.revealing_view(conn, row.hit_id)) for row in rows
        ]


def write_visits(path: Path, items: Sequence[Due]) -> Path:
    """The spider's list: JSON lines {"url", "notice"}, each page once however many notices it has. Returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pages: dict[str, Due] = {}
    for item in items:
        pages.setdefault(_page(item.url), item)
    rows = [{"url": url, "notice": item.notice_id} | ({"views": [item.view]} if item.view else {}) for url, item in pages.items()]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


visit_file = write_visits


def settle(store: Store, notice_id: int, *, sweep_id: int, now: datetime) -> Outcome:
    """What the recheck sweep says about one notice, with the notice moved and its next recheck set."""
    archive = Archive(store.settings.archive_dir)
    with writing(store) as conn:
        row = notices.notice(conn, notice_id)
        outcome, why = _seen(conn, archive, row, sweep_id=sweep_id)
        detail = {"sweep": sweep_id, "why": why}
        count: dict[str, Any] = {"rechecks": row.rechecks + 1}
        if outcome == "unknown":
            notices.put(conn, notice_id, recheck_at=now + _patience(store, row.rechecks), **count)
        elif outcome == "rectified":
            _gone(conn, row, detail=detail, count=count, now=now)
        else:
            _stands(conn, row, detail=detail, count={**count, "recheck_at": now + timedelta(hours=store.settings.recheck_hours)}, now=now)
        return outcome


def _gone(conn: Connection, row: Row[Any], *, detail: dict[str, Any], count: dict[str, Any], now: datetime) -> None:
    if row.state == "rectified":
        since = now - row.down_at
        later = next((row.down_at + span for span in AGAIN if span > since), None)
        notices.put(conn, row.id, recheck_at=later, **count)
    else:
        move(
            conn, "notice", row.id, "rectify", actor=MACHINE, at=now, detail=detail, down_at=now, **{**count, "recheck_at": now + AGAIN[0]}
        )


def _stands(conn: Connection, row: Row[Any], *, detail: dict[str, Any], count: dict[str, Any], now: datetime) -> None:
    if row.state == "persists":
        notices.put(conn, row.id, **count)
    else:
        event = "come_back" if row.state == "rectified" else "persist"
        move(conn, "notice", row.id, event, actor=MACHINE, at=now, detail=detail, **count)


def _patience(store: Store, rechecks: int) -> timedelta:
    """A quarter of settings.recheck_hours, doubled with every look, a week at most."""
    hours = store.settings.recheck_hours / 4 * 2.0 ** min(rechecks, 16)
    return min(timedelta(hours=hours), WAIT_MOST)


def _seen(conn: Connection, archive: Archive, row: Row[Any], *, sweep_id: int) -> tuple[Outcome, str]:
    """(outcome, why in English for the audit log)."""
    page = _page(row.url)
    shown = [
        capture for capture in notices.captures_of_sweep(conn, sweep_id=sweep_id) if page in (_page(capture.url), _page(capture.final_url))
    ]
    if not shown:
        return "unknown", "the sweep brought no capture of the page"
    capture = shown[-1]
    if capture.status in GONE:
        return "rectified", f"status {capture.status}"
    if capture.status != 200:
        return "unknown", f"status {capture.status}"
    standing = notices.postings_seen(conn, url=row.url, capture_ids=[one.id for one in shown])
    for posting in standing:
        if posting.id == notices.posting_of(conn, row.hit_id):
            return "persists", "the same posting"
    if any(posting.assessed_at is None for posting in standing):
        return "unknown", "edited, not judged yet"
    if any(Level(posting.level).opens_hit for posting in standing):
        return "persists", "edited, still suspected"
    if standing:
        return "rectified", "edited, judged below review"
    if notices.outcome_of_sweep(conn, sweep_id) in UNTRUSTED:
        return "unknown", "the sweep did not end well"
    return _in_bytes(archive, capture, row)


def _in_bytes(archive: Archive, capture: Row[Any], row: Row[Any]) -> tuple[Outcome, str]:
    """No posting was cut from the page: look for the quoted words in its bytes, lest a changed layout pass for a removal."""
    if _page(capture.final_url) != _page(row.url) and re.search(r"login|passport|signin|captcha|verify", capture.final_url, re.I):
        return "unknown", "redirected to a wall"
    if capture.warc is None:
        return "unknown", "the page's bytes are gone"
    try:
        text = archive.read(capture.warc, capture.warc_offset, capture.warc_length, capture.sha256).decode(
            capture.charset or "utf-8", "replace"
        )
    except (EvidenceAltered, LookupError) as fault:
        return "unknown", str(fault)
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), html.unescape(text))
    bare = re.sub(r"<[^>]*>|\s", "", text)
    if any(_core(quote) in bare for quote in row.body["quotes"] if _core(quote)):
        return "persists", "the quoted words still stand in the page"
    return "rectified", "the posting is no longer on the page"


def _core(quote: str) -> str:
    """The longest stretch of a quote without masked contacts and spaces."""
    return max(re.sub(r"\s", "", quote).split("*"), key=len)


def _page(url: str) -> str:
    """The address of the page that a posting stands on."""
    try:
        return canonical_url(url)
    except ValueError:
        return url
