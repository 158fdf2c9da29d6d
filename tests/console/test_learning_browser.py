"""Labelling in a real browser, by keys alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from store import tables
from store.engine import Store
from tests.console.conftest import Hand
from tests.console.test_browser import browser, enter
from tests.console.test_learning import add_watched

__all__ = ["browser", "enter"]
pytestmark = pytest.mark.browser


def test_texts_are_labelled_by_keys_alone(enter: Callable[[str], Any], staffed: Store, clock: Hand) -> None:
    add_watched(staffed, clock, count=3)
    tab = enter("chen")
    tab.click("nav >> text=学习")
    tab.wait_for_selector("#label")
    tab.keyboard.press("6")
    tab.wait_for_selector("text=已标注，仅用于训练")
    tab.keyboard.press("0")
    tab.wait_for_selector("text=已跳过")
    tab.wait_for_selector("text=今日 2 / 20")
    with staffed.read() as conn:
        assert sorted(str(label) for label in conn.execute(select(tables.labels.c.label)).scalars()) == ["None", "news"]
    assert tab.faults == []


@pytest.mark.parametrize("size", [(1366, 768), (700, 900)])
def test_no_page_of_learning_is_wider_than_the_screen(
    enter: Callable[[str], Any], staffed: Store, clock: Hand, size: tuple[int, int]
) -> None:
    add_watched(staffed, clock, count=3, body="认养一头牛" * 200 + "https://www.example.com/" + "a" * 300)
    tab = enter("chen")
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    for path in ("/labels", "/models"):
        tab.goto(path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= size[0], path
