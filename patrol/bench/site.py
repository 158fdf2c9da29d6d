"""A local site of 30-60 KB Chinese list pages with 20 postings each: `python -m patrol.bench.site`, prints its port.

Served by a bare asyncio loop in a process of its own, several times faster than any spider, so that it never is what is measured.
"""

from __future__ import annotations

import asyncio
import random
import sys
from urllib.parse import parse_qs, urlsplit

TEXT = (
    "小区|门口|的|早餐|店|今天|换了|老板|豆浆|还是|原来|味道|周末|图书馆|有|讲座|"
    "欢迎|报名|参加|旧|自行车|转让|九成新|价格|面议|社区|通知|明天|上午|停水|请|提前|储水|学校|运动会|"
    "照片|已经|上传|家长|可以|下载|城东|新开|菜市场|摊位|招租|联系|物业|公交|改线|司机|师傅|提醒|大家|"
    "注意|安全|雨天|路滑|慢行|医院|增设|夜间|门诊|挂号|方便|多了|存款|利率|调整|银行|公告"
)
WORDS = TEXT.split("|")
ITEMS = 20


def page(number: int) -> bytes:
    """Page `number`: about 45 KB of UTF-8, every posting of its own, the same bytes for the same number."""
    draw = random.Random(number)
    rows = []
    for item in range(ITEMS):
        serial = (number - 1) * ITEMS + item
        body = "".join(draw.choices(WORDS, k=220))
        rows.append(
            f'<li class="item"><h3 class="t"><a href="/p/{serial}.html">{"".join(draw.choices(WORDS, k=6))}{serial}</a></h3>'
            f'<p class="b">{body}</p><span class="w">用户{serial % 977}</span>'
            f'<span class="d">2026-11-{serial % 27 + 1:02d} 10:{serial % 60:02d}</span></li>'
        )
    side = "".join(f'<a href="/c/{n}">{draw.choice(WORDS)}{draw.choice(WORDS)}</a>' for n in range(120))
    head = '<!doctype html><html><head><meta charset="utf-8"><title>本地生活 第{}页</title></head><body><nav>{}</nav><ul class="list">'
    return (head.format(number, side) + "".join(rows) + "</ul></body></html>").encode()


async def serve() -> None:
    kept = {number: page(number) for number in range(1, int(sys.argv[1]) + 1)}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode("ascii", "replace")
                number = parse_qs(urlsplit(target).query).get("page", ["0"])[0]
                body = kept.get(int(number) if number.isdigit() else 0)
                status = b"200 OK" if body else b"404 Not Found"
                writer.write(
                    b"HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % (status, len(body or b""))
                )
                writer.write(body or b"")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
