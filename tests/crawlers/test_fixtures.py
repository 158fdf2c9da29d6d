"""Every packaged platform against the pages that were written for it, and what a fixture that does not hold says."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlers.fixtures import Fixture, fixtures_in, unmet
from crawlers.loader import PACKAGED, load_platforms

FIXTURES, FAULTS = fixtures_in([PACKAGED])
PLATFORMS = load_platforms([PACKAGED])


def test_fixtures_of_the_package_are_sound() -> None:
    assert [str(fault) for fault in FAULTS] == []


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_platform_finds_what_its_page_holds(fixture: Fixture) -> None:
    assert unmet(fixture, PLATFORMS) == []


def test_every_platform_has_a_page() -> None:
    bare = {"replay"}  # it reads nothing by itself: pages go to the platform that owns them
    assert set(PLATFORMS) - {fixture.platform for fixture in FIXTURES} - bare == set()


PLATFORM = """id: town
title: 小城
home: http://town.example/
kind: search
list:
  item: li
  fields: {title: a, body: p, marked_ad: .ad}
  next: a.next
walls: {captcha: [请输入验证码]}
"""
PAGE = "<ul><li><a href=/1>甲</a><p>一</p><li><a href=/2>乙</a><p>二</p><i class=ad></i></ul><a class=next href='?p=2'>下一页</a>"


def _folder(tmp_path: Path, expect: str, *, page: str = PAGE, more: str = "") -> Path:
    (tmp_path / "town.yml").write_text(PLATFORM, encoding="utf-8")
    folder = tmp_path / "pages" / "town"
    folder.mkdir(parents=True)
    (folder / "one.html").write_text(page, encoding="utf-8")
    (folder / "one.yml").write_text(f"url: http://town.example/s\n{more}expect: {expect}\n", encoding="utf-8")
    return tmp_path


def _unmet(tmp_path: Path, expect: str, *, page: str = PAGE, more: str = "") -> list[str]:
    folder = _folder(tmp_path, expect, page=page, more=more)
    found, faults = fixtures_in([folder])
    assert faults == []
    return unmet(found[0], load_platforms([folder]))


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("{layout: list, count: 2, next: 'http://town.example/s?p=2', postings: [{title: 甲, marked_ad: false}, {marked_ad: true}]}", []),
        ("{count: 3}", ["count: 2 postings, 3 expected"]),
        ("{next: null}", ["next: http://town.example/s?p=2, none expected"]),
        ("{postings: [{nth: 2, title: 甲}]}", ["posting 2: title is '乙', '甲' expected"]),
        (
            "{postings: [{body_has: 三}, {body_lacks: 二}, {}]}",
            ["posting 1: body lacks '三': '一'", "posting 2: body has '二', which does"],
        ),
        ("{postings: [{nth: 3}]}", ["posting 3: there are only 2"]),
        ("{layout: detail, wall: captcha}", ["wall: none was seen, captcha expected", "layout: read as list, detail expected"]),
        ("{follow: ['http://town.example/1'], drift: true}", ["follow: http://town.example/1 is not followed", "drift: none, though"]),
        ("{postings: [{publisher: null, published_at: 2026-11-03 08:00}]}", ["posting 1: published_at is None, '2026-11-03"]),
    ],
)
def test_what_is_not_found_is_said(tmp_path: Path, expect: str, said: list[str]) -> None:
    found = _unmet(tmp_path, expect)
    for line in said:
        assert any(line[:24] in fault for fault in found), (line, found)
    assert bool(found) == bool(said)


def test_fixture_that_goes_to_another_platform_is_a_fault(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "{}")
    (folder / "a-town.yml").write_text(PLATFORM.replace("id: town", "id: a-town"), encoding="utf-8")
    found, _ = fixtures_in([folder])
    assert unmet(found[0], load_platforms([folder])) == ["a page like it goes to a-town; let `hosts` or a `when` of town know it"]


def test_page_is_sent_in_the_charset_that_is_named(tmp_path: Path) -> None:
    assert _unmet(tmp_path, "{postings: [{title: 甲}]}", more="charset: gb18030\ndeclared: utf-8\n", page=PAGE * 5) == []


def test_faulty_fixtures_are_told_with_their_lines(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "{layot: list, postings: [{titel: 甲}]}") / "pages" / "town"
    (folder / "two.yml").write_text("url: ftp://x\nexpect: {}\n", encoding="utf-8")
    (folder / "three.html").write_text(PAGE, encoding="utf-8")
    _, faults = fixtures_in([tmp_path])
    text = "\n".join(map(str, faults))
    for word in ("one.yml:2", "expect.layot", "titel", "two.yml:1: no page stands beside it", "three.html:1: a page without a .yml"):
        assert word in text, text


def test_unknown_platform_and_unreadable_page_are_said(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "{}")
    found, _ = fixtures_in([folder])
    assert "no platform town" in unmet(found[0], {})[0]
    found[0].page.write_bytes(b"\xff\xfe")
    assert "cannot be read" in unmet(found[0], load_platforms([folder]))[0]
