"""Harvests to keep: pages with postings, written for these tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from domain.identity import sha256
from domain.model import Capture, Harvest, Posting, PostingKind
from store.archive import Archive
from store.captures import begin_sweep
from store.engine import Store

MakeHarvest = Callable[..., Harvest]


@pytest.fixture
def make_harvest(fixed_now: datetime) -> MakeHarvest:
    """make_harvest(3, postings=2, minutes=5): page number 3 with two postings of its own, five minutes later."""

    def make(number: int = 0, *, postings: int = 2, minutes: float = 0, size: int = 2000, **fields: object) -> Harvest:
        body = f"<html><title>第{number}页</title>{'稳健理财，欢迎咨询。' * (size // 30)}</html>".encode()
        url = f"https://forum.example/list?page={number}"
        given = {
            "url": url,
            "final_url": url,
            "fetched_at": fixed_now + timedelta(minutes=minutes),
            "status": 200,
            "charset": "utf-8",
            **fields,
        }
        capture = Capture(**given, sha256=sha256(body), size=len(body))  # type: ignore[arg-type]
        cut = tuple(
            Posting(
                platform="forum", url=f"https://forum.example/thread-{number}-{index}", kind=PostingKind.POST,
                title=f"第{number}页第{index}帖", body=f"正文 {number}/{index}，" + "欢迎交流。" * 20, publisher="某账号",
            )
            for index in range(postings)
        )  # fmt: skip
        headers = (("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
        return Harvest(capture=capture, body=body, postings=cut, request_headers=(("User-Agent", "测试"),), response_headers=headers)

    return make


@pytest.fixture
def archive(any_store: Store) -> Iterator[Archive]:
    opened = Archive(any_store.settings.archive_dir)
    yield opened
    opened.close()


@pytest.fixture
def sweep_id(any_store: Store, fixed_now: datetime) -> int:
    with any_store.write() as connection:
        return begin_sweep(connection, platform="forum", purpose="patrol", at=fixed_now, pid=None)
