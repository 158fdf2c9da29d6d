"""A process that links what waits, five hits a transaction, until it is done or killed: see test_link_kill."""

from __future__ import annotations

import os
import sys
from datetime import datetime

from domain.settings import load
from pipelines.link import link_new
from store.engine import open_store

if __name__ == "__main__":

    def told(count: int) -> None:
        sys.stdout.write(f"{count}\n")
        sys.stdout.flush()

    link_new(open_store(load()), now=datetime.fromisoformat(os.environ["NOW"]), batch=5, progress=told)
