"""The tables of the schedule: sources and what their visits found, hours of day, manners of platforms, queries of the rotation."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from store.columns import Id, Moment, id_column, metadata

sources = Table(  # one entry address of a platform, or its address with {query}
    "sources",
    metadata,
    id_column(),
    Column("platform", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("active", Boolean, nullable=False, default=True),  # false once its platform names it no more
    Column("added_at", Moment, nullable=False),
    Column("last_at", Moment),  # when its page was last seen
    Column("tried_at", Moment),  # when a sweep last set out for it
    Column("not_before", Moment),  # it failed: when to try again
    Column("failures", Integer, nullable=False, default=0),  # in a row
    Column("shape", Float, nullable=False),  # Gamma belief over postings an hour of rhythm: patrol/schedule_rates.py
    Column("exposure", Float, nullable=False),
    Column("bursting", Float, nullable=False, default=0.0),  # belief that a burst was on at the last visit
    Column("burst_shape", Float, nullable=False),
    Column("burst_hours", Float, nullable=False),
    Column("visits", Integer, nullable=False, default=0),
    Column("found", Integer, nullable=False, default=0),  # new postings
    Column("hits", Integer, nullable=False, default=0),
    Column("requests", Float, nullable=False, default=1.0),  # of one visit, a running mean
    UniqueConstraint("platform", "url"),
)
source_visits = Table(  # what each visit of a source brought; the schedule learns from them once
    "source_visits",
    metadata,
    id_column(),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("sweep_id", ForeignKey("sweeps.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("found", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("reached", Boolean, nullable=False),  # whether its own page came
    Column("learned", Boolean, nullable=False, default=False),
    Index(None, "learned", "id"),
    Index(None, "source_id", "at"),
)
finds = Table(  # captures that brought something new: by which source, by which query, and the page that promoted them
    "finds",
    metadata,
    Column("capture_id", ForeignKey("captures.id"), primary_key=True, autoincrement=False),
    Column("source_id", ForeignKey("sources.id"), nullable=False, index=True),
    Column("query_id", Id, index=True),
    Column("origin", Text),  # address of the search result page that led here, one hop before
    Column("new", Integer, nullable=False),
)
rhythms = Table(  # postings by hour of day, a row a kind of platform
    "rhythms",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("seen", JSON, nullable=False),  # 24 numbers
    Column("expected", JSON, nullable=False),
)
manners = Table(  # what a platform asked of us
    "manners",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("crawl_delay_s", Float, nullable=False, default=0.0),
    Column("blocked_until", Moment),
    Column("why", Text, nullable=False, default=""),  # asked_to_wait or wall
    Column("walls", Integer, nullable=False, default=0),  # sweeps in a row that ended at a wall
)
queries = Table(  # what is asked of a search: a term of the rules, a place, a time window
    "queries",
    metadata,
    id_column(),
    Column("platform", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("term", Text, nullable=False),
    Column("place", Text, nullable=False, default=""),
    Column("span_h", Integer, nullable=False, default=0),  # hours back that are searched; 0 for any time
    Column("severity", Integer, nullable=False, default=1),
    Column("active", Boolean, nullable=False, default=True),
    Column("asked", Integer, nullable=False, default=0),
    Column("requests", Integer, nullable=False, default=0),
    Column("found", Integer, nullable=False, default=0),
    Column("hits", Integer, nullable=False, default=0),
    Column("last_at", Moment),
    UniqueConstraint("platform", "text", "span_h"),
)
