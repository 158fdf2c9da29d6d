"""Cookies of a session: which of them goes where. To the platform's own hosts and nobody else, over https unless the platform is plain."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterable, Iterator
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from crawlers.guard import literal
from crawlers.platform import PlatformFile
from crawlers.sessions_key import SessionFault

MOST_COOKIES = 300
MOST_SECRETS = 400
MOST_HEADER = 16_000
"""Characters of a Cookie header: more is refused by common servers."""
_TOKEN = re.compile(r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$")
_TOKEN_VALUE = re.compile(r"(?=[^0-9]*[0-9])(?!/|.*//)[\w\-+=.|~/!*]{16,}")
_BAD_VALUE = re.compile(r"[\x00-\x1f\x7f;]")


class Cookie(BaseModel):
    """One cookie as Playwright's storage_state has it. `expires` is -1 for one that lasts as long as its browser."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    name: str
    value: str = Field(repr=False, max_length=8192)
    domain: str = Field(min_length=1, max_length=253)
    path: str = "/"
    expires: float = Field(default=-1, allow_inf_nan=False)
    httpOnly: bool = False
    secure: bool = False
    sameSite: Literal["Strict", "Lax", "None"] = "Lax"

    @field_validator("name", "value", "domain", "path")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if _BAD_VALUE.search(value):
            raise ValueError("holds a control character or a semicolon")
        return value

    @field_validator("name")
    @classmethod
    def _token(cls, value: str) -> str:
        if not _TOKEN.match(value):
            raise ValueError("not a cookie's name")
        return value

    @property
    def host(self) -> str:
        return self.domain.lstrip(".").lower()

    @property
    def alone(self) -> bool:
        """Whether it is of this one host, without its subdomains."""
        return not self.domain.startswith(".") or literal(self.host) is not None

    def ended(self, now_s: float) -> bool:
        return 0 <= self.expires <= now_s

    def fits(self, host: str, path: str, *, secure: bool) -> bool:
        """Source: RFC 6265, 5.1.3, 5.1.4 and 5.4."""
        if self.secure and not secure:
            return False
        if host != self.host and (self.alone or not host.endswith("." + self.host)):
            return False
        return path == self.path or (path.startswith(self.path) and (self.path.endswith("/") or path[len(self.path)] == "/"))


class Jar:
    """The cookies of one session while a sweep uses them, renewed where the site renews them; in memory alone."""

    def __init__(self, cookies: Iterable[Cookie], platform: PlatformFile) -> None:
        self._platform = platform
        self._plain = urlsplit(platform.home).scheme == "http"
        self._cookies = {(one.name, one.domain, one.path): one for one in cookies}
        self._secrets: dict[str, tuple[bytes, ...]] = {}
        for one in self._cookies.values():
            self._remember(one)

    def may_go(self, url: str) -> bool:
        """Whether anything of the session may be sent to `url`."""
        parts = urlsplit(url)
        return (parts.scheme == "https" or (parts.scheme == "http" and self._plain)) and self._platform.owns(url)

    def header(self, url: str, *, now_s: float | None = None) -> str:
        """The Cookie header for `url`; empty where none may go there."""
        if not self.may_go(url):
            return ""
        parts, now_s = urlsplit(url), time.time() if now_s is None else now_s
        host, path = (parts.hostname or "").lower(), parts.path or "/"
        fitting = [one for one in self.living(now_s) if one.fits(host, path, secure=parts.scheme == "https")]
        pairs, size = [], 0
        for one in sorted(fitting, key=lambda one: -len(one.path)):
            size += len(one.name) + len(one.value) + 3
            if size <= MOST_HEADER:
                pairs.append(f"{one.name}={one.value}")
        return "; ".join(pairs)

    def living(self, now_s: float) -> list[Cookie]:
        return [one for one in self._cookies.values() if not one.ended(now_s)]

    def take(self, url: str, lines: Iterable[str]) -> None:
        """What the site says by Set-Cookie: renewed, new, or (a moment that is past) taken away. Of its own hosts alone."""
        if not self.may_go(url):
            return
        for line in lines:
            found = cookie_of(line, url)
            if found is None:
                continue
            known = (found.name, found.domain, found.path)
            if found.ended(time.time()):
                self._cookies.pop(known, None)
            elif len(self._cookies) < MOST_COOKIES or known in self._cookies:
                self._keep(found)

    def renew(self, cookies: Iterable[Any]) -> None:
        """What a browser holds after a page."""
        for one in cookies:
            try:
                found = Cookie.model_validate(one)
            except ValidationError:
                continue
            same = [
                held
                for held in self._cookies.values()
                if (held.name, held.path) == (found.name, found.path) and found.domain in _narrowed(held, self._platform)
            ]
            if same:  # it went to the browser narrowed, and stays as wide as it was here
                self._keep(found.model_copy(update={"domain": same[0].domain, "secure": same[0].secure}))
            elif len(self._cookies) < MOST_COOKIES and related(found, self._platform):
                self._keep(found)

    def _keep(self, cookie: Cookie) -> None:
        self._cookies[(cookie.name, cookie.domain, cookie.path)] = cookie
        self._remember(cookie)

    def _remember(self, cookie: Cookie) -> None:
        """Its value as what must stand nowhere. Short ones, and those of scripts that are no tokens, are words of every page."""
        value = cookie.value
        if value not in self._secrets and (len(value) >= 8 if cookie.httpOnly else _TOKEN_VALUE.fullmatch(value)):
            self._secrets[value] = tuple({text.encode("utf-8", "replace") for text in (value, quote(value, safe=""), html.escape(value))})
            while len(self._secrets) > MOST_SECRETS:  # of a site that renews with each page; the oldest are worth nothing any more
                self._secrets.pop(next(iter(self._secrets)))

    def for_browser(self, *, now_s: float) -> list[dict[str, Any]]:
        """As `add_cookies` takes them: none reaches beyond the platform's hosts, and none goes out in the clear unless it is plain."""
        found = []
        for cookie in self.living(now_s):
            given = cookie.model_dump() | ({} if self._plain else {"secure": True})
            if given["sameSite"] == "None" and not given["secure"]:
                given["sameSite"] = "Lax"
            found += [given | {"domain": domain} for domain in _narrowed(cookie, self._platform)]
        return found

    def secrets(self) -> Iterator[bytes]:
        """Values, and their spellings in addresses and in markup, that must stand nowhere."""
        return chain.from_iterable(self._secrets.values())


def cookie_of(line: str, url: str) -> Cookie | None:
    """The cookie of a Set-Cookie line of `url`; None where it is none, or for a host that is not its own."""
    parts, (pair, _, rest) = urlsplit(url), line.partition(";")
    name, equals, value = pair.partition("=")
    given: dict[str, str] = {}
    for one in rest.split(";"):
        key, _, text = one.partition("=")
        given.setdefault(key.strip().lower(), text.strip())
    host = (parts.hostname or "").lower()
    domain = given.get("domain", "").lstrip(".").lower()
    if not equals or (domain and host != domain and not host.endswith("." + domain)):
        return None
    path = given.get("path", "")
    if not path.startswith("/"):
        path = parts.path.rpartition("/")[0] or "/"
    try:
        return Cookie(
            name=name.strip(), value=value.strip(), domain=f".{domain}" if domain else host, path=path, expires=_expiry(given),
            secure="secure" in given, httpOnly="httponly" in given,
        )  # fmt: skip
    except ValidationError:
        return None


def _expiry(given: dict[str, str]) -> float:
    age = given.get("max-age", "")
    if re.fullmatch(r"-?\d{1,12}", age):
        return max(0.0, time.time() + int(age)) if int(age) > 0 else 0.0
    try:
        return max(0.0, parsedate_to_datetime(given["expires"].replace("-", " ")).timestamp())
    except (KeyError, ValueError, TypeError, OverflowError, IndexError):
        return -1


def _hosts(platform: PlatformFile) -> list[str]:
    return [entry.rpartition(":")[0] if entry.count(":") == 1 else entry for entry in platform.site]


def _narrowed(cookie: Cookie, platform: PlatformFile) -> list[str]:
    """Domains that the cookie keeps: its own below the platform's hosts, those of the platform below its own; none where strange."""
    found: dict[str, None] = {}
    for host in _hosts(platform):
        bare = host.removeprefix("www.")
        same = cookie.host in (host, bare, f"www.{bare}") and (cookie.alone or cookie.host == host)
        if same or cookie.host.endswith("." + host):
            found[cookie.domain] = None
        elif not cookie.alone and host.endswith("." + cookie.host):
            found["." + host] = None
    return list(found)


def related(cookie: Cookie, platform: PlatformFile) -> bool:
    """Whether it would be sent to any host of the platform."""
    return bool(_narrowed(cookie, platform))


def cookies_of(state: Any) -> list[Cookie]:
    """The cookies of a storage_state. Raises SessionFault, which repeats nothing of what stands there."""
    given = state.get("cookies") if isinstance(state, dict) else None
    if not isinstance(given, list) or len(given) > 10_000:
        raise SessionFault("session: no storage_state; make it with Playwright's context.storage_state(path=...), it has a list of cookies")
    found = []
    for number, one in enumerate(given, 1):
        try:
            found.append(Cookie.model_validate(one))
        except ValidationError as error:
            where = ", ".join(".".join(map(str, item["loc"])) + ": " + item["msg"] for item in error.errors(include_input=False)[:3])
            raise SessionFault(f"session: cookie {number} of the storage_state is none ({where}); make the file again") from None
    return found


def narrowed(state: Any, platform: PlatformFile) -> dict[str, Any]:
    """What of a storage_state belongs to the platform. Raises SessionFault where nothing does."""
    cookies = [one.model_dump() for one in cookies_of(state) if related(one, platform)]
    hosts = ", ".join(platform.site)
    if not cookies:
        raise SessionFault(f"session: no cookie for {hosts}; log in there, and let the page come before it is closed")
    if len(cookies) > MOST_COOKIES:
        raise SessionFault(f"session: {len(cookies)} cookies for {hosts} are more than a login has; log in with a fresh browser")
    origins = state.get("origins")
    kept = [one for one in origins if _of_platform(one, platform)] if isinstance(origins, list) else []
    return {"cookies": cookies, "origins": kept}


def _of_platform(origin: Any, platform: PlatformFile) -> bool:
    if not isinstance(origin, dict) or not isinstance(origin.get("origin"), str) or not isinstance(origin.get("localStorage"), list):
        return False
    named = all(
        isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("value"), str) for one in origin["localStorage"]
    )
    return named and platform.owns(origin["origin"] + "/")
