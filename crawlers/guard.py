"""Keeps spiders on the public internet: what a page links to, redirects to or resolves to must not reach the office's own network.

Three places ask the same `Guard`: the downloader middleware (schemes and addresses written as numbers, redirects too),
the name resolver of Scrapy's reactor (what a name resolves to, at the moment of the connection), and the gate that the browser
is given as its proxy (crawlers.gate). A platform's `allow_hosts` lets single hosts through by name or address.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from scrapy.resolver import CachingHostnameResolver
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from domain.errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Cloud metadata that stands on a public address (Azure's wire server). The others are link-local or carrier-grade NAT.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = tuple(ipaddress.ip_network(net) for net in ("192.88.99.0/24", "64:ff9b:1::/48", "5f00::/16", "3fff::/20", "fec0::/10", "::/96"))


def public(address: Address) -> bool:
    """Whether `address` belongs to the public internet. Addresses that carry another in them (mapped, 6to4, NAT64) count as that one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return public(inner)
        if address.teredo is not None:
            return False
    if address in _METADATA or any(address in net for net in _NEVER if net.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def literal(host: str) -> Address | None:
    """The address that a host name is a spelling of, decimal (2130706433), octal (0177.0.0.1) and short (127.1) forms too; else None."""
    text = host.strip("[]").rstrip(".").split("%", 1)[0]
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    if not text or text.lower().strip("0123456789abcdefx.") or not text[0].isdigit():
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


class Guard:
    """What one sweep may connect to.

    `allow` holds `host`, `host:port`, `address` or `address:port`; `proxy` is the (host, port) of the platform's own proxy, which
    may be connected to, but not asked for as a page.
    """

    def __init__(self, allow: Iterable[str] = (), *, proxy: tuple[str, int] | None = None) -> None:
        self._allow = frozenset(entry.lower() for entry in allow)
        self.proxy = (proxy[0].lower(), proxy[1]) if proxy else None
        self.refused: dict[str, int] = {}
        """Refusals by host."""

    def check(self, url: str) -> None:
        """Raises Refused for what is no http(s) address, carries a password, or names an address outside the public internet."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise Refused(f"{url[:200]}: not an address ({error}); nothing was fetched") from error
        if parts.scheme not in ("http", "https"):
            raise Refused(f"{url[:200]}: scheme {parts.scheme or 'none'}; only http and https are patrolled")
        if not host or parts.username is not None:
            raise Refused(f"{url[:200]}: no host, or a name and password in it; only public pages are patrolled")
        address = literal(host)
        port = port or (443 if parts.scheme == "https" else 80)
        if address is not None and not self.lets(host, port, address):
            raise self.refuse(host, address)

    def lets(self, host: str, port: int, address: Address) -> bool:
        """Whether a connection to `address`, found under the name `host`, is allowed."""
        if public(address):
            return True
        host = host.lower().strip("[]").rstrip(".")
        names = {host, f"{host}:{port}", str(address), f"{address}:{port}", f"[{address}]:{port}"}
        return not self._allow.isdisjoint(names)

    def lets_connection(self, host: str, port: int, address: Address) -> bool:
        """As `lets`, and the platform's own proxy."""
        return self.lets(host, port, address) or (self.proxy is not None and self.proxy == (host.lower(), port))

    def refuse(self, host: str, address: Address | None = None) -> Refused:
        """Notes a refusal and gives the fault to raise."""
        self.refused[host.lower()] = self.refused.get(host.lower(), 0) + 1
        where = f" ({address})" if address is not None and str(address) != host else ""
        return Refused(f"{host}{where}: not on the public internet; name it in allow_hosts where it shall be patrolled")


@implementer(IResolutionReceiver)
class _Sieve:
    """Hands on the addresses that the guard lets through."""

    def __init__(self, receiver: Any, *, guard: Guard, host: str, port: int) -> None:
        self._receiver, self._guard, self._host, self._port = receiver, guard, host, port
        self._given = self._kept_back = 0

    def resolutionBegan(self, resolution: Any) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        found = literal(address.host)
        if found is not None and self._guard.lets_connection(self._host, self._port, found):
            self._given += 1
            self._receiver.addressResolved(address)
        else:
            self._kept_back += 1

    def resolutionComplete(self) -> None:
        if self._kept_back and not self._given:
            self._guard.refuse(self._host)
        self._receiver.resolutionComplete()


class GuardedResolver(CachingHostnameResolver):
    """Scrapy's resolver with the guard of the running spider between; without a spider, the public internet alone.

    Every connection of the reactor asks it, redirects and re-resolved names (DNS rebinding) too, and connects to what it gave.
    """

    process: Any = None

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> GuardedResolver:
        # Scrapy hands over its process here, not a crawler: the spider is looked up when a name is.
        resolver: GuardedResolver = super().from_crawler(crawler, reactor)
        resolver.process = crawler
        return resolver

    def _guard(self) -> Guard:
        for crawler in getattr(self.process, "crawlers", ()):
            guard = getattr(crawler.spider, "guard", None)
            if isinstance(guard, Guard):
                return guard
        return Guard()

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[Any] | None = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        sieve: Any = _Sieve(resolutionReceiver, guard=self._guard(), host=hostName, port=portNumber)
        return super().resolveHostName(sieve, hostName, portNumber, addressTypes, transportSemantics)
