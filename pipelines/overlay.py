"""Stamped copies of the screenshots that belong to hits: made once, kept beside the screenshot, dropped with it."""

from __future__ import annotations

import logging
from datetime import datetime

from crawlers.screenshot import NoFont, stamped
from crawlers.views import VIEWS
from domain.errors import EvidenceAltered
from store import overlays
from store.archive import Archive
from store.engine import Store

log = logging.getLogger(__name__)
LIMIT = 20
"""A run: some ten seconds of drawing at the most."""


def stamp_waiting(store: Store, *, now: datetime, limit: int = LIMIT) -> int:
    """Stamp the screenshots of hits and of differing views that have no copy yet: how many. Copies without a screenshot are let go."""
    archive = Archive(store.settings.archive_dir)
    with store.write() as connection:
        overlays.forget(connection)
        rows = overlays.waiting(connection, limit=limit)
    done = 0
    for row in rows:
        via = VIEWS[row["via"]].chinese if row["via"] in VIEWS else "浏览器访问"
        try:
            copy = stamped(
                archive.read_blob(row["screenshot_sha256"]), url=row["url"], final_url=row["final_url"], at=row["fetched_at"],
                sha256=row["screenshot_sha256"], via=via, capture_id=row["id"],
            )  # fmt: skip
        except NoFont as error:
            log.warning("overlay=none why=%s", error)
            return done
        except (ValueError, EvidenceAltered) as error:
            log.warning("overlay capture=%s why=%s", row["id"], error)
            continue
        name = archive.put_blob(copy, ".png")
        with store.write() as connection:
            overlays.note(connection, screenshot=row["screenshot_sha256"], overlay=name, now=now)
        done += 1
    return done
