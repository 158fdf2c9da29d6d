"""Link (串并): tie hits into campaigns (同源线索) by what only the same people would share: a contact, a QR code, a picture, a text.

Each tie is a row that says why, and an officer can cut it: a cut tie never ties again, and with any tie the hit's text tie is cut, so that
a likeness of words does not bring back what an officer parted. What holds is a matter of the rows alone, in whatever batches they came:
campaigns are the hits that are connected by keys that hold (`pipelines/link_keys.py` says which do).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pipelines.link_keys import KINDS, TEXT_LEAST, Key, keys
from pipelines.link_settle import settle
from store import ties
from store.engine import Store

__all__ = ["BATCH", "KINDS", "TEXT_LEAST", "Key", "cut", "cut_hit", "keys", "link_new", "mute", "restore", "unmute"]
BATCH = 4000
"""Hits that are tied in one transaction: a second or two, well below what another writer waits."""


def link_new(store: Store, *, now: datetime, batch: int = BATCH, progress: Callable[[int], None] | None = None) -> int:
    """Give every hit without a campaign one, its own or that of the hits it shares a key with: how many were tied to others.

    Safe to run beside itself and to be killed; a hit that ties two campaigns makes them one, the older. `progress` is told how many hits
    were linked in each transaction.
    """
    tied = 0
    while True:
        with ties.linking(store) as connection:
            rows = ties.unlinked(connection, limit=batch)
            if rows:
                tied += settle(connection, rows, now=now)
        if rows and progress is not None:
            progress(len(rows))
        if len(rows) < batch:
            return tied


def cut(store: Store, tie_id: int, *, officer: str, reason: str, now: datetime) -> list[int]:
    """An officer cuts one tie for good: the campaigns that its hits are in afterwards, the old one first.

    The hit's text tie goes with it; what is still held together by other ties stays together. Raises StoreFault where there is no such
    tie, or no reason is given.
    """
    with store.write() as connection:
        ties.alone(connection)
        return ties.cut(connection, tie_id, officer=officer, reason=reason.strip(), now=now)


def cut_hit(store: Store, hit_id: int, *, officer: str, reason: str, now: datetime) -> list[int]:
    """An officer takes a hit out of its campaign: every tie of it is cut, and nothing ties it to anybody again."""
    with store.write() as connection:
        ties.alone(connection)
        return ties.cut_hit(connection, hit_id, officer=officer, reason=reason.strip(), now=now)


def restore(store: Store, tie_id: int, *, officer: str, reason: str, now: datetime) -> int:
    """Take a cut back, with all that was cut by the same stroke: the campaign that the hit is in then."""
    with store.write() as connection:
        ties.alone(connection)
        return ties.restore(connection, tie_id, officer=officer, reason=reason.strip(), now=now)


def mute(store: Store, tie_id: int, *, officer: str, reason: str, now: datetime) -> list[int]:
    """Say that the key of a tie is everybody's: it holds nothing together from now on, in no campaign. The campaigns it leaves here."""
    with store.write() as connection:
        ties.alone(connection)
        return ties.mute(connection, tie_id, officer=officer, reason=reason.strip(), now=now)


def unmute(store: Store, tie_id: int, *, officer: str, reason: str, now: datetime) -> int:
    """Let the key of a tie hold again: the campaign that its hits are in then."""
    with store.write() as connection:
        ties.alone(connection)
        return ties.unmute(connection, tie_id, officer=officer, reason=reason.strip(), now=now)
