"""kill -9 at any moment: nothing lost, nothing sent twice. KILLS=100 makes it a long run."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select

from domain.clock import utc_now
from domain.identity import idempotency_key
from domain.settings import Settings
from pipelines.channels.registry import configured
from pipelines.dispatch import dispatch_due, settle
from pipelines.report import reconcile
from store import audit, tables
from store.archive import Archive
from store.engine import Store
from store.outbox import queue
from tests.channels.conftest import TOKEN, MailSink, WebSink
from tests.pipelines.conftest import House

KILLS = int(os.environ.get("KILLS", "6"))
PAPERS = KILLS * 6
ROOT = Path(__file__).parents[2]


def fill(house: House) -> None:
    """Approved notices and leads by the dozen, their letters the same few bytes: printing is not what is tried here."""
    archive = Archive(house.store.settings.archive_dir)
    blob = archive.put_blob(b"%PDF letter", ".pdf")
    hit = house.confirmed()
    papers = {"docx_sha256": blob, "pdf_sha256": blob, "approved_by": "zhao", "approved_at": house.now}
    body = {"platform": "forum", "quotes": [], "page_sha256": "0" * 64}
    with house.store.write() as conn:
        for number in range(PAPERS):
            notice = {
                **papers,
                "number": f"预{number}号",
                "hit_id": hit,
                "state": "queued",
                "addressee": "某账号",
                "channel": "email",
                "url": "https://forum.example/1",
                "address": "editor@forum.example",
                "drafted_by": "wang",
                "drafted_at": house.now,
                "body": body,
            }
            made = conn.execute(insert(tables.notices).values(**notice)).inserted_primary_key
            assert made is not None
            key = idempotency_key("notice", made[0])
            queue(
                conn,
                subject="notice",
                subject_id=made[0],
                channel="email",
                address="editor@forum.example",
                key=key,
                at=house.now,
                actor="zhao",
            )
        for number in range(PAPERS // 3):
            lead = {
                **papers,
                "number": f"线{number}号",
                "state": "approved",
                "suspect": "某",
                "authority": "police",
                "channel": "police",
                "prepared_by": "wang",
                "second_preparer": "li",
                "opened_at": house.now,
                "body": {},
                "dossier_sha256": blob,
            }
            made = conn.execute(insert(tables.leads).values(**lead)).inserted_primary_key
            assert made is not None
            queue(
                conn,
                subject="lead",
                subject_id=made[0],
                channel="police",
                address="police",
                key=idempotency_key("lead", made[0]),
                at=house.now,
                actor="zhao",
            )


def kill_at_random(settings: Settings, drawn: random.Random) -> None:
    """Two dispatching processes side by side, each killed a moment after it began to work."""
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(ROOT)}
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.pipelines.dispatching_child", f"child-{number}"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
        )
        for number in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=drawn.uniform(0.0, 0.25))
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def test_nothing_is_lost_and_nothing_sent_twice(house: House, mail_sink: tuple[MailSink, int], web_sink: tuple[WebSink, str]) -> None:
    mails, port = mail_sink
    web, url = web_sink
    given = {"smtp_host": "127.0.0.1", "smtp_port": port, "police_url": url, "police_token": TOKEN, "lease_s": 0.5, "backoff_s": 0.05}
    house.store = Store(house.store.engine, Settings.model_validate({**house.store.settings.model_dump(), **given}))
    fill(house)
    drawn = random.Random(20261123)
    for _ in range(KILLS // 2):
        kill_at_random(house.store.settings, drawn)
    killed = Counter(mails.keys())
    assert all(count == 1 for count in killed.values())

    later = utc_now() + timedelta(hours=2)
    channels = configured(house.store.settings)
    dispatch_due(house.store, channels, now=later, worker="after", limit=10_000)
    with house.store.read() as conn:
        doubtful = conn.execute(select(tables.deliveries).where(tables.deliveries.c.state == "uncertain")).all()
    for row in doubtful:  # a person asks the receiver: is a mail of this Message-ID there?
        how = "delivered" if row.idempotency_key in mails.keys() else "resend"  # noqa: SIM118
        settle(house.store, row.id, how=how, officer="li", now=later)  # type: ignore[arg-type]
    dispatch_due(house.store, channels, now=later, worker="after", limit=10_000)

    with house.store.read() as conn:
        rows = conn.execute(select(tables.deliveries)).all()
        assert {row.state for row in rows} == {"delivered"}
        keys = {channel: {row.idempotency_key for row in rows if row.channel == channel} for channel in ("email", "police")}
        assert set(conn.execute(select(tables.notices.c.state)).scalars()) == {"sent"}
        receipts = conn.execute(select(tables.leads.c.receipt).where(tables.leads.c.state == "received")).scalars().all()
        assert audit.verify(conn)[1] == []
    assert Counter(mails.keys()) == Counter(keys["email"])
    assert set(web.bodies) == keys["police"]
    assert len(set(receipts)) == len(receipts) == len(keys["police"])
    assert reconcile(house.store, now=later).lost == 0
