"""A small forward proxy on loopback, given to the browser as its only way out: it resolves, asks the guard, and connects itself.

So that redirects, frames, pictures and scripts are covered like the page, and a name cannot resolve to one address for the check and
to another for the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from crawlers.guard import Guard, literal
from domain.errors import Refused

log = logging.getLogger(__name__)

HEAD_LIMIT = 64 * 1024
IDLE_S = 60.0
"""A connection that is silent for so long is closed."""
MOST_BYTES = 64 * 1024 * 1024
"""From one connection to the browser: a stream without end stops here."""
REFUSED_HEADER = "X-Wangxun-Refused"
_HOP = frozenset(("connection", "proxy-connection", "keep-alive", "proxy-authorization", "te", "trailer", "upgrade"))

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Gate:
    """`start`, then `address` is what the browser takes as its proxy; `close` ends all connections."""

    def __init__(self, guard: Guard, *, screen: Callable[[str, list[str]], list[str]] | None = None) -> None:
        """`screen` is given each address with the header lines of its request, none of them for a tunnel, and gives those that go out."""
        self._guard, self._screen = guard, screen
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.address = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_LIMIT)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_S)
            await self._answer(head, reader, writer)
        except Refused as error:
            log.info("gate refuses: %s", error)
            await _say(writer, 403, "Refused", f"{REFUSED_HEADER}: 1\r\n")
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            await _say(writer, 502, type(error).__name__, "")
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _, rest = head.decode("latin-1").partition("\r\n")
        method, target, _version = first.split(" ", 2)
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            self._guard.check(f"https://{target}/")
            if self._screen is not None:
                self._screen(f"https://{target}/", [])
            remote = await self._connect(host.strip("[]"), int(port), tunnel=target)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            self._guard.check(target)
            parts = urlsplit(target)
            remote = await self._connect(parts.hostname or "", parts.port or 80)
            path = target if self._guard.proxy else (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            lines = [line for line in rest.split("\r\n") if line and line.partition(":")[0].strip().lower() not in _HOP]
            lines = self._screen(target, lines) if self._screen is not None else lines
            # One request a connection: what follows on it would not be looked at, and would go to this server whatever its address.
            text = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "Connection: close", "", ""])
            remote[1].write(text.encode("latin-1"))
        self._open.add(remote[1])
        try:
            if method != "CONNECT":
                await _head_through(remote[0], writer)
            await _join((reader, writer), remote)
        finally:
            self._open.discard(remote[1])
            remote[1].close()

    async def _connect(self, host: str, port: int, *, tunnel: str | None = None) -> Streams:
        if self._guard.proxy is not None:
            streams = await asyncio.wait_for(asyncio.open_connection(*self._guard.proxy, limit=HEAD_LIMIT), IDLE_S)
            if tunnel is not None:
                streams[1].write(f"CONNECT {tunnel} HTTP/1.1\r\nHost: {tunnel}\r\n\r\n".encode("latin-1"))
                answer = await asyncio.wait_for(streams[0].readuntil(b"\r\n\r\n"), IDLE_S)
                if b" 200" not in answer.split(b"\r\n", 1)[0]:
                    raise OSError("the platform's proxy gives no tunnel")
            return streams
        loop = asyncio.get_running_loop()
        found = await asyncio.wait_for(loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), IDLE_S)
        addresses = [info[4][0] for info in found]
        allowed = [text for text in addresses if self._guard.lets(host, port, ipaddress.ip_address(str(text).partition("%")[0]))]
        if not allowed:
            raise self._guard.refuse(host, literal(str(addresses[0])) if addresses else None)
        error: OSError | None = None
        for text in allowed:
            try:
                return await asyncio.wait_for(asyncio.open_connection(str(text), port, limit=HEAD_LIMIT), 15)
            except OSError as failure:
                error = failure
        raise error or OSError("no address")


async def _head_through(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """The head of an answer, with the word that the connection ends here: a server that would keep it open is not asked."""
    head = await asyncio.wait_for(source.readuntil(b"\r\n\r\n"), IDLE_S)
    first, *lines = head[:-4].split(b"\r\n")
    kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in (b"connection", b"proxy-connection", b"keep-alive")]
    target.write(b"\r\n".join([first, *kept, b"Connection: close", b"", b""]))


async def _say(writer: asyncio.StreamWriter, status: int, reason: str, headers: str) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        writer.write(f"HTTP/1.1 {status} {reason}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1"))
        await writer.drain()


async def _join(near: Streams, far: Streams) -> None:
    """Bytes both ways until one side ends, either falls silent, or too many came."""
    ways = [asyncio.ensure_future(_pump(near[0], far[1])), asyncio.ensure_future(_pump(far[0], near[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    total = 0
    with contextlib.suppress(OSError, TimeoutError):
        while total < MOST_BYTES:
            data = await asyncio.wait_for(source.read(65536), IDLE_S)
            if not data:
                return
            total += len(data)
            target.write(data)
            await target.drain()
