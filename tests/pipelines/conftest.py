"""A house with people in it, a page with a suspected promo, and papers at every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from domain.identity import canonical_url, fingerprint, sha256
from domain.model import (
    Assessment,
    Capture,
    Contact,
    Feature,
    Grade,
    Harvest,
    Layer,
    Level,
    Match,
    Posting,
    PostingKind,
    Reason,
    Score,
)
from pipelines import refer, review, warn
from store import captures, hits, tables
from store.archive import Archive
from store.engine import Store
from tests.channels.conftest import mail_sink, web_sink

__all__ = ["mail_sink", "web_sink"]
PEOPLE = {
    "wang": ("王某", ["reviewer"]),
    "li": ("李某", ["reviewer", "liaison"]),
    "zhao": ("赵某", ["approver"]),
    "sun": ("孙某", ["approver"]),
    "qian": ("钱某", ["auditor"]),
}
PROMO = "稳健理财，保本保息，年化收益18%，到期返还本金！名额有限，加微信 wenying8888 或电话13800138000。合作社社员内部专享。"


@dataclass(slots=True)
class House:
    """A store, and the short ways to a hit, a notice or a lead in a given state."""

    store: Store
    now: datetime

    def kept(
        self,
        *,
        text: str = PROMO,
        url: str = "https://forum.example/thread-1",
        publisher: str = "稳盈财富",
        purpose: str = "patrol",
        status: int = 200,
        postings: bool = True,
        body: str | None = None,
        address: str | None = "editor@forum.example",
    ) -> tuple[int, int | None]:
        """One sweep that captured one page: (sweep id, posting id)."""
        posting = Posting(
            platform="forum",
            url=canonical_url(url),
            kind=PostingKind.POST,
            title="高收益项目",
            body=text,
            publisher=publisher,
            publisher_address=address,
            contacts=(Contact(kind="phone", value="13800138000"),),
            fingerprint=fingerprint(platform="forum", url=canonical_url(url), title="高收益项目", body=text),
        )
        page = (body if body is not None else f"<html><body><h1>高收益项目</h1><p>{text}</p></body></html>").encode()
        capture = Capture(url=url, final_url=url, fetched_at=self.now, status=status, sha256=sha256(page), size=len(page), charset="utf-8")
        harvest = Harvest(capture=capture, body=page, postings=(posting,) if postings else ())
        archive = Archive(self.store.settings.archive_dir)
        with self.store.write() as conn:
            sweep = captures.begin_sweep(conn, platform="forum", purpose=purpose, at=self.now, pid=None)
        captures.keep(self.store, [harvest], sweep_id=sweep, archive=archive)
        archive.close()
        with self.store.write() as conn:
            captures.end_sweep(conn, sweep, outcome="ok", why="", counts={}, at=self.now)
            found = conn.execute(tables.postings.select().where(tables.postings.c.fingerprint == posting.fingerprint)).one_or_none()
        return sweep, found.id if found else None

    def judge(self, posting_id: int, *, text: str = PROMO, level: Level = Level.ALERT) -> int | None:
        """The hit that it opened, where it did."""
        start = ("高收益项目\n" + text).find("保本保息")
        reason = Reason(
            text="文本含“保本保息”等承诺收益的表述，涉嫌违反投资广告规定",
            rule="r.guaranteed",
            articles=("《中华人民共和国广告法》第二十五条",),
        )
        opened = hits.record(
            self.store,
            [
                (
                    posting_id,
                    Assessment(
                        level=level,
                        score=0.97,
                        layer=Layer.SUSPECTED_FUNDRAISING,
                        grade=Grade.HIGH,
                        schemes=("wealth_mgmt",),
                        features=(Feature.F2, Feature.F3, Feature.F4),
                        matches=(Match(rule="r.guaranteed", start=start, end=start + 4, weight=2.0),),
                        reasons=(reason,),
                        scores=(Score(classifier="keyword", version="1", value=0.97),),
                        ruleset="pack@abc",
                        model="none",
                    ),
                )
            ],
            now=self.now,
        )
        return opened[0] if opened else None

    def hit(self, **page: str) -> int:
        _, posting = self.kept(**page)  # type: ignore[arg-type]
        assert posting is not None
        made = self.judge(posting, text=page.get("text", PROMO))
        assert made is not None
        return made

    def confirmed(self, **page: str) -> int:
        made = self.hit(**page)
        review.claim(self.store, made, officer="wang", now=self.now)
        review.decide(self.store, made, officer="wang", outcome="confirmed", reason="承诺保本保息，面向公众", now=self.now)
        return made

    def queued_notice(self, *, channel: str = "email", **page: str) -> int:
        made = warn.draft(self.store, self.confirmed(**page), officer="wang", channel=channel, now=self.now)
        warn.approve(self.store, made, officer="zhao", now=self.now)
        return made

    def submitted_lead(self, *hit_ids: int, channel: str = "folder") -> int:
        made = refer.draft(
            self.store, list(hit_ids) or [self.confirmed()], officer="wang", authority="police", channel=channel, now=self.now
        )
        refer.second(self.store, made, officer="li", now=self.now)
        refer.submit(self.store, made, officer="li", now=self.now)
        return made

    def state(self, table: str, row_id: int) -> str:
        with self.store.read() as conn:
            row = conn.execute(tables.metadata.tables[table].select().where(tables.metadata.tables[table].c.id == row_id)).one()
        return str(row.state)

    def row(self, table: str, row_id: int) -> object:
        with self.store.read() as conn:
            return conn.execute(tables.metadata.tables[table].select().where(tables.metadata.tables[table].c.id == row_id)).one()

    def open_alarms(self) -> set[str]:
        with self.store.read() as conn:
            return {row.kind for row in conn.execute(tables.alarms.select().where(tables.alarms.c.cleared_at.is_(None)))}


def staffed(store: Store) -> None:
    """Five people with their roles; nobody logs in, so no password is made."""
    with store.write() as conn:
        rows = [
            {"name": name, "shown": shown, "roles": roles, "secret": "", "demo": True, "active": True}
            for name, (shown, roles) in PEOPLE.items()
        ]
        conn.execute(insert(tables.officers), rows)


@pytest.fixture
def house(store: Store, fixed_now: datetime) -> House:
    staffed(store)
    return House(store, fixed_now)


@pytest.fixture
def make_house(fixed_now: datetime) -> Callable[[Store], House]:
    def make(store: Store) -> House:
        staffed(store)
        return House(store, fixed_now)

    return make


@pytest.fixture
def outbox_dir(store: Store) -> Path:
    return store.settings.dir / "outbox"
