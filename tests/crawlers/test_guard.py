"""Nothing but the public internet, by whatever name or number it is asked for."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from crawlers.guard import Guard, literal, public
from domain.errors import Refused


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "168.63.129.16",
        "::1",
        "::",
        "fe80::1",
        "fd00:ec2::254",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fec0::1",
        "2001:db8::1",
        "::127.0.0.1",
    ],
)
def test_address_outside_the_public_internet_is_refused(address: str) -> None:
    assert not public(ipaddress.ip_address(address))
    assert not Guard().lets("example.com", 80, ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "114.114.114.114", "220.181.38.148", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_address_passes(address: str) -> None:
    assert public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "[::1]", "0x7f.1", "[::ffff:7f00:1]", "[fe80::1%25eth0]", "0"]
)
def test_numbers_in_other_spellings_are_refused(host: str) -> None:
    with pytest.raises(Refused, match="allow_hosts"):
        Guard().check(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "http:///x",
        "http://u:p@example.com/",
        "javascript:1",
        "http://a:b:c/",
        "http://[::1",
    ],
)
def test_what_is_no_public_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        Guard().check(url)


def test_names_are_no_numbers() -> None:
    assert literal("example.com") is None and literal("cafe.de") is None and literal("163.com") is None and literal("1.2.3.4.5") is None


def test_allowance_is_for_its_host_and_port_alone() -> None:
    loopback = ipaddress.ip_address("127.0.0.1")
    guard = Guard(["127.0.0.1:8001", "intranet.example"])
    assert guard.lets("localhost", 8001, loopback) and not guard.lets("localhost", 8002, loopback)
    assert guard.lets("intranet.example", 80, ipaddress.ip_address("10.0.0.8"))
    assert not guard.lets("evil.example", 80, ipaddress.ip_address("10.0.0.8"))
    guard.check("http://127.0.0.1:8001/")
    with pytest.raises(Refused):
        guard.check("http://127.0.0.1:8002/")


def test_proxy_may_be_connected_to_but_is_no_page() -> None:
    guard = Guard(proxy=("127.0.0.1", 3128))
    assert guard.lets_connection("127.0.0.1", 3128, ipaddress.ip_address("127.0.0.1"))
    with pytest.raises(Refused):
        guard.check("http://127.0.0.1:3128/")


GOOD = ("<h1>正常的页面</h1><p>" + "这一页没有问题，应当照常取得，" * 12 + "</p>").encode()


def test_sweep_refuses_redirects_and_names_that_lead_inside(site: Any, sweep: Any) -> None:
    """The site itself is allowed by name; localhost resolves inside, and other ports of the machine are not the site."""
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]
    site.pages |= {
        "/good": GOOD,
        "/jump": (302, {"Location": f"http://127.0.0.1:{port}/"}, b""),
        "/dec": (302, {"Location": f"http://2130706433:{port}/"}, b""),
        "/meta": (302, {"Location": "http://169.254.169.254/latest/meta-data/"}, b""),
        "/name": (302, {"Location": f"http://localhost:{port}/"}, b""),
        "/six": (302, {"Location": f"http://[::1]:{port}/"}, b""),
    }
    paths = ("jump", "dec", "meta", "name", "six", "good")
    found = sweep({"kind": "generic", "start": [site.home + path for path in paths], "budget": {"depth": 0}})
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.accept()
    other.close()
    assert found.count("refused") == 5 and [posting.title for posting in found.postings] == ["正常的页面"], found.log


def test_sweep_of_a_name_that_resolves_inside_is_refused(site: Any, sweep: Any) -> None:
    found = sweep({"home": f"http://localhost:{site.port}/", "allow_hosts": []})
    assert found.count("refused") == 1 and found.outcome == "failed" and not site.asked, found.log
    assert "outside the public internet" in found.log


def test_sweep_through_a_proxy_asks_in_plain_and_keeps_the_addresses(site: Any, sweep: Any) -> None:
    """A replay: names that resolve nowhere, https asked for as http, pages read as their own platform would."""
    site.pages |= {
        "http://index.test/": b'<ul><li><a href="https://news.example/a.html">1</a><li><a href="http://127.0.0.1:1/inside">2</a></ul>',
        "http://news.example/a.html": GOOD,
    }
    found = sweep(
        {
            "kind": "generic",
            "home": "http://index.test/",
            "hosts": ["*"],
            "allow_hosts": [],
            "proxy": site.home,
            "proxy_plain": True,
            "adopt": True,
            "list": {"match": "index", "item": "li", "fields": {"title": "a"}, "keep": False},
            "detail": {},
        }
    )
    assert [(one.title, one.url, one.platform) for one in found.postings] == [
        ("正常的页面", "https://news.example/a.html", "news.example")
    ], found.log
    assert found.count("refused") == 1 and "http://127.0.0.1:1/inside" not in site.asked
