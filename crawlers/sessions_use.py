"""The session of one sweep: what goes with which request, that it expired, and what the sweep had before it then."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from scrapy import Request
from scrapy.http import Response

from crawlers.page import Page
from crawlers.reading import Follow, Hints
from crawlers.sessions import Session, Vault
from crawlers.sessions_key import SessionFault
from crawlers.walls import LITTLE, Wall

log = logging.getLogger(__name__)

COUNTED = ("sweep/session_expired", "sweep/session_masked", "sweep/session_resumed")
"""What a session adds to a sweep's counts; docs/platforms.md names them."""
SENT = "session_sent"
"""In the meta of a request that the session went with, and of those that it was redirected to."""
MOST_WAITING = 20_000
_LOGGED_OUT = re.compile(
    r"(?:账号|帐号|用户)?未登[录陆]|登[录陆](?:状态|信息|凭证)?(?:已经?)?(?:失效|过期|超时)|请(?:您)?(?:先|重新)登[录陆]|会话(?:已)?(?:失效|过期|超时)|"
    r"not logged ?in|log ?in (?:is )?required|session (?:has )?expired|unauthorized",
    re.I,
)
ROLES = ("start", "list", "detail", "api")


class SessionInUse:
    """The session of one sweep. `spider` is the patrol spider, with `platform`, `course` and `visit`."""

    def __init__(self, spider: Any, session: Session, vault: Vault) -> None:
        self._spider, self._vault, self.entry = spider, vault, session.entry
        self.origins: list[Any] = session.state["origins"]
        self.jar = session.jar(spider.platform)
        self.expired = ""
        self.waiting: dict[str, tuple[Follow, int]] = {}

    def cookie(self, request: Request) -> str:
        """What goes with a request; empty for other hosts, for a way that led over other hosts, for robots.txt and for strangers' views."""
        meta, owns = request.meta, self._spider.platform.owns
        if "asked" not in meta or "view" in meta or meta.get("hop") or self.expired:
            return ""
        if not all(owns(url) for url in meta.get("redirect_urls", ())):
            return ""
        return self.jar.header(request.url)

    def expire(self, why: str) -> str:
        """Note that the site no longer knows us, at once and on the disk: the words for the sweep's row."""
        if not self.expired:
            self.expired = f"session {self.entry.name} expired: {why}"
            stats = self._spider.crawler.stats
            stats.set_value("sweep/session_expired", 1)
            stats.set_value("sweep/why", self.expired)
            log.warning("session=%s platform=%s expired why=%s", self.entry.name, self._spider.platform.id, why)
            try:
                self._vault.pause(self.entry.name, serial=self.entry.serial, at=datetime.now(UTC), why=why)
                self.note_waiting()
            except (OSError, SessionFault) as error:  # a full disk: the alarm is raised from the sweep's row as well
                log.error("session=%s pause=unwritten why=%s", self.entry.name, error)
        return self.expired

    def note_waiting(self) -> None:
        """Write down what this sweep still has before it. A recheck has nothing to take up again."""
        if self._spider.visit is None:
            left = [*self.waiting.values(), *self._spider.course.waiting()]
            self.note_left(left[:MOST_WAITING])

    def note_left(self, steps: Sequence[tuple[Follow, int]]) -> None:
        """Let the next sweep begin with these; raises OSError."""
        self._vault.keep_waiting(self._spider.platform.id, [_row(follow, depth) for follow, depth in steps])

    def left(self) -> list[tuple[Follow, int]]:
        """What the sweep before, that was broken off, had before it."""
        if self._spider.visit is not None:
            return []
        rows = self._vault.waiting(self._spider.platform.id)[:MOST_WAITING]
        return [step for row in rows if (step := _step(row)) is not None and self._spider.platform.owns(step[0].url)]


def session_of(spider: Any) -> SessionInUse | None:
    """The session of the spider's sweep, opened at the first call; None where its platform has none.

    Raises SessionFault where it cannot be had.
    """
    use = getattr(getattr(spider, "platform", None), "session", None)
    if use is None:
        return None
    if getattr(spider, "session_in_use", None) is None:
        vault = Vault(spider.deployment)
        session = vault.open(use.name)
        if session.entry.platform != spider.platform.id:
            raise SessionFault(f"session {use.name}: belongs to platform {session.entry.platform}, not to {spider.platform.id}")
        spider.session_in_use = SessionInUse(spider, session, vault)
    found: SessionInUse = spider.session_in_use
    return found


def in_use(spider: Any) -> SessionInUse | None:
    """The session of the spider's sweep where it was opened."""
    found = getattr(spider, "session_in_use", None)
    return found if isinstance(found, SessionInUse) else None


def told(spider: Any, wall: Wall, response: Response) -> str:
    """A wall in words; a login where the session was sent, on the way at least, means that it has expired. To strangers it is none."""
    why, session = f"{wall[0]}: {wall[1][:80]}", in_use(spider)
    return session.expire(why) if session is not None and wall[0] == "login" and SENT in response.meta else why


def unmarked(spider: Any, page: Page, response: Response, *, found: bool) -> Wall | None:
    """The walls of a session alone: words on a page where nothing was found (an answer of an API has no page to lead to), and a page
    that lacks what only those who are logged in are shown."""
    session, use = in_use(spider), spider.platform.session
    if session is None or "session" not in response.meta or response.status >= 400:
        return None
    if not found and len(page.source) < LITTLE * 4 and (match := _LOGGED_OUT.search(page.source)):
        return "login", match[0]
    if use.must is None or use.check is not None:
        return None
    if page.source.lstrip()[:1] in ("{", "[") or page.tree.css_first(use.must) is not None:
        return None
    return "login", f"nothing is at {use.must}"


def _row(follow: Follow, depth: int) -> dict[str, Any]:
    hints = follow.hints
    told_of = {
        "title": hints.title, "publisher": hints.publisher, "marked_ad": hints.marked_ad,
        "published_at": hints.published_at.isoformat() if hints.published_at else None,
    } if hints else None  # fmt: skip
    return {"url": follow.url, "role": follow.role, "depth": depth, "worth": follow.worth, "hints": told_of}


def _step(row: dict[str, Any]) -> tuple[Follow, int] | None:
    """None for a row that nobody of ours wrote."""
    given = row.get("hints")
    try:
        hints = None
        if given:
            moment = datetime.fromisoformat(given["published_at"]) if given["published_at"] else None
            hints = Hints(title=given["title"], publisher=given["publisher"], marked_ad=bool(given["marked_ad"]), published_at=moment)
        if row["role"] not in ROLES:
            return None
        return Follow(url=row["url"], role=row["role"], hints=hints, worth=int(row["worth"])), int(row["depth"])
    except (KeyError, TypeError, ValueError):
        return None
