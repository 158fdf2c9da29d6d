"""What pages do to a browser, and what becomes of the sweep: it goes on, and says what happened."""

from __future__ import annotations

import asyncio
import struct
import threading
from typing import Any

import psutil
import pytest

from crawlers.browsing import Guise, Lanes
from crawlers.chromium import find_browser
from crawlers.gate import Gate
from crawlers.guard import Guard
from domain.settings import Settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser(Settings()) is None, reason="no Chromium on this machine: apt-get install chromium-headless-shell"),
]
TEXT = "<p>" + "正常的正文，写得够长，" * 12 + "</p>"


def good(title: str, more: str = "") -> bytes:
    return f"<title>{title}</title><h1>{title}</h1>{TEXT}{more}".encode()


def platform(site: Any, *names: str, **more: Any) -> dict[str, Any]:
    wanted = {"timeout_s": 4, "screenshot": "none", **more.pop("browser", {})}
    return {
        "kind": "generic", "fetch": "browser", "start": [site.home + name for name in names], "budget": {"depth": 0},
        "pace": {"delay_s": 0, "concurrency": 2}, "browser": wanted, **more,
    }  # fmt: skip


def titles(found: Any) -> list[str]:
    return sorted(posting.title for posting in found.postings)


def kill_once(site: Any, path: str, *, word: str, but: str = "never") -> None:
    """`path` kills -9 the browser's processes whose command line holds `word`, the first time that it is asked for; then it is a page."""
    done: list[int] = []

    def answer(request: Any) -> None:
        if not done:
            for one in psutil.Process().children(recursive=True):
                words = " ".join(one.cmdline()) if one.is_running() else ""
                if word in words and but not in words:
                    done.append(one.pid)
                    one.kill()
        body = good("死而复生")
        request.send_response(200)
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    site.pages[path] = answer


def test_noisy_pages_are_read_and_their_noise_is_counted(site: Any, sweep: Any) -> None:
    """Dialogs block nobody, popups are closed, a service worker stays out, a file is not taken."""
    site.pages |= {
        "/dialog": good("弹窗", "<script>alert('a'); confirm('b'); prompt('c'); onbeforeunload = () => 'stay'</script>"),
        "/popup": good("弹页", "<script>for (let i = 0; i < 5; i++) window.open('/never' + i)</script>"),
        "/worker": good("后台", "<script>navigator.serviceWorker.register('/sw.js').catch(() => 0)</script>"),
        "/sw.js": (200, {"Content-Type": "text/javascript"}, b"self.addEventListener('fetch', () => 0)"),
        "/file": (200, {"Content-Type": "application/zip", "Content-Disposition": "attachment; filename=a.zip"}, b"PK" + b"0" * 5000),
        "/good": good("平常"),
    }
    found = sweep(platform(site, "dialog", "popup", "worker", "file", "good"))
    assert titles(found) == ["后台", "平常", "弹窗", "弹页"], found.log
    assert found.count("dialogs") >= 3 and found.count("popups") >= 1 and found.count("errors") == 1
    assert "a download and no page" in found.log and site.asked.count("/file") == 1 and "/sw.js" not in site.asked


def test_pages_that_spin_or_lead_nowhere_cost_their_own_time_alone(site: Any, sweep: Any) -> None:
    site.pages |= {
        "/spin": good("转圈", "<script>setTimeout(() => { while (true) {} }, 200)</script>"),
        "/round": (302, {"Location": "/round?again"}, b""),
        "/reload": good("重载", "<script>location.reload()</script>"),
        "/good": good("平常"),
    }
    wanted = {"timeout_s": 2, "screenshot": "view"}
    found = sweep(platform(site, "spin", "round", "reload", "good", browser=wanted), env={"WANGXUN_LOG_LEVEL": "INFO"}, timeout_s=110)
    assert "平常" in titles(found), found.log
    assert "redirects without end" in found.log
    assert found.count("timed_out") >= 1 and found.outcome != "failed"


def test_page_of_two_hundred_thousand_pixels_is_cut_and_said(site: Any, sweep: Any) -> None:
    site.pages["/"] = good("高楼", "<div style='height:200000px;background:linear-gradient(red,blue)'></div>")
    found = sweep({"kind": "generic", "fetch": "browser", "budget": {"depth": 0}, "browser": {"screenshot": "full"}})
    shot = found.harvests[0].screenshot
    assert titles(found) == ["高楼"] and found.count("shots_cut") == 1
    assert shot is not None and struct.unpack(">II", shot[16:24]) == (1280, 16_000)


@pytest.mark.parametrize(
    ("word", "but"),
    [("--type=renderer", "never"), ("--headless", "--type="), ("run-driver", "never")],
    ids=["renderer", "browser", "driver"],
)
def test_sweep_goes_on_after_a_kill(site: Any, sweep: Any, word: str, but: str) -> None:
    """kill -9 of the page's process, of the whole browser, and of the driver between: the page is asked for once more."""
    kill_once(site, "/kill", word=word, but=but)
    site.pages |= {f"/good{n}": good(f"平常{n}") for n in range(4)}
    found = sweep(platform(site, "good0", "kill", "good1", "good2", "good3", browser={"wait_for": "h1"}), timeout_s=100)
    assert titles(found) == ["平常0", "平常1", "平常2", "平常3", "死而复生"], found.log
    assert site.asked.count("/kill") == 2


def test_browser_that_grows_is_started_anew_between_pages() -> None:
    """Above its bound no page begins until the lanes are idle; then a fresh browser takes the next one."""
    counts: dict[str, int] = {}

    async def through() -> tuple[float, float]:
        path = find_browser(Settings())
        assert path is not None
        gate = Gate(Guard())
        await gate.start()
        lanes = Lanes(
            path=path, proxy=gate.address, block=(), lanes=2, bound_mb=10_000, count=lambda name, by: counts.update({name: by}),
        )  # fmt: skip
        guise = Guise(user_agent="test", width=800, height=600)
        lane = await lanes.take(guise)
        await lane.tab.evaluate("() => { window.kept = []; for (let i = 0; i < 150; i++) kept.push(new Uint8Array(1e6).fill(i)) }")
        heavy = lanes.bound_mb = lanes.held_mb() - 20
        async with asyncio.timeout(10), lanes.turn:
            await lanes.turn.wait_for(lambda: lanes.heavy)
        waiting = asyncio.ensure_future(lanes.take(guise))
        assert not (await asyncio.wait([waiting], timeout=0.2))[0] and "restarted" not in counts
        await lanes.give(lane, sound=True)
        second = await waiting
        light = lanes.held_mb()
        await lanes.give(second, sound=True)
        await lanes.close()
        await gate.close()
        return heavy, light

    heavy, light = asyncio.run(through())
    assert counts["restarted"] == 1 and "killed" not in counts and light < heavy


def test_page_that_takes_all_memory_ends_alone(site: Any, sweep: Any) -> None:
    site.pages |= {
        "/bomb": good("炸弹", "<script>let all = []; while (true) all.push(new Uint8Array(2e7).fill(1))</script>"),
        "/good": good("平常"),
    }
    found = sweep(platform(site, "bomb", "good", browser={"timeout_s": 15}, pace={"delay_s": 0, "concurrency": 1}), timeout_s=110)
    assert "平常" in titles(found), found.log
    assert found.count("browser_peak_mb") < 1500


def test_feed_in_a_box_is_scrolled_and_one_without_end_stops(site: Any, sweep: Any) -> None:
    site.pages |= {
        "/box": b"<div id=b style='height:400px;overflow:auto'></div><script>let n=0;function more(){for(let i=0;i<5&&n<20;i++){"
        b"const d=document.createElement('div');d.className='card';d.style.height='200px';d.innerHTML='<a href=/b'+n+'>box '+(n++)+'</a>';"
        b"b.append(d)}} b.onscroll=()=>{if(b.scrollTop+b.clientHeight>b.scrollHeight-20)more()};more()</script>",
        "/endless": b"<div id=e></div><script>let n=0;function more(){for(let i=0;i<10;i++){const d=document.createElement('div');"
        b"d.className='card';d.style.height='200px';d.innerHTML='<a href=/e'+n+'>end '+(n++)+'</a>';e.append(d)}}"
        b"onscroll=()=>setTimeout(more,20);more()</script>",
    }
    found = sweep(
        platform(
            site, "box", "endless", browser={"timeout_s": 10, "scroll": 6, "wait_for": ".card"},
            list={"item": ".card", "fields": {"title": "a", "link": "a::attr(href)"}},
        )
    )  # fmt: skip
    by_name = [sum(title.startswith(word) for title in titles(found)) for word in ("box", "end")]
    assert by_name[0] == 20 and 60 <= by_name[1] <= 400, found.log
    assert found.count("scrolls") >= 9


def test_server_that_keeps_its_connection_answers_for_nobody_else(site: Any, sweep: Any) -> None:
    """A browser sends requests for any host over an open connection to its proxy: each must be looked at, and go to its own server."""
    asked: list[bytes] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            asked.append(head.split(b"\r\n", 1)[0])
            body = f"<p>{TEXT}</p><script>fetch('{site.home}own').then(a => a.text()).then(t => document.body.prepend(t))</script>".encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )

    ready, ports = threading.Event(), []

    async def serve() -> None:
        server = await asyncio.start_server(keep, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    assert ready.wait(10)
    site.pages["/own"] = (200, {"Access-Control-Allow-Origin": "*"}, "本站自己的话".encode())
    hosts = [f"127.0.0.1:{site.port}", f"127.0.0.1:{ports[0]}"]
    found = sweep(platform(site, start=[f"http://127.0.0.1:{ports[0]}/"], allow_hosts=hosts, hosts=hosts))
    assert site.asked == ["/own"] and asked == [b"GET / HTTP/1.1"], found.log
    assert "本站自己的话" in found.harvests[0].body.decode()
