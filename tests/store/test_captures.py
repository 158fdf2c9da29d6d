from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from domain.errors import StoreFault
from domain.model import Contact, Image
from store import captures, tables
from store.archive import Archive
from store.engine import Store
from tests.conftest import MakeHarvest


def count(store: Store, table: object) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_keep_writes_pages_and_postings(any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest) -> None:
    kept = captures.keep(any_store, [make_harvest(n) for n in range(3)], sweep_id=sweep_id, archive=archive)
    assert (kept.captures, kept.new, kept.seen, kept.cleaned) == (3, 6, 0, 0)
    with any_store.read() as connection:
        rows = connection.execute(select(tables.captures)).all()
    assert {row.platform for row in rows} == {"forum"}
    for row in rows:
        body = archive.read(row.warc, row.warc_offset, row.warc_length, row.sha256)
        assert "稳健理财" in body.decode()


def test_a_posting_seen_again_is_counted_and_not_judged_again(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [make_harvest(1)], sweep_id=sweep_id, archive=archive)
    with any_store.write() as connection:
        connection.execute(tables.postings.update().values(assessed_at=fixed_now))
    kept = captures.keep(any_store, [make_harvest(1, minutes=60)], sweep_id=sweep_id, archive=archive)
    assert (kept.new, kept.seen) == (0, 2)
    with any_store.read() as connection:
        rows = connection.execute(select(tables.postings)).all()
    assert [(row.seen, row.assessed_at, row.first_seen_at) for row in rows] == [(2, fixed_now, fixed_now)] * 2
    assert all(row.last_seen_at == fixed_now + timedelta(hours=1) and row.last_capture_id > row.first_capture_id for row in rows)


def test_a_posting_twice_in_one_batch_is_one_row(any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest) -> None:
    kept = captures.keep(any_store, [make_harvest(1, minutes=m) for m in (5, 0, 9)], sweep_id=sweep_id, archive=archive)
    assert (kept.captures, kept.new, kept.seen) == (3, 2, 0)
    with any_store.read() as connection:
        row = connection.execute(select(tables.postings)).first()
    assert row is not None
    assert (row.seen, row.first_capture_id, row.last_capture_id) == (3, 2, 3)


def test_an_older_page_does_not_turn_the_last_sight_back(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [make_harvest(1, minutes=60)], sweep_id=sweep_id, archive=archive)
    captures.keep(any_store, [make_harvest(1)], sweep_id=sweep_id, archive=archive)
    with any_store.read() as connection:
        row = connection.execute(select(tables.postings)).first()
    assert row is not None
    assert (row.seen, row.last_seen_at, row.last_capture_id) == (2, fixed_now + timedelta(hours=1), 1)


def test_text_that_no_database_holds_is_mended_and_counted(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest
) -> None:
    page = make_harvest(1, postings=1)
    odd = replace(
        page.postings[0], title="保本\x00保息", body="年化\ud83418%", publisher="\udcff", links=("http://x.example/\x00",),
        contacts=(Contact(kind="wechat", value="a\x00b"),), images=(Image(url="http://x.example/1.png", qr=("\ud800",)),),
    )  # fmt: skip
    kept = captures.keep(any_store, [replace(page, postings=(odd,))], sweep_id=sweep_id, archive=archive)
    assert (kept.new, kept.cleaned) == (1, 6)
    with any_store.read() as connection:
        row = connection.execute(select(tables.postings)).one()
    assert (row.title, row.body, row.publisher) == ("保本保息", "年化\ufffd18%", "\ufffd")
    assert captures.posting(row).images[0].qr == ("\ufffd",)


def test_an_address_of_kilobytes_is_kept_short_and_distinct(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest
) -> None:
    # Random-looking, since PostgreSQL compresses a long run of one letter before it measures.
    long = "https://forum.example/?q=" + "".join(f"{n * 7919 % 100003:x}" for n in range(9000))
    pages = [make_harvest(1, url=long + end, final_url=long + end) for end in ("a", "b")]
    pages = [replace(page, postings=(replace(page.postings[0], url=page.capture.url),)) for page in pages]
    assert captures.keep(any_store, pages, sweep_id=sweep_id, archive=archive).new == 2
    with any_store.read() as connection:
        urls = set(connection.execute(select(tables.postings.c.url)).scalars())
    assert len(urls) == 2
    assert max(map(len, urls)) <= 2000


def test_a_body_with_another_hash_is_refused_whole(any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest) -> None:
    with pytest.raises(StoreFault, match="another hash"):
        captures.keep(any_store, [make_harvest(1), replace(make_harvest(2), body=b"other")], sweep_id=sweep_id, archive=archive)
    assert count(any_store, tables.captures) == 0


def test_a_failed_batch_leaves_rows_and_archive_as_they_were(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest
) -> None:
    captures.keep(any_store, [make_harvest(1)], sweep_id=sweep_id, archive=archive)
    spool = next(path for _, path in archive.files("spool"))
    size = spool.stat().st_size
    with pytest.raises(StoreFault, match="no such sweep"):
        captures.keep(any_store, [make_harvest(2)], sweep_id=99, archive=archive)
    broken = replace(make_harvest(3), postings=(replace(make_harvest(3).postings[0], published_at=datetime(2026, 1, 1)),))  # noqa: DTZ001
    with pytest.raises(Exception, match="time zone"):
        captures.keep(any_store, [make_harvest(2), broken], sweep_id=sweep_id, archive=archive)
    assert spool.stat().st_size == size
    assert (count(any_store, tables.captures), count(any_store, tables.postings)) == (1, 2)


def test_a_lease_holds_and_lapses(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [make_harvest(1, postings=5)], sweep_id=sweep_id, archive=archive)
    first = captures.lease_unassessed(any_store, worker="a", now=fixed_now, limit=3, lease_s=60)
    second = captures.lease_unassessed(any_store, worker="b", now=fixed_now, limit=9, lease_s=60)
    assert ([len(first), len(second)], {row.id for row in first} & {row.id for row in second}) == ([3, 2], set())
    assert captures.lease_unassessed(any_store, worker="c", now=fixed_now + timedelta(seconds=59), limit=9, lease_s=60) == []
    assert len(captures.lease_unassessed(any_store, worker="c", now=fixed_now + timedelta(seconds=60), limit=9, lease_s=60)) == 5
    assert captures.release(any_store, worker="c") == 5


def test_a_posting_with_pictures_waits_for_them_but_not_for_ever(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    page = make_harvest(1, postings=1)
    page = replace(page, postings=(replace(page.postings[0], images=(Image(url="https://forum.example/1.jpg"),)),))
    captures.keep(any_store, [page], sweep_id=sweep_id, archive=archive)

    def lease(after_s: float) -> int:
        return len(captures.lease_unassessed(any_store, worker="a", now=fixed_now + timedelta(seconds=after_s), limit=9, lease_s=1))

    assert [lease(0), lease(captures.READ_WAIT_S - 1), lease(captures.READ_WAIT_S)] == [0, 0, 1]


def test_an_imported_photo_of_last_week_waits_for_its_reader_too(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    """Its moment is that of the photo, and says nothing of how long it has been here."""
    page = make_harvest(1, postings=1, minutes=-7 * 24 * 60)
    page = replace(page, postings=(replace(page.postings[0], images=(Image(url="photo:1"),)),))
    captures.keep(any_store, [page], sweep_id=sweep_id, archive=archive)

    def lease(after_s: float) -> int:
        return len(captures.lease_unassessed(any_store, worker="a", now=fixed_now + timedelta(seconds=after_s), limit=9, lease_s=1))

    assert [lease(0), lease(captures.READ_WAIT_S - 1), lease(captures.READ_WAIT_S)] == [0, 0, 1]


def test_a_sweep_is_begun_and_ended(any_store: Store, sweep_id: int, fixed_now: datetime) -> None:
    with any_store.write() as connection:
        assert [row["id"] for row in captures.running_sweeps(connection, platform="forum")] == [sweep_id]
        captures.set_pid(connection, sweep_id, pid=7)
        captures.end_sweep(connection, sweep_id, outcome="ok", why="", counts={"sweep/pages": 1}, at=fixed_now)
        row = captures.sweep(connection, sweep_id)
        assert (row["pid"], row["outcome"], row["counts"]) == (7, "ok", {"sweep/pages": 1})
        assert captures.running_sweeps(connection, platform=None) == []
        with pytest.raises(StoreFault, match="sweep:99"):
            captures.end_sweep(connection, 99, outcome="ok", why="", counts=None, at=fixed_now)
