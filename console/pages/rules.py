"""规则: what each rule looks for, how often it matched, and what officers made of its hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response

from console.deps import Acting, AtHome, House, Refusal, Visiting, back_to, render, require, speaking
from domain.states import CHINESE
from pipelines.caps import cap_of
from rules import telling
from rules.loader import RuleSet, digest_of
from rules.schema import FAMILIES, Rule
from store import figures, tallies
from store.figures import Figures, Stop

router = APIRouter()
DAYS = 30
FEW = 5
"""Decisions under which a precision says little: such rules come last where the worst come first."""
SORTS = {"work": "需要看的在前", "precision": "准确率低的在前", "hits": "命中多的在前", "matched": "匹配多的在前", "id": "按分类"}
NOTHING = Figures()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One rule in the table."""

    rule: Rule
    scheme: str
    weight: float
    cap: int | None
    today: Figures
    span: Figures
    held: int
    stop: Stop | None


def _pack(house: House) -> RuleSet:
    if house.pack is None:
        raise Refusal("规则库有错误，无法读取；请联系维护人员运行 wangxun rules check。", status=503)
    return house.pack


def lines(house: House, pack: RuleSet) -> list[Line]:
    """Every rule of the pack with its figures of today and of the last DAYS days."""
    now = house.clock()
    with house.store.read() as conn:
        today = figures.of_rules(conn, since=figures.midnight(now))
        span = figures.of_rules(conn, since=figures.midnight(now, back=DAYS - 1))
        held, stops = figures.held_now(conn), figures.stops(conn, now=now)
    return [
        Line(
            rule=rule,
            scheme=telling.scheme_name(rule, pack),
            weight=pack.weight(rule),
            cap=cap_of(pack, rule),
            today=today.get(rule.id, NOTHING),
            span=span.get(rule.id, NOTHING),
            held=held.get(rule.id, 0),
            stop=stops.get(rule.id),
        )
        for rule in pack.rules
    ]


def _order(name: str) -> Any:
    """How the table is sorted; `work` puts first what a person should look at."""

    def key(line: Line) -> tuple[Any, ...]:
        precision, decided = line.span.precision, line.span.confirmed + line.span.dismissed
        place = (FAMILIES.index(line.rule.family), line.rule.id)
        orders: Mapping[str, tuple[Any, ...]] = {
            "work": (not line.held, line.stop is None, line.rule.family in ("signs", "excuses"), -line.span.hits, -line.span.matched),
            "precision": (decided < FEW, precision or 0.0, -decided),
            "hits": (-line.span.hits,),
            "matched": (-line.span.matched,),
            "id": (),
        }
        return (*orders[name], *place)

    return key


@router.get("/rules")
def show(request: Request, house: AtHome, visitor: Visiting, status: str = "", scheme: str = "", sort: str = "work") -> Response:
    pack = _pack(house)
    every = lines(house, pack)
    sort = sort if sort in SORTS else "work"
    wanted = [line for line in every if status in ("", line.rule.status) and scheme in ("", line.rule.scheme)]
    used = {line.rule.scheme for line in every}
    values = {
        "lines": sorted(wanted, key=_order(sort)),
        "total": len(every),
        "waiting": sum(line.held for line in every),
        "counts": {name: sum(line.rule.status == name for line in every) for name in CHINESE["rule"]},
        "wanted": {"status": status, "scheme": scheme, "sort": sort},
        "used": [slug for slug in pack.schemes if slug in used],
        **_names(pack),
    }
    return render(request, "rules.html", visitor, sorts=SORTS, **values)


def _names(pack: RuleSet) -> dict[str, Any]:
    return {
        "states": CHINESE["rule"],
        "severities": telling.SEVERITIES,
        "families": telling.FAMILIES,
        "digest": pack.digest,
        "stale": digest_of(pack.folder) != pack.digest,
        "days": DAYS,
    }


@router.get("/rules/{rule_id}")
def show_one(request: Request, house: AtHome, visitor: Visiting, rule_id: str) -> Response:
    """One rule in plain Chinese, with its last month day by day, its newest hits and what its cap holds back."""
    pack = _pack(house)
    line = next((line for line in lines(house, pack) if line.rule.id == rule_id), None)
    if line is None:
        raise Refusal("没有这条规则，或已从规则库删除。", status=404)
    now = house.clock()
    since = figures.midnight(now, back=DAYS - 1)
    with house.store.read() as conn:
        days = figures.of_days(conn, rule_id, since=since)
        newest, held = figures.hits_of(conn, rule_id, limit=8), figures.held_of(conn, rule_id, limit=8)
    names = [f"{since + timedelta(days=step):%Y-%m-%d}" for step in range(DAYS)]
    values = {
        "line": line,
        "conditions": telling.conditions(line.rule, pack),
        "lessening": telling.lessening(line.rule, pack),
        "articles": telling.articles(line.rule, pack),
        "chart": chart([(name, days.get(name, NOTHING)) for name in names]),
        "hits": newest,
        "held": held,
        **_names(pack),
    }
    return render(request, "rule.html", visitor, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day of the chart, in pixels from the bottom: texts matched, hits among them, and confirmed among those."""

    day: str
    told: str
    matched: int
    hits: int
    confirmed: int


def chart(days: Sequence[tuple[str, Figures]], *, height: int = 64) -> list[Bar]:
    """Bars of equal scale; a day that has something is at least two pixels high."""
    most = max((max(one.matched, one.hits) for _, one in days), default=0) or 1

    def high(count: int) -> int:
        return max(2, round(count / most * height)) if count else 0

    bars = []
    for day, one in days:
        told = f"{day[5:]}：匹配 {one.matched}，命中 {one.hits}，确认 {one.confirmed}，排除 {one.dismissed}"
        told += f"，暂缓 {one.held}" if one.held else ""
        bars.append(Bar(day=day, told=told, matched=high(max(one.matched, one.hits)), hits=high(one.hits), confirmed=high(one.confirmed)))
    return bars


@router.post("/rules/{rule_id}/release")
def release(house: AtHome, visitor: Acting, rule_id: str, how: Annotated[Literal["release", "drop"], Form()]) -> Response:
    """Let what the rule's cap holds back into the queue, or leave it at watch for good."""
    require(visitor, "alarms")
    with speaking(), house.store.write() as conn:
        act = tallies.release if how == "release" else tallies.drop
        act(conn, rule_id, officer=visitor.name, now=house.clock())
    return back_to(f"/rules/{rule_id}", said="rule_released" if how == "release" else "rule_dropped")
