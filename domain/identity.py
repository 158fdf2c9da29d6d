"""What makes two things the same: canonical addresses, fingerprints, document numbers, idempotency keys."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from domain.clock import SHANGHAI

_KEYS = (
    "utm_source utm_medium utm_campaign utm_term utm_content utm_id spm from_source share_token share_source timestamp _t "
    "_r rand jsessionid phpsessid sid sessionid fbclid gclid bd_vid hmsr hmpl hmcu hmkw hmci vd_source scene clicktime "
    "enterid isappinstalled "
)
TRACKING = frozenset(_KEYS.split())
"""Query keys that tell how a reader came, not what is read. Compared in lower case."""


_CANONICAL = re.compile(r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::(?!80/|443/)[1-9]\d{0,4})?/(?:[\w./-])*", re.A)
"""Addresses that are canonical as they stand: most are, and telling so is ten times faster than taking them apart."""


def canonical_url(url: str, *, base: str | None = None) -> str:
    """One spelling for one page: lower-case scheme and host, no default port, no fragment, no tracking keys.

    The order of the remaining query keys is kept: some sites give meaning to it. `#!` fragments are kept as they address
    pages. Raises ValueError for an address that is not http(s) or has no host.
    """
    joined = urljoin(base, url.strip()) if base else url.strip()
    if _CANONICAL.fullmatch(joined):
        return joined
    parts = urlsplit(joined)
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not a web address: {url[:200]!r}")
    host = parts.hostname.lower().rstrip(".")
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError as error:
        raise ValueError(f"not a host name: {host[:200]!r}") from error
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    netloc = host if port is None or port == {"http": 80, "https": 443}[scheme] else f"{host}:{port}"
    pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=500)
    kept = [(key, value) for key, value in pairs if key.lower() not in TRACKING]
    # A query that loses nothing keeps its own spelling: re-encoding could break sites that expect GBK percent codes.
    query = parts.query if len(kept) == len(pairs) else urlencode(kept)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    fragment = parts.fragment if parts.fragment.startswith("!") else ""
    return urlunsplit((scheme, netloc, path, quote(query, safe="=&%+/:?@!$'()*,;~-._"), fragment))


def sha256(data: bytes) -> str:
    """Hex digest, 64 characters."""
    return hashlib.sha256(data).hexdigest()


def fingerprint(*, platform: str, url: str, title: str, body: str, images: tuple[str, ...] = ()) -> str:
    """32 hex characters: the same posting with the same words gives the same one; an edit gives another.

    White space does not count, since pages re-flow it. `images` are the addresses of the posting's pictures.
    """
    digest = hashlib.sha256()
    for part in (platform, url, "".join(title.split()), "".join(body.split()), *images):
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\x00")
    return digest.hexdigest()[:32]


def idempotency_key(*parts: str | int) -> str:
    """The same outgoing document to the same receiver always carries the same key. 40 hex characters."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:40]


def document_number(prefix: str, *, office: str, at: datetime, serial: int) -> str:
    """文号, such as `网巡示例预〔2026〕12号`: prefix 预 notice, 线 lead push, 移 case transfer; year in Shanghai time."""
    return f"{office}{prefix}〔{at.astimezone(SHANGHAI).year}〕{serial}号"
