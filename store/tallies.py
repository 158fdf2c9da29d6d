"""What each rule did, day by day, and the daily cap that holds a flood back.

Counted in the transaction that keeps the assessments, so that a killed process counts nothing twice. A day is Shanghai's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from domain.clock import for_people
from domain.model import Assessment, Level, Reason
from store import alarms, audit, tables
from store.powers import require

ALARM = "rule_flood"
ACTOR = "machine:assess"
MAY_RELEASE = ("patroller", "reviewer", "approver", "admin")


class Caps(Protocol):
    """What the store must be told of rules, which it does not know."""

    def cap(self, rule: str) -> int | None:
        """Hits a day after which the rule alone opens no more; None where it has no such limit."""
        ...

    def title(self, rule: str) -> str:
        """Its name for people."""
        ...

    def without(self, posting_id: int, rules: frozenset[str]) -> Level:
        """The level of this posting's text were these rules to weigh nothing."""
        ...


@dataclass(slots=True)
class Day:
    """What one batch adds to the figures of one day, by rule; `held` by posting."""

    day: str
    matched: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    held: dict[int, frozenset[str]] = field(default_factory=dict)
    before: frozenset[tuple[int, str]] = frozenset()
    """(posting, rule) of what was held before this batch judged it anew."""
    stopped: set[str] = field(default_factory=set)
    """Rules that passed their cap in this batch."""


def day_of(moment: datetime) -> str:
    """`2026-11-23`: the day in Shanghai."""
    return for_people(moment)[:10]


def begin(connection: Connection, given: Mapping[int, Assessment], *, now: datetime) -> Day:
    """A batch's day, with the texts in which each rule matched; one that matched there before is not counted again."""
    day = Day(day_of(now))
    table = tables.assessments
    before: dict[int, set[str]] = {}
    for row in connection.execute(select(table.c.posting_id, table.c.matches).where(table.c.posting_id.in_(list(given)))):
        before.setdefault(row.posting_id, set()).update(match["rule"] for match in row.matches)
    for posting_id, one in given.items():
        day.matched.update({match.rule for match in one.matches} - before.get(posting_id, set()))
    return day


def hold_back(connection: Connection, day: Day, given: Mapping[int, Assessment], *, caps: Caps) -> dict[int, Assessment]:
    """`given` with those put to watch that reach review only by rules whose hits of the day are at their cap.

    Postings that have a hit already are left as they are. What was held before and is judged now is held no longer, or anew.
    """
    table = tables.held
    gone = delete(table).where(table.c.posting_id.in_(list(given))).returning(table.c.posting_id, table.c.rule)
    day.before = frozenset((row.posting_id, row.rule) for row in connection.execute(gone))
    result = dict(given)
    suspected = {number: one for number, one in given.items() if one.level.opens_hit}
    known = set(connection.execute(select(tables.hits.c.posting_id).where(tables.hits.c.posting_id.in_(list(suspected)))).scalars())
    speaking = {number: _speaking(one, caps) for number, one in suspected.items() if number not in known}
    opened = _opened(connection, day.day, sorted({rule for rules in speaking.values() for rule in rules}))
    for number, rules in speaking.items():
        full = frozenset(rule for rule, cap in rules.items() if rule in opened and opened[rule] >= cap)
        if full:
            day.stopped |= full
            if not caps.without(number, full).opens_hit:
                day.held[number] = full
                result[number] = _watched(given[number], [(caps.title(rule), rules[rule]) for rule in sorted(full)])
                continue
        for rule in rules:
            if rule in opened:
                opened[rule] += 1
    return result


def _speaking(one: Assessment, caps: Caps) -> dict[str, int]:
    """The rules that speak for suspicion and have a cap, with it."""
    rules = sorted({match.rule for match in one.matches if match.weight > 0})
    return {rule: cap for rule in rules if (cap := caps.cap(rule)) is not None}


def _opened(connection: Connection, day: str, rules: Sequence[str]) -> dict[str, int]:
    """Rule -> hits of the day so far; rules whose cap an officer lifted are left out.

    Days that are yet to come count too: under a clock that was set back, the cap holds as it did before.
    """
    table = tables.rule_days
    mine = (table.c.rule.in_(rules), table.c.day >= day)
    counted = select(table.c.rule, func.sum(table.c.hits)).where(*mine).group_by(table.c.rule)
    found = dict.fromkeys(rules, 0) | {str(rule): int(hits) for rule, hits in connection.execute(counted)}
    for rule in connection.execute(select(table.c.rule).where(*mine, table.c.lifted)).scalars():
        found.pop(rule, None)
    return found


def _watched(one: Assessment, full: Sequence[tuple[str, int]]) -> Assessment:
    """The same assessment at watch, with a note of why it opened no hit."""
    named = "、".join(f"“{title}”（每日上限 {cap} 条）" for title, cap in full)
    note = f"本条涉嫌违规，但达到待查只因规则{named}，该规则当日命中已满，暂列关注、未进队列，待人工核对规则后放行。"
    return replace(one, level=Level.WATCH, grade=None, authorities=(), reasons=(Reason(text=note), *one.reasons))


def keep(connection: Connection, day: Day, *, caps: Caps | None, now: datetime) -> None:
    """Write the batch's figures, what it holds back, and one alarm a day for each rule that passed its cap."""
    held = Counter(rule for number, full in day.held.items() for rule in full if (number, rule) not in day.before)
    rules = sorted(day.matched.keys() | day.hits.keys() | held.keys() | day.stopped)
    _add(connection, day.day, {rule: (day.matched[rule], day.hits[rule], held[rule]) for rule in rules})
    rows = [{"posting_id": number, "rule": rule, "at": now} for number, full in sorted(day.held.items()) for rule in sorted(full)]
    if rows:
        connection.execute(insert(tables.held), rows)
    table = tables.rule_days
    for rule in sorted(day.stopped):
        later = (table.c.rule == rule, table.c.day >= day.day)
        told = connection.execute(select(table.c.day).where(*later, table.c.stopped_at.is_not(None))).first()
        connection.execute(update(table).where(*later, table.c.day == day.day, table.c.stopped_at.is_(None)).values(stopped_at=now))
        if told is None and caps is not None:
            found = f"规则“{caps.title(rule)}”今日命中已满每日上限 {caps.cap(rule)} 条"
            text = f"{found}：此后只凭它的内容暂列关注、不进队列，并未丢失；请核对该规则是否误命中"
            alarms.raise_alarm(connection, kind=ALARM, subject=rule, text=text, now=now)
    _calm(connection, day=day.day, now=now)


def _add(connection: Connection, day: str, counts: Mapping[str, tuple[int, int, int]]) -> None:
    if not counts:
        return
    table = tables.rule_days
    statement = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)
    names = ("matched", "hits", "held")
    more = {name: table.c[name] + statement.excluded[name] for name in names}
    rows = [{"day": day, "rule": rule, **dict(zip(names, given, strict=True)), "lifted": False} for rule, given in counts.items()]
    connection.execute(statement.on_conflict_do_update(index_elements=[table.c.day, table.c.rule], set_=more), rows)


def _calm(connection: Connection, *, day: str, now: datetime) -> None:
    """Clear the alarms of rules that hold nothing back any more and are not stopped today."""
    flooded = {row["subject"] for row in alarms.open_alarms(connection) if row["kind"] == ALARM}
    if not flooded:
        return
    held, days = tables.held, tables.rule_days
    resting = set(connection.execute(select(held.c.rule).where(held.c.rule.in_(flooded)).distinct()).scalars())
    stopped = select(days.c.rule).where(days.c.rule.in_(flooded), days.c.day >= day, days.c.stopped_at.is_not(None), ~days.c.lifted)
    for rule in sorted(flooded - resting - set(connection.execute(stopped).scalars())):
        alarms.clear(connection, kind=ALARM, subject=rule, by=ACTOR, now=now)


def stand(connection: Connection, hit_id: int, rules: Sequence[str]) -> None:
    """Note the rules of a hit's assessment; they replace those of an older one."""
    table = tables.hit_rules
    connection.execute(delete(table).where(table.c.hit_id == hit_id))
    if rules:
        connection.execute(insert(table), [{"hit_id": hit_id, "rule": rule} for rule in rules])


def release(connection: Connection, rule: str, *, officer: str, now: datetime) -> int:
    """Judge again what the rule's cap holds back, and let it go on without a cap for the rest of the day: how many texts.

    Raises NotPermitted where the officer has no role for it.
    """
    require(connection, officer, *MAY_RELEASE)
    audit.alone(connection)
    numbers = _let_go(connection, rule)
    posts, days = tables.postings, tables.rule_days
    again: dict[str, Any] = {"assessed_at": None, "leased_by": None, "leased_until": None}
    for start in range(0, len(numbers), 500):
        connection.execute(update(posts).where(posts.c.id.in_(numbers[start : start + 500])).values(**again))
    today = day_of(now)
    _add(connection, today, {rule: (0, 0, 0)})
    connection.execute(update(days).where(days.c.rule == rule, days.c.day >= today).values(lifted=True))
    _told(connection, rule, action="rule.release", officer=officer, count=len(numbers), now=now)
    return len(numbers)


def drop(connection: Connection, rule: str, *, officer: str, now: datetime) -> int:
    """Leave what the rule's cap holds back at watch for good: how many texts. The cap stays.

    Raises NotPermitted where the officer has no role for it.
    """
    require(connection, officer, *MAY_RELEASE)
    audit.alone(connection)
    numbers = _let_go(connection, rule)
    _told(connection, rule, action="rule.drop", officer=officer, count=len(numbers), now=now)
    return len(numbers)


def _let_go(connection: Connection, rule: str) -> list[int]:
    """Forget what the rule holds, and what other rules hold of the same texts: they are judged or left as a whole."""
    table = tables.held
    numbers = sorted(connection.execute(select(table.c.posting_id).where(table.c.rule == rule)).scalars())
    for start in range(0, len(numbers), 500):
        connection.execute(delete(table).where(table.c.posting_id.in_(numbers[start : start + 500])))
    return numbers


def _told(connection: Connection, rule: str, *, action: str, officer: str, count: int, now: datetime) -> None:
    alarms.clear(connection, kind=ALARM, subject=rule, by=officer, now=now)
    audit.append(connection, actor=officer, action=action, subject=f"rule:{rule}", at=now, detail={"texts": count})
