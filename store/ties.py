"""Rows of ties and of the keys that they tie by: who holds what, and what an officer has cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, bindparam, delete, exists, func, insert, or_, select, text, update

from domain.errors import StoreFault
from store import audit, campaigns
from store.door import room
from store.engine import Store
from store.linktables import key_of, tie_keys, tie_sites
from store.signatures import parts
from store.tables import hits, postings, ties

_SOME: Any = bindparam("some", expanding=True)
_POSTED = [postings.c[name] for name in ("platform", "url", "title", "body", "publisher", "contacts", "links", "images")]
# Put together once: a single new hit is linked in the time that it takes to put ten statements together.
_UNLINKED = (
    select(hits.c.id, exists(select(ties.c.id).where(ties.c.hit_id == hits.c.id)).label("linked_before"), *_POSTED)
    .join(postings, postings.c.id == hits.c.posting_id)
    .where(hits.c.campaign_id.is_(None))
    .order_by(hits.c.id)
    .limit(bindparam("most"))
)
_SITES, _KEYS = select(tie_sites), select(tie_keys).where(tie_keys.c.key.in_(_SOME))
_HELD_BY = select(ties).where(ties.c.hit_id.in_(_SOME))
_ADD, _ADD_KEY = insert(ties), insert(tie_keys)
_MEASURED = ("hit_id", "postings", "spread", "loose", "muted_by")
_KEEP_KEY = update(tie_keys).where(tie_keys.c.key == bindparam("k")).values({name: bindparam(f"v_{name}") for name in _MEASURED})
_FIRST = select(ties.c.hit_id, ties.c.account).where(ties.c.key == bindparam("k")).order_by(ties.c.hit_id).limit(bindparam("most"))
_KEYS_OF = select(ties.c.hit_id, ties.c.kind, ties.c.value).where(
    ties.c.hit_id.in_(_SOME), ties.c.kind.in_(bindparam("kinds", expanding=True))
)

TWINS = {"image": "phash", "phash": "image"}
"""Two names of one thing: what cuts the one cuts the other."""


@contextmanager
def linking(store: Store) -> Iterator[Connection]:
    """One transaction that links, alone, until it ends.

    It is committed without waiting for the disk: what a power cut takes of it is linked again, since the hits are without a campaign then.
    """
    with store.engine.connect().execution_options(wangxun_write=True) as connection:
        _patience(connection, "NORMAL")
        try:
            with room(str(store.settings.dir)), connection.begin():
                if not store.is_sqlite:
                    connection.execute(text("SET LOCAL synchronous_commit = off"))
                audit.alone(connection)
                yield connection
        finally:
            _patience(connection, "FULL")


def alone(connection: Connection) -> None:
    """Be the only one who ties until this transaction ends."""
    audit.alone(connection)


def _patience(connection: Connection, value: str) -> None:
    """How long SQLite waits for the disk at a commit; only outside a transaction can it be told."""
    if connection.dialect.name == "sqlite":
        connection.connection.driver_connection.execute(f"PRAGMA synchronous={value}")  # type: ignore[union-attr]


def unlinked(connection: Connection, *, limit: int) -> Sequence[RowMapping]:
    """Hits without a campaign, oldest first, with the columns of their postings that carry keys, and `linked_before`: they have ties."""
    return connection.execute(_UNLINKED, {"most": limit}).mappings().all()


def count_unlinked(connection: Connection) -> int:
    """How many hits wait to be linked."""
    return int(connection.execute(select(func.count()).where(hits.c.campaign_id.is_(None))).scalar_one())


def sites(connection: Connection) -> dict[str, set[str]]:
    """Platform -> the sites that its hits stand on: one, or the first two of several."""
    found: dict[str, set[str]] = {}
    for platform, site in connection.execute(_SITES):
        found.setdefault(platform, set()).add(site)
    return found


def note_sites(connection: Connection, rows: Sequence[tuple[str, str]]) -> None:
    """Keep (platform, site) pairs that are not known."""
    if rows:
        connection.execute(insert(tie_sites), [{"platform": platform, "site": site} for platform, site in rows])


def held_by(connection: Connection, hit_ids: Iterable[int]) -> list[Row[Any]]:
    """All ties of these hits: where they were linked before, what was cut then."""
    return [row for part in parts(hit_ids) for row in connection.execute(_HELD_BY, {"some": part})]


def forget(connection: Connection, tie_ids: Iterable[int]) -> None:
    """Drop ties that are made anew."""
    for part in parts(tie_ids):
        connection.execute(delete(ties).where(ties.c.id.in_(part)))


def keys(connection: Connection, numbers: Iterable[int]) -> dict[int, Any]:
    """Key -> its row of `tie_keys`; unknown ones are left out."""
    return {row.key: row for part in parts(numbers) for row in connection.execute(_KEYS, {"some": part})}


def keep_keys(connection: Connection, *, fresh: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of new keys, and write all but key and kind of known ones."""
    if fresh:
        connection.execute(_ADD_KEY, list(fresh))
    if changed:
        connection.execute(_KEEP_KEY, [{"k": row["key"], **{f"v_{name}": row[name] for name in _MEASURED}} for row in changed])


def first_with(connection: Connection, number: int, *, limit: int) -> list[tuple[int, int]]:
    """(hit, account) of the first hits with a key, cut ones too, in order."""
    return [(hit, account or 0) for hit, account in connection.execute(_FIRST, {"k": number, "most": limit})]


def all_with(connection: Connection, number: int) -> list[int]:
    """Hits that a key ties uncut."""
    return list(connection.execute(select(ties.c.hit_id).where(ties.c.key == number, ties.c.cut_by.is_(None))).scalars())


def keys_of(connection: Connection, hit_ids: Iterable[int], *, kinds: Sequence[str]) -> list[tuple[int, str, str]]:
    """(hit, kind, value) of the ties of these hits of some kinds, cut ones too."""
    given = {"kinds": list(kinds)}
    return [(row[0], row[1], row[2]) for part in parts(hit_ids) for row in connection.execute(_KEYS_OF, {"some": part, **given})]


def rename(connection: Connection, *, number: int, key: tuple[str, str]) -> None:
    """Let all ties by one key be ties by another: two families of texts that turned out to be one."""
    connection.execute(update(ties).where(ties.c.key == number).values(key=key_of(*key), value=key[1]))
    connection.execute(delete(tie_keys).where(tie_keys.c.key == number))


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ties: hit_id, campaign_id, kind, value, key, text_id, account."""
    if rows:
        connection.execute(_ADD, list(rows))


def one(connection: Connection, tie_id: int) -> Row[Any]:
    """A tie's row. Raises StoreFault where there is none."""
    row = connection.execute(select(ties).where(ties.c.id == tie_id)).first()
    if row is None:
        raise StoreFault(f"tie:{tie_id}: no such tie; list those of its campaign first")
    return row


def cut(connection: Connection, tie_id: int, *, officer: str, reason: str, now: datetime) -> list[int]:
    """Cut one tie, audited, and let what it alone held together part. See `pipelines.link.cut`."""
    row = one(connection, tie_id)
    _require_reason(f"tie:{tie_id}", reason)
    if row.cut_by is None:
        twins = ["text", *([TWINS[row.kind]] if row.kind in TWINS else [])]
        mine = select(ties).where(ties.c.hit_id == row.hit_id, ties.c.cut_by.is_(None), or_(ties.c.id == tie_id, ties.c.kind.in_(twins)))
        _cut(connection, connection.execute(mine).all(), officer=officer, reason=reason, now=now)
        detail = {"hit": row.hit_id, "campaign": row.campaign_id, "kind": row.kind, "reason": reason}
        audit.append(connection, actor=officer, action="tie.cut", subject=f"tie:{tie_id}", at=now, detail=detail)
    return campaigns.part(connection, row.campaign_id, now=now)


def cut_hit(connection: Connection, hit_id: int, *, officer: str, reason: str, now: datetime) -> list[int]:
    """Cut every tie of a hit, audited: it stands alone from then on. See `pipelines.link.cut_hit`."""
    _require_reason(f"hit:{hit_id}", reason)
    campaign_id = campaigns.of_hit(connection, hit_id)
    rows = [row for row in held_by(connection, [hit_id]) if row.cut_by is None]
    if not rows:
        raise StoreFault(f"hit:{hit_id}: has no tie that could be cut; it stands alone already")
    _cut(connection, rows, officer=officer, reason=reason, now=now)
    detail = {"hit": hit_id, "campaign": campaign_id, "ties": [row.id for row in rows], "reason": reason}
    audit.append(connection, actor=officer, action="tie.cut_hit", subject=f"hit:{hit_id}", at=now, detail=detail)
    return campaigns.part(connection, campaign_id, now=now)


def _cut(connection: Connection, rows: Sequence[Row[Any]], *, officer: str, reason: str, now: datetime) -> None:
    told = {"cut_by": officer, "cut_at": now, "why": reason[:500]}
    connection.execute(update(ties).where(ties.c.id.in_([row.id for row in rows])).values(**told))
    for row in rows:
        _anchor(connection, row.key)


def _anchor(connection: Connection, number: int | None) -> None:
    """Let a key's row name a hit that it ties uncut, the first one, or none."""
    first = select(func.min(ties.c.hit_id)).where(ties.c.key == number, ties.c.cut_by.is_(None)).scalar_subquery()
    connection.execute(update(tie_keys).where(tie_keys.c.key == number).values(hit_id=first))


def restore(connection: Connection, tie_id: int, *, officer: str, reason: str, now: datetime) -> int:
    """Take one cut back, audited, with what was cut by the same stroke: the campaign that the hit is in then."""
    row = one(connection, tie_id)
    _require_reason(f"tie:{tie_id}", reason)
    if row.cut_by is None:
        raise StoreFault(f"tie:{tie_id}: is not cut; nothing to take back")
    same = (ties.c.hit_id == row.hit_id, ties.c.cut_by == row.cut_by, ties.c.cut_at == row.cut_at)
    stroke = connection.execute(select(ties).where(*same) if row.cut_at else select(ties).where(ties.c.id == tie_id)).all()
    connection.execute(update(ties).where(ties.c.id.in_([one.id for one in stroke])).values(cut_by=None, cut_at=None, why=None))
    for each in stroke:
        _anchor(connection, each.key)
    detail = {"hit": row.hit_id, "ties": [each.id for each in stroke], "reason": reason}
    audit.append(connection, actor=officer, action="tie.restore", subject=f"tie:{tie_id}", at=now, detail=detail)
    strong = _holding(connection, [each.key for each in stroke])
    return campaigns.join(connection, {campaigns.of_hit(connection, row.hit_id), *strong}, by=officer, now=now)


def _holding(connection: Connection, numbers: Sequence[int | None]) -> set[int]:
    """Campaigns of all hits that these keys tie, where they hold."""
    weak = select(tie_keys.c.key).where(or_(tie_keys.c.loose, tie_keys.c.muted_by.is_not(None)))
    query = select(hits.c.campaign_id).join(ties, ties.c.hit_id == hits.c.id)
    held = query.where(ties.c.key.in_(numbers), ties.c.cut_by.is_(None), ties.c.key.not_in(weak), hits.c.campaign_id.is_not(None))
    return set(connection.execute(held.distinct()).scalars())


def mute(connection: Connection, tie_id: int, *, officer: str, reason: str, now: datetime) -> list[int]:
    """Say that a tie's key is everybody's, audited: it ties nobody from then on, whoever comes with it. See `pipelines.link.mute`."""
    row = one(connection, tie_id)
    _require_reason(f"tie:{tie_id}", reason)
    told = {"muted_by": officer, "muted_at": now, "why": reason[:500]}
    known = connection.execute(update(tie_keys).where(tie_keys.c.key == row.key).values(**told))
    if known.rowcount == 0:
        connection.execute(insert(tie_keys).values(key=row.key, kind=row.kind, hit_id=row.hit_id, **told))
    detail = {"campaign": row.campaign_id, "kind": row.kind, "reason": reason}
    audit.append(connection, actor=officer, action="tie.mute", subject=f"tie:{tie_id}", at=now, detail=detail)
    return campaigns.part(connection, campaigns.of_hit(connection, row.hit_id), now=now)


def unmute(connection: Connection, tie_id: int, *, officer: str, reason: str, now: datetime) -> int:
    """Take a muting back, audited: the campaign that the tie's hit is in then."""
    row = one(connection, tie_id)
    _require_reason(f"tie:{tie_id}", reason)
    changed = connection.execute(
        update(tie_keys).where(tie_keys.c.key == row.key, tie_keys.c.muted_by.is_not(None)).values(muted_by=None, muted_at=None, why=None)
    )
    if changed.rowcount == 0:
        raise StoreFault(f"tie:{tie_id}: its key is not muted; nothing to take back")
    detail = {"kind": row.kind, "reason": reason}
    audit.append(connection, actor=officer, action="tie.unmute", subject=f"tie:{tie_id}", at=now, detail=detail)
    return campaigns.join(connection, {campaigns.of_hit(connection, row.hit_id), *_holding(connection, [row.key])}, by=officer, now=now)


def _require_reason(subject: str, reason: str) -> None:
    if not reason.strip():
        raise StoreFault(f"{subject}: no reason given; write why, for the next officer")


def of_campaign(connection: Connection, campaign_id: int) -> Sequence[RowMapping]:
    """The ties that hold a campaign together: those whose key two of its hits or more share, and those cut. Sorted by key.

    With `loose` and `muted_by` of the key: such ties are told, and hold nothing.
    """
    uncut = select(ties.c.key).where(ties.c.campaign_id == campaign_id, ties.c.cut_by.is_(None))
    shared = uncut.group_by(ties.c.key).having(func.count() > 1)
    query = select(ties, func.coalesce(tie_keys.c.loose, False).label("loose"), tie_keys.c.muted_by, tie_keys.c.why.label("muted_why"))
    query = query.outerjoin(tie_keys, tie_keys.c.key == ties.c.key)
    wanted = query.where(ties.c.campaign_id == campaign_id, or_(ties.c.key.in_(shared), ties.c.cut_by.is_not(None)))
    return connection.execute(wanted.order_by(ties.c.kind, ties.c.value, ties.c.hit_id)).mappings().all()


def size(connection: Connection, campaign_id: int) -> int:
    """How many hits a campaign has."""
    return int(connection.execute(select(func.count()).where(hits.c.campaign_id == campaign_id)).scalar_one())
