"""Comparisons of what different visitors were shown (cloaking, 伪装): what waits for one, what was found, and what a hit takes from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, insert, or_, select, update

from domain.errors import EvidenceAltered
from store import audit, tables
from store.archive import Archive
from store.cloaktables import cloaks
from store.door import clean
from store.engine import Store
from store.shelves import mended

ACTOR = "machine:cloak"
WAITING = ("open", "claimed", "seconding")
NEWEST = 200
"""Postings of a platform among which its sample is drawn."""


def hits_to_compare(connection: Connection, *, since: datetime, limit: int) -> Sequence[RowMapping]:
    """Hits that wait for a person and were not compared since then, most suspected first: hit_id, platform, url."""
    hits, posts = tables.hits, tables.postings
    done = select(cloaks.c.id).where(cloaks.c.hit_id == hits.c.id, cloaks.c.at >= since)
    query = select(hits.c.id.label("hit_id"), posts.c.platform, posts.c.url).join(posts, posts.c.id == hits.c.posting_id)
    query = query.where(hits.c.state.in_(WAITING), ~done.exists()).order_by(hits.c.score.desc(), hits.c.id).limit(limit)
    return connection.execute(query).mappings().all()


def pages_to_sample(connection: Connection, *, platform: str, since: datetime) -> Sequence[str]:
    """Addresses among the platform's newest postings that opened no hit and were not compared since then."""
    hits, posts = tables.hits, tables.postings
    own = select(hits.c.id).where(hits.c.posting_id == posts.c.id)
    query = select(posts.c.url).where(posts.c.platform == platform, ~own.exists()).order_by(posts.c.id.desc()).limit(NEWEST)
    done = set(connection.execute(select(cloaks.c.url).where(cloaks.c.platform == platform, cloaks.c.at >= since)).scalars())
    pages = dict.fromkeys(url if "#!" in url else url.partition("#")[0] for url in connection.execute(query).scalars())
    return [url for url in pages if url not in done]


def found_on(connection: Connection, *, since: datetime) -> set[str]:
    """Platforms on which a difference was found since then."""
    query = select(cloaks.c.platform).where(cloaks.c.verdict == "differs", cloaks.c.at >= since).distinct()
    return set(connection.execute(query).scalars())


def captures_of(connection: Connection, sweep_id: int) -> Sequence[RowMapping]:
    """What a sweep fetched, oldest first."""
    table = tables.captures
    return connection.execute(select(table).where(table.c.sweep_id == sweep_id).order_by(table.c.id)).mappings().all()


def keep(connection: Connection, **values: Any) -> int:
    """Keep one comparison: its number. `values` are the columns of `cloaks`."""
    values["url"], values["reason"] = clean(values["url"]), clean(values["reason"])
    values["views"], values["differences"] = mended(values["views"]), mended([values["differences"]])[0]
    return int(connection.execute(insert(cloaks).values(**values)).inserted_primary_key[0])  # type: ignore[index]


def of_hit(connection: Connection, hit_id: int) -> RowMapping | None:
    """The newest comparison of a hit that came to a word; None where there is none."""
    query = select(cloaks).where(cloaks.c.hit_id == hit_id, cloaks.c.verdict != "unclear").order_by(cloaks.c.id.desc()).limit(1)
    return connection.execute(query).mappings().first()


def picture_of_view(connection: Connection, hit_id: int, sha256: str) -> bool:
    """Whether a hit's comparisons have this screenshot."""
    pages = tables.captures
    query = select(pages.c.id).join(cloaks, cloaks.c.sweep_id == pages.c.sweep_id).where(cloaks.c.hit_id == hit_id)
    return connection.execute(query.where(pages.c.screenshot_sha256 == sha256).limit(1)).first() is not None


def screenshots(connection: Connection, capture_ids: Sequence[int]) -> dict[int, str]:
    """Capture -> hash of its screenshot, where it has one."""
    table = tables.captures
    query = select(table.c.id, table.c.screenshot_sha256).where(table.c.id.in_(capture_ids), table.c.screenshot_sha256.is_not(None))
    return {row.id: row.screenshot_sha256 for row in connection.execute(query)}


def adopt(connection: Connection) -> int:
    """Tie differences found by sampling to the hits that were opened on these pages since: how many."""
    hits, posts = tables.hits, tables.postings
    loose = select(cloaks.c.id, cloaks.c.url).where(cloaks.c.hit_id.is_(None), cloaks.c.verdict == "differs")
    tied = 0
    for row in connection.execute(loose).all():
        here = or_(posts.c.url == row.url, posts.c.url.startswith(row.url + "#", autoescape=True))
        own = select(hits.c.id).join(posts, posts.c.id == hits.c.posting_id).where(here).order_by(hits.c.score.desc()).limit(1)
        hit_id = connection.execute(own).scalar()
        if hit_id is not None:
            connection.execute(update(cloaks).where(cloaks.c.id == row.id).values(hit_id=hit_id))
            tied += 1
    return tied


def to_lift(connection: Connection) -> Sequence[RowMapping]:
    """Differences whose hit waits, with an assessment that does not carry the reason: new ones, and those judged anew since."""
    hits = tables.hits
    stale = or_(cloaks.c.assessment_id.is_(None), cloaks.c.assessment_id != hits.c.assessment_id)
    newer = cloaks.alias("newer")
    later = select(newer.c.id).where(newer.c.hit_id == cloaks.c.hit_id, newer.c.id > cloaks.c.id, newer.c.verdict != "unclear")
    query = select(cloaks, hits.c.grade, hits.c.assessment_id.label("present")).join(hits, hits.c.id == cloaks.c.hit_id)
    return connection.execute(
        query.where(and_(cloaks.c.verdict == "differs", hits.c.state.in_(WAITING), stale, ~later.exists()))
    ).mappings().all()  # fmt: skip


def lift(connection: Connection, row: RowMapping, *, reason: Mapping[str, Any], grade: str, now: datetime) -> int:
    """Give the hit of a comparison an assessment with `reason` in front and this grade: the assessment's number.

    The one before stays as it is; everything else is taken over from it.
    """
    table = tables.assessments
    audit.alone(connection)
    before = connection.execute(select(table).where(table.c.id == row["present"])).mappings().one()
    values = {name: value for name, value in before.items() if name != "id"}
    values |= {"at": now, "grade": grade, "reasons": mended([dict(reason), *before["reasons"]])}
    made = int(connection.execute(insert(table).values(**values)).inserted_primary_key[0])  # type: ignore[index]
    connection.execute(update(tables.hits).where(tables.hits.c.id == row["hit_id"]).values(assessment_id=made, grade=grade))
    connection.execute(update(cloaks).where(cloaks.c.id == row["id"]).values(assessment_id=made))
    detail = {"cloak": row["id"], "grade": [row["grade"], grade]}
    audit.append(connection, actor=ACTOR, action="hit.cloak", subject=f"hit:{row['hit_id']}", at=now, detail=detail)
    return made


def revealing_view(connection: Connection, hit_id: int) -> str | None:
    """The visitor to whom a cloaked page shows its promotion, as whom it must be looked at again. None where it shows all the same."""
    row = of_hit(connection, hit_id)
    if row is None or row["verdict"] != "differs":
        return None
    for one in row["differences"]["sentences"]:
        if one["views"]:
            return str(one["views"][-1])
    return None


def seal(store: Store, capture_ids: Sequence[int]) -> int:
    """Copy these captures to the evidence part: how many. Those whose bytes are gone are left."""
    archive, table, sealed = Archive(store.settings.archive_dir), tables.captures, 0
    with store.read() as connection:
        rows = connection.execute(select(table).where(table.c.id.in_(capture_ids), table.c.warc.is_not(None), ~table.c.sealed)).all()
    for row in rows:
        with suppress(EvidenceAltered):  # verify names it
            place = archive.seal(row.warc, row.warc_offset, row.warc_length, sha256=row.sha256)
            values = {"warc": place.warc, "warc_offset": place.offset, "warc_length": place.length, "sealed": True}
            with store.write() as connection:
                connection.execute(update(table).where(table.c.id == row.id, ~table.c.sealed).values(**values))
            sealed += 1
    return sealed
