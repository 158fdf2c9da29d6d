"""A QR code's payload is text on the page: shown on asking, escaped, and no link, whatever it holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import update

from store import tables
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer

PAYLOAD = "javascript:alert(document.cookie)//<script>alert(1)</script>"
SHA = "ab" * 32


@pytest.fixture
def hit(staffed: Store, clock: Hand) -> int:
    sample = seed.Sample("保本保息", "年化18%", "wealth_mgmt", "alert", "高危", ())
    number = seed.add_hit(staffed, now=clock(), sample=sample)
    region = {"kind": "qr", "start": 0, "end": 1, "box": [1, 2, 30, 40]}
    image = {
        "url": "https://a.example/p.png",
        "sha256": SHA,
        "text": "扫码",
        "qr": [PAYLOAD],
        "width": 90,
        "height": 90,
        "regions": [region],
    }
    with staffed.write() as conn:
        conn.execute(update(tables.postings).values(images=[image]))
    return number


def test_a_payload_is_shown_as_text_on_asking(officer: Callable[[str], Officer], hit: int) -> None:
    chen = officer("chen")
    assert "alert(document.cookie)" not in chen.get(f"/hits/{hit}").text
    page = LexborHTMLParser(chen.post(f"/hits/{hit}/contacts").text)
    shown = [node.text() for node in page.css("code.payload")]
    assert shown == [PAYLOAD]
    assert not [
        node for node in page.css("[href], [src]") if "javascript" in (node.attributes.get("href") or node.attributes.get("src") or "")
    ]
    assert not [node for node in page.css("script") if "alert" in node.text()]


def test_a_role_without_need_sees_no_payload(officer: Callable[[str], Officer], hit: int) -> None:
    assert "alert(document.cookie)" not in officer("wu").get(f"/hits/{hit}").text
