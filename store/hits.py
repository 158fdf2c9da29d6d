"""Assessments and the hits that they open: kept always, a hit once a posting, its page sealed as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, func, insert, or_, select, update

from domain.errors import EvidenceAltered, StoreFault
from domain.model import Assessment, Contact
from store import alarms, audit, decisions, tables, tallies
from store.archive import Archive, Place
from store.engine import Store
from store.moves import move
from store.shelves import contact_fields, mended

ACTOR = "machine:assess"


def record(
    store: Store,
    results: Sequence[tuple[int, Assessment]],
    *,
    now: datetime,
    worker: str | None = None,
    contacts: Mapping[int, Sequence[Contact]] | None = None,
    caps: tallies.Caps | None = None,
) -> list[int]:
    """Keep assessments of (posting id, Assessment) and open hits for level review and above: the new hits' numbers.

    Everything in one transaction: a posting that was judged meanwhile, or whose lease (`worker`) another one holds now, is
    passed over, so each is judged exactly once. A hit that still waits takes over a newer assessment. `contacts` of a posting
    replace the ones it has. The page of each hit is sealed; where its bytes are gone, the hit opens with an alarm. `caps` are the
    daily caps of the rules: what a rule beyond its cap would open alone is kept at watch.
    """
    given = dict(results)
    places, losses = _seal(store, [posting_id for posting_id, one in given.items() if one.level.opens_hit])
    with store.write() as connection:
        audit.alone(connection)
        taken = _take(connection, list(given), now=now, worker=worker)
        if not taken:
            return []
        judged = {posting_id: given[posting_id] for posting_id in taken}
        day = tallies.begin(connection, judged, now=now)
        if caps is not None:
            judged = tallies.hold_back(connection, day, judged, caps=caps)
        suspected = {posting_id: one for posting_id, one in judged.items() if one.level.opens_hit}
        rows = [_row(posting_id, one, now=now) for posting_id, one in judged.items()]
        added = insert(tables.assessments).returning(tables.assessments.c.id, sort_by_parameter_order=True)
        numbers = dict(zip(taken, connection.execute(added, rows).scalars(), strict=True))
        _note_contacts(connection, {number: contacts[number] for number in taken if number in contacts} if contacts else {})
        if day.held:  # their pages wait in the spool for an officer's word
            shown = _shown(connection, list(suspected))
            places = {number: place for number, place in places.items() if number in shown}
        _note_sealed(connection, places)
        opened = _open(connection, suspected, numbers=numbers, now=now)
        for posting_id in opened:
            day.hits.update({match.rule for match in judged[posting_id].matches})
        tallies.keep(connection, day, caps=caps, now=now)
        for posting_id, hit_id in opened.items():
            if posting_id in losses:
                text = f"命中 {hit_id} 的取证页面缺失：{losses[posting_id]}；请重新巡查取证"
                alarms.raise_alarm(connection, kind="lost_evidence", subject=f"hit:{hit_id}", text=text, now=now)
    return list(opened.values())


def _note_contacts(connection: Connection, contacts: Mapping[int, Sequence[Contact]]) -> None:
    for posting_id, given in contacts.items():
        fields = mended([contact_fields(one) for one in given])
        connection.execute(update(tables.postings).where(tables.postings.c.id == posting_id).values(contacts=fields))


def _take(connection: Connection, ids: Sequence[int], *, now: datetime, worker: str | None) -> list[int]:
    """Mark postings as judged: those among `ids` that nobody else judged or leased, in order."""
    table = tables.postings
    mine = (
        (table.c.assessed_at.is_(None), or_(table.c.leased_by == worker, table.c.leased_by.is_(None)))
        if worker
        else (table.c.assessed_at.is_(None),)
    )
    statement = update(table).where(table.c.id.in_(ids), *mine).values(assessed_at=now, leased_by=None, leased_until=None)
    return sorted(connection.execute(statement.returning(table.c.id)).scalars())


def _row(posting_id: int, one: Assessment, *, now: datetime) -> dict[str, Any]:
    """The row of `assessments`. Matches, reasons and scores are the fields of their dataclasses."""
    return {
        "posting_id": posting_id,
        "at": now,
        "level": one.level.value,
        "score": one.score,
        "layer": one.layer.value if one.layer else None,
        "grade": one.grade.value if one.grade else None,
        "schemes": list(one.schemes),
        "features": [feature.value for feature in one.features],
        "matches": mended([asdict(match) for match in one.matches]),
        "reasons": mended([{**asdict(reason), "articles": list(reason.articles)} for reason in one.reasons]),
        "scores": [asdict(score) for score in one.scores],
        "codes": list(one.codes),
        "authorities": list(one.authorities),
        "ruleset": one.ruleset,
        "model": one.model,
    }


def _open(connection: Connection, suspected: Mapping[int, Assessment], *, numbers: Mapping[int, int], now: datetime) -> dict[int, int]:
    """Open a hit for each posting that has none: posting id -> hit id. Hits that still wait take the new assessment over."""
    table = tables.hits
    known = {row.posting_id: row for row in connection.execute(select(table).where(table.c.posting_id.in_(list(suspected))))}
    opened = {}
    for posting_id, one in suspected.items():
        told = {
            "assessment_id": numbers[posting_id],
            "level": one.level.value,
            "grade": one.grade.value if one.grade else None,
            "score": one.score,
        }
        hit = known.get(posting_id)
        if hit is None:
            made = connection.execute(insert(table).values(posting_id=posting_id, state="open", opened_at=now, **told)).inserted_primary_key
            assert made is not None
            opened[posting_id] = int(made[0])
            detail = {"posting": posting_id, "level": one.level.value, "ruleset": one.ruleset, "model": one.model}
            audit.append(connection, actor=ACTOR, action="hit.open", subject=f"hit:{made[0]}", at=now, detail=detail)
        elif hit.state == "open":
            connection.execute(update(table).where(table.c.id == hit.id).values(**told))
        if hit is None or hit.state == "open":
            stands = sorted({match.rule for match in one.matches})
            tallies.stand(connection, opened[posting_id] if hit is None else hit.id, stands)
    return opened


def _seal(store: Store, posting_ids: Sequence[int]) -> tuple[dict[int, Place], dict[int, str]]:
    """Copy the first and the last page of each posting to the evidence part: {capture id: place}, {posting id: what is lost}.

    Done before the transaction, since it waits for the disk: a copy that no row comes to name is dropped by retention.
    """
    archive, places, losses = Archive(store.settings.archive_dir), {}, {}
    posts, pages = tables.postings, tables.captures
    for start in range(0, len(posting_ids), 500):
        part = posting_ids[start : start + 500]
        query = select(posts.c.id, pages).join(pages, or_(pages.c.id == posts.c.first_capture_id, pages.c.id == posts.c.last_capture_id))
        with store.read() as connection:
            rows = connection.execute(query.where(posts.c.id.in_(part)).order_by(pages.c.id)).all()
            shots = _pictures(connection, part)
        for shot in shots:
            with suppress(EvidenceAltered):  # the page is the evidence; a lost picture is named by verify
                places[shot.id] = archive.seal(shot.warc, shot.warc_offset, shot.warc_length, sha256=shot.sha256)
        shown: dict[int, bool] = {}
        for row in rows:
            posting_id, capture_id = row[0], row[1]
            shown.setdefault(posting_id, False)
            if row.sealed or capture_id in places:
                shown[posting_id] = True
            elif row.warc is not None:
                try:
                    places[capture_id] = archive.seal(row.warc, row.warc_offset, row.warc_length, sha256=row.sha256)
                    shown[posting_id] = True
                except EvidenceAltered as error:
                    losses[posting_id] = str(error)
        for posting_id, well in shown.items():
            if not well:
                losses.setdefault(posting_id, "页面已按保存期限清除")
            else:
                losses.pop(posting_id, None)
    return places, losses


def _pictures(connection: Connection, posting_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The captures of the pictures that were read for these postings and are not sealed yet."""
    posts, pages = tables.postings, tables.captures
    shown = connection.execute(select(posts.c.images).where(posts.c.id.in_(posting_ids))).scalars()
    read = {(one["url"], one["sha256"]) for images in shown for one in images if one.get("sha256")}
    found: dict[str, Row[Any]] = {}
    addresses = sorted({url for url, _ in read})
    for start in range(0, len(addresses), 200):
        query = select(pages).where(pages.c.url.in_(addresses[start : start + 200]), pages.c.warc.is_not(None), ~pages.c.sealed)
        found |= {row.sha256: row for row in connection.execute(query.order_by(pages.c.id)) if (row.url, row.sha256) in read}
    return list(found.values())


def _shown(connection: Connection, posting_ids: Sequence[int]) -> set[int]:
    """The captures that show these postings, their pictures included."""
    posts = tables.postings
    pages = select(posts.c.first_capture_id, posts.c.last_capture_id).where(posts.c.id.in_(posting_ids))
    return {number for row in connection.execute(pages) for number in row} | {row.id for row in _pictures(connection, posting_ids)}


def _note_sealed(connection: Connection, places: Mapping[int, Place]) -> None:
    """Let the rows of captures name the sealed copies."""
    table = tables.captures
    for capture_id, place in places.items():
        values = {"warc": place.warc, "warc_offset": place.offset, "warc_length": place.length, "sealed": True}
        connection.execute(update(table).where(table.c.id == capture_id).values(**values))


def hit(connection: Connection, hit_id: int) -> Row[Any]:
    """The hit's row with `ruleset` and `model` of its assessment. Raises StoreFault where there is none."""
    return decisions.hit(connection, hit_id)


def queue(connection: Connection, *, state: str | None = "open", limit: int = 50) -> Sequence[RowMapping]:
    """Hits in one state, or (None) in any, most suspected first, with platform, title, url, kind and publisher of the posting."""
    table, posts = tables.hits, tables.postings
    query = select(table, posts.c.platform, posts.c.title, posts.c.url, posts.c.kind, posts.c.publisher, posts.c.publisher_address)
    query = query.join(posts, posts.c.id == table.c.posting_id).order_by(table.c.score.desc(), table.c.id).limit(limit)
    return connection.execute(query.where(table.c.state == state) if state else query).mappings().all()


def open_hits(connection: Connection, *, limit: int = 50) -> Sequence[RowMapping]:
    """Hits that wait for an officer, most suspected first."""
    return queue(connection, state="open", limit=limit)


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many hits are in each state; states without a hit are left out."""
    query = select(tables.hits.c.state, func.count()).group_by(tables.hits.c.state)
    return {str(state): int(count) for state, count in connection.execute(query)}


def lapse_claims(store: Store, *, now: datetime) -> int:
    """Give back hits whose officers' claims ran out: how many."""
    with store.write() as connection:
        audit.alone(connection)
        rows = decisions.lapsed(connection, now, claim_min=store.settings.claim_min)
        for row in rows:
            if row.state == "claimed":
                free = {"claimed_by": None, "claimed_until": None}
                move(connection, "hit", row.id, "lapse", actor="machine:tidy", at=now, detail={"was": row.claimed_by}, **free)
            else:
                decisions.hold(connection, row.id, claimed_by=None, claimed_until=None)
    return len(rows)


def evidence(connection: Connection, hit_id: int) -> Sequence[RowMapping]:
    """The captures that show a hit, first and last, oldest first. Raises StoreFault where there is no such hit."""
    posting_id = select(tables.hits.c.posting_id).where(tables.hits.c.id == hit_id)
    row = connection.execute(
        select(tables.postings.c.first_capture_id, tables.postings.c.last_capture_id).where(
            tables.postings.c.id == posting_id.scalar_subquery()
        )
    ).first()
    if row is None:
        raise StoreFault(f"hit:{hit_id}: no such row; list them first")
    table = tables.captures
    return connection.execute(select(table).where(table.c.id.in_(set(row))).order_by(table.c.id)).mappings().all()
