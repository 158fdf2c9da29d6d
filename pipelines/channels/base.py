"""What every channel takes and gives. The conformance suite in tests/channels holds each of them to it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx

from domain.errors import ChannelFault, Permanent, Transient

TIMEOUT_S = 30.0
"""Longest wait for a receiver's answer: well under settings.lease_s, so that a lease outlives its attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    """File name: ASCII letters, digits, dot, dash and underscore."""
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One approved paper on its way to one receiver."""

    key: str
    """Idempotency key: the same paper to the same receiver has the same one at every attempt."""
    subject: str
    """notice, withdrawal or lead."""
    number: str
    """文号."""
    address: str
    addressee: str
    title: str
    text: str
    """What a mail says above its attachments."""
    fields: dict[str, Any]
    """The same in JSON, for receivers that are programs."""
    attachments: tuple[Attachment, ...]
    at: datetime
    """Moment of this attempt, aware UTC."""
    hand_over: Callable[[], None] = lambda: None
    """A channel that is not idempotent calls it once, right before the receiver can take the parcel. It raises LeaseLost
    where somebody else holds the parcel now: then the channel lets go and nothing may arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that the receiver took it."""

    number: str | None
    """回执文号 where the receiver gives one."""
    received_at: str | None
    """The receiver's own time, as it wrote it (ISO 8601), where it gives one."""
    detail: dict[str, Any] = field(default_factory=dict)
    """What else proves it: the server's answer, the Message-ID, the folder."""

    def as_json(self) -> dict[str, Any]:
        return {"number": self.number, "received_at": self.received_at, **self.detail}


class Channel(Protocol):
    """A way out of the house."""

    @property
    def name(self) -> str:
        """Lower-case word, as deliveries carry it."""

    @property
    def idempotent(self) -> bool:
        """Whether the receiver knows a second copy by its key, so that an attempt in doubt may simply be made again."""

    def send(self, parcel: Parcel) -> Receipt:
        """Hand one parcel over.

        Raises Transient where another attempt may do, Doubtful where the receiver may have taken it and cannot tell copies apart,
        Permanent where a person is needed, LeaseLost as `hand_over` does.
        """

    def examples(self) -> Sequence[Parcel]:
        """Parcels that this channel must be able to send; the conformance suite sends them to a real receiver."""


def signature(token: str, body: bytes) -> str:
    """`sha256=<hex>`: HMAC-SHA256 of `body` with the secret that both sides hold."""
    return "sha256=" + hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def exchange(client: httpx.Client, request: httpx.Request, *, now: datetime, also: Sequence[int] = ()) -> httpx.Response:
    """Send a request and sort its failures. Redirects are not followed: evidence goes to the address that the office set, or nowhere.

    `also` are statuses beside 2xx that count as an answer. Raises Transient (no connection, no answer, 408, 425, 429, 5xx; with the
    receiver's Retry-After) or Permanent (3xx, other 4xx).
    """
    where = f"{request.method} {request.url.scheme}://{request.url.host}:{request.url.port or ''}{request.url.path}"
    try:
        answer = client.send(request, follow_redirects=False)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Permanent(f"{where}: {error}; mend the address in the settings") from error
    except httpx.HTTPError as error:
        raise Transient(f"{where}: {type(error).__name__}: {error}; it will be tried again") from error
    if answer.is_success or answer.status_code in also:
        return answer
    raise _failure(where, answer, now=now)


def _failure(where: str, answer: httpx.Response, *, now: datetime) -> ChannelFault:
    status = answer.status_code
    if status in (408, 425, 429) or status >= 500:
        return Transient(f"{where}: answered {status}; it will be tried again", retry_after_s=retry_after(answer, now=now))
    return Permanent(f"{where}: answered {status}; the receiver refuses it as it is")


def retry_after(answer: httpx.Response, *, now: datetime) -> float | None:
    """Seconds that the receiver asks to wait (Retry-After as seconds or as a date), where it does. Source: RFC 9110, 10.2.3."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, TypeError):
        return None


def example_parcels(*, address: str, subject: str = "notice") -> tuple[Parcel, ...]:
    """Two parcels for `Channel.examples`: an ordinary one, and one whose every text is hostile."""
    letter = Attachment(name="letter.pdf", mime="application/pdf", data=b"%PDF-1.7 example")
    ordinary = Parcel(
        key="a" * 40,
        subject=subject,
        number="网巡示例预〔2026〕1号",
        address=address,
        addressee="某账号",
        title="预警提示函",
        text="请查收。",
        fields={"url": "https://example.com/1"},
        attachments=(letter,),
        at=datetime(2026, 11, 23, 8, 5, tzinfo=UTC),
    )
    hostile = "转账\r\nBcc: everyone@example.com\r\n\r\n<script>\x00\u202e}{{7*7}}"
    heavy = Attachment(name="dossier.zip", mime="application/zip", data=bytes(range(256)) * 40)
    marked = replace(ordinary, number=hostile, addressee=hostile, title=hostile, text=hostile, fields={"quote": hostile})
    return ordinary, replace(marked, key="b" * 40, attachments=(letter, heavy))
