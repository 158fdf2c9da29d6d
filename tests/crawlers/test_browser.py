"""Pages that JavaScript makes, in the machine's own Chromium."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from crawlers.chromium import find_browser
from domain.settings import Settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser(Settings()) is None, reason="no Chromium on this machine: apt-get install chromium-headless-shell"),
]

FEED = """<html><head><title>微语</title><style>.card{height:600px}</style></head><body><div id="feed"></div><script>
let next = 0, busy = false;
async function more() {
  if (busy || next === null) return;
  busy = true;
  const answer = await (await fetch('/api?after=' + next)).json();
  for (const one of answer.cards) {
    const card = document.createElement('div'); card.className = 'card';
    card.innerHTML = '<a href="/p/' + one + '">动态' + one + '</a><p>第' + one + '条内容</p>'; document.getElementById('feed').append(card);
  }
  next = answer.next; busy = false;
}
addEventListener('scroll', () => { if (innerHeight + scrollY > document.documentElement.scrollHeight - 50) more(); });
more();
</script></body></html>"""


def api(cards: list[int], following: int | None) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps({"cards": cards, "next": following}).encode()


def test_infinite_scroll_is_read_with_a_screenshot(site: Any, sweep: Any) -> None:
    site.pages |= {"/": FEED.encode(), "/api?after=0": api([1, 2, 3], 3), "/api?after=3": api([4, 5, 6], 6), "/api?after=6": api([7], None)}
    found = sweep(
        {
            "kind": "microblog",
            "fetch": "browser",
            "browser": {"wait_for": ".card", "scroll": 6},
            "list": {"item": ".card", "fields": {"title": "a", "body": "p", "link": "a::attr(href)"}},
        }
    )
    assert [posting.title for posting in found.postings] == [f"动态{n}" for n in range(1, 8)], found.log
    capture = found.harvests[0].capture
    assert capture.via == "browser" and capture.screenshot_sha256 is not None
    assert found.harvests[0].screenshot is not None and found.harvests[0].screenshot.startswith(b"\x89PNG")


def test_page_cannot_reach_the_machine_it_runs_on(site: Any, sweep: Any) -> None:
    """A picture, a script's request, a frame and a redirect to other ports: none arrives."""
    other = socket.create_server(("127.0.0.1", 0))
    inside = f"http://127.0.0.1:{other.getsockname()[1]}"
    page = f"<h1>正常标题</h1><p>{'正常的正文，写得够长，' * 12}</p><img src='{inside}/i.png'><iframe src='{inside}/f'></iframe>"
    page += f"<script>fetch('{inside}/s'); fetch('http://localhost:{other.getsockname()[1]}/s').catch(() => 0)</script>"
    site.pages |= {"/": page.encode(), "/jump": (302, {"Location": inside + "/"}, b"")}
    found = sweep(
        {"kind": "generic", "fetch": "browser", "start": [site.home, site.home + "jump"], "browser": {"block": []}, "budget": {"depth": 0}}
    )
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.accept()
    other.close()
    assert [posting.title for posting in found.postings] == ["正常标题"] and found.count("refused") == 1, found.log


def test_page_that_never_ends_loading_is_left_in_time(site: Any, sweep: Any) -> None:
    def silent(request: Any) -> None:
        request.connection.recv(1)  # no answer until the browser hangs up
        request.close_connection = True

    site.pages |= {
        "/": silent,
        "/loop": b"<script>while (true) {}</script>",
        "/good": f"<h1>好标题</h1><p>{'正常的正文，写得够长，' * 12}</p>".encode(),
    }
    platform = {
        "kind": "generic",
        "fetch": "browser",
        "start": [site.home, site.home + "loop", site.home + "good"],
        "pace": {"delay_s": 0, "concurrency": 1},
        "browser": {"timeout_s": 2, "screenshot": "none"},
        "budget": {"depth": 0},
    }
    found = sweep(platform, timeout_s=90)
    assert [posting.title for posting in found.postings] == ["好标题"], found.log
    assert found.count("timed_out") + found.count("errors") == 2


def test_missing_browser_says_what_is_not_patrolled(site: Any, sweep: Any, tmp_path: Path) -> None:
    found = sweep({"fetch": "browser"}, env={"WANGXUN_BROWSER_PATH": str(tmp_path / "none")})
    assert found.outcome == "failed" and "not patrolled" in found.stats["sweep/why"] and not site.asked
