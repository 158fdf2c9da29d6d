"""The officers of the demo city, played: they decide by the city's own key, through the same functions as a person would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.errors import IllegalMove
from patrol.work import Work
from pipelines import refer, review, warn
from store import hits, notices

FIRST, SECOND, HEAD = "demo-chen", "demo-lin", "demo-zhao"


class Officers:
    """Two who review and prepare, one who approves.

    `truth(url)` gives promo, lookalike or ordinary for a posting's address: the city's own key, in place of a person's reading.
    """

    def __init__(self, work: Work, *, truth: Callable[[str], str]) -> None:
        self.work, self.truth = work, truth
        self.confirmed = self.dismissed = 0
        self._warned: set[int] = set()
        self._referred: set[int] = set()

    def summary(self) -> str:
        return f"复核：确认 {self.confirmed}，排除 {self.dismissed}；预警函 {len(self._warned)}；线索 {len(self._referred)}"

    def work_through_queue(self) -> None:
        """Decide every open hit; warn the publisher of each confirmed one, and refer the high-risk ones."""
        store, clock = self.work.store, self.work.clock
        with store.read() as connection:
            waiting = [dict(row) for row in hits.queue(connection, state="open", limit=10_000)]
        for turn, row in enumerate(waiting):
            officer = (FIRST, SECOND)[turn % 2]
            promo = self.truth(row["url"]) == "promo"
            review.claim(store, row["id"], officer=officer, now=clock())
            reason = "演示：页面公开招揽并承诺回报，涉嫌非法集资广告" if promo else "演示：核对原文，属科普、资讯或正常经营"
            review.decide(store, row["id"], officer=officer, outcome="confirmed" if promo else "dismissed", reason=reason, now=clock())
            self.confirmed += promo
            self.dismissed += not promo
            if promo:
                self._warn(row, officer)
        self._refer([row for row in waiting if self.truth(row["url"]) == "promo"])

    def _warn(self, row: dict[str, Any], officer: str) -> None:
        """A notice to the publisher. What was handed in stands on no patrolled page, so nobody could look whether it came down."""
        store, clock = self.work.store, self.work.clock
        if row["platform"] not in self.work.platforms:
            return
        channel = "email" if row["publisher_address"] else "folder"  # a feed names nobody to write to: by letter
        notice = warn.draft(store, row["id"], officer=officer, channel=channel, now=clock())
        warn.approve(store, notice, officer=HEAD, now=clock())
        self._warned.add(notice)

    def _refer(self, rows: list[dict[str, Any]]) -> None:
        """One lead a campaign (or a single hit) that is graded 高危: two prepare, a third approves."""
        store, clock = self.work.store, self.work.clock
        groups: dict[str, list[int]] = {}
        for row in rows:
            if row["grade"] == "高危":
                groups.setdefault(f"c{row['campaign_id']}" if row["campaign_id"] else f"h{row['id']}", []).append(row["id"])
        for ids in groups.values():
            lead = refer.draft(store, ids, officer=FIRST, authority="police", now=clock())
            refer.second(store, lead, officer=SECOND, now=clock())
            refer.submit(store, lead, officer=FIRST, now=clock())
            refer.approve(store, lead, officer=HEAD, now=clock())
            self._referred.add(lead)

    def follow_up(self) -> None:
        """What still stands is warned about again. What the police returned went the administrative way by itself."""
        store, clock = self.work.store, self.work.clock
        with store.read() as connection:
            persisting = [dict(row) for row in notices.all_notices(connection) if row["state"] == "persists"]
        for row in persisting:
            try:
                warn.remind(store, row["id"], officer=HEAD, now=clock())
            except IllegalMove:  # settled meanwhile by a recheck
                continue
