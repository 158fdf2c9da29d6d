"""A process that signs what waits, ties and drops, until it is killed: `python -m tests.pipelines.approving_child`."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from domain.clock import utc_now
from domain.settings import load
from pipelines import link, refer, warn
from store import retention, tables
from store.archive import Archive
from store.engine import open_store


def main() -> None:
    store = open_store(load())
    print("ready", flush=True)
    while True:
        now = utc_now()
        link.link_new(store, now=now)
        retention.apply(store, Archive(store.settings.archive_dir), now=now + timedelta(days=9))
        with store.read() as conn:
            leads = conn.execute(select(tables.leads.c.id).where(tables.leads.c.state == "submitted").limit(1)).scalars().all()
            notices = conn.execute(select(tables.notices.c.id).where(tables.notices.c.state == "draft").limit(1)).scalars().all()
        for notice in notices:
            warn.approve(store, notice, officer="zhao", now=now)
        for lead in leads:
            refer.approve(store, lead, officer="zhao", now=now)


if __name__ == "__main__":
    main()
