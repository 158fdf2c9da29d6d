"""What the console reads: the queue, one hit, the papers. Rows carry the names of their columns; nothing here writes but `note`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, case, cast, func, or_, select

from store import audit, doubts, papers
from store.door import clean
from store.engine import Store
from store.tables import assessments, campaigns, captures, decisions, hits, officers, postings, sweeps, ties

WAITING = ("open", "claimed", "seconding")
"""States of hits that wait for a person."""
_LEVEL_ORDER = case((hits.c.level == "alert", 0), else_=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """What an officer wants to see of the queue; None shows everything."""

    level: str | None = None
    grade: str | None = None
    scheme: str | None = None
    platform: str | None = None
    state: str = "waiting"
    """waiting, learn (those that wait and would teach most), mine, confirmed, dismissed or closed."""
    review: float = 0.5
    """Score from which a hit opens, by the policy in force: what `learn` calls borderline lies close to it."""

    def conditions(self, *, officer: str) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.state in ("waiting", "learn"):
            wanted.append(hits.c.state.in_(WAITING))
        elif self.state == "mine":
            wanted += [hits.c.state == "claimed", hits.c.claimed_by == officer]
        else:
            wanted.append(hits.c.state == clean(self.state))
        if self.level:
            wanted.append(hits.c.level == clean(self.level))
        if self.grade:
            wanted.append(hits.c.grade == clean(self.grade))
        if self.platform:
            wanted.append(postings.c.platform == clean(self.platform))
        if self.scheme:
            wanted.append(cast(assessments.c.schemes, Text).contains(f'"{clean(self.scheme)}"', autoescape=True))
        return wanted


def _joined(*columns: Any) -> Select[Any]:
    return select(*columns).select_from(
        hits.join(postings, postings.c.id == hits.c.posting_id).join(assessments, assessments.c.id == hits.c.assessment_id)
    )


def _order() -> tuple[ColumnElement[Any], ...]:
    """Alerts first, then the stronger suspicion, then what has waited longer."""
    return _LEVEL_ORDER, hits.c.score.desc(), hits.c.opened_at, hits.c.id


def queue(conn: Connection, wanted: QueueFilter, *, officer: str, limit: int = 100, offset: int = 0) -> Sequence[Any]:
    """Hits in the order of work, with `campaign_size` (hits of the same campaign, itself included; 1 where alone)."""
    others = hits.alias("others")
    size = select(func.count()).where(others.c.campaign_id == hits.c.campaign_id).correlate(hits).scalar_subquery()
    query = _joined(
        hits.c.id,
        hits.c.state,
        hits.c.level,
        hits.c.grade,
        hits.c.score,
        hits.c.opened_at,
        hits.c.claimed_by,
        hits.c.claimed_until,
        hits.c.campaign_id,
        case((hits.c.campaign_id.is_(None), 1), else_=size).label("campaign_size"),
        postings.c.platform,
        postings.c.title,
        func.substr(postings.c.body, 1, 160).label("body"),
        postings.c.publisher,
        postings.c.kind,
        assessments.c.schemes,
        assessments.c.layer,
        assessments.c.scores,
    )
    if wanted.state == "learn":
        ids = doubts.ranked(conn, wanted.conditions(officer=officer), review=wanted.review)[offset : offset + limit]
        return sorted(conn.execute(query.where(hits.c.id.in_(ids))), key=lambda row: ids.index(row.id))
    return conn.execute(query.where(*wanted.conditions(officer=officer)).order_by(*_order()).limit(limit).offset(offset)).all()


def queue_ids(conn: Connection, wanted: QueueFilter, *, officer: str, limit: int = 1000) -> list[int]:
    """Ids of the same list, for going to the next and the previous one."""
    if wanted.state == "learn":
        return doubts.ranked(conn, wanted.conditions(officer=officer), review=wanted.review)[:limit]
    query = _joined(hits.c.id).where(*wanted.conditions(officer=officer)).order_by(*_order()).limit(limit)
    return list(conn.execute(query).scalars())


def queue_size(conn: Connection, wanted: QueueFilter, *, officer: str) -> int:
    if wanted.state == "learn":
        return len(doubts.ranked(conn, wanted.conditions(officer=officer), review=wanted.review))
    return int(conn.execute(_joined(func.count()).where(*wanted.conditions(officer=officer))).scalar_one())


def queue_choices(conn: Connection) -> dict[str, list[str]]:
    """What waiting hits can be filtered by: `platforms` and `schemes` that occur among them, sorted."""
    waiting = hits.c.state.in_(WAITING)
    platforms = conn.execute(_joined(postings.c.platform).where(waiting).distinct()).scalars()
    lists = conn.execute(_joined(cast(assessments.c.schemes, Text).label("text"), assessments.c.schemes).where(waiting).limit(5000)).all()
    return {"platforms": sorted(platforms), "schemes": sorted({slug for row in lists for slug in row.schemes})}


_HIT = [
    hits.c[name]
    for name in ["id", "state", "level", "grade", "score", "opened_at", "claimed_by", "claimed_until", "campaign_id", "posting_id"]
]
_POSTING = [
    postings.c[name]
    for name in [
        "platform",
        "url",
        "kind",
        "title",
        "body",
        "images",
        "publisher",
        "publisher_address",
        "advertiser",
        "contacts",
        "links",
        "published_at",
        "marked_ad",
        "first_seen_at",
        "last_seen_at",
        "seen",
    ]
]
_ASSESSMENT = [
    assessments.c[name]
    for name in ["layer", "schemes", "features", "matches", "reasons", "scores", "codes", "authorities", "ruleset", "model"]
]
_CAPTURE = [
    captures.c[name]
    for name in [
        "final_url",
        "fetched_at",
        "status",
        "sha256",
        "size",
        "mime",
        "charset",
        "via",
        "screenshot_sha256",
        "sealed",
        "warc",
        "warc_offset",
        "warc_length",
        "sweep_id",
    ]
]


def hit(conn: Connection, hit_id: int) -> Any | None:
    """One hit with its posting, its assessment and the facts of the capture that it was judged on; None where there is none.

    Apart from the tables' own names: `assessed_at`, `capture_id`, and `page_url` for the address of the captured page.
    """
    renamed = (assessments.c.at.label("assessed_at"), captures.c.id.label("capture_id"), captures.c.url.label("page_url"))
    joined = (
        hits.join(postings, postings.c.id == hits.c.posting_id)
        .join(assessments, assessments.c.id == hits.c.assessment_id)
        .join(captures, captures.c.id == postings.c.first_capture_id)
    )
    query = select(*_HIT, *_POSTING, *_ASSESSMENT, *_CAPTURE, *renamed).select_from(joined)
    return conn.execute(query.where(hits.c.id == hit_id)).one_or_none()


def relatives(conn: Connection, *, campaign_id: int | None, but: int, limit: int = 12) -> Sequence[Any]:
    """Other hits of the campaign, newest first, with `why`: (kind, value) pairs of the ties that hold each there."""
    if campaign_id is None:
        return []
    query = _joined(
        hits.c.id,
        hits.c.state,
        hits.c.level,
        hits.c.grade,
        hits.c.score,
        hits.c.opened_at,
        postings.c.platform,
        postings.c.title,
        func.substr(postings.c.body, 1, 80).label("body"),
        postings.c.publisher,
    )
    return conn.execute(
        query.where(hits.c.campaign_id == campaign_id, hits.c.id != but).order_by(hits.c.opened_at.desc(), hits.c.id.desc()).limit(limit)
    ).all()


def campaign(conn: Connection, campaign_id: int | None) -> tuple[Any, Sequence[Any]] | None:
    """The campaign (with `size`) and what ties it: rows of `kind`, `value`, `hits`, strongest first; cut ties are left out."""
    if campaign_id is None:
        return None
    size = select(func.count()).where(hits.c.campaign_id == campaigns.c.id).correlate(campaigns).scalar_subquery().label("size")
    row = conn.execute(select(campaigns, size).where(campaigns.c.id == campaign_id)).one_or_none()
    if row is None:
        return None
    count = func.count(ties.c.hit_id.distinct()).label("hits")
    held = select(ties.c.kind, ties.c.value, count).where(ties.c.campaign_id == campaign_id, ties.c.cut_by.is_(None))
    return row, conn.execute(held.group_by(ties.c.kind, ties.c.value).order_by(count.desc()).limit(10)).all()


def history(conn: Connection, hit_id: int, *, state: str, officer: str) -> tuple[Sequence[Any], bool]:
    """(decisions, oldest first; whether one is held back).

    While a hit waits for its second, blind decision, the standing first one is shown to its maker alone.
    """
    rows = conn.execute(
        select(decisions, officers.c.shown)
        .select_from(decisions.outerjoin(officers, officers.c.name == decisions.c.officer))
        .where(decisions.c.hit_id == hit_id)
        .order_by(decisions.c.id)
    ).all()
    if state != "seconding":
        return rows, False
    shown = [row for row in rows if row.reversed_by is not None or row.officer == officer]
    return shown, len(shown) < len(rows)


def picture_of(conn: Connection, hit_id: int, sha256: str) -> str | None:
    """`screenshot` or `image` where this hit's capture or posting has a picture of that hash; None otherwise."""
    row = hit(conn, hit_id)
    if row is None:
        return None
    if row.screenshot_sha256 == sha256:
        return "screenshot"
    return "image" if any(image.get("sha256") == sha256 for image in row.images) else None


def capture_of_bytes(conn: Connection, sha256: str) -> Any | None:
    """The newest capture whose body has that hash and is still in the archive: warc, warc_offset, warc_length."""
    columns = (captures.c.id, captures.c.warc, captures.c.warc_offset, captures.c.warc_length)
    kept = select(*columns).where(captures.c.sha256 == sha256, captures.c.warc.is_not(None))
    return conn.execute(kept.order_by(captures.c.id.desc()).limit(1)).one_or_none()


def shown_names(conn: Connection) -> dict[str, str]:
    """Officer's name -> the name to show."""
    return {row.name: row.shown for row in conn.execute(select(officers.c.name, officers.c.shown))}


def officer(conn: Connection, name: str) -> Any | None:
    """The active officer of that name: `name`, `shown`, `roles`, `demo`, and `secret` (to tie sessions to the password in force)."""
    return conn.execute(select(officers).where(officers.c.name == clean(name), officers.c.active.is_(True))).one_or_none()


def audit_of(conn: Connection, subject: str, *, limit: int = 30) -> Sequence[Any]:
    """The newest audit rows of one subject (`hit:12`), newest first."""
    from store.tables import audit as log

    return conn.execute(
        select(log.c.seq, log.c.at, log.c.actor, log.c.action).where(log.c.subject == subject).order_by(log.c.seq.desc()).limit(limit)
    ).all()


def note(store: Store, *, officer: str, action: str, subject: str, now: datetime, detail: dict[str, Any] | None = None) -> None:
    """Write one audit row for what an officer looked at or took out: contacts, pictures, papers."""
    with store.write() as conn:
        audit.append(conn, actor=officer, action=action, subject=subject, at=now, detail=detail)


def day_counts(conn: Connection, *, since: datetime, now: datetime) -> dict[str, int]:
    """Counts since the start of the day, and the state of the queue.

    Keys: sweeps, captures, postings, hits, decided, confirmed, waiting, alerts_waiting, oldest_wait_s (0 where none waits).
    """

    def count(table: Any, *where: ColumnElement[bool]) -> int:
        return conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one()

    waiting = hits.c.state.in_(WAITING)
    oldest = conn.execute(select(func.min(hits.c.opened_at)).where(waiting)).scalar()
    return {
        "sweeps": count(sweeps, sweeps.c.began_at >= since),
        "captures": count(captures, captures.c.fetched_at >= since),
        "postings": count(postings, postings.c.first_seen_at >= since),
        "hits": count(hits, hits.c.opened_at >= since),
        "decided": count(decisions, decisions.c.at >= since, decisions.c.reversed_by.is_(None)),
        "confirmed": count(decisions, decisions.c.at >= since, decisions.c.reversed_by.is_(None), decisions.c.outcome == "confirmed"),
        "waiting": count(hits, waiting),
        "alerts_waiting": count(hits, and_(waiting, or_(hits.c.level == "alert", hits.c.grade == "高危"))),
        "oldest_wait_s": int((now - oldest).total_seconds()) if oldest else 0,
    }


def whole_queue(conn: Connection) -> Sequence[Any]:
    """Every hit that nobody holds, in the order of work: id, state, level, grade, campaign_id, platform, url, title, publisher."""
    query = _joined(
        hits.c.id, hits.c.state, hits.c.level, hits.c.grade, hits.c.score, hits.c.campaign_id,
        postings.c.platform, postings.c.url, postings.c.title, postings.c.publisher, postings.c.publisher_address,
    )  # fmt: skip
    return conn.execute(query.where(hits.c.state == "open").order_by(*_order())).all()


def overdue(conn: Connection, *, now: datetime) -> dict[str, int]:
    """See store.papers.overdue."""
    return papers.overdue(conn, now=now)
