"""A process that dispatches until it is killed: `python -m tests.pipelines.dispatching_child NAME`, settings in the environment."""

from __future__ import annotations

import sys

from domain.clock import utc_now
from domain.settings import load
from pipelines.channels.registry import configured
from pipelines.dispatch import dispatch_due
from store.engine import open_store


def main(name: str) -> None:
    settings = load()
    store = open_store(settings)
    channels = configured(settings)
    print("ready", flush=True)
    while True:
        dispatch_due(store, channels, now=utc_now(), worker=name, limit=5, clock=utc_now)


if __name__ == "__main__":
    main(sys.argv[1])
