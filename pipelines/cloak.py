"""Cloaking (伪装): the same page as four visitors see it, and whether what is promoted there depends on who looks.

Judged is what each was shown: which sentences the rules speak about, whom to contact, at which level. Advertisements that rotate and
moments that pass differ between any two visits, so a difference counts only where a second visit shows the same one to the same visitors.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping

from crawlers.extract import read
from crawlers.page import Page
from crawlers.platform import PlatformFile
from crawlers.views import VIEWS
from crawlers.walls import wall_of
from domain import contacts
from domain.errors import EvidenceAltered
from domain.model import Assessment, Document, Grade, Level
from pipelines.assess import Judging
from rules.schema import Cloaking
from store import cloaks
from store.archive import Archive
from store.engine import Store

GONE = (404, 410)
REQUESTS = 2 * len(VIEWS)
"""Of one page at the most: every view, and every view once more where they differ."""
MOST_TEXT = 20_000
_GRADES = (Grade.ORDINARY, Grade.MIDDLE, Grade.HIGH)
_BREAK = re.compile(r"[。！？!?；;\n]+")
_LONG = 12
"""Characters of a sentence that says something by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page to look at as every visitor."""

    platform: str
    url: str
    hit_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one visitor was shown."""

    view: str
    capture_id: int
    status: int
    title: str = ""
    text: str = ""
    level: Level = Level.CLEAR
    score: float = 0.0
    promo: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sentence -> the rules that speak about it."""
    contacts: frozenset[tuple[str, str]] = frozenset()
    known: bool = True
    """False for a wall, a fault or a refusal: that tells nothing of what others see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A page's views side by side."""

    wanted: Wanted
    sweep_id: int
    verdict: str
    """same, differs, unsteady or unclear."""
    shown: tuple[Shown, ...] = ()
    sentences: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
    """(sentence, the views that show it, rules) of what not all of them show."""
    contacts: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """(kind, value, the views that show it)."""


def due(store: Store, platforms: Mapping[str, PlatformFile], *, policy: Cloaking, now: datetime, draw: random.Random) -> list[Wanted]:
    """The pages of this run, each platform's together: hits first, then a sample, as far as the budget of requests goes."""
    most, since = policy.requests_per_run // REQUESTS, now - timedelta(days=policy.again_days)
    fit = {name for name, one in platforms.items() if one.enabled and one.proxy is None}
    found: dict[tuple[str, str], Wanted] = {}
    with store.read() as connection:
        for row in cloaks.hits_to_compare(connection, since=since, limit=4 * most):
            if row["platform"] in fit and len(found) < most:
                url = _page_of(row["url"])
                found.setdefault((row["platform"], url), Wanted(platform=row["platform"], url=url, hit_id=row["hit_id"]))
        suspected = cloaks.found_on(connection, since=since)
        # Where one page differed others do: those platforms come first.
        for name in sorted(sorted(fit), key=lambda name: (name not in suspected, draw.random())):
            pages = [url for url in cloaks.pages_to_sample(connection, platform=name, since=since) if (name, url) not in found]
            share = policy.sample_per_platform * (4 if name in suspected else 1)
            for url in draw.sample(pages, min(share, len(pages), max(0, most - len(found)))):
                found[name, url] = Wanted(platform=name, url=url)
    return sorted(found.values(), key=lambda one: one.platform)


def write_visits(path: Path, items: Sequence[Wanted]) -> Path:
    """The spider's list: JSON lines {"url", "views"}. Returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"url": url, "views": list(VIEWS)}, ensure_ascii=False) for url in dict.fromkeys(one.url for one in items)]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def compare(store: Store, judge: Judging, wanted: Wanted, *, platform: PlatformFile, policy: Cloaking, sweep_id: int) -> Compared:
    """What the sweep brought of one page, judged view by view."""
    archive = Archive(store.settings.archive_dir)
    with store.read() as connection:
        rows = [row for row in cloaks.captures_of(connection, sweep_id) if row["via"] in VIEWS and _page_of(row["url"]) == wanted.url]
    newest = {row["via"]: row for row in rows}
    shown = tuple(_shown(archive, judge, newest[name], platform=platform, policy=policy) for name in VIEWS if name in newest)
    known = [one for one in shown if one.known]
    if len(known) < 2 or not any(one.text for one in known):
        return Compared(wanted=wanted, sweep_id=sweep_id, verdict="unclear", shown=shown)
    sentences, contacts_apart = _sentences_apart(known), _contacts_apart(known)
    apart = len({one.level.opens_hit for one in known}) > 1
    if apart and not sentences:
        sentences = _words_apart(known)
    differs = (apart and bool(sentences)) or len(sentences) >= policy.sentences
    verdict = "differs" if differs else "same"
    return Compared(
        wanted=wanted, sweep_id=sweep_id, verdict=verdict, shown=shown, sentences=sentences, contacts=contacts_apart if differs else ()
    )


def steady(first: Compared, second: Compared) -> Compared:
    """The second look, with what the first one showed to the same visitors; `unsteady` where nothing of it held."""
    held = {(_key(text), views) for text, views, _ in first.sentences}
    kept = tuple(one for one in second.sentences if (_key(one[0]), one[1]) in held)
    people = tuple(one for one in second.contacts if one in first.contacts)
    verdict = second.verdict if second.verdict == "unclear" else "differs" if second.verdict == "differs" and kept else "unsteady"
    return Compared(
        wanted=second.wanted, sweep_id=second.sweep_id, verdict=verdict, shown=second.shown, sentences=kept,
        contacts=people if verdict == "differs" else (),
    )  # fmt: skip


def keep(store: Store, found: Compared, *, policy: Cloaking, now: datetime) -> int:
    """Keep a comparison, with its pages as evidence where they differ: its number."""
    if found.verdict == "differs":
        cloaks.seal(store, [one.capture_id for one in found.shown])
    with store.write() as connection:
        return cloaks.keep(
            connection, hit_id=found.wanted.hit_id, platform=found.wanted.platform, url=found.wanted.url,
            origin="hit" if found.wanted.hit_id else "sample", sweep_id=found.sweep_id, at=now, verdict=found.verdict,
            views=[_as_row(one) for one in found.shown], reason=_reason(found, policy) if found.verdict == "differs" else "",
            differences={
                "sentences": [{"text": text, "views": list(views), "rules": list(rules)} for text, views, rules in found.sentences],
                "contacts": [{"kind": kind, "value": value, "views": list(views)} for kind, value, views in found.contacts],
            },
        )  # fmt: skip


def lift_waiting(store: Store, *, policy: Cloaking, now: datetime) -> int:
    """Raise the grade of hits whose page was found to differ, with the reason: how many. Safe to repeat; hits judged anew get it again."""
    with store.write() as connection:
        cloaks.adopt(connection)
        rows = cloaks.to_lift(connection)
    for row in rows:
        with store.write() as connection:
            _lift(connection, row, policy=policy, now=now)
    return len(rows)


def _lift(connection: Connection, row: RowMapping, *, policy: Cloaking, now: datetime) -> None:
    at = _GRADES.index(Grade(row["grade"])) if row["grade"] else 0
    grade = _GRADES[min(at + policy.grade_steps, len(_GRADES) - 1)]
    reason = {"text": row["reason"], "rule": None, "articles": [], "start": None, "end": None}
    cloaks.lift(connection, row, reason=reason, grade=grade.value, now=now)


# --- one view


def _shown(archive: Archive, judge: Judging, row: RowMapping, *, platform: PlatformFile, policy: Cloaking) -> Shown:
    view, number, status = row["via"], row["id"], row["status"]
    if status in GONE:
        return Shown(view=view, capture_id=number, status=status)
    unknown = Shown(view=view, capture_id=number, status=status, known=False)
    if status != 200 or row["warc"] is None:
        return unknown
    try:
        body = archive.read(row["warc"], row["warc_offset"], row["warc_length"], row["sha256"])
    except EvidenceAltered:
        return unknown
    page = Page(body, url=row["final_url"], override=row["charset"])
    postings = read(platform, page, role="visit", now=row["fetched_at"]).postings
    if wall_of(platform, page, status=status, asked=row["url"], found=bool(postings)) is not None:
        return unknown
    text, main = page.shown[:MOST_TEXT], "\n".join(posting.text for posting in postings)[:MOST_TEXT]
    title = postings[0].title if postings else ""
    whole, told = judge.judge([Document(text=text, title=title), Document(text=main or text, title=title)])
    people = frozenset((one.kind, one.value) for one in contacts.find(text))
    promo = _promo(text, whole, least=policy.sentence_weight)
    return Shown(
        view=view,
        capture_id=number,
        status=status,
        title=title,
        text=text,
        level=told.level,
        score=told.score,
        promo=promo,
        contacts=people,
    )


def _promo(text: str, assessment: Assessment, *, least: float) -> dict[str, tuple[str, ...]]:
    """The sentences that the rules speak about with at least this weight together, with their rules."""
    weights: dict[tuple[int, int], float] = {}
    rules: dict[tuple[int, int], dict[str, None]] = {}
    ends = [0, *(found.end() for found in _BREAK.finditer(text)), len(text)]
    for match in assessment.matches:
        start = max((end for end in ends if end <= match.start), default=0)
        place = (start, min((end for end in ends if end >= match.end), default=len(text)))
        weights[place] = weights.get(place, 0.0) + match.weight
        rules.setdefault(place, {})[match.rule] = None
    return {text[a:b].strip(): tuple(rules[a, b]) for (a, b), weight in sorted(weights.items()) if weight >= least and text[a:b].strip()}


# --- side by side


def _key(sentence: str) -> str:
    return re.sub(r"\W+", "", sentence)


def _sentences_apart(known: Sequence[Shown]) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    whole = {one.view: _key(one.text) for one in known}
    found: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {}
    for one in known:
        for sentence, rules in one.promo.items():
            key = _key(sentence)
            views = tuple(view for view, text in whole.items() if key in text)
            if key and key not in found and len(views) < len(known):
                found[key] = (sentence[:300], views, rules)
    return tuple(found.values())


def _words_apart(known: Sequence[Shown]) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """What those who were shown a suspected page read and the others did not, where no rule says which sentence it is."""
    suspected = [one for one in known if one.level.opens_hit]
    rest = "".join(_key(one.text) for one in known if not one.level.opens_hit)
    views = tuple(one.view for one in suspected)
    own = [part.strip() for part in _BREAK.split(suspected[0].text)]
    return tuple((part[:300], views, ()) for part in own if len(_key(part)) >= _LONG and _key(part) not in rest)[:5]


def _contacts_apart(known: Sequence[Shown]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    every = sorted({one for shown in known for one in shown.contacts})
    told = ((kind, value, tuple(one.view for one in known if (kind, value) in one.contacts)) for kind, value in every)
    return tuple(one for one in told if len(one[2]) < len(known))


def _reason(found: Compared, policy: Cloaking) -> str:
    """What an officer and a publisher read; it names visitors, never contacts."""
    seen = {view for _, views, _ in found.sentences for view in views}
    unseen = {one.view for one in found.shown if one.known} - set(found.sentences[0][1])
    seen -= unseen

    def names(views: set[str]) -> str:
        return "、".join(VIEWS[name].chinese for name in VIEWS if name in views)

    return policy.reason.format(seen=names(seen or set(found.sentences[0][1])), unseen=names(unseen))


def _as_row(one: Shown) -> dict[str, Any]:
    return {
        "view": one.view, "capture_id": one.capture_id, "status": one.status, "known": one.known, "title": one.title[:200],
        "level": one.level.value, "score": round(one.score, 4), "text": one.text[:4000], "promo": list(one.promo),
        "contacts": [{"kind": kind, "value": value} for kind, value in sorted(one.contacts)],
    }  # fmt: skip


def _page_of(url: str) -> str:
    """The address that is asked for: without the mark of a posting's place on its page."""
    return url if "#!" in url else url.partition("#")[0]
