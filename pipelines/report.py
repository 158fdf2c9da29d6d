"""Report: the hour-by-hour patrol log (巡查日志), and the reconciliation that finds whatever fell between two stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.clock import for_people, hour_of
from store import ledger
from store.engine import Store

HOUR = timedelta(hours=1)


@dataclass(slots=True, kw_only=True)
class PlatformHour:
    """What one hour brought of one platform."""

    ok: int = 0
    failures: list[str] = field(default_factory=list)
    """`outcome: why` of each sweep that did not end well."""
    missed: int = 0
    """Runs that were due and did not happen."""
    running: int = 0
    last_success: datetime | None = None
    """End of its last good sweep, as of the hour's end; aware UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRow:
    """One hour of the patrol."""

    hour: datetime
    """Its beginning, aware UTC."""
    platforms: dict[str, PlatformHour]
    """Every platform known by then, visited in this hour or not."""
    counts: dict[str, int]
    """Captures, postings, assessments, hits, decisions, notices, leads, receipts, deliveries, alarms of this hour."""

    def as_json(self) -> dict[str, Any]:
        """Moments in Shanghai time, as people read them."""
        shown = {
            name: {
                "ok": one.ok, "failures": one.failures, "missed": one.missed, "running": one.running,
                "last_success": for_people(one.last_success) if one.last_success else None,
            }
            for name, one in self.platforms.items()
        }  # fmt: skip
        return {"hour": for_people(self.hour), "platforms": shown, "counts": self.counts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What stands between two stages, by kind: ids of the rows."""

    gaps: dict[str, list[int]]

    @property
    def lost(self) -> int:
        """How many rows fell between. 0 is the promise."""
        return sum(len(ids) for ids in self.gaps.values())

    def by_kind(self) -> dict[str, list[int]]:
        return self.gaps

    def as_json(self) -> dict[str, Any]:
        return {"lost": self.lost, "gaps": {kind: ids for kind, ids in self.gaps.items() if ids}}


def patrol_log(store: Store, *, since: datetime, until: datetime) -> list[HourRow]:
    """One row an hour from the full hour of `since` to `until`, empty hours included: a gap in the patrol must be seen."""
    rows = []
    with store.read() as conn:
        hour = hour_of(since)
        while hour < until:
            end = hour + HOUR
            platforms = {name: PlatformHour(last_success=at) for name, at in ledger.last_successes(conn, before=end).items()}
            for sweep in ledger.sweeps_between(conn, since=hour, until=end):
                _add_sweep(platforms.setdefault(sweep.platform, PlatformHour()), sweep)
            for run in ledger.missed_between(conn, since=hour, until=end):
                kind, _, name = run.job.partition(":")
                if kind == "sweep":
                    platforms.setdefault(name, PlatformHour()).missed += 1
            counts = ledger.counts_between(conn, since=hour, until=end)
            rows.append(HourRow(hour=hour, platforms=dict(sorted(platforms.items())), counts=counts))
            hour = end
    return rows


def _add_sweep(row: PlatformHour, sweep: Any) -> None:
    if sweep.outcome == "ok":
        row.ok += 1
    elif sweep.outcome == "running":
        row.running += 1
    else:
        row.failures.append(f"{sweep.outcome}: {sweep.why}" if sweep.why else sweep.outcome)


def reconcile(store: Store, *, now: datetime, grace: timedelta = timedelta(hours=24)) -> Reconciliation:
    """Count what no queue and no job would pick up again.

    `grace` is how long a confirmed hit may stand without notice, lead or closing before it counts; an unjudged posting may wait
    for one hour, or for one lease beyond the one it was left in.
    """
    settings = store.settings
    lease = timedelta(seconds=settings.lease_s)
    slow_sweep = now - 2 * timedelta(seconds=settings.sweep_timeout_s)
    with store.read() as conn:
        return Reconciliation(
            gaps={
                "captures_without_bytes": ledger.captures_without_bytes(conn, archive=settings.archive_dir),
                "postings_unjudged": ledger.postings_unjudged(conn, now=now, lease=lease, grace=min(grace, HOUR)),
                "suspected_without_hit": ledger.suspected_without_hit(conn),
                "claims_stuck": ledger.claims_stuck(conn, before=now - HOUR),
                "confirmed_without_action": ledger.confirmed_without_action(conn, before=now - grace),
                "notices_unsent": ledger.notices_unsent(conn),
                "notices_unwatched": ledger.notices_unwatched(conn),
                "leads_unsent": ledger.leads_unsent(conn),
                "leads_without_receipt": ledger.leads_without_receipt(conn),
                "leads_returned": ledger.leads_returned(conn),
                "deliveries_without_receipt": ledger.deliveries_without_receipt(conn),
                "deliveries_stuck": ledger.deliveries_stuck(conn, before=now - lease),
                "sweeps_unended": ledger.sweeps_unended(conn, before=slow_sweep),
            }
        )
