"""Web servers of the demo on 127.0.0.1: sockets first, so that a port is known and held before anything is served."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp


def listen(port: int | None) -> socket.socket:
    """A listening socket on 127.0.0.1, at `port` where that is free, else at another."""
    for wanted in (port or 0, 0):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", wanted))
            sock.listen(128)
        except OSError:
            sock.close()
            continue
        return sock
    raise OSError("no free port on 127.0.0.1; close other programs that listen there")


class Served:
    """An ASGI application served from a thread, on one socket or several."""

    def __init__(self, app: ASGIApp, sockets: list[socket.socket], *, name: str) -> None:
        config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1, server_header=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._sockets = sockets
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": sockets}, name=name, daemon=True)

    def start(self, *, timeout_s: float = 20.0) -> None:
        """Serve, and return when it answers. Raises RuntimeError where it does not come up."""
        self._thread.start()
        deadline = time.monotonic() + timeout_s
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the demo's web server did not start; see the log above")
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        for sock in self._sockets:
            sock.close()


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])
