"""A running demo city, and clients that speak to it as a browser, a mail server and a prosecutor's office would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from patrol.demo.city import City
from patrol.demo.mailbox import Mailbox
from patrol.demo.police import Police
from patrol.demo.postings import Post, all_posts

TOKEN = "a token of the tests"


class HandClock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture(scope="session")
def posts() -> tuple[Post, ...]:
    return all_posts()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def city(tmp_path: Path, clock: HandClock) -> Iterator[City]:
    with City(wall=clock, reaction_s=10, return_s=60) as place:
        place.start(tmp_path)
        yield place


@pytest.fixture
def mailbox(tmp_path: Path, city: City) -> Iterator[Mailbox]:
    box = Mailbox(city)
    box.start(tmp_path)
    yield box
    box.stop()


@pytest.fixture
def police(tmp_path: Path) -> Iterator[Police]:
    desk = Police(token=TOKEN)
    desk.start(tmp_path)
    yield desk
    desk.stop()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=20) as reader:
        yield reader
