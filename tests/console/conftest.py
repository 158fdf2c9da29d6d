"""A real console on a real port, and officers who log in to it."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn

from console.app import create_app
from rules.loader import RuleSet, load
from store.engine import Store
from tests.console import seed


class Hand:
    """A clock that the test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **length: float) -> None:
        self.now += timedelta(**length)


@pytest.fixture
def clock(fixed_now: datetime) -> Hand:
    return Hand(fixed_now)


@dataclass
class Officer:
    """A logged-in officer's browser, as far as HTTP goes."""

    client: httpx.Client
    base: str

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)

    def post(self, path: str, *, token: str | None = None, origin: str | None = None, **fields: Any) -> httpx.Response:
        """Send a form as a page of ours would; `token` and `origin` replace the genuine ones."""
        data = {"csrf": self.token() if token is None else token, **fields}
        return self.client.post(path, data=data, headers={"origin": self.base if origin is None else origin})

    def token(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.client.get("/documents").text)
        assert found
        return found[1]


@pytest.fixture
def staffed(store: Store) -> Store:
    """A store with officers and nothing else."""
    seed.add_officers(store)
    return store


@pytest.fixture(scope="session")
def pack() -> RuleSet:
    """The packaged rules, read once."""
    return load()


@pytest.fixture
def base(staffed: Store, clock: Hand, pack: RuleSet) -> Iterator[str]:
    """The address of a console over the staffed store."""
    listener = socket.create_server(("127.0.0.1", 0))  # listening already: a client waits in line until the server takes it
    server = uvicorn.Server(uvicorn.Config(create_app(staffed, clock=clock, pack=pack), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture
def visitor(base: str) -> Iterator[httpx.Client]:
    """Somebody who is not logged in."""
    with httpx.Client(base_url=base, timeout=20) as client:
        yield client


def sign_in(client: httpx.Client, base: str, *, name: str, password: str = seed.PASSWORD, target: str = "/queue") -> httpx.Response:
    token = re.search(r'name="token" value="([^"]+)"', client.get("/login").text)
    assert token
    fields = {"name": name, "password": password, "token": token[1], "target": target}
    return client.post("/login", data=fields, headers={"origin": base})


@pytest.fixture
def officer(base: str) -> Iterator[Callable[[str], Officer]]:
    """officer(name) logs in and gives the session."""
    opened = []

    def enter(name: str) -> Officer:
        client = httpx.Client(base_url=base, timeout=20)
        opened.append(client)
        assert sign_in(client, base, name=name).status_code == 303
        return Officer(client=client, base=base)

    yield enter
    for client in opened:
        client.close()
