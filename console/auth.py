"""Who is asking: sessions, form tokens, the back-off of failed logins, and what each role may do."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from itsdangerous import BadSignature, URLSafeTimedSerializer

from domain.settings import Settings

SESSION_COOKIE = "wangxun_session"
LOGIN_COOKIE = "wangxun_login"
SESSION_S = 12 * 3600
"""One shift and its hand-over."""

MAY: dict[str, frozenset[str]] = {
    "see": frozenset({"patroller", "reviewer", "approver", "liaison", "auditor", "admin"}),
    "decide": frozenset({"reviewer", "approver"}),
    "label": frozenset({"reviewer", "approver"}),
    "contacts": frozenset({"reviewer", "approver", "liaison"}),
    "draft": frozenset({"reviewer", "approver", "liaison"}),
    "settle": frozenset({"liaison", "approver"}),
    "approve": frozenset({"approver"}),
    "answer": frozenset({"reviewer", "approver", "liaison"}),
    "export": frozenset({"reviewer", "approver", "liaison"}),
    "alarms": frozenset({"patroller", "reviewer", "approver", "admin"}),
    "import": frozenset({"patroller", "reviewer", "approver"}),
}
"""What is done -> roles that may; least privilege: looking at contacts and taking papers out need a reason to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A logged-in officer."""

    name: str
    shown: str
    roles: tuple[str, ...]
    session: str
    demo: bool = False

    def may(self, what: str) -> bool:
        return bool(MAY[what] & set(self.roles))


def load_key(settings: Settings) -> bytes:
    """The key that signs sessions: the setting, else the one kept in DIR/console.key (made once, readable by its owner alone)."""
    given = settings.console_secret.get_secret_value()
    if given:
        return given.encode()
    path = settings.dir / "console.key"
    settings.dir.mkdir(parents=True, exist_ok=True)
    # Written whole under another name, then linked: two consoles that start together end with the same key.
    draft = path.with_name(f".console.key.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_hex(32).encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return _read_private(path)


def _read_private(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path.read_bytes().strip()


class Sessions:
    """Signs and reads session cookies. A session dies with logout, after 12 h, and when the officer's password changes."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._signer = URLSafeTimedSerializer(key, salt="wangxun.session", signer_kwargs={"digest_method": hashlib.sha256})
        self._ended: dict[str, None] = {}
        self._lock = threading.Lock()

    def open(self, *, officer: str, secret: str) -> str:
        """A cookie for an officer whose stored password record is `secret`."""
        return self._signer.dumps({"o": officer, "s": secrets.token_urlsafe(18), "p": self._print(secret)})

    def read(self, cookie: str | None) -> tuple[str, str, str] | None:
        """(officer, session, print of the password) of a cookie that we signed and that still holds; None otherwise."""
        if not cookie or len(cookie) > 1000:
            return None
        try:
            held = self._signer.loads(cookie, max_age=SESSION_S)
            officer, session, mark = str(held["o"]), str(held["s"]), str(held["p"])
        except (BadSignature, KeyError, TypeError):
            return None
        return None if session in self._ended else (officer, session, mark)

    def belongs(self, mark: str, *, secret: str) -> bool:
        """Whether the session was opened under this password record."""
        return hmac.compare_digest(mark, self._print(secret))

    def end(self, session: str) -> None:
        with self._lock:
            self._ended[session] = None
            while len(self._ended) > 10_000:
                self._ended.pop(next(iter(self._ended)))

    def token(self, session: str) -> str:
        """The form token of a session."""
        return hmac.new(self._key, f"form:{session}".encode(), hashlib.sha256).hexdigest()

    def fits(self, token: str, session: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token(session).encode())

    def _print(self, secret: str) -> str:
        return hmac.new(self._key, f"password:{secret}".encode(), hashlib.sha256).hexdigest()[:16]


class BackOff:
    """Slows guessing: after 3 failures in a row the wait doubles from 2 s to 15 min, apart for each name and each address.

    Keys are `name:...` and `from:...`; an address may fail 20 times, since a whole office can stand behind one.

    A name that waits cannot log in even with the right password, so that waiting tells nothing about it.
    """

    FREE: ClassVar = {"name": 3, "from": 20}
    LONGEST = timedelta(minutes=15)

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, datetime]] = {}
        self._lock = threading.Lock()

    def wait_s(self, *keys: str) -> int:
        """Whole seconds that these keys still have to wait; 0 where none."""
        now = self._clock()
        longest = 0.0
        with self._lock:
            for key in keys:
                count, last = self._failures.get(key, (0, now))
                over = count - self.FREE[key.partition(":")[0]] + 1
                if over > 0:
                    pause = min(self.LONGEST, timedelta(seconds=2 ** min(over, 12)))
                    longest = max(longest, (last + pause - now).total_seconds())
        return int(longest) + 1 if longest > 0 else 0

    def failed(self, *keys: str) -> None:
        now = self._clock()
        with self._lock:
            for key in keys:
                count, last = self._failures.pop(key, (0, now))
                # An hour of quiet forgives; popping first keeps the dict in order of age, so that the oldest go first.
                self._failures[key] = (1 if now - last > timedelta(hours=1) else count + 1, now)
            while len(self._failures) > 20_000:
                self._failures.pop(next(iter(self._failures)))

    def passed(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)
