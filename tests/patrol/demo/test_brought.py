"""What is brought to the demo office: each file is taken in by its importer, gives what its key says, and refuses one piece."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from classifiers import imagesame
from classifiers.imagefile import decode
from crawlers.imports.base import Asked, Refused
from crawlers.imports.registry import by_name, recognised
from crawlers.loader import load_platforms
from domain.model import Harvest, Posting
from patrol.demo import brought, poster
from patrol.demo.city import City
from patrol.demo.postings import Post


@pytest.fixture
def things(tmp_path: Path, fixed_now: datetime) -> brought.Brought:
    return brought.prepare(tmp_path, now=fixed_now)


def taken(things: brought.Brought, kind: str, now: datetime) -> tuple[list[Posting], list[str]]:
    """(postings, reasons of what was refused) of one file."""
    pieces = list(by_name()[kind].read(things.files[kind], Asked(now=now)))
    harvests = [piece for piece in pieces if isinstance(piece, Harvest)]
    return [one for piece in harvests for one in piece.postings], [piece.reason for piece in pieces if isinstance(piece, Refused)]


def test_files_give_exactly_what_the_key_holds(things: brought.Brought, fixed_now: datetime) -> None:
    found = {kind: taken(things, kind, fixed_now)[0] for kind in things.files}
    assert sorted(one.url for postings in found.values() for one in postings) == sorted(things.truth)
    assert [len(found[kind]) for kind in ("har", "photos", "list")] == [5, 4, 7]
    truths = Counter(things.truth.values())
    assert truths["promo"] == 6 and truths["lookalike"] >= 4 and truths["ordinary"] >= 4


@pytest.mark.parametrize(("kind", "why"), [("har", "不是公开内容"), ("photos", "这是 PDF"), ("list", "没有标题、正文和图片")])
def test_one_piece_of_each_is_refused(things: brought.Brought, fixed_now: datetime, kind: str, why: str) -> None:
    reasons = taken(things, kind, fixed_now)[1]
    assert len(reasons) == 1 and why in reasons[0]


def test_files_are_known_by_their_content(things: brought.Brought) -> None:
    for kind, path in things.files.items():
        known = recognised(path)
        assert known is not None and known.name == kind


def test_secrets_of_the_phone_are_not_kept(things: brought.Brought, fixed_now: datetime) -> None:
    pieces = list(by_name()["har"].read(things.files["har"], Asked(now=fixed_now)))
    kept = b"".join(piece.body + piece.capture.url.encode() for piece in pieces if isinstance(piece, Harvest))
    assert b"token" not in kept and b"sid=" not in kept
    assert "sid=demo-phone" in things.files["har"].read_text(encoding="utf-8")


def test_leaflets_carry_place_and_time_from_the_side_file(things: brought.Brought, fixed_now: datetime) -> None:
    titles = [one.title for one in taken(things, "photos", fixed_now)[0]]
    assert "街头传单 · 望河区石桥巷口电线杆 · 2026-11-22 20:05" in titles


def test_leaflet_is_the_picture_of_an_article_in_other_bytes(posts: tuple[Post, ...]) -> None:
    image = next(post.image for post in posts if post.id == "a1117")
    assert image is not None
    drawn, photo = poster.draw(image), brought.photographed(image)
    assert drawn != photo
    assert imagesame.same(decode(drawn).pixels, decode(photo).pixels)


def test_second_run_makes_the_same_key(things: brought.Brought, tmp_path: Path, fixed_now: datetime) -> None:
    assert brought.prepare(tmp_path, now=fixed_now).truth == things.truth


def test_reported_page_of_the_city_stands_on_the_list(city: City, tmp_path: Path, fixed_now: datetime) -> None:
    """A citizen saw on the phone what the patrol is not shown: the row belongs to the shop's platform, so its page is looked at again."""
    reported = city.reported()
    things = brought.prepare(tmp_path, now=fixed_now, reported=reported)
    city.platform_files(tmp_path)
    asked = Asked(now=fixed_now, platforms=load_platforms([tmp_path / "platforms"]))
    pieces = [piece for piece in by_name()["list"].read(things.files["list"], asked) if isinstance(piece, Harvest)]
    found = {one.url: one for piece in pieces for one in piece.postings if one.platform == "demo-shop"}
    assert set(found) == set(reported) and len(found) == 1
    assert all(found[url].body == post.body and things.truth[url] == city.truth(url) == "promo" for url, post in reported.items())
