"""The pages in a real browser: keys, renewal, and that no script of a posting ever runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from crawlers.chromium import find_browser
from domain.settings import Settings
from store import tables
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand
from tests.console.test_picture_boxes import with_poster
from tests.console.test_rules import add_figures

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
NASTY = (
    "<script>window.ran=1</script>",
    '"><img src=x onerror="window.ran=1">',
    "'><svg/onload=window.ran=1>",
    "</textarea></script><script>window.ran=1</script>",
    "javascript:window.ran=1",
    "{{constructor.constructor('window.ran=1')()}}",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = find_browser(Settings())
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium-headless-shell")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(path), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def enter(browser: Any, base: str) -> Iterator[Callable[[str], Any]]:
    """enter(name) logs in by the form and gives the tab, on the queue page; faults of the page are kept in `tab.faults`."""
    contexts = []

    def log_in(name: str) -> Any:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, base_url=base)
        contexts.append(context)
        tab = context.new_page()
        tab.faults = []
        tab.on("console", lambda message: tab.faults.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: tab.faults.append(str(error)))
        tab.on("dialog", lambda dialog: (tab.faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        tab.goto("/")
        tab.fill("[name=name]", name)
        tab.fill("[name=password]", seed.PASSWORD)
        tab.keyboard.press("Enter")
        tab.wait_for_selector("#queue")
        return tab

    yield log_in
    for context in contexts:
        context.close()


def _chosen(tab: Any) -> int:
    return int(tab.get_attribute("tr.chosen", "data-id"))


def _state(store: Store, hit: int) -> tuple[str, str | None]:
    with store.read() as conn:
        return tuple(conn.execute(select(tables.hits.c.state, tables.hits.c.claimed_by).where(tables.hits.c.id == hit)).one())  # type: ignore[return-value]


def test_a_whole_review_goes_by_keys_alone(enter: Callable[[str], Any], staffed: Store, clock: Hand) -> None:
    hits = [seed.add_hit(staffed, now=clock(), serial=serial, score=0.99 - serial / 100) for serial in range(4)]
    tab = enter("chen")
    assert _chosen(tab) == hits[0]
    for key in ("j", "j", "j", "j", "k"):
        tab.keyboard.press(key)
    assert _chosen(tab) == hits[2]
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**/hits/{hits[2]}")
    tab.keyboard.press("k")
    tab.wait_for_url(f"**/hits/{hits[1]}")
    tab.keyboard.press("u")
    tab.wait_for_selector("#queue")
    tab.keyboard.press("c")
    tab.wait_for_selector("#decision")
    claimed = int(tab.url.split("/hits/")[1].split("?")[0])
    assert _state(staffed, claimed) == ("claimed", "chen")
    tab.keyboard.press("2")
    assert tab.input_value("[name=reason]") == "公开招揽投资并留联系方式，未见资质与风险提示"
    tab.keyboard.press("Control+Enter")
    tab.wait_for_selector(".flash")
    assert _state(staffed, claimed)[0] == "confirmed"
    assert tab.faults == []


def test_dismissal_by_keys_offers_its_own_reasons(enter: Callable[[str], Any], staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock(), sample=seed.SAMPLES[5])
    tab = enter("chen")
    tab.keyboard.press("d")
    tab.wait_for_selector("#decision")
    tab.keyboard.press("1")
    assert tab.input_value("[name=reason]") == "反诈、普法或监管提示宣传"
    tab.keyboard.press("Control+Enter")
    tab.wait_for_selector(".flash")
    assert _state(staffed, hit)[0] == "dismissed"


def test_second_officer_sees_who_holds_it(enter: Callable[[str], Any], staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock())
    first, second = enter("chen"), enter("lin")
    first.keyboard.press("c")
    first.wait_for_selector("#decision")
    second.keyboard.press("c")  # the list of the second still shows it as free
    second.wait_for_selector("[role=alert]")
    assert "陈默 正在复核此条" in second.inner_text("[role=alert]")
    assert _state(staffed, hit) == ("claimed", "chen")


def test_renewal_keeps_the_place(enter: Callable[[str], Any], staffed: Store, clock: Hand) -> None:
    hits = [seed.add_hit(staffed, now=clock(), serial=serial, score=0.9 - serial / 100) for serial in range(25)]
    tab = enter("chen")
    for _ in range(20):
        tab.keyboard.press("j")
    before = (_chosen(tab), tab.evaluate("scrollY"))
    assert before[0] == hits[20]
    assert before[1] > 0
    new = seed.add_hit(staffed, now=clock(), serial=99, score=0.99)
    with tab.expect_response("**/queue/rows?*"):
        tab.evaluate("document.dispatchEvent(new Event('renew'))")
    tab.wait_for_selector(f"tr[data-id='{new}']", state="attached")
    assert (_chosen(tab), tab.evaluate("scrollY")) == before
    assert tab.faults == []


def test_no_script_of_a_posting_runs(enter: Callable[[str], Any], staffed: Store, clock: Hand) -> None:
    hits = []
    for serial, text in enumerate(NASTY):
        sample = seed.Sample(
            text, f"保本保息 {text} 电话 13800001234", "wealth_mgmt", "alert", "高危", (("保本保息", f"excuses.{text}", 2.0, text),)
        )
        hits.append(seed.add_hit(staffed, now=clock(), sample=sample, serial=serial, platform=f"p{serial}{text}", publisher=text))
    with staffed.write() as conn:
        alarm = {"kind": "wall", "subject": NASTY[1], "text": NASTY[0], "opened_at": clock(), "last_at": clock(), "times": 1}
        conn.execute(tables.alarms.insert().values(**alarm))
    tab = enter("chen")
    for path in ["/queue", "/board", *(f"/hits/{hit}" for hit in hits)]:
        tab.goto(path)
        assert tab.evaluate("window.ran") is None, path
        assert tab.locator("img[src=x]").count() == 0, path
    tab.goto(f"/hits/{hits[1]}")
    assert NASTY[1] in tab.inner_text("article.posting")  # shown as it was written
    assert tab.faults == []


def test_policy_stops_a_script_even_if_one_got_in(enter: Callable[[str], Any], staffed: Store) -> None:
    tab = enter("chen")
    with tab.expect_console_message(lambda message: "Content Security Policy" in message.text):
        tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"/static/none\" onerror=\"window.ran=1\">')")
    assert tab.evaluate("window.ran") is None


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
def test_no_page_is_wider_than_the_screen(enter: Callable[[str], Any], staffed: Store, clock: Hand, size: tuple[int, int]) -> None:
    hit = seed.add_queue(staffed, now=clock(), count=8)[0]
    seed.add_day(staffed, now=clock())
    tab = enter("chen")
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    for path in ("/queue", f"/hits/{hit}", "/documents", "/documents?tab=leads", "/board"):
        tab.goto(path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= size[0], path


def test_a_flooded_rule_is_found_and_released_by_clicks(enter: Callable[[str], Any], staffed: Store, clock: Hand) -> None:
    add_figures(staffed, now=clock())
    tab = enter("chen")
    tab.click("nav >> text=规则")
    tab.click(".rules tbody tr:first-child a")
    tab.wait_for_selector(".held-rule")
    assert tab.locator(".days .matched").count() == 30
    tab.click("text=确属涉嫌，放行")
    tab.wait_for_selector(".flash")
    assert tab.locator(".held-rule").count() == 0
    assert tab.faults == []


def test_boxes_lie_on_the_picture_say_what_they_hold_and_go_away(enter: Callable[[str], Any], staffed: Store, clock: Hand) -> None:
    hit = seed.add_hit(staffed, now=clock(), sample=seed.Sample("海报一张", "详见海报", "wealth_mgmt", "alert", "高危", ()))
    with_poster(staffed, hit)
    tab = enter("chen")
    tab.goto(f"/hits/{hit}")
    tab.locator(".seen img").scroll_into_view_if_needed()
    tab.wait_for_function("document.querySelector('.seen img').naturalWidth === 600")
    picture, box = tab.locator(".seen img").bounding_box(), tab.locator(".seen rect").first.bounding_box()
    share = picture["width"] / 600
    assert abs(box["x"] - picture["x"] - 40 * share) < 3 and abs(box["y"] - picture["y"] - 60 * share) < 3
    assert abs(box["width"] - 520 * share) < 5 and abs(box["height"] - 80 * share) < 5
    tab.locator(".seen rect").first.hover()
    assert tab.inner_text(".box-said").startswith("保本保息 年化18%")
    tab.uncheck("#boxes")
    assert not tab.locator(".seen svg").is_visible() and tab.locator(".seen img").is_visible()
    tab.reload()
    assert not tab.is_checked("#boxes")
    assert tab.faults == []
