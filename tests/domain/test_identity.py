from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identity import TRACKING, canonical_url, document_number, fingerprint, idempotency_key, sha256

LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
PATH = st.text(st.characters(blacklist_characters="?#\\", blacklist_categories=("Cc", "Cs", "Z")), max_size=30)
WORD = st.text("abcdefghijkmnoxyz0123456789", min_size=1, max_size=8).map(lambda word: "q" + word)
ODD = st.text(st.characters(blacklist_categories=("Cs",)), max_size=60)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    scheme = draw(st.sampled_from(["http", "https", "HTTP", "Https"]))
    host = ".".join(draw(st.lists(LABEL, min_size=2, max_size=3)))
    port = draw(st.sampled_from(["", ":80", ":443", ":8080"]))
    query = "&".join(f"{key}={value}" for key, value in draw(st.lists(st.tuples(WORD, WORD), max_size=4)))
    return f"{scheme}://{host}{port}/{draw(PATH)}" + (f"?{query}" if query else "") + draw(st.sampled_from(["", "#top", "#!page"]))


@settings(deadline=None)
@given(addresses())
def test_canonical_url_is_a_fixed_point(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once


@settings(deadline=None)
@given(addresses(), st.sampled_from(sorted(TRACKING)), WORD)
def test_canonical_url_ignores_how_the_reader_came(url: str, key: str, value: str) -> None:
    address, _, fragment = url.partition("#")
    tracked = f"{address}{'&' if '?' in address else '?'}{key.upper()}={value}" + (f"#{fragment}" if fragment else "")
    assert canonical_url(tracked) == canonical_url(url)


@settings(deadline=None)
@given(addresses())
def test_canonical_url_is_plain_ascii_with_a_lower_case_host(url: str) -> None:
    parts = urlsplit(canonical_url(url))
    assert parts.geturl().isascii()
    assert parts.netloc == parts.netloc.lower()
    assert parts.fragment in ("", "!page")


@settings(deadline=None)
@given(ODD)
def test_canonical_url_takes_any_text_or_refuses_it_by_name(text: str) -> None:
    """A link on a page can be anything; an address of the web or ValueError may come out, nothing else."""
    try:
        url = canonical_url(text, base="http://site.example/a/")
    except ValueError:
        return
    assert url.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("HTTP://Site.Example.:80/a?utm_source=x", "http://site.example/a"),
        ("https://site.example", "https://site.example/"),
        ("https://site.example:443/b?b=2&a=1", "https://site.example/b?b=2&a=1"),
        ("http://site.example:443/", "http://site.example:443/"),
        ("http://site.example/s?wd=%B7%C7%B7%A8", "http://site.example/s?wd=%B7%C7%B7%A8"),
        ("http://site.example/路", "http://site.example/%E8%B7%AF"),
        ("http://例子.测试/", "http://xn--fsqu00a.xn--0zwm56d/"),
        ("http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("http://site.example/a#frag", "http://site.example/a"),
        ("http://site.example/a#!/page/2", "http://site.example/a#!/page/2"),
        ("http://site.example/a?x=", "http://site.example/a?x="),
    ],
)
def test_canonical_url_gives_one_spelling(given_url: str, expected: str) -> None:
    assert canonical_url(given_url) == expected


def test_canonical_url_resolves_a_link_on_its_page() -> None:
    assert canonical_url("../c?spm=1", base="http://site.example/a/b") == "http://site.example/c"


@pytest.mark.parametrize("url", ["ftp://site.example/", "javascript:void(0)", "mailto:a@site.example", "http://", "//", "", "http://:80/"])
def test_canonical_url_refuses_what_is_no_web_address(url: str) -> None:
    with pytest.raises(ValueError):
        canonical_url(url)


def test_fingerprint_ignores_white_space_and_sees_an_edit() -> None:
    first = fingerprint(platform="p", url="http://a.example/1", title="标 题", body="第一行\n第二行")
    assert first == fingerprint(platform="p", url="http://a.example/1", title="标题", body="第一行 第二行")
    assert first != fingerprint(platform="p", url="http://a.example/1", title="标题", body="第一行第三行")
    assert first != fingerprint(platform="p", url="http://a.example/2", title="标题", body="第一行第二行")


def test_fingerprint_tells_title_from_body_and_counts_pictures() -> None:
    assert fingerprint(platform="p", url="u", title="甲乙", body="丙") != fingerprint(platform="p", url="u", title="甲", body="乙丙")
    assert fingerprint(platform="p", url="u", title="", body="") != fingerprint(platform="p", url="u", title="", body="", images=("http://a/1.png",))


@settings(deadline=None)
@given(ODD)
def test_fingerprint_is_32_hex_characters_for_any_text(text: str) -> None:
    value = fingerprint(platform="p", url="u", title=text, body=text + "\ud800")
    assert len(value) == 32
    assert set(value) <= set("0123456789abcdef")


def test_idempotency_key_is_steady_and_keeps_its_parts_apart() -> None:
    assert idempotency_key("notice", 1, "email") == idempotency_key("notice", "1", "email")
    assert idempotency_key("notice", 11, "x") != idempotency_key("notice", 1, "1x")
    assert len(idempotency_key("a")) == 40


def test_document_number_takes_the_year_that_people_in_shanghai_have() -> None:
    assert document_number("预", office="网巡示例", at=datetime(2026, 12, 31, 16, 0, tzinfo=UTC), serial=1) == "网巡示例预〔2027〕1号"
    assert document_number("线", office="网巡示例", at=datetime(2026, 12, 31, 15, 59, tzinfo=UTC), serial=12) == "网巡示例线〔2026〕12号"


def test_sha256_is_hex_of_the_bytes() -> None:
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
