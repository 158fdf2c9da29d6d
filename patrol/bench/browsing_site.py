"""A local site whose pages a script makes, for `bench browser`: `python -m patrol.bench.browsing_site PAGES`, prints its port.

A turnstile: pages below `/ours/` and `/bare/` are let in block by block, so that two peers take turns over the same minutes of a noisy
machine. Told on standard input, one line each: `SIDE COUNT` lets COUNT more pages in and answers `SIDE SECONDS` once all of them were
asked for and the side waits for its next page with all its tabs, or has ended.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter

from patrol.bench.site import WORDS

ITEMS = 20
HEAD = """<!doctype html><html><head><meta charset="utf-8"><title>第{0}页</title><link rel="stylesheet" href="/a.css">
<style>@font-face{{font-family:F;src:url(/f.woff2)}} .item{{font-family:F,serif;border-bottom:1px solid #ddd}}</style></head>
<body><h1>本地生活 第{0}页</h1><img src="/i/{0}.png" width="200" height="80" alt=""><div id="app"></div><video src="/v/{0}.mp4"></video>
<script src="/a.js"></script><script>show({0})</script></body></html>"""
SCRIPT = """async function show(page) {
  const rows = await (await fetch('/data/' + page)).json();
  document.getElementById('app').innerHTML = rows.map(r => '<div class="item"><h3 class="t"><a href="/p/' + r.id + '">' + r.title +
    '</a></h3><p class="b">' + r.body + '</p><span class="w">' + r.who + '</span></div>').join('');
}"""
KINDS = {"css": "text/css", "js": "text/javascript", "png": "image/png", "woff2": "font/woff2", "mp4": "video/mp4"}


def rows(page: int) -> bytes:
    """The items of one page as JSON, about 25 KB; the same for the same number."""
    draw = random.Random(page)
    made = [
        {
            "id": page * ITEMS + n, "title": "".join(draw.choices(WORDS, k=6)), "body": "".join(draw.choices(WORDS, k=180)),
            "who": f"用户{draw.randrange(977)}",
        }
        for n in range(ITEMS)
    ]  # fmt: skip
    return json.dumps(made, ensure_ascii=False).encode()


class Turnstile:
    """How many pages each side may still ask for, and who waits."""

    def __init__(self) -> None:
        self.left: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()
        self._moved = asyncio.Condition()

    async def enter(self, side: str) -> None:
        """Until this side may have one more page."""
        async with self._moved:
            self.waiting[side] += 1
            self._moved.notify_all()
            await self._moved.wait_for(lambda: self.left[side] > 0)
            self.waiting[side] -= 1
            self.left[side] -= 1
            self._moved.notify_all()

    async def block(self, side: str, count: int, *, tabs: int) -> float:
        """Seconds from letting `count` pages in until all were asked for and `tabs` wait again."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.waiting[side] >= tabs)
            began = time.perf_counter()
            self.left[side] += count
            self._moved.notify_all()
            await self._moved.wait_for(lambda: not self.left[side] and self.waiting[side] >= tabs)
            return time.perf_counter() - began

    async def open(self, side: str) -> None:
        """Let everything of this side in from here on."""
        async with self._moved:
            self.left[side] = 10**9
            self._moved.notify_all()


async def serve() -> None:
    gate = Turnstile()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode("ascii", "replace").split("?")[0]
                _, first, *rest = path.split("/")
                kind, body = KINDS.get(path.rpartition(".")[2], "text/html"), b"none"
                if first in ("ours", "bare") and rest:
                    await gate.enter(first)
                    body = HEAD.format(int(rest[0])).encode()
                elif first == "data" and rest:
                    kind, body = "application/json", rows(int(rest[0]))
                elif path == "/a.js":
                    body = SCRIPT.encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % (kind.encode(), len(body))
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    _say(str(server.sockets[0].getsockname()[1]))
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode().split():
        side, count, tabs = line[0], int(line[1]), int(line[2])
        if count < 0:
            await gate.open(side)
            _say(f"{side} 0")
        else:
            _say(f"{side} {await gate.block(side, count, tabs=tabs):.6f}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
