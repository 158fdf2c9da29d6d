"""What officers' work teaches: decided hits, labels on texts that opened none, and which of those are worth a label."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from domain.errors import StoreFault
from store import audit
from store.door import clean
from store.figures import CONFIRMED, DISMISSED, midnight
from store.powers import require
from store.tables import assessments, decisions, held, hits, labels, postings

MAY_LABEL = ("reviewer", "approver")
RECENT = timedelta(days=3)
"""How old a text may be that is offered: what people write today is what the model must learn."""
MOST = 2000
"""Texts among which the sample of a day is drawn, the newest."""
_TEXT = [postings.c[name] for name in ("title", "body", "images", "published_at", "first_seen_at", "fingerprint", "platform", "kind")]


def decided(connection: Connection) -> Sequence[Any]:
    """Every decision in force on a hit that is decided now, oldest first: one row a decision, two where two officers reviewed it.

    Columns: posting_id, hit_id, campaign_id, outcome, reason, at, officer, schemes, layer, and those of the posting's text.
    """
    columns = (decisions.c.id, decisions.c.hit_id, decisions.c.outcome, decisions.c.reason, decisions.c.at, decisions.c.officer)
    query = select(*columns, hits.c.posting_id, hits.c.campaign_id, assessments.c.schemes, assessments.c.layer, *_TEXT).select_from(
        decisions.join(hits, hits.c.id == decisions.c.hit_id)
        .join(assessments, assessments.c.id == hits.c.assessment_id)
        .join(postings, postings.c.id == hits.c.posting_id)
    )
    standing = (decisions.c.reversed_by.is_(None), hits.c.state.in_((*CONFIRMED, *DISMISSED)))
    return connection.execute(query.where(*standing).order_by(decisions.c.at, decisions.c.id)).all()


def labelled(connection: Connection) -> Sequence[Any]:
    """Every label on a text that has no hit, oldest first: posting_id, label, scheme, at, and the posting's text."""
    query = select(labels.c.posting_id, labels.c.label, labels.c.scheme, labels.c.at, *_TEXT)
    query = query.join(postings, postings.c.id == labels.c.posting_id).outerjoin(hits, hits.c.posting_id == labels.c.posting_id)
    wanted = (labels.c.label.is_not(None), hits.c.id.is_(None))
    return connection.execute(query.where(*wanted).order_by(labels.c.at, labels.c.posting_id)).all()


def unlabelled(connection: Connection, *, now: datetime) -> Sequence[Any]:
    """The newest texts at watch that have no hit, no label and no rule's cap over them: posting_id, score, scores."""
    later = assessments.alias("later")
    newer = select(later.c.id).where(later.c.posting_id == assessments.c.posting_id, later.c.id > assessments.c.id)
    query = select(assessments.c.posting_id, assessments.c.score, assessments.c.scores).join(
        postings, postings.c.id == assessments.c.posting_id
    )
    for table in (hits, labels, held):
        query = query.where(~select(table.c.posting_id).where(table.c.posting_id == assessments.c.posting_id).exists())
    query = query.where(assessments.c.level == "watch", assessments.c.at >= now - RECENT, ~newer.exists())
    return connection.execute(query.where(postings.c.title + postings.c.body != "").order_by(assessments.c.id.desc()).limit(MOST)).all()


def text_of(connection: Connection, posting_id: int) -> Any | None:
    """One text to label: posting_id, url, publisher and the posting's text, with the score, rules and model of its newest assessment."""
    columns = (postings.c.id.label("posting_id"), postings.c.url, postings.c.publisher, postings.c.contacts, *_TEXT)
    judged = (assessments.c.level, assessments.c.score, assessments.c.ruleset, assessments.c.model)
    query = select(*columns, *judged).join(assessments, assessments.c.posting_id == postings.c.id).where(postings.c.id == posting_id)
    return connection.execute(query.order_by(assessments.c.id.desc()).limit(1)).one_or_none()


def given_today(connection: Connection, *, now: datetime) -> int:
    """Texts that were labelled or passed over since midnight in Shanghai."""
    return int(connection.execute(select(func.count()).select_from(labels).where(labels.c.at >= midnight(now))).scalar_one())


def given_by(connection: Connection, officer: str, *, limit: int = 8) -> Sequence[Any]:
    """An officer's newest labels: posting_id, label, scheme, at, title, body (its beginning)."""
    columns = (labels.c.posting_id, labels.c.label, labels.c.scheme, labels.c.at, postings.c.title)
    query = select(*columns, func.substr(postings.c.body, 1, 80).label("body")).join(postings, postings.c.id == labels.c.posting_id)
    mine = query.where(labels.c.officer == officer, labels.c.label.is_not(None))
    return connection.execute(mine.order_by(labels.c.at.desc(), labels.c.posting_id.desc()).limit(limit)).all()


def counts(connection: Connection) -> dict[str, int]:
    """Hits decided by now (`confirmed`, `dismissed`) and texts labelled (`labelled`)."""
    states = select(hits.c.state, func.count()).where(hits.c.state.in_((*CONFIRMED, *DISMISSED))).group_by(hits.c.state)
    found = {str(state): int(count) for state, count in connection.execute(states)}
    given = connection.execute(select(func.count()).select_from(labels).where(labels.c.label.is_not(None))).scalar_one()
    return {"confirmed": sum(found.get(state, 0) for state in CONFIRMED), "dismissed": found.get("dismissed", 0), "labelled": int(given)}


def give(connection: Connection, posting_id: int, *, officer: str, label: str | None, scheme: str | None, now: datetime, most: int) -> None:
    """Keep an officer's label (None: passed over), for training alone: it opens no hit and decides nothing.

    A label of one's own is replaced. Raises NotPermitted without the role, and StoreFault where another officer labelled the text, it
    has a hit (which is decided instead), nobody judged it, or `most` texts of the day are done.
    """
    require(connection, officer, *MAY_LABEL)
    audit.alone(connection)
    row = text_of(connection, posting_id)
    if row is None or not (row.title or row.body):
        raise StoreFault(f"posting:{posting_id}: 没有这条内容，或其文字已按保存期限清除")
    if connection.execute(select(hits.c.id).where(hits.c.posting_id == posting_id)).first():
        raise StoreFault(f"posting:{posting_id}: 该内容已进入复核队列，请在队列中复核，不另作标注")
    old = connection.execute(select(labels).where(labels.c.posting_id == posting_id)).one_or_none()
    if old is not None and old.officer != officer:
        raise StoreFault(f"posting:{posting_id}: 该内容已由他人标注，请看下一条")
    if old is None and (row.level != "watch" or given_today(connection, now=now) >= most):
        raise StoreFault(f"posting:{posting_id}: 今日标注已满 {most} 条，或该内容不在标注范围，请看下一条")
    connection.execute(delete(labels).where(labels.c.posting_id == posting_id))
    spoke = {"score": row.score, "ruleset": row.ruleset, "model": row.model}
    scheme = clean(scheme) if scheme else None
    connection.execute(insert(labels).values(posting_id=posting_id, label=label, scheme=scheme, officer=officer, at=now, **spoke))
    detail = {"label": label or "", "scheme": scheme or "", "for": "training"}
    action = "label.give" if label else "label.pass"
    audit.append(connection, actor=officer, action=action, subject=f"posting:{posting_id}", at=now, detail=detail)
