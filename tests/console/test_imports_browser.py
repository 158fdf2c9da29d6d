"""导入 in a real browser: the file goes by our script, a refusal is read where it happened, and the page fits small screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines import inbox
from store.engine import Store
from tests.console.test_browser import browser, enter

__all__ = ["browser", "enter"]
pytestmark = pytest.mark.browser


def given(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/csv", "buffer": data}


def test_file_is_uploaded_and_stands_in_the_table(enter: Callable[[str], Any], staffed: Store) -> None:
    tab = enter("wu")
    tab.click("nav >> text=导入")
    tab.set_input_files("[name=file]", given("清单.csv", "标题,正文\r\n换书,图书角周三换书\r\n".encode()))
    tab.click("#upload button")
    tab.wait_for_selector("text=文件已收到")
    tab.click("#imports >> text=清单.csv")
    tab.wait_for_selector("text=后台正在处理")
    assert [one.name for one in inbox.listed(staffed)] == ["清单.csv"]
    assert tab.faults == []


def test_refusal_is_told_beside_the_form(enter: Callable[[str], Any], staffed: Store) -> None:
    tab = enter("wu")
    tab.goto("/imports")
    tab.set_input_files("[name=file]", given("空.csv", b""))
    tab.click("#upload button")
    tab.wait_for_selector("#trouble >> text=文件是空的")
    assert tab.is_enabled("#upload button")
    assert inbox.listed(staffed) == []


def test_file_above_the_limit_is_not_even_sent(enter: Callable[[str], Any], staffed: Store) -> None:
    tab = enter("wu")
    tab.goto("/imports")
    tab.eval_on_selector("#upload", "form => { form.dataset.most = '10' }")
    tab.set_input_files("[name=file]", given("大.csv", b"x" * 11))
    tab.wait_for_selector("#trouble >> text=文件超过上限")
    tab.click("#upload button")
    assert inbox.listed(staffed) == []


@pytest.mark.parametrize("width", [1366, 700])
def test_page_is_no_wider_than_the_screen(enter: Callable[[str], Any], staffed: Store, width: int) -> None:
    tab = enter("wu")
    tab.goto("/imports")
    tab.set_input_files("[name=file]", given("很长的名字" * 20 + "a" * 20 + ".csv", b"x"))
    tab.click("#upload button")
    tab.wait_for_selector("text=文件已收到")
    tab.set_viewport_size({"width": width, "height": 900})
    (upload,) = inbox.listed(staffed)
    for path in ("/imports", f"/imports/{upload.id}"):
        tab.goto(path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
