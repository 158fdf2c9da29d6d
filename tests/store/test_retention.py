from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from domain.identity import sha256
from domain.model import Assessment, Harvest, Image, Level
from store import captures, cloaks, hits, overlays, pictures, retention, tables
from store.archive import Archive
from store.backup import verify
from store.engine import Store
from store.moves import move
from tests.conftest import MakeHarvest

ALERT = Assessment(level=Level.ALERT, score=0.9, ruleset="t@1", model="none")
CLEAR = Assessment(level=Level.CLEAR, score=0.1, ruleset="t@1", model="none")
URL = "https://forum.example/poster.png"


@pytest.fixture
def later(fixed_now: datetime) -> datetime:
    """Well after the spool days, and after the files' own times."""
    return fixed_now + timedelta(days=30)


@pytest.fixture
def fill(any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime) -> list[int]:
    """Pages of three postings: a hit with a picture, a clear one, one that waits. Gives the captures' numbers, the picture's last."""
    picture = "海报".encode()
    shot = make_harvest(9, postings=0, url=URL, final_url=URL, mime="image/png")
    shot = replace(shot, body=picture, capture=replace(shot.capture, sha256=sha256(picture), size=len(picture)))
    pages: list[Harvest] = [replace(make_harvest(n, postings=1), screenshot=b"png %d" % n) for n in range(3)]
    pages[0] = replace(pages[0], postings=(replace(pages[0].postings[0], images=(Image(url=URL),)),))
    numbers = []
    for page in (*pages, shot):
        captures.keep(any_store, [page], sweep_id=sweep_id, archive=archive)
        numbers.append(len(numbers) + 1)
    with any_store.write() as connection:
        captures.end_sweep(connection, sweep_id, outcome="ok", why="", counts=None, at=fixed_now)
    rows = pictures.lease_unread(any_store, worker="a", now=fixed_now, limit=9, lease_s=9)
    read = {row["id"]: [{"url": URL, "sha256": sha256(picture), "text": "", "qr": []}] for row in rows}
    pictures.settle(any_store, read, now=fixed_now, worker="a")
    hits.record(any_store, [(1, ALERT), (2, CLEAR)], now=fixed_now)
    archive.close()
    return numbers


def rows(store: Store) -> dict[int, str]:
    """Capture number -> the part of the archive that its bytes lie in."""
    with store.read() as connection:
        found = connection.execute(select(tables.captures.c.id, tables.captures.c.warc).order_by(tables.captures.c.id))
        return {row.id: (row.warc or "dropped").split("/")[0] for row in found}


def test_only_what_nobody_needs_is_dropped(any_store: Store, archive: Archive, fill: list[int], later: datetime) -> None:
    assert rows(any_store) == {1: "evidence", 2: "spool", 3: "spool", 4: "evidence"}
    assert retention.apply(any_store, archive, now=later) == 1
    assert rows(any_store) == {1: "evidence", 2: "dropped", 3: "spool", 4: "evidence"}
    hits.record(any_store, [(3, CLEAR)], now=later)
    assert retention.apply(any_store, archive, now=later) == 1
    assert [name for name, _ in archive.files("spool")] == []
    assert len(list(archive.files("evidence"))) == 2
    assert [path.read_bytes() for _, path in archive.files("blobs")] == [b"png 0"]
    assert verify(any_store).faults == []


def test_nothing_young_is_dropped(any_store: Store, archive: Archive, fill: list[int], fixed_now: datetime) -> None:
    assert retention.apply(any_store, archive, now=fixed_now + timedelta(days=2)) == 0
    assert rows(any_store)[2] == "spool"


def test_old_pages_that_were_imported_today_stay(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    captures.keep(any_store, [make_harvest(1, minutes=-10_000_000, postings=0)], sweep_id=sweep_id, archive=archive)
    assert retention.apply(any_store, archive, now=fixed_now + timedelta(days=1)) == 0
    assert retention.apply(any_store, archive, now=fixed_now + timedelta(days=4)) == 1


def test_policy_all_drops_nothing(any_store: Store, archive: Archive, fill: list[int], later: datetime) -> None:
    any_store.settings = any_store.settings.model_copy(update={"archive_policy": "all"})
    assert retention.apply(any_store, archive, now=later) == 0
    assert rows(any_store)[2] == "spool"


def test_a_hits_newest_page_is_sealed_before_its_file_goes(
    any_store: Store, archive: Archive, fill: list[int], sweep_id: int, make_harvest: MakeHarvest, later: datetime
) -> None:
    page = make_harvest(0, postings=1, minutes=60)
    page = replace(page, postings=(replace(page.postings[0], images=(Image(url=URL),)),))
    captures.keep(any_store, [page], sweep_id=sweep_id, archive=archive)
    archive.close()
    assert rows(any_store)[5] == "spool"
    retention.apply(any_store, archive, now=later)
    assert rows(any_store)[5] == "evidence"
    assert verify(any_store).faults == []


def dismiss(store: Store, hit_id: int, *, at: datetime) -> None:
    with store.write() as connection:
        move(connection, "hit", hit_id, "claim", actor="li", at=at, claimed_by="li", claimed_until=at)
        move(connection, "hit", hit_id, "dismiss", actor="li", at=at)
        row = {"hit_id": hit_id, "officer": "li", "outcome": "dismissed", "reason": "正常", "at": at, "ruleset": "t@1", "model": "none"}
        connection.execute(tables.decisions.insert().values(**row))


def test_a_dismissed_hits_text_and_evidence_expire(any_store: Store, archive: Archive, fill: list[int], later: datetime) -> None:
    decided = later + timedelta(days=1)
    dismiss(any_store, 1, at=decided)
    retention.apply(any_store, archive, now=decided + timedelta(days=89))
    assert (rows(any_store)[1], rows(any_store)[4]) == ("evidence", "evidence")
    retention.apply(any_store, archive, now=decided + timedelta(days=91))
    assert (rows(any_store)[1], rows(any_store)[4]) == ("dropped", "dropped")
    with any_store.read() as connection:
        posting = connection.execute(select(tables.postings).where(tables.postings.c.id == 1)).one()
    assert (posting.title, posting.body, posting.images, posting.contacts, posting.publisher) == ("", "", [], [], None)
    assert posting.fingerprint
    assert list(archive.files("evidence")) == []
    assert verify(any_store).faults == []


def test_a_backup_holds_retention_off(any_store: Store, archive: Archive, fill: list[int], later: datetime) -> None:
    with retention.held(archive.folder, wait=True, shared=True):
        assert retention.apply(any_store, archive, now=later) == 0
    assert retention.apply(any_store, archive, now=later) == 1


def test_a_file_that_no_row_names_goes_when_it_is_old(
    any_store: Store, archive: Archive, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    place = archive.append(77, make_harvest(1))
    archive.close()
    path = archive.path(place.warc)
    written = datetime.fromtimestamp(path.stat().st_mtime, tz=fixed_now.tzinfo)
    retention.apply(any_store, archive, now=written + timedelta(minutes=10))
    assert path.exists()
    retention.apply(any_store, archive, now=written + timedelta(hours=2))
    assert not path.exists()


def test_a_damaged_page_of_a_hit_stays_named(any_store: Store, archive: Archive, fill: list[int], later: datetime) -> None:
    with any_store.write() as connection:
        connection.execute(update(tables.postings).where(tables.postings.c.id == 1).values(last_capture_id=2))
    for _, path in archive.files("spool"):
        path.write_bytes(bytes(path.stat().st_size))
    retention.apply(any_store, archive, now=later)
    assert any("capture:2" in fault for fault in verify(any_store).faults)


VIEW = {"view": "phone", "status": 200, "known": True, "title": "页", "level": "alert", "score": 0.9, "promo": ["保本"]}
APART = {
    "sentences": [{"text": "加微信 abc12345", "views": ["phone"], "rules": []}],
    "contacts": [{"kind": "wechat", "value": "abc12345", "views": ["phone"]}],
}


def compared(store: Store, archive: Archive, make_harvest: MakeHarvest, *, hit_id: int | None, at: datetime, pages: list[int]) -> int:
    """Keeps a comparison that differs, its page sealed, with a stamped copy of its screenshot: its number."""
    with store.write() as connection:
        sweep = captures.begin_sweep(connection, platform="town", purpose="look", at=at, pid=None)
    before = set(rows(store))
    captures.keep(store, [replace(make_harvest(n, postings=0), screenshot=b"view %d" % n) for n in pages], sweep_id=sweep, archive=archive)
    archive.close()
    fresh = sorted(set(rows(store)) - before)
    assert cloaks.seal(store, fresh) == len(pages)
    views = [
        VIEW | {"capture_id": number, "text": "加微信 abc12345", "contacts": [{"kind": "wechat", "value": "abc12345"}]} for number in fresh
    ]
    with store.write() as connection:
        for number, shot in cloaks.screenshots(connection, fresh).items():
            overlays.note(connection, screenshot=shot, overlay=archive.put_blob(b"stamped %d" % number, ".png"), now=at)
        return cloaks.keep(
            connection, hit_id=hit_id, platform="town", url="https://a.example/p", origin="hit", sweep_id=sweep, at=at, verdict="differs",
            views=views, differences=APART, reason="涉嫌对不同访客显示不同内容：手机可见推广内容，电脑不可见",
        )  # fmt: skip


def comparison(store: Store, number: int) -> tuple[str, str]:
    """(its word, all that it says of the page)."""
    with store.read() as connection:
        row = connection.execute(select(tables.cloaktables.cloaks).where(tables.cloaktables.cloaks.c.id == number)).one()
    return row.verdict, f"{row.views} {row.differences}"


def test_what_visitors_were_shown_expires_with_its_dismissed_hit(
    any_store: Store, archive: Archive, fill: list[int], make_harvest: MakeHarvest, later: datetime
) -> None:
    hits.record(any_store, [(3, CLEAR)], now=later)
    mine = compared(any_store, archive, make_harvest, hit_id=1, at=later, pages=[21, 22])
    decided = later + timedelta(days=1)
    dismiss(any_store, 1, at=decided)
    retention.apply(any_store, archive, now=decided + timedelta(days=89))
    assert "abc12345" in comparison(any_store, mine)[1] and (rows(any_store)[5], rows(any_store)[6]) == ("evidence", "evidence")
    assert len(list(archive.files("blobs"))) == 5  # the page's, two views' and their copies
    retention.apply(any_store, archive, now=decided + timedelta(days=91))
    assert comparison(any_store, mine) == ("differs", "[] {'sentences': [], 'contacts': []}")
    assert (rows(any_store)[5], rows(any_store)[6]) == ("dropped", "dropped")
    assert list(archive.files("evidence")) == [] and list(archive.files("blobs")) == []
    assert verify(any_store).faults == []


def test_what_visitors_were_shown_of_a_hit_that_stands_stays(
    any_store: Store, archive: Archive, fill: list[int], make_harvest: MakeHarvest, later: datetime
) -> None:
    hits.record(any_store, [(3, CLEAR)], now=later)
    mine = compared(any_store, archive, make_harvest, hit_id=1, at=later, pages=[21])
    sample = compared(any_store, archive, make_harvest, hit_id=None, at=later, pages=[23])
    retention.apply(any_store, archive, now=later + timedelta(days=91))
    assert "abc12345" in comparison(any_store, mine)[1] and rows(any_store)[5] == "evidence"
    assert "abc12345" not in comparison(any_store, sample)[1] and rows(any_store)[6] == "dropped"
    assert len(list(archive.files("blobs"))) == 3


def test_a_view_that_another_hit_shows_too_stays(
    any_store: Store, archive: Archive, fill: list[int], make_harvest: MakeHarvest, later: datetime
) -> None:
    mine = compared(any_store, archive, make_harvest, hit_id=1, at=later, pages=[21])
    hits.record(any_store, [(3, ALERT)], now=later)
    seen = tables.cloaktables.cloaks
    with any_store.write() as connection:
        row = dict(connection.execute(select(seen).where(seen.c.id == mine)).mappings().one())
        cloaks.keep(connection, **{name: value for name, value in row.items() if name != "id"} | {"hit_id": 2})
    dismiss(any_store, 1, at=later)
    retention.apply(any_store, archive, now=later + timedelta(days=91))
    assert "abc12345" not in comparison(any_store, mine)[1] and "abc12345" in comparison(any_store, mine + 1)[1]
    assert rows(any_store)[5] == "evidence"


def test_a_photos_hit_keeps_its_photo_and_expires_without_a_body(
    any_store: Store, archive: Archive, fill: list[int], later: datetime
) -> None:
    blank = {"body": "", "title": "传单", "images": [{"url": URL, "sha256": None, "text": "", "qr": []}]}
    with any_store.write() as connection:  # the photo is the page itself, and was not read
        connection.execute(update(tables.postings).where(tables.postings.c.id == 1).values(**blank, first_capture_id=4, last_capture_id=4))
    retention.apply(any_store, archive, now=later)
    assert rows(any_store)[4] == "evidence"
    dismiss(any_store, 1, at=later)
    retention.apply(any_store, archive, now=later + timedelta(days=91))
    assert rows(any_store)[4] == "dropped"
    with any_store.read() as connection:
        assert connection.execute(select(tables.postings.c.title).where(tables.postings.c.id == 1)).scalar() == ""
