"""Assess (研判): lease postings that wait, judge them in batches, keep the assessments, open hits. No person's work is done here."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Row

from classifiers.fusion import Judge
from classifiers.shadow import Shadow
from classifiers.trial import Trial
from domain import contacts
from domain.clock import Clock
from domain.model import Assessment, Contact, Document, Level, Posting, Reason
from pipelines.caps import BatchCaps
from store import alarms, captures, hits, shadows
from store.engine import Store

log = logging.getLogger(__name__)


class Judging(Protocol):
    """What `classifiers.fusion.Judge` is to this stage."""

    def judge(self, documents: Sequence[Document]) -> list[Assessment]:
        """One Assessment a document, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessReport:
    """What was done: postings judged, hits opened, texts that no judge could read."""

    assessed: int = 0
    hits: int = 0
    faults: int = 0

    def __add__(self, other: AssessReport) -> AssessReport:
        return AssessReport(assessed=self.assessed + other.assessed, hits=self.hits + other.hits, faults=self.faults + other.faults)


def assess_batch(
    store: Store, judge: Judging, *, now: datetime, worker: str, limit: int | None = None, shadow: Shadow | None = None
) -> AssessReport:
    """Judge up to `limit` postings (settings.judge_batch where None). All zero where none waits.

    A text that breaks the judge is put to watch with an alarm, so that it never blocks the ones behind it. What `shadow`, a
    candidate, would have said is kept beside and changes nothing.
    """
    settings = store.settings
    rows = captures.lease_unassessed(store, worker=worker, now=now, limit=limit or settings.judge_batch, lease_s=settings.lease_s)
    if not rows:
        return AssessReport()
    postings = [captures.posting(row) for row in rows]
    documents = [_document(one) for one in postings]
    began = time.perf_counter()
    results, faults = _judge(judge, documents)
    spent_s, caps, said = time.perf_counter() - began, None, results
    if isinstance(judge, Judge):  # only a judge that has rules has rules on trial, and rules with a cap
        results = _trial(judge).note(documents, results)
        numbers = [row.id for row in rows]
        texts, by_id = dict(zip(numbers, documents, strict=True)), dict(zip(numbers, results, strict=True))
        caps = BatchCaps(judge=judge, documents=texts, results=by_id)
    found = {row.id: _contacts(one) for row, one in zip(rows, postings, strict=True)}
    judged = [(row.id, one) for row, one in zip(rows, results, strict=True)]
    opened = hits.record(store, judged, now=now, worker=worker, contacts=found, caps=caps)
    if faults:
        _alarm(store, rows, faults, now=now)
    if shadow is not None:  # last: what is urgent does not wait for it
        whole = [n for n in range(len(rows)) if n not in faults]
        _beside(store, shadow, [(rows[n].id, documents[n], said[n]) for n in whole], now=now, live_s=spent_s / len(rows))
    return AssessReport(assessed=len(rows), hits=len(opened), faults=len(faults))


def assess_all(
    store: Store,
    judge: Judging | Callable[[], Judging],
    *,
    now: Clock,
    worker: str,
    stop: Callable[[], bool] = lambda: False,
    shadow: Callable[[], Shadow | None] = lambda: None,
) -> AssessReport:
    """Judge until nothing waits, or `stop` says so between two batches. A judge and a shadow that are called for may change in between."""
    total = AssessReport()
    while not stop():
        sitting = judge() if callable(judge) else judge
        done = assess_batch(store, sitting, now=now(), worker=worker, shadow=shadow())
        if not done.assessed:
            break
        total += done
    return total


@lru_cache(maxsize=4)
def _trial(judge: Judge) -> Trial:
    return Trial(judge.ruleset)


def _document(posting: Posting) -> Document:
    return Document(text=posting.text, title=posting.title, publisher=posting.publisher or "", kind=posting.kind.value)


def _judge(judge: Judging, documents: Sequence[Document]) -> tuple[list[Assessment], dict[int, str]]:
    """One assessment a document, and what broke at which index. A batch that breaks is judged one by one."""
    try:
        return judge.judge(documents), {}
    except Exception:
        log.warning("judge batch=%d broke, going one by one", len(documents), exc_info=True)
    results, faults = [], {}
    for index, document in enumerate(documents):
        try:
            results += judge.judge([document])
        except Exception as error:
            faults[index] = f"{type(error).__name__}: {error}"[:200]
            reason = Reason(text="本条未能自动研判，是否涉嫌违规有待人工查看")
            results.append(Assessment(level=Level.WATCH, score=0.0, reasons=(reason,), ruleset="none", model="none"))
    return results, faults


def _beside(store: Store, shadow: Shadow, judged: Sequence[tuple[int, Document, Assessment]], *, now: datetime, live_s: float) -> None:
    """Keep the candidate's words. One that breaks is an alarm, and nothing else: it judges nothing."""
    if not judged:
        return
    began = time.perf_counter()
    try:
        words = shadow.beside([document for _, document, _ in judged], [one for _, _, one in judged])
    except Exception as error:
        log.warning("shadow model=%s broke", shadow.model, exc_info=True)
        text = f"候选模型 {shadow.model} 旁评出错（{type(error).__name__}），不影响研判；请更换候选模型"
        with store.write() as connection:
            alarms.raise_alarm(connection, kind="model", subject="candidate", text=text, now=now)
        return
    cost_us, live_us = round((time.perf_counter() - began) / len(judged) * 1e6), round(live_s * 1e6)
    rows = [
        shadows.row(number, one, word=(word.score, word.level), model=shadow.model, costs_us=(cost_us, live_us), now=now)
        for (number, _, one), word in zip(judged, words, strict=True)
    ]
    with store.write() as connection:
        shadows.keep(connection, rows)


def _contacts(posting: Posting) -> tuple[Contact, ...]:
    """The contacts that the spider gave and those found in the text, each once, with its place in the text where it has one."""
    named = {(one.kind, one.value): one for one in posting.contacts}
    named |= {(one.kind, one.value): one for one in reversed(contacts.find(posting.text))}
    return tuple(sorted(named.values(), key=lambda one: (one.start, one.end, one.kind, one.value)))


def _alarm(store: Store, rows: Sequence[Row[Any]], faults: dict[int, str], *, now: datetime) -> None:
    index, why = next(iter(faults.items()))
    text = f"{len(faults)} 条内容未能自动研判，例如 posting:{rows[index].id}（{why}）；请人工查看，并报告开发者"
    with store.write() as connection:
        alarms.raise_alarm(connection, kind="model", subject="judge", text=text, now=now)
