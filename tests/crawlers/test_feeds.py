"""Feeds and sitemaps, as they are and as they are broken."""

from __future__ import annotations

import gzip
from datetime import datetime
from typing import Any

import pytest

from crawlers.feeds import kind_of, read_feed, unpacked
from crawlers.page import Page
from crawlers.platform import PlatformFile
from crawlers.reading import Reading, Role
from domain.clock import SHANGHAI

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=SHANGHAI)
SITE = PlatformFile(id="town", title="小城", home="http://town.example/", kind="portal")
LONG = "<p>" + "预存十万元，每年返还一万二千元，五年到期退还本金。" * 12 + "</p><img src='/poster.png'>"


def read(source: str, *, role: Role = "start", platform: PlatformFile = SITE) -> Reading:
    found = read_feed(platform, Page(source.encode(), url="http://town.example/rss.xml"), role=role, now=NOW)
    assert found is not None
    return found


RSS = f"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>小城</title><link>http://town.example/</link>
<item><title>全文的一条</title><link>http://town.example/n/1</link><description>摘要</description><content:encoded><![CDATA[{LONG}]]></content:encoded>
<dc:creator>渡口观察</dc:creator><pubDate>Mon, 23 Nov 2026 15:05:00 +0800</pubDate><media:thumbnail url="http://town.example/t.jpg"/></item>
<item><title>只有&lt;b&gt;摘要&lt;/b&gt;的一条</title><guid isPermaLink="true">http://town.example/n/2</guid><description>摘要，点进去看。</description>
<author>a@town.example (小城编辑)</author></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>小城</title>
<link rel="self" href="/atom.xml"/><link rel="next" href="/atom.xml?page=2"/>
<entry><title type="html">一条</title><link rel="edit" href="/e/1"/><link href="/n/1"/><published>2026-11-23T07:00:00Z</published>
<author><name>阿衡</name></author><summary>摘要</summary></entry>
<entry><title>另一条</title><link rel="alternate" href="/n/2"/><updated>2026-11-22T07:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>%s</p></div></content></entry></feed>""" % ("很长的正文，" * 60)
JSON = """{"version": "https://jsonfeed.org/version/1.1",
 "items": [{"url": "/n/1", "title": "一条", "summary": "摘要", "authors": [{"name": "阿衡"}]}]}"""
SITEMAP = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>http://town.example/n/1</loc><lastmod>2026-11-20</lastmod></url><url><loc>http://town.example/n/0</loc></url>
<url><loc>http://town.example/n/2</loc><lastmod>2026-11-22T10:00:00+08:00</lastmod></url><url><loc>javascript:alert(1)</loc></url></urlset>"""


def test_entry_with_its_whole_text_is_a_posting_and_others_are_followed() -> None:
    found = read(RSS)
    assert (found.layout, found.items) == ("feed", 2)
    (posting,) = found.postings
    assert (posting.title, posting.url, posting.publisher) == ("全文的一条", "http://town.example/n/1", "渡口观察")
    assert posting.body.startswith("预存十万元") and posting.published_at == datetime(2026, 11, 23, 15, 5, tzinfo=SHANGHAI)
    assert [image.url for image in posting.images] == ["http://town.example/poster.png", "http://town.example/t.jpg"]
    (step,) = found.follow
    assert step.url == "http://town.example/n/2" and step.role == "detail" and step.hints is not None
    assert (step.hints.title, step.hints.publisher) == ("只有摘要的一条", "小城编辑")


def test_platform_that_reads_details_follows_every_entry() -> None:
    platform = PlatformFile.model_validate({**SITE.model_dump(), "detail": {"fields": {"body": ".b"}}})
    assert [step.url for step in read(RSS, platform=platform).follow] == ["http://town.example/n/1", "http://town.example/n/2"]


def test_feed_alone_gives_all_its_entries() -> None:
    found = read(RSS, role="visit")
    assert [posting.body[:3] for posting in found.postings] == ["预存十", "摘要，"] and not found.follow


def test_atom_links_time_and_markup() -> None:
    found = read(ATOM)
    assert [step.url for step in found.follow if not step.onward] == ["http://town.example/n/1"]
    assert [step.url for step in found.follow if step.onward] == ["http://town.example/atom.xml?page=2"]
    assert found.follow[0].hints is not None and found.follow[0].hints.publisher == "阿衡"
    assert found.postings[0].title == "另一条" and found.postings[0].body.startswith("很长的正文")


def test_json_feed_is_followed() -> None:
    found = read(JSON)
    assert [step.url for step in found.follow] == ["http://town.example/n/1"] and found.follow[0].hints is not None
    assert found.follow[0].hints.publisher == "阿衡"


def test_sitemap_is_followed_newest_first_without_taking_lastmod_for_a_date() -> None:
    found = read(SITEMAP, role="list")
    assert [step.url[-1] for step in found.follow] == ["2", "1", "0"] and found.layout == "sitemap"
    assert all(step.hints is not None and step.hints.published_at is None for step in found.follow)


def test_gb18030_feed_is_decoded_whatever_it_declares() -> None:
    body = RSS.replace('version="1.0"?', 'version="1.0" encoding="utf-8"?').encode("gb18030")
    found = read_feed(SITE, Page(body, url="http://town.example/rss"), role="start", now=NOW)
    assert found is not None and found.postings[0].title == "全文的一条"


@pytest.mark.parametrize("source", ["<html><body><rss>", "<p>feed</p>", "{}", "", '{"version": 1, "items": []}', "<svg></svg>"])
def test_what_is_no_feed_is_left_to_others(source: str) -> None:
    assert kind_of(Page(source.encode(), url="http://town.example/")) is None


def test_entities_are_neither_expanded_nor_fetched() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    item = "<item><title>&l11;&f;x</title><link>http://town.example/1</link></item>"
    declared = f'<!DOCTYPE rss [<!ENTITY l0 "ha"><!ENTITY f SYSTEM "file:///etc/passwd">{laughs}]>'
    bomb = f'<?xml version="1.0"?>{declared}<rss><channel>{item}</channel></rss>'
    found = read_feed(SITE, Page(bomb.encode(), url="http://town.example/rss"), role="visit", now=NOW)
    assert found is None or all("root:" not in posting.text and len(posting.text) < 1000 for posting in found.postings)
    plain = "<rss><channel><item><title>&l11;&nbsp;标题</title><link>http://town.example/1</link></item></channel></rss>"
    assert read(plain, role="visit").postings[0].title.endswith("标题")


def test_broken_and_endless_feeds_give_what_can_be_read() -> None:
    cut = RSS[: RSS.index("<author>")]
    assert len(read(cut, role="visit").postings) >= 1
    deep = "<rss>" + "<a>" * 20_000
    assert read(deep).postings == []
    many = "<rss><channel>" + "<item><title>x</title><link>http://town.example/1</link></item>" * 5_000
    assert len(read(many, role="visit").postings) <= 2_000


def test_packed_sitemap_is_unpacked_and_a_bomb_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(SITEMAP.encode())
    assert unpacked(packed) == SITEMAP.encode() and unpacked(b"<html>") == b"<html>"
    assert SITEMAP.encode().startswith(unpacked(packed[:-20])[:50])
    assert unpacked(b"\x1f\x8b" + b"\0" * 50) == b"\x1f\x8b" + b"\0" * 50
    monkeypatch.setattr("crawlers.feeds.MOST_UNPACKED", 1_000_000)
    assert len(unpacked(gzip.compress(b"0" * 20_000_000))) < 1_500_000


def test_sweep_goes_from_a_packed_index_to_articles(site: Any, sweep: Any) -> None:
    body = "".join(f"<p>第{n}段，说的是社区里的一件小事，写给测试用，没有别的意思。</p>" for n in range(4))
    urls = "".join(f"<url><loc>{site.home}n/{n}.html</loc><lastmod>2026-11-{n + 10}</lastmod></url>" for n in range(9))
    index = f"<sitemapindex><sitemap><loc>{site.home}part.xml.gz</loc></sitemap></sitemapindex>"
    part = gzip.compress(f"<urlset>{urls}</urlset>".encode())
    site.pages |= {"/sitemap.xml": (200, {"Content-Type": "application/xml"}, index.encode())}
    site.pages |= {"/part.xml.gz": (200, {"Content-Type": "application/x-gzip"}, part)}
    site.pages |= {f"/n/{n}.html": f"<title>第{n}件小事_小城</title><h1>第{n}件小事</h1><div>{body}</div>".encode() for n in range(9)}
    found = sweep({"kind": "generic", "start": [site.home + "sitemap.xml"], "budget": {"pages": 6, "depth": 2}})
    titles = {posting.title for posting in found.postings}
    assert "第8件小事" in titles and len(titles) >= 4 and found.count("not_html") == 0, found.log  # the newest first
    assert found.count("over_budget") >= 3
