"""Deciding a whole campaign (整案复核): one word and one reason for many hits, each by the rules of review with its own decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import NotPermitted, PatrolError, StoreFault
from pipelines import review
from store import campaigns, campaignviews, powers
from store.engine import Store

MOST = 200
"""Hits decided by one word: some seconds, and as many as a person can have looked over."""


@dataclass(slots=True)
class Outcome:
    """What came of it, hit by hit."""

    decided: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    """Those that wait for a second officer now."""
    disagreed: list[int] = field(default_factory=list)
    """Those on which this word and the first one differ: back in the queue."""
    passed: dict[int, PatrolError] = field(default_factory=dict)
    """Those that could not be decided by this officer now, and why."""
    left: int = 0
    """Those that wait still, because MOST were decided."""


def decide_campaign(
    store: Store,
    campaign_id: int,
    *,
    officer: str,
    outcome: review.Outcome,
    reason: str,
    now: datetime,
    only: Iterable[int] | None = None,
) -> Outcome:
    """Decide the waiting hits of a campaign, or those of them named by `only`.

    Each is claimed and decided by itself: what another officer holds, or what waits for somebody else's second word, is passed over and
    told. Raises NotPermitted without the role, StoreFault without a reason or where nothing of it waits.
    """
    if not reason.strip():
        raise StoreFault(f"campaign:{campaign_id}: no reason given; write why, for the publishers and for the next officer")
    with store.read() as connection:
        powers.require(connection, officer, *review.REVIEWERS)
        waiting = campaignviews.waiting_ids(connection, campaigns.now_called(connection, campaign_id).id)
    chosen = waiting if only is None else [hit for hit in waiting if hit in set(only)]
    if not chosen:
        raise StoreFault(f"campaign:{campaign_id}: 没有所选的待复核条目；可能已由他人处理，请刷新")
    found = Outcome(left=max(0, len(chosen) - MOST))
    for hit_id in chosen[:MOST]:
        try:
            review.claim(store, hit_id, officer=officer, now=now)
            state = review.decide(store, hit_id, officer=officer, outcome=outcome, reason=reason, now=now)
        except (NotPermitted, StoreFault) as error:
            found.passed[hit_id] = error
        else:
            {"seconding": found.first, "open": found.disagreed}.get(state, found.decided).append(hit_id)
    return found
