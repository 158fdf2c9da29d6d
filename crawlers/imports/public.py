"""What of a phone's traffic is public: addresses without tokens, bodies without credentials, and which answers are left alone.

An officer's phone sends its own secrets with every request. Cookies, Authorization headers and request bodies are never read at all
(see `har`); what hides in an address or a body is cut here. Source: 个人信息保护法 arts 6 and 19, no more than the purpose needs.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from domain.identity import fingerprint
from domain.model import Image, Posting

_CARRIES = (
    r"(?:[\w.-]*token|[\w.-]*ticket|[\w.-]*session[\w.-]*|sess|sid|jsessionid|phpsessid|authorization|auth|oauth[\w.-]*|bearer|jwt"
    r"|cookies?|csrf[\w.-]*|xsrf[\w.-]*|[\w.-]*passw(?:or)?d|pwd|[\w.-]*secret|sign|_sign|x-sign|_?signature|sig|x-bogus|a_bogus|mstoken|verifyfp"
    r"|[\w.-]*openid|unionid|key|uin|device_?id|did|iid|install_?id|imei\d?|idfa|idfv|oaid|android_?id|mac|cuid|udid|utdid|ttwid"
    r"|phone|mobile|tel|id_?card|lat|lng|lon|latitude|longitude)"
)
_SECRET_KEY = re.compile(_CARRIES, re.I)
_JWT = re.compile(r"^eyJ[\w-]{8,}\.[\w-]+")
_SESSION_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#;]*", re.I)
_BODY_KEY = (
    rb"(?:[\w.-]{0,40}token|[\w.-]{0,40}ticket|session_?(?:id|key)|authorization|jwt|cookies?|csrf[\w.-]{0,20}|(?:[\w.-]{0,20}_)?passw(?:or)?d"
    rb"|[\w.-]{0,20}secret|openid|unionid)"
)
_BODY_SECRET = re.compile(rb"""("%b"\s*:\s*")(?:[^"\\]|\\.){1,8192}""" % _BODY_KEY, re.I | re.S)
_INNER_SECRET = re.compile(rb"""(\\"%b\\"\s*:\s*\\")[^"\\]{1,8192}""" % _BODY_KEY, re.I)
"""The same in JSON that is a string of JSON."""
CUT = "〔已删〕".encode()
_PRIVATE = frozenset([
    "login", "logon", "logout", "signin", "signup", "passport", "oauth", "sso", "account", "accounts", "wallet", "cashier", "pay",
    "payment", "payments", "order", "orders", "cart", "bill", "bills", "balance", "withdraw", "message", "messages", "msg", "msgs",
    "inbox", "im", "chat", "chats", "conversation", "conversations", "dm", "sms", "friend", "friends", "contacts", "addressbook",
    "address", "addresses", "settings", "notification", "notifications", "userinfo", "mine", "upload", "heartbeat",
])  # fmt: skip
_PRIVATE_WHOLE = frozenset(["me", "my", "self"])
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def public_url(url: str) -> str:
    """The address without user name, fragment, and query keys that carry credentials, a device or a position.

    Raises ValueError for what is no address.
    """
    parts = urlsplit(url.strip())
    netloc = parts.netloc.rpartition("@")[2]
    pairs = [pair for pair in parts.query.split("&") if pair and not _secret(pair)]
    return urlunsplit((parts.scheme, netloc, _SESSION_PATH.sub("", parts.path), "&".join(pairs), ""))


def _secret(pair: str) -> bool:
    name, _, value = pair.partition("=")
    return _SECRET_KEY.fullmatch(name) is not None or _JWT.match(value) is not None


def private_reason(url: str) -> str:
    """Why an answer is left alone: its address belongs to a person's account, letters, orders or payments. Empty where it does not."""
    parts = urlsplit(url)
    labels = (parts.hostname or "").split(".")[:-2]
    segments = [*labels, *(segment for segment in parts.path.split("/") if segment)]
    for segment in segments[:40]:
        found = {word.lower() for word in _WORDS.findall(segment[:200])} & _PRIVATE
        if found or segment.lower() in _PRIVATE_WHOLE:
            return f"地址含“{min(found) if found else segment}”，属于账户、登录、私信、订单或支付一类，不是公开内容，不留存"
    return ""


def without_secrets(body: bytes) -> bytes:
    """A text body whose quoted fields that carry credentials are emptied; the same bytes where it has none."""
    return _INNER_SECRET.sub(rb"\1" + CUT, _BODY_SECRET.sub(rb"\1" + CUT, body))


def public_posting(posting: Posting) -> Posting:
    """The posting with the addresses of its pictures and links cut as those of pages are, so that picture and posting still meet."""
    images = tuple(replace(image, url=cut) for image in posting.images if (cut := _cut_or_none(image.url)))
    links = tuple(cut for link in posting.links if (cut := _cut_or_none(link)))
    return with_print(replace(posting, images=images, links=links))


def with_print(posting: Posting) -> Posting:
    """The posting with the fingerprint of what it holds now."""
    made = fingerprint(
        platform=posting.platform, url=posting.url, title=posting.title, body=posting.body, images=tuple(one.url for one in posting.images)
    )
    return replace(posting, fingerprint=made)


def pictures(addresses: list[str]) -> tuple[Image, ...]:
    """The pictures at these addresses, each once, 40 at most; what is no web address is left out."""
    found = dict.fromkeys(cut for address in addresses if address.startswith(("http://", "https://")) and (cut := _cut_or_none(address)))
    return tuple(Image(url=address) for address in list(found)[:40])


def _cut_or_none(url: str) -> str | None:
    try:
        return public_url(url)
    except ValueError:
        return None
