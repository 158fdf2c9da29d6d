"""Sessions of an office's own, lawful accounts: one a platform, entered by a person, encrypted at rest.

    DIR/sessions/NAME.session          a line of JSON that may be read (who, when, for which platform), a line feed, the ciphertext
    DIR/sessions/NAME.paused           that this session was seen to have expired, when and by what
    DIR/sessions/PLATFORM.waiting      addresses that a sweep still had before it when it was broken off

Encrypted is what Playwright calls storage_state, by AES-256-GCM; the first line is authenticated with it, the file's name in it too, so
that no file can stand for another. Nothing here evades anything: one account a platform, no captcha is solved, and where the site says
no the platform is paused until a person comes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crawlers.platform import PlatformFile
from crawlers.sessions_cookies import Jar, cookies_of, narrowed
from crawlers.sessions_key import Keys, SessionFault, begin_change, end_change, load_keys, write_private
from crawlers.sessions_part import NAME
from domain.settings import Settings

MOST_BYTES = 2_000_000
_NONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What may be known of a session without its key; nothing of the account."""

    name: str
    platform: str
    hosts: tuple[str, ...]
    entered_by: str
    entered_at: str
    """ISO 8601, UTC."""
    origin: str
    """browser or file"""
    cookies: int
    lasting: int
    """Cookies that name the end of their life."""
    first_end: float | None
    last_end: float | None
    """When the first and the last of those end, seconds since 1970."""
    serial: str
    """Tells two entries under one name apart; stands in the audit log too."""
    key: str
    """Name of the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An opened session."""

    entry: Entry
    state: dict[str, Any] = field(repr=False)
    """`cookies` and `origins`, as Playwright takes them."""

    def jar(self, platform: PlatformFile) -> Jar:
        return Jar(cookies_of(self.state), platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """That a session was seen to have expired."""

    serial: str
    at: str
    why: str


class Vault:
    """The sessions of one data folder. Writers take turns, in this process and in others."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.dir / "sessions"

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.session") if re.fullmatch(NAME, path.stem))

    def entry(self, name: str) -> Entry | None:
        """What the first line says, not yet proved; None where there is no such session. Raises SessionFault for a line that is none."""
        read = self._read(name)
        return None if read is None else _entry(name, read.partition(b"\n")[0])

    def entries(self) -> list[Entry]:
        """Of all sessions that can be read; `Vault.open` says why one cannot."""
        found = []
        for name in self.names():
            try:
                one = self.entry(name)
            except SessionFault:
                continue
            if one is not None:
                found.append(one)
        return found

    def open(self, name: str) -> Session:
        """Raises SessionFault where it is missing or altered, WrongKey where no key at hand opens it."""
        return self._opened(name, None)

    def _opened(self, name: str, keys: Keys | None) -> Session:
        data = self._read(name)
        if data is None:
            raise SessionFault(f"session {name}: not entered yet; wangxun sessions add {name} --platform ID")
        head, _, sealed = data.partition(b"\n")
        entry = _entry(name, head)
        keys = keys or load_keys(self._settings)
        try:
            plain = AESGCM(keys.key(entry.key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], head)
            return Session(entry=entry, state=json.loads(plain))
        except (InvalidTag, ValueError):
            raise SessionFault(
                f"session {name}: the file was altered, or is cut; enter it again: wangxun sessions add {name} --platform {entry.platform}"
            ) from None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Held by one writer at a time."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def put(
        self, name: str, state: dict[str, Any], *, platform: PlatformFile, by: str, at: datetime, origin: str, seen: str | None
    ) -> Entry:
        """Keep a session, or take the place of the one of this name and platform; call it within `turn`.

        `seen` is the serial of the one that the person saw when they began. Raises SessionFault where that one was replaced
        meanwhile, where the platform has another session already, or where nothing in `state` belongs to the platform.
        """
        self.may_add(name, platform=platform)
        before = self.known(name)
        if (before.serial if before else None) != seen:
            who = f"{before.entered_by} entered it at {before.entered_at}" if before else "it was removed"
            raise SessionFault(f"session {name}: meanwhile {who}; look at wangxun sessions list, and enter it again if it must be")
        kept = narrowed(state, platform)
        ends = [one["expires"] for one in kept["cookies"] if one["expires"] >= 0]
        keys = load_keys(self._settings, make=not self.names())
        entry = Entry(
            name=name, platform=platform.id, hosts=platform.site, entered_by=by, entered_at=at.isoformat(timespec="seconds"), origin=origin,
            cookies=len(kept["cookies"]), lasting=len(ends), first_end=min(ends, default=None), last_end=max(ends, default=None),
            serial=secrets.token_hex(8), key=keys.current,
        )  # fmt: skip
        self._write(Session(entry=entry, state=kept), keys)
        (self.folder / f"{name}.paused").unlink(missing_ok=True)
        return entry

    def may_add(self, name: str, *, platform: PlatformFile) -> None:
        """Raises SessionFault where this session may not be: one a platform, for a platform whose file names it."""
        if not re.fullmatch(NAME, name):
            raise SessionFault(f"session {name!r}: not a name; up to 24 small letters, digits and hyphens")
        if platform.session is None or platform.session.name != name:
            raise SessionFault(f"platform {platform.id}: its file does not say session: {name}; write it there, then add the session")
        for one in self.names():
            entry = self.known(one)
            if entry is not None and one == name and entry.platform != platform.id:
                raise SessionFault(f"session {name}: belongs to platform {entry.platform}; give this one a name of its own")
            if entry is not None and one != name and entry.platform == platform.id:
                raise SessionFault(
                    f"platform {platform.id}: has the session {one} already (entered by {entry.entered_by}); one account a platform, "
                    f"no pools: wangxun sessions remove {one} first"
                )

    def known(self, name: str) -> Entry | None:
        """As `entry`; None too where its file is ruined: it may be entered anew."""
        try:
            return self.entry(name)
        except SessionFault:
            return None

    def exposed(self, name: str) -> list[tuple[Path, int]]:
        """What of a session others can get at, and the mode that it should have."""
        wanted = ((self.folder, 0o700), (self._path(name), 0o600))
        return [(path, mode) for path, mode in wanted if path.exists() and path.stat().st_mode & 0o077]

    def remove(self, name: str) -> bool:
        """Within `turn`: whether there was one."""
        path = self._path(name)
        there = path.exists()
        for one in (path, self.folder / f"{name}.paused"):
            one.unlink(missing_ok=True)
        return there

    def change_key(self) -> int:
        """Within `turn`, encrypt everything with a new key: how many. Broken off at any instant, all opens, and again goes on with it.

        Raises SessionFault where one does not open; the old key then stays beside the new one.
        """
        keys = begin_change(self._settings)
        changed = 0
        for name in self.names():
            session = self._opened(name, keys)
            if session.entry.key != keys.current:
                again = Entry(**{**asdict(session.entry), "key": keys.current})
                self._write(Session(entry=again, state=session.state), keys)
                changed += 1
        end_change(self._settings)
        return changed

    # --- expired

    def pause(self, name: str, *, serial: str, at: datetime, why: str) -> None:
        """Note that the session with this serial has expired."""
        text = json.dumps(asdict(Pause(serial=serial, at=at.isoformat(timespec="seconds"), why=why[:300])), ensure_ascii=False)
        write_private(self.folder / f"{name}.paused", text.encode())

    def paused(self, name: str) -> Pause | None:
        """That it expired; None once another one was entered."""
        try:
            found = Pause(**json.loads((self.folder / f"{name}.paused").read_text(encoding="utf-8")))
            entry = self.entry(name)
        except (OSError, ValueError, TypeError, SessionFault):
            return None
        return found if entry is not None and entry.serial == found.serial else None

    def keep_waiting(self, platform: str, rows: Sequence[dict[str, Any]]) -> None:
        """Note what a broken-off sweep still had before it; with none, that there is nothing."""
        path = self.folder / f"{platform}.waiting"
        if rows:
            write_private(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "replace"))
        else:
            path.unlink(missing_ok=True)

    def waiting(self, platform: str) -> list[dict[str, Any]]:
        """What `keep_waiting` was told; broken lines are left out."""
        found = []
        try:
            lines = (self.folder / f"{platform}.waiting").read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return []
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and isinstance(row.get("url"), str):
                found.append(row)
        return found

    # --- files

    def _path(self, name: str) -> Path:
        if not re.fullmatch(NAME, name):
            raise SessionFault(f"session {name!r}: not a name; up to 24 small letters, digits and hyphens")
        return self.folder / f"{name}.session"

    def _read(self, name: str) -> bytes | None:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                return file.read(MOST_BYTES + 10_000)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SessionFault(f"{path}: cannot be read ({error.strerror}); chown it to the user of the patrol") from None

    def _write(self, session: Session, keys: Keys) -> None:
        head = json.dumps(asdict(session.entry), ensure_ascii=True, sort_keys=True).encode()
        plain = json.dumps(session.state, ensure_ascii=True, separators=(",", ":")).encode()
        if len(plain) > MOST_BYTES:
            raise SessionFault(f"session {session.entry.name}: {len(plain)} bytes are more than a session has; log in with a fresh browser")
        nonce = os.urandom(_NONCE)
        write_private(self._path(session.entry.name), head + b"\n" + nonce + AESGCM(keys.key(keys.current)).encrypt(nonce, plain, head))


def _entry(name: str, head: bytes) -> Entry:
    try:
        given = json.loads(head)
        entry = Entry(**{**given, "hosts": tuple(given["hosts"])})
    except (ValueError, TypeError, KeyError):
        entry = None
    if entry is None or entry.name != name:
        raise SessionFault(f"session {name}: the file was altered, or stands for another; enter it again (wangxun sessions add)")
    return entry
