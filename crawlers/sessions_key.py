"""The key that sessions are encrypted with: from the setting `session_key`, else from a file of mode 0600 that is made at the first need.

A key has a short name, the begin of its hash, that stands in front of what it encrypted. So that a change of keys may be broken off at
any instant, the coming key lies beside the file (`.next`) until nothing is left that the old one encrypted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from domain.errors import PatrolError
from domain.settings import Settings
from domain.wholefile import PART, sync

KEY_BYTES = 32


class SessionFault(PatrolError):
    """A session is missing, altered, or may not be had so."""


class WrongKey(SessionFault):
    """None of the keys at hand opens it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys by name. `current` encrypts; all of them open."""

    current: str
    known: dict[str, bytes] = field(repr=False)

    def key(self, name: str) -> bytes:
        """Raises WrongKey for a name that is not known."""
        if name not in self.known:
            raise WrongKey(
                f"sessions: encrypted with the key {name}, at hand is {', '.join(sorted(self.known))}; give the right one in "
                "WANGXUN_SESSION_KEY or WANGXUN_SESSION_KEY_FILE, or enter the session again (wangxun sessions add)"
            )
        return self.known[name]


def key_path(settings: Settings) -> Path:
    return settings.session_key_file or settings.dir / "session.key"


def load_keys(settings: Settings, *, make: bool = False) -> Keys:
    """The keys of this deployment; with `make`, a file with a new one where there is none.

    Raises SessionFault where there is none, where it is no key, or where others can read its file.
    """
    given = settings.session_key.get_secret_value()
    if given:
        found = [decoded(part, where="WANGXUN_SESSION_KEY") for part in given.split(",")]
        return Keys(current=key_name(found[0]), known={key_name(one): one for one in found})
    path = key_path(settings)
    if path.resolve().is_relative_to((settings.dir / "sessions").resolve()):
        raise SessionFault(f"{path}: a key beside what it encrypts; set WANGXUN_SESSION_KEY_FILE to a place outside of DIR/sessions")
    if make and not path.exists():
        write_private(path, encoded(os.urandom(KEY_BYTES)))
    key, coming = read_key(path), next_path(path)
    known = {key_name(key): key}
    if coming.exists():
        following = read_key(coming)
        known[key_name(following)] = following
    return Keys(current=key_name(key), known=known)


def next_path(path: Path) -> Path:
    return path.with_name(path.name + ".next")


def begin_change(settings: Settings) -> Keys:
    """The keys with a new one current, on the disk beside the old one; one that an earlier change left is gone on with.

    With keys from the setting the first of them is the new one. Raises SessionFault as `load_keys`.
    """
    keys = load_keys(settings)
    if settings.session_key.get_secret_value():
        return keys
    coming = next_path(key_path(settings))
    if not coming.exists():
        write_private(coming, encoded(os.urandom(KEY_BYTES)))
    key = read_key(coming)
    return Keys(current=key_name(key), known={**keys.known, key_name(key): key})


def end_change(settings: Settings) -> None:
    """Nothing needs the old key any more: the new one takes its file."""
    if settings.session_key.get_secret_value():
        return
    path = key_path(settings)
    next_path(path).replace(path)
    sync(path.parent)


def read_key(path: Path) -> bytes:
    """Raises SessionFault where it is missing, readable by others, or no key."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SessionFault(
            f"{path}: the key of the sessions cannot be read ({error.strerror}); put it back, or remove DIR/sessions and enter them again"
        ) from None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_mode & 0o077:
            raise SessionFault(f"{path}: mode {stat.S_IMODE(about.st_mode):04o}, others can read the key; chmod 600 {path}")
        if about.st_uid not in (os.geteuid(), 0):
            raise SessionFault(f"{path}: belongs to another user; chown it to the one that the patrol runs as")
        return decoded(file.read(4096).decode("ascii", "replace"), where=str(path))


def encoded(key: bytes) -> bytes:
    return base64.urlsafe_b64encode(key) + b"\n"


def decoded(text: str, *, where: str) -> bytes:
    """Raises SessionFault for what is no key; what stands there is not repeated."""
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SessionFault(f"{where}: not a key; write {KEY_BYTES} random bytes in base64 (openssl rand -base64 {KEY_BYTES})") from None
    return key


def key_name(key: bytes) -> str:
    return hashlib.sha256(b"wangxun session key\0" + key).hexdigest()[:12]


def write_private(path: Path, data: bytes) -> None:
    """Let `path` hold `data`, for nobody but us: a kill at any instant leaves the old content or the new one. Raises SessionFault."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _put_private(path, data)
    except OSError as error:
        raise SessionFault(f"{path}: cannot be written ({error.strerror or error}); free room there, or mend its owner") from None


def _put_private(path: Path, data: bytes) -> None:
    part = path.with_name(f"{PART}{path.name}")
    part.unlink(missing_ok=True)  # left by a kill
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync(path.parent)
