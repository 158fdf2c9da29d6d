"""What a run of the demo city came to: counted in the store, and held against the city's own key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patrol.demo.town import Town
from patrol.work import Work
from pipelines import report
from store import counts, reach

GENERIC, FEED, LANDING = "demo-county", "demo-feed", "demo-landing"


class Key:
    """The city's key over time: an address that ever showed a promo counts as one, whatever its publisher made of it after.

    `brought` is the key of what came from outside the city: address -> truth. It stands from the beginning.
    """

    def __init__(self, town: Town, *, brought: Mapping[str, str] | None = None) -> None:
        self._town, self._brought = town, dict(brought or {})
        self._shown: dict[str, str] = {}
        self.standing: set[str] = set()
        """Addresses that were publicly reachable when last looked at: what a patrol that began then must have found."""

    def note(self) -> None:
        """Look at what stands in the city now; called before anybody is warned."""
        self.standing = {posting.url for posting in self._town.city.snapshot() if posting.reachable} | set(self._brought)
        for posting in self._town.city.snapshot():
            if self._shown.get(posting.url) != "promo":
                self._shown[posting.url] = posting.truth

    def truth(self, url: str) -> str:
        """promo, lookalike, ordinary or unknown."""
        return self._shown.get(url) or self._brought.get(url) or self._town.city.truth(url)


def tally(work: Work, *, key: Key) -> dict[str, Any]:
    """The object of `wangxun demo --once --json`, without `elapsed_s`.

    `lost` counts what fell between two stages, what stood in the city when its last patrol began and is not in the store, and
    what a receiver should have and has not. `precision` and `recall` are of postings at level review or above, against the key,
    over all that was publicly reachable. `imported`, `generic`, `feeds` and `promoted` are postings that came from handed-in files,
    from the site known by its home alone, from the feed, and by one hop from a search result; `imported_hits` and `promoted_hits` the hits
    among them. `queries` were asked and brought `query_hits`, `campaigns` tie hits of two places or more, `cloaked` pages showed others
    something else.
    """
    with work.store.read() as connection:
        found = counts.totals(connection)
        referred, receipts, feedback = counts.with_feedback(connection)
        rectified = counts.ever_rectified(connection)
        levels = counts.highest_levels(connection)
        ways = reach.by_way(connection)
        (asked, asked_hits), campaigns, cloaked = (
            reach.queries_asked(connection),
            reach.campaigns_across(connection),
            reach.cloaked(connection),
        )
        places, hit_places = reach.by_platform(connection), reach.hits_by_platform(connection)
    missing = sorted(key.standing - set(levels))
    between = report.reconcile(work.store, now=work.clock())
    flagged = {url for url, level in levels.items() if level in ("review", "alert")}
    promos = {url for url in (*levels, *missing) if key.truth(url) == "promo"}
    right = len(flagged & promos)
    return {
        "sweeps": found["sweeps"], "captures": found["captures"], "postings": found["postings"], "assessments": found["assessments"],
        "hits": found["hits"], "decisions": found["decisions"], "notices": found["notices"], "notices_rectified": rectified,
        "leads": referred, "receipts": receipts, "feedback": feedback, "alarms": found["alarms"],
        "imported": ways.postings, "imported_hits": ways.hits, "refused": ways.refused, "generic": places.get(GENERIC, 0),
        "feeds": places.get(FEED, 0), "queries": asked, "query_hits": asked_hits,
        "promoted": places.get(LANDING, 0), "promoted_hits": hit_places.get(LANDING, 0), "campaigns": campaigns, "cloaked": cloaked,
        "lost": between.lost + len(missing) + (referred - receipts), "promos": len(promos),
        "precision": round(right / len(flagged), 4) if flagged else 0.0, "recall": round(right / len(promos), 4) if promos else 0.0,
    }  # fmt: skip
