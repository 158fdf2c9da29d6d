"""Which layouts of platforms with `fetch: auto` go to the browser, as their last sweeps found."""

from __future__ import annotations

from collections.abc import Sequence

import click

from domain.errors import StoreFault
from domain.settings import Settings


def promoted_layouts(platforms: Sequence[str], settings: Settings) -> dict[str, dict[str, int]]:
    """Platform -> layout -> sweeps since it was seen to need the browser. Without a database there were no sweeps, which is said."""
    if not platforms:
        return {}
    from crawlers.browsing_need import promoted
    from store.captures import last_counts
    from store.engine import open_store

    try:
        store = open_store(settings)
    except StoreFault as fault:
        click.echo(f"which layouts go to the browser is unknown: {fault}", err=True)
        return {}
    try:
        with store.read() as connection:
            return {name: promoted(counts) for name, counts in last_counts(connection, platforms).items()}
    finally:
        store.close()
