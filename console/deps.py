"""What every page needs: the house it works for, who is asking, whether a form is genuine, and the way to a template."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.templating import Jinja2Templates

from console import marks, words
from console.auth import SESSION_COOKIE, BackOff, Sessions, Visitor
from domain.clock import for_people
from domain.errors import IllegalMove, LeaseLost, NotPermitted, PatrolError
from domain.states import CHINESE
from rules.loader import RuleSet
from store import papers, views
from store.archive import Archive
from store.engine import Store

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Patrolled:
    """A platform that is to be patrolled, as its file says."""

    title: str
    every_s: int
    enabled: bool


@dataclass(slots=True, kw_only=True)
class House:
    """What the pages work with; one for each application."""

    store: Store
    archive: Archive
    sessions: Sessions
    back_off: BackOff
    clock: Callable[[], datetime]
    templates: Jinja2Templates
    schemes: Mapping[str, str] = field(default_factory=dict)
    """Slug -> Chinese name, from the rule pack."""
    authorities: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    """Rule id -> title."""
    pack: RuleSet | None = None
    """The rules as they were when the console started; None where they are broken."""
    platforms: Mapping[str, Patrolled] = field(default_factory=dict)


class NeedLogin(Exception):
    """Nobody is logged in; the handler sends them to the login page."""


class Refusal(Exception):
    """Something that cannot be done, with the reason in Chinese for the officer."""

    def __init__(self, message: str, *, status: int = 409) -> None:
        self.message, self.status = message, status
        super().__init__(message)


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


def visiting(request: Request) -> Visitor:
    """The officer who asks. Raises NeedLogin where the session is missing, ended, or older than the password."""
    house = house_of(request)
    held = house.sessions.read(request.cookies.get(SESSION_COOKIE))
    if held is None:
        raise NeedLogin
    name, session, mark = held
    with house.store.read() as conn:
        row = views.officer(conn, name)
    if row is None or not house.sessions.belongs(mark, secret=row.secret):
        raise NeedLogin
    visitor = Visitor(name=row.name, shown=row.shown, roles=tuple(row.roles), session=session, demo=row.demo)
    if not visitor.may("see"):
        raise Refusal("您的账号没有查看权限，请联系管理员。", status=403)
    return visitor


def same_origin(request: Request) -> None:
    """Raises Refusal where a form was sent from another site's page: browsers name the origin on every POST."""
    origin = request.headers.get("origin")
    if not origin or urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Refusal("请求来源不符，未执行。请在本系统页面内操作。", status=403)


def acting(request: Request, visitor: Annotated[Visitor, Depends(visiting)], csrf: Annotated[str, Form(max_length=200)] = "") -> Visitor:
    """The officer who sends a form of ours. Raises Refusal where it came from elsewhere or its token is wrong."""
    same_origin(request)
    if not house_of(request).sessions.fits(csrf, visitor.session):
        raise Refusal("页面已过期，请返回刷新后重试。", status=403)
    return visitor


AtHome = Annotated[House, Depends(house_of)]
Visiting = Annotated[Visitor, Depends(visiting)]
Acting = Annotated[Visitor, Depends(acting)]


def require(visitor: Visitor, what: str) -> None:
    """Raises Refusal where none of the visitor's roles may do it."""
    if not visitor.may(what):
        raise Refusal(f"您的岗位（{'、'.join(words.ROLES.get(role, role) for role in visitor.roles)}）无权进行此操作。", status=403)


def address_of(request: Request) -> str:
    """Where the request comes from, for the back-off: IPv6 by its /64, since one line owns as many."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if address.version == 6 else host


def tell(error: PatrolError) -> str:
    """A fault of the stages, in Chinese."""
    if isinstance(error, IllegalMove):
        state = CHINESE.get(error.machine, {}).get(error.state, error.state)
        return f"当前状态为“{state}”，不能进行此操作；请刷新页面查看最新进展。"
    if isinstance(error, LeaseLost):
        return "该条目刚被他人处理或占用，请刷新页面查看最新进展。"
    if isinstance(error, NotPermitted):
        return f"您的岗位或在本件中的身份不允许此操作（须由另一名有权人员办理）。[{error}]"
    text = str(error)
    # Stages that speak Chinese are quoted as they are; the others speak to operators.
    return text if any("一" <= character <= "鿿" for character in text) else f"操作未完成：{text}"


@contextmanager
def speaking() -> Iterator[None]:
    """Turns the stages' faults into Refusals that an officer can read."""
    try:
        yield
    except PatrolError as error:
        raise Refusal(tell(error), status=403 if isinstance(error, NotPermitted) else 409) from error


def render(request: Request, template: str, visitor: Visitor | None, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. Every template knows who is logged in, the form token, the moment, the words and the pulse of the patrol."""
    house = house_of(request)
    now = values.pop("now", None) or house.clock()
    pulse: tuple[int, datetime | None] = (0, None)
    todo = {"notices": 0, "leads": 0}
    if visitor:
        with house.store.read() as conn:
            pulse, todo = papers.pulse(conn), papers.todo(conn)
    said = words.SAID.get(request.query_params.get("said", ""), "")
    return house.templates.TemplateResponse(
        request,
        template,
        {
            "visitor": visitor,
            "csrf": house.sessions.token(visitor.session) if visitor else "",
            "now": now,
            "words": words,
            "pulse": pulse,
            "todo": todo,
            "said": said,
            "schemes": house.schemes,
            "authorities": house.authorities,
            "rules": house.rules,
            "platforms": house.platforms,
            "settings": house.store.settings,
            **values,
        },
        status_code=status,
    )


def back_to(path: str, *, said: str | None = None) -> RedirectResponse:
    """See-other to one of our own pages, with a message by its key."""
    join = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{join}said={said}" if said else path, status_code=303)


def veil(text: str, most: int = 60, known: Sequence[str] = ()) -> str:
    """The first `most` characters on one line, contacts hidden: for lists, where nobody needs them.

    `known` are contacts that were read elsewhere: a name by itself, as a reason quotes it, does not look like one.
    """
    shown = marks.hide(text, marks.contact_spans(text, known))
    # Format characters could turn the line around or hide parts of it.
    line = " ".join("".join(char for char in shown if unicodedata.category(char) != "Cf").split())
    return line if len(line) <= most else line[: most - 1] + "…"


def templates() -> Jinja2Templates:
    """The templates, with escaping on for every file and undefined names refused."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        when=lambda moment: for_people(moment) if moment else "—",
        when_s=lambda moment: for_people(moment, seconds=True) if moment else "—",
        clock=lambda moment: for_people(moment)[11:] if moment else "—",
        first2=lambda text: text[:2],
        age=words.age,
        span=words.span,
        place=lambda name, places: places[name].title if name in places else words.BROUGHT.get(name, name),
        state_of=lambda value, machine: words.state(machine, value),
        role=lambda name: words.ROLES.get(name, name),
        veil=veil,
        stub=lambda value: value[:2] + "*" * max(3, min(len(value) - 2, 9)),
    )
    return Jinja2Templates(env=environment)
