"""What a run of the demo city came to: counted in the store, and held against the city's own key."""

from __future__ import annotations

from typing import Any

from patrol.demo.town import Town
from patrol.work import Work
from pipelines import report
from store import counts


def tally(work: Work, town: Town) -> dict[str, Any]:
    """The object of `wangxun demo --once --json`, without `elapsed_s`.

    `lost` counts what fell between two stages, what stands in the city and not in the store, and what a receiver should have and
    has not. `precision` and `recall` are of postings at level review or above, against the key, over all that was publicly
    reachable.
    """
    with work.store.read() as connection:
        found = counts.totals(connection)
        referred, receipts, feedback = counts.with_feedback(connection)
        rectified = counts.ever_rectified(connection)
        levels = counts.highest_levels(connection)
    missing = sorted(posting.url for posting in town.city.snapshot() if posting.reachable and posting.url not in levels)
    between = report.reconcile(work.store, now=work.clock())
    flagged = {url for url, level in levels.items() if level in ("review", "alert")}
    truth = {url: town.city.truth(url) for url in levels}
    promos = {url for url, kind in truth.items() if kind == "promo"} | {url for url in missing if town.city.truth(url) == "promo"}
    right = len(flagged & promos)
    return {
        "sweeps": found["sweeps"], "captures": found["captures"], "postings": found["postings"], "assessments": found["assessments"],
        "hits": found["hits"], "decisions": found["decisions"], "notices": found["notices"], "notices_rectified": rectified,
        "leads": referred, "receipts": receipts, "feedback": feedback, "alarms": found["alarms"],
        "lost": between.lost + len(missing) + (referred - receipts), "promos": len(promos),
        "precision": round(right / len(flagged), 4) if flagged else 0.0, "recall": round(right / len(promos), 4) if promos else 0.0,
    }  # fmt: skip
