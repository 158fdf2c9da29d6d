"""Which copy with time and address on it belongs to which screenshot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select

from store import tables
from store.cloaktables import cloaks, overlays


def waiting(connection: Connection, *, limit: int) -> Sequence[RowMapping]:
    """Captures with a screenshot that show a hit, or a view of a page that differs, and have no copy yet; one a screenshot."""
    pages, posts, hits = tables.captures, tables.postings, tables.hits
    of_hits = [select(column).join(hits, hits.c.posting_id == posts.c.id) for column in (posts.c.first_capture_id, posts.c.last_capture_id)]
    compared = select(cloaks.c.sweep_id).where(cloaks.c.verdict == "differs")
    done = select(overlays.c.screenshot_sha256).where(overlays.c.screenshot_sha256 == pages.c.screenshot_sha256)
    wanted = or_(*(pages.c.id.in_(numbers) for numbers in of_hits), pages.c.sweep_id.in_(compared))
    query = select(pages).where(pages.c.screenshot_sha256.is_not(None), ~done.exists(), wanted)
    rows = connection.execute(query.order_by(pages.c.id).limit(limit)).mappings().all()
    return list({row["screenshot_sha256"]: row for row in reversed(rows)}.values())


def note(connection: Connection, *, screenshot: str, overlay: str, now: datetime) -> None:
    """Name the copy of a screenshot; one that has a copy keeps it."""
    known = connection.execute(select(overlays.c.overlay_sha256).where(overlays.c.screenshot_sha256 == screenshot)).scalar()
    if known is None:
        connection.execute(insert(overlays).values(screenshot_sha256=screenshot, overlay_sha256=overlay, at=now))


def of(connection: Connection, screenshot: str) -> str | None:
    """The hash of a screenshot's copy."""
    return connection.execute(select(overlays.c.overlay_sha256).where(overlays.c.screenshot_sha256 == screenshot)).scalar()


def forget(connection: Connection) -> int:
    """Let go of copies whose screenshot no capture names any more: how many."""
    pages = tables.captures
    named = select(pages.c.id).where(pages.c.screenshot_sha256 == overlays.c.screenshot_sha256)
    return connection.execute(delete(overlays).where(~named.exists())).rowcount
