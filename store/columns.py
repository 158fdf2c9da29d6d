"""What the columns of all tables are made of: the one MetaData, row ids, moments, states, JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Integer, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives its fast row id to INTEGER alone; PostgreSQL wants BIGINT for rows that come by the million.
Id = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """Aware UTC on both sides; a naive moment is refused, since nobody can tell which time it is."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone; use domain.clock.utc_now")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def id_column() -> Column[int]:
    """A number that the database gives."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def state_column(initial: str) -> Column[str]:
    """Written by `store.moves` alone."""
    return Column("state", Text, nullable=False, default=initial)


def json_column(name: str) -> Column[Any]:
    """JSON that is always there."""
    return Column(name, JSON, nullable=False)
