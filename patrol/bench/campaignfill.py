"""Keeps made-up postings as hits that wait to be linked, by the thousand: one capture and one assessment stand for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from store import signatures, tables
from store.engine import Store


class Filler:
    """Keeps rows in a store of its own; they are numbered on from what is there."""

    def __init__(self, store: Store, *, now: datetime) -> None:
        self.store, self.now = store, now
        with store.write() as connection:
            self._last = int(connection.execute(select(func.coalesce(func.max(tables.postings.c.id), 0))).scalar_one())
            self._capture = connection.execute(select(func.min(tables.captures.c.id))).scalar() or self._page(connection)

    def _page(self, connection: Any) -> int:
        at = self.now
        sweep = connection.execute(insert(tables.sweeps).values(platform="bench", began_at=at, outcome="ok")).inserted_primary_key[0]
        page = {"platform": "bench", "url": "", "final_url": "", "fetched_at": at, "status": 200, "sha256": "", "size": 0, "mime": ""}
        return int(connection.execute(insert(tables.captures).values(sweep_id=sweep, via="http", **page)).inserted_primary_key[0])

    def keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep postings, each with its hit."""
        first, at = self._last + 1, self.now
        self._last += len(rows)
        page = {"first_capture_id": self._capture, "last_capture_id": self._capture, "first_seen_at": at, "last_seen_at": at}
        judged = {"at": at, "level": "review", "score": 0.7, "ruleset": "bench", "model": "none"}
        lists: dict[str, list[str]] = {name: [] for name in ("schemes", "features", "matches", "reasons", "scores", "codes", "authorities")}
        with self.store.write() as connection:
            posts = [{"id": n, "fingerprint": f"{n:032x}", "kind": "post", **page, **row} for n, row in enumerate(rows, first)]
            connection.execute(insert(tables.postings), posts)
            connection.execute(
                insert(tables.assessments), [{"id": n, "posting_id": n, **judged, **lists} for n in range(first, self._last + 1)]
            )
            hits = [
                {"id": n, "posting_id": n, "assessment_id": n, "level": "review", "score": 0.7, "opened_at": at}
                for n in range(first, self._last + 1)
            ]
            connection.execute(insert(tables.hits), hits)

    def campaigns(self) -> list[int]:
        """The campaign of each hit, in the order in which they were kept."""
        with self.store.read() as connection:
            return list(connection.execute(select(tables.hits.c.campaign_id).order_by(tables.hits.c.id)).scalars())

    def counts(self) -> dict[str, int]:
        """Rows of the tables that linking fills."""
        with self.store.read() as connection:
            ties = int(connection.execute(select(func.count()).select_from(tables.ties)).scalar_one())
            return signatures.count(connection) | {"ties": ties}
