"""Whatever the batches, the same campaigns: those that the rows alone say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from patrol.bench.campaignfill import Filler
from pipelines import link_keys
from pipelines.link import cut, link_new, mute, restore, unmute
from pipelines.link_keys import Key, leads_to_one, look_at, spread
from pipelines.link_settle import settle
from pipelines.link_spread import parts
from store import linktables, tables, ties
from store.engine import Store

Row = dict[str, Any]


def _text(number: int, *, size: int = 60) -> str:
    """Different characters for each number, so that two texts have nothing in common."""
    return "".join(chr(0x4E00 + (number * 997 + at * 61) % 20000) for at in range(size))


BASES = [_text(number) for number in range(3)]
# Whole, the first half, the last half, two joined (they make two families one), one with noise, and one too short to be near anything.
TEXTS = [
    *BASES,
    BASES[0][:32],
    BASES[0][28:],
    BASES[0] + BASES[1],
    BASES[1] + _text(9, size=30),
    "加微信了解详情名额有限先到先得请速联系我们哦",
]
rows = st.fixed_dictionaries(
    {
        "body": st.sampled_from(TEXTS),
        "publisher": st.sampled_from(["甲", "乙", "丙", "丁"]),
        "phone": st.sampled_from([None, None, "13800138000", "13900139000", "13700137000", "13600136000", "13500135000", "4008000000"]),
        "link": st.sampled_from([None, None, "https://a.scam.top/x", "https://b.scam2.top/y"]),
        "picture": st.sampled_from([None, None, "a" * 64, "b" * 64]),
    }
)


def _row(number: int, one: Row) -> Row:
    images = [{"url": "", "sha256": one["picture"], "text": "", "qr": []}] if one["picture"] else []
    return {
        "platform": "forum",
        "url": f"https://forum.example/{number}",
        "title": "",
        "body": one["body"],
        "publisher": one["publisher"],
        "contacts": [{"kind": "phone", "value": one["phone"], "start": 0, "end": 0}] if one["phone"] else [],
        "links": [one["link"]] if one["link"] else [],
        "images": images,
    }


def _emptied(store: Store, *, whole: bool) -> None:
    """Take away all that linking made, and, where `whole`, what was to be linked too."""
    with store.write() as connection:
        connection.execute(update(tables.hits).values(campaign_id=None))
        for name in ("ties", "campaigns", "texts", "text_bands", "text_links", "tie_keys", "tie_sites"):
            connection.execute(delete(tables.metadata.tables[name]))
        for name in ("hits", "assessments", "postings") if whole else ():
            connection.execute(delete(tables.metadata.tables[name]))


def together(store: Store) -> set[frozenset[int]]:
    """The hits of each campaign."""
    with store.read() as connection:
        found: dict[int, set[int]] = {}
        for hit, campaign in connection.execute(select(tables.hits.c.id, tables.hits.c.campaign_id)):
            found.setdefault(campaign, set()).add(hit)
    return {frozenset(one) for one in found.values()}


def by_the_rows(store: Store) -> set[frozenset[int]]:
    """The same, said by the ties alone: every key measured anew, then what is connected."""
    with store.read() as connection:
        held = connection.execute(select(tables.ties).order_by(tables.ties.c.hit_id)).all()
        muted = set(connection.execute(select(linktables.tie_keys.c.key).where(linktables.tie_keys.c.muted_by.is_not(None))).scalars())
        hits = list(connection.execute(select(tables.hits.c.id)).scalars())
    of_hit: dict[int, set[Key]] = {}
    of_key: dict[Key, list[Any]] = {}
    for tie in held:
        key = Key(kind=tie.kind, value=tie.value)
        of_hit.setdefault(tie.hit_id, set()).add(key)
        of_key.setdefault(key, []).append(tie)
    connected = {hit: {hit} for hit in hits}
    for key, its in of_key.items():
        first = its[: look_at(key, len(its))]
        accounts = [len([tie for tie in first if tie.account == one]) for one in {tie.account for tie in first}]
        fallen = parts({tie.hit_id: {own for own in of_hit[tie.hit_id] if leads_to_one(own)} for tie in first})
        far = spread(accounts) if leads_to_one(key) else spread(fallen or accounts)
        if far <= link_keys.limit(key) and key.number not in muted:
            whole = set().union(*(connected[tie.hit_id] for tie in its if tie.cut_by is None))
            for hit in whole:
                connected[hit] = whole
    return {frozenset(one) for one in connected.values()}


def _linked(store: Store, now: datetime, sizes: Sequence[int]) -> set[frozenset[int]]:
    _emptied(store, whole=False)
    with store.read() as connection:
        total = len(connection.execute(select(tables.hits.c.id)).all())
    while total > 0:
        for size in sizes:
            with ties.linking(store) as connection:
                waiting = ties.unlinked(connection, limit=size)
                if waiting:
                    settle(connection, waiting, now=now)
                total -= size
    return together(store)


@pytest.fixture
def touchy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are measured from the second posting on, and may hardly spread: what happens to hundreds happens to five."""
    monkeypatch.setattr(link_keys, "FIRST_LOOK", 2)
    monkeypatch.setattr(link_keys, "FIRST_LOOK_COMMON", 2)
    monkeypatch.setattr(link_keys, "LIMITS", {"text": 2.0, "image": 1.5, "phash": 1.5, "icp": 1.0, "domain": 1.7})
    monkeypatch.setattr(link_keys, "PRIVATE_LIMIT", 2.5)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(posted=st.lists(rows, min_size=1, max_size=24), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_batches_do_not_matter(any_store: Store, touchy: None, fixed_now: datetime, posted: list[Row], sizes: list[int]) -> None:
    _emptied(any_store, whole=True)
    Filler(any_store, now=fixed_now).keep([_row(number, one) for number, one in enumerate(posted)])
    _emptied(any_store, whole=False)
    link_new(any_store, now=fixed_now)
    at_once = together(any_store)
    assert at_once == by_the_rows(any_store)
    assert _linked(any_store, fixed_now, [1]) == at_once
    assert _linked(any_store, fixed_now, sizes) == at_once == by_the_rows(any_store)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(posted=st.lists(rows, min_size=6, max_size=20), seed=st.integers(0, 1000))
def test_what_officers_do_is_in_the_rows_too(any_store: Store, touchy: None, fixed_now: datetime, posted: list[Row], seed: int) -> None:
    """Cuts, mutings and their undoing between the batches: campaigns are what the rows say, and undoing all gives the first ones back."""
    _emptied(any_store, whole=True)
    filler, draw = Filler(any_store, now=fixed_now), random.Random(seed)
    made = [_row(number, one) for number, one in enumerate(posted)]
    filler.keep(made[: len(made) // 2])
    link_new(any_store, now=fixed_now)
    with any_store.read() as connection:
        known = list(connection.execute(select(tables.ties.c.id)).scalars())
    cuts, silenced = draw.sample(known, min(2, len(known))), draw.choice(known)
    for tie in cuts:
        cut(any_store, tie, officer="li", reason="误识别", now=fixed_now)
    mute(any_store, silenced, officer="li", reason="公用", now=fixed_now)
    filler.keep(made[len(made) // 2 :])
    link_new(any_store, now=fixed_now, batch=3)
    assert together(any_store) == by_the_rows(any_store)
    unmute(any_store, silenced, officer="li", reason="查实", now=fixed_now)
    for tie in cuts:
        with any_store.read() as connection:
            still = ties.one(connection, tie).cut_by
        if still:
            restore(any_store, tie, officer="li", reason="查实", now=fixed_now)
    undone = together(any_store)
    assert undone == by_the_rows(any_store)
    assert undone == _linked(any_store, fixed_now, [5])
