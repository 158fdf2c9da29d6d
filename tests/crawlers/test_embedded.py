"""Data that a page carries in a script: JSON, percent-coded JSON, markup in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.api import MOST_VALUES, at
from crawlers.embedded import data_in, items_in, markup_in
from crawlers.extract import Reading, read
from crawlers.page import MOST_SHOWN, Page
from crawlers.platform import PlatformFile
from crawlers.platform_parts import Script

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PART = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(["a", "t", "b", "id", "p"])
ANY = st.recursive(PART, lambda part: st.lists(part, max_size=4) | st.dictionaries(KEYS, part, max_size=5), max_leaves=20)
FIELDS = {"title": "t", "body": "b", "link": "/a/{id}", "images": "p"}


def _page(markup: str) -> Page:
    return Page(markup.encode(), url="http://town.example/q/1", override="utf-8")


def _read(markup: str, script: dict[str, Any], *, where: str = "detail", **section: Any) -> Reading:
    platform = PlatformFile.model_validate(
        {"id": "town", "title": "小城", "home": "http://town.example/", "kind": "forum", where: {"script": script, **section}}
    )
    return read(platform, _page(markup), role="visit", now=NOW)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ('{"a":[{"t":"甲"}]}', {}),
        ('window.X = {"a":[{"t":"甲"}]};(function(){})();', {"pattern": r"window\.X\s*="}),
        ("%7B%22a%22%3A%5B%7B%22t%22%3A%22%E7%94%B2%22%7D%5D%7D", {"percent": True}),
        ('var x = JSON.parse("{\\"a\\":[{\\"t\\":\\"甲\\"}]}");', {"pattern": r"JSON\.parse\("}),
        ('X={"a":[{"t":"甲","u":undefined,"v":[undefined,1]}]}', {"pattern": "X="}),
        ('X=not json; X={"b":1}; X={"a":[{"t":"甲"}]}', {"pattern": "X="}),
        ('{"a":[{"t":"甲\nline"}]}', {}),
    ],
)
def test_data_are_found_as_sites_write_them(text: str, script: dict[str, Any]) -> None:
    found = items_in(_page(f"<script>var none = 1;</script><script id=d>{text}</script>"), Script.model_validate({"items": "a", **script}))
    assert [item["t"][:1] for item in found] == ["甲"]


def test_items_become_postings_with_shared_fields_of_the_page() -> None:
    data = {"s": {"x": {"t": "", "b": "<p>第一</p><p>第二</p>", "id": 7, "p": '<img src="//img.example/1.jpg"><img data-src="/no.jpg">'}}}
    reading = _read(f"<h1>问题</h1><script>{json.dumps(data)}</script>", {"items": "s.*", "fields": FIELDS}, fields={"title": "h1"})
    (posting,) = reading.postings
    assert (reading.layout, posting.title, posting.body, posting.url) == ("script", "问题", "第一\n第二", "http://town.example/a/7")
    assert [image.url for image in posting.images] == ["http://img.example/1.jpg"]


def test_single_item_without_address_is_the_page_itself() -> None:
    fields = {"title": "t"}
    assert _read('<script>{"s":{"t":"甲"}}</script>', {"items": "s", "fields": fields}).postings[0].url == "http://town.example/q/1"
    several = _read('<script>{"s":[{"t":"甲"},{"t":"乙"}]}</script>', {"items": "s", "fields": fields}).postings
    assert [posting.url for posting in several] == ["http://town.example/q/1#1", "http://town.example/q/1#2"]


def test_markup_in_json_is_read_with_the_sections_selectors() -> None:
    parts = [
        {"pid": "top", "html": "<p>无关</p>"},
        {"pid": "feed", "html": "<ul><li><a href='/1'>甲</a></li></ul><a class=next href='?p=2'>"},
    ]
    source = "".join(f"<script>V.view({json.dumps(part)})</script>" for part in parts)
    script = {"pattern": r"V\.view\(", "html": "html"}
    reading = _read(source, script, where="list", item="li", fields={"title": "a"}, next="a.next")
    assert [(one.title, one.url) for one in reading.postings] == [("甲", "http://town.example/1")]
    assert [step.url for step in reading.follow if step.onward] == ["http://town.example/q/1?p=2"]
    assert markup_in(_page("<script>V.view({})</script>"), Script.model_validate(script)) is None


def test_section_behind_it_reads_a_page_without_the_data() -> None:
    platform = PlatformFile.model_validate(
        {
            "id": "town", "title": "小城", "home": "http://town.example/", "kind": "forum",
            "detail": [{"script": {"items": "s"}}, {"item": ".a", "fields": {"body": "p"}}],
        }
    )  # fmt: skip
    reading = read(platform, _page("<div class=a><p>甲</p></div>"), role="detail", now=NOW)
    assert (reading.layout, [one.body for one in reading.postings]) == ("detail", ["甲"])


def test_list_without_its_data_is_drift() -> None:
    reading = _read("<p>" + "长长的一段文字，" * 60, {"items": "s", "select": "script#d"}, where="list", match="/q/")
    assert (reading.drift, reading.postings) == ("script#d finds nothing among 480 characters", [])


def test_page_without_its_data_is_read_in_general() -> None:
    (posting,) = _read("<title>标题</title><p>" + "长长的一段文字，" * 60, {"items": "s"}).postings
    assert posting.title == "标题" and "长长的一段文字" in posting.body


def test_wildcards_stand_for_keys_and_indexes() -> None:
    data = {"c": {"Photo:1": {"u": 1}, "Photo:2": {"u": 2}, "Author:1": {"u": 3}}, "l": [{"u": 4}, {"u": 5}]}
    assert at(data, "c.Photo:*.u") == [1, 2] and at(data, "l.*.u") == [4, 5] and at(data, "*.*.u") == [1, 2, 3, 4, 5]
    assert at({"*": {"u": 1}, "b": {"u": 2}}, "*.u") == [1]
    assert len(at([[[0] * 100] * 100] * 100, "*.*.*")) <= MOST_VALUES + 10_000


@pytest.mark.parametrize(
    "text", ["{" * 50_000, "[" * 100_000, '{"a":' * 20_000, "X=" * 60_000, '"' + "\\u0000" * 9000 + '"', "NaN", "1e999999", "\ud800"]
)
def test_hostile_data_cost_little_and_give_nothing(text: str) -> None:
    page = Page(f"<script>{text}</script>".encode("utf-8", "replace"), url="http://town.example/")
    assert items_in(page, Script.model_validate({"items": "a", "pattern": "X=" if "X=" in text else "^"})) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_no_data_make_it_fail(data: Any) -> None:
    source = f"<script>X={json.dumps(data)}</script>"
    script = {"pattern": "X=", "items": ["a", "*", "a.*.b"], "fields": {**FIELDS, "published_at": ["t", "id"], "marked_ad": "b"}}
    reading = _read(source, script)
    assert all(posting.url.startswith("http") for posting in reading.postings)
    assert len(list(data_in(_page(source), Script.model_validate(script)))) <= 1


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"items": "a", "html": "b"}, "name either items"),
        ({}, "name either items"),
        ({"items": "a..b"}, "not a path"),
        ({"items": "a", "select": "[["}, "not a CSS selector"),
        ({"items": "a", "select": "script::attr(x)"}, "not plain CSS"),
        ({"items": "a", "pattern": "("}, "not a regular expression"),
        ({"items": "a", "decode": "x"}, "Extra inputs"),
    ],
)
def test_faulty_script_says_what_is_wrong(script: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Script.model_validate(script)


def test_items_that_nest_in_each_other_cost_no_square_of_the_page() -> None:
    platform = PlatformFile.model_validate(
        {
            "id": "town", "title": "小城", "home": "http://town.example/", "kind": "forum",
            "detail": {"item": "div", "fields": {"body": {"select": "div", "without": "b"}}},
        }
    )  # fmt: skip
    page = _page("<div><b>x</b>" * 300 + "保本高息。" * 40_000)
    reading = read(platform, page, role="detail", now=NOW)
    assert 0 < sum(len(posting.body) for posting in reading.postings) <= MOST_SHOWN


def test_words_of_nested_picks_stand_once_in_a_body() -> None:
    platform = PlatformFile.model_validate(
        {
            "id": "town",
            "title": "小城",
            "home": "http://town.example/",
            "kind": "forum",
            "detail": {"item": "li", "fields": {"body": "p, .in"}},
        }
    )
    markup = "<li><p>外<span class=in>内</span></p><p>旁</p></li>"
    assert [one.body for one in read(platform, _page(markup), role="detail", now=NOW).postings] == ["外内\n旁"]
