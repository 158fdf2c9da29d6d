"""The spider against a real server: lists, details, APIs, pictures, rechecks."""

from __future__ import annotations

import json
from typing import Any

from domain.model import PostingKind

LIST = """<html><head><title>海棠湾生活网 新闻</title></head><body><ul class="news">
<li><a href="/news/1.html?utm_source=a">银发公寓开放预订</a> <span class="date">2026-11-20</span></li>
<li><a href="/news/2.html">社区活动通知</a> <span class="date">2026-11-19</span></li></ul>
<a class="next" href="/p2">下一页</a></body></html>"""
LIST2 = """<html><body><ul class="news"><li><a href="/news/3.html">第三条消息</a></li></ul></body></html>"""
ARTICLE = """<html><head><title>{title}_海棠湾生活网</title></head><body><h1>{title}</h1>
<div class="meta">2026-11-20 08:30 来源：<span class="source">海棠湾生活网</span></div>
<div class="article-body"><p>{body}</p><p>联<b>系</b>电话见下图。</p><img data-src="/poster.png" src="/blank.gif"></div>
<div class="footer">投诉：<span class="email">jubao@haitang.example</span></div></body></html>"""
PORTAL: dict[str, Any] = {
    "start": [],
    "list": {"item": "ul.news > li", "fields": {"title": "a", "published_at": ".date"}, "next": "a.next"},
    "detail": {
        "match": r"/news/\d+",
        "fields": {"title": "h1", "body": ".article-body", "publisher": ".source", "images": ".article-body img"},
    },
    "page": {"publisher_address": ".footer .email"},
}


def town(site: Any) -> None:
    site.pages |= {
        "/": LIST.encode(),
        "/p2": LIST2.encode(),
        "/news/1.html": ARTICLE.format(title="银发公寓开放预订", body="预存一万元，每年返利一千二百元。").encode(),
        "/news/2.html": ARTICLE.format(title="社区活动通知", body="周六上午在社区中心举行义诊。").encode("gb18030"),
        "/news/3.html": ARTICLE.format(title="第三条消息", body="正文三。").encode(),
        "/poster.png": (200, {"Content-Type": "image/png"}, b"\x89PNG\r\n\x1a\n" + b"0" * 64),
    }


def test_portal_is_read_from_list_to_article(site: Any, sweep: Any) -> None:
    town(site)
    found = sweep({key: value for key, value in PORTAL.items() if key != "start"} | {"images": "read"})
    assert found.code == 0 and found.outcome == "ok", found.log
    by_title = {posting.title: posting for posting in found.postings}
    assert set(by_title) == {"银发公寓开放预订", "社区活动通知", "第三条消息"}
    first = by_title["银发公寓开放预订"]
    assert first.url == f"{site.home}news/1.html"  # the tracking key is gone
    assert first.body == "预存一万元，每年返利一千二百元。\n联系电话见下图。"  # a word split over tags stays whole
    assert (first.publisher, first.publisher_address, first.kind) == ("海棠湾生活网", "jubao@haitang.example", PostingKind.ARTICLE)
    assert first.images[0].url == f"{site.home}poster.png" and len(first.fingerprint) == 32
    assert by_title["社区活动通知"].body.startswith("周六上午")  # GB18030 though the header says utf-8
    assert found.count("pages") == 5 and found.count("images") == 1 and found.count("postings") == 3
    picture = next(harvest for harvest in found.harvests if harvest.capture.mime == "image/png")
    assert picture.body.startswith(b"\x89PNG") and not picture.postings


def test_visit_reads_the_named_pages_alone(site: Any, sweep: Any) -> None:
    town(site)
    lines = "\n".join(json.dumps({"url": site.home + path}) for path in ("news/1.html", "news/9.html")) + "\nbroken"
    found = sweep({key: value for key, value in PORTAL.items() if key != "start"}, visit=lines)
    assert set(site.asked) == {"/news/1.html", "/news/9.html"}
    assert [posting.title for posting in found.postings] == ["银发公寓开放预订"]
    assert sorted(harvest.capture.status for harvest in found.harvests) == [200, 404]  # that it is gone is evidence too


def test_visit_of_an_item_reads_the_page_that_no_section_describes(site: Any, sweep: Any) -> None:
    body = "，".join(["这是一则分类信息的正文，写给测试用"] * 8) + "。"
    site.pages |= {
        "/": b'<div class="ad"><a href="/ad/1.html">one</a></div>',
        "/ad/1.html": f"<title>一则信息</title><h1>一则信息</h1><div>{body}</div>".encode(),
    }
    found = sweep({"kind": "classifieds", "list": {"item": ".ad"}}, visit=json.dumps({"url": site.home + "ad/1.html#2"}))
    assert [(posting.title, posting.url) for posting in found.postings] == [("一则信息", f"{site.home}ad/1.html")], found.log
    assert found.count("drift") == 0


def test_forum_gives_every_floor_over_all_parts_of_a_thread(site: Any, sweep: Any) -> None:
    floor = (
        '<div id="post_{n}"><span class="who">用户{n}</span><em>发表于 2026-11-{n:02d} 10:00</em><div class="t_f">第{n}楼的话</div></div>'
    )
    part = '<h1 id="thread_subject">有人了解过这个项目吗</h1>{floors}{more}'
    site.pages |= {
        "/": b'<table><tbody id="normalthread_1"><tr><td><a class="xst" href="thread-1-1.html">...</a></td></tr></tbody></table>',
        "/thread-1-1.html": part.format(
            floors="".join(floor.format(n=n) for n in (1, 2)), more='<a class="nxt" href="thread-1-2.html">下</a>'
        ).encode(),
        "/thread-1-2.html": part.format(floors=floor.format(n=3), more="").encode(),
    }
    found = sweep(
        {
            "kind": "forum",
            "list": {"item": "tbody[id^=normalthread_]", "fields": {"title": "a.xst", "link": "a.xst::attr(href)"}},
            "detail": {
                "item": "div[id^=post_]",
                "next": "a.nxt",
                "fields": {"body": ".t_f", "publisher": ".who", "published_at": {"select": "em", "pattern": "发表于 (.+)"}},
            },
            "page": {"title": "#thread_subject"},
        }
    )
    floors = sorted(found.postings, key=lambda posting: posting.body)
    assert [(posting.publisher, posting.title) for posting in floors] == [(f"用户{n}", "有人了解过这个项目吗") for n in (1, 2, 3)], (
        found.log
    )
    assert [posting.url.rpartition("/")[2] for posting in floors] == ["thread-1-1.html#1", "thread-1-1.html#2", "thread-1-2.html#1"]
    assert floors[0].published_at is not None and floors[0].published_at.isoformat() == "2026-11-01T02:00:00+00:00"


def test_json_api_is_followed_by_its_cursor(site: Any, sweep: Any) -> None:
    def card(number: int) -> dict[str, Any]:
        return {
            "id": number,
            "text": f"<p>动态{number}，<br>欢迎转发</p>",
            "created_at": 1763600000000,
            "user": {"name": "城里人", "id": 5},
            "pics": [{"url": "/a.png"}],
        }

    def answer(cards: list[int], cursor: str) -> tuple[int, dict[str, str], bytes]:
        data = {"data": {"cards": [card(number) for number in cards], "since_id": cursor}}
        return 200, {"Content-Type": "application/json"}, json.dumps(data).encode()

    site.pages |= {"/api": answer([1, 2], "c2"), "/api?since_id=c2": answer([3], "")}
    found = sweep(
        {
            "kind": "microblog",
            "api": {
                "start": site.home + "api",
                "items": "data.cards",
                "next": {"param": "since_id", "cursor": "data.since_id"},
                "fields": {
                    "body": "text",
                    "link": "/u/{user.id}/{id}",
                    "publisher": "user.name",
                    "published_at": "created_at",
                    "images": "pics[].url",
                },
            },
        }
    )
    assert [posting.body for posting in sorted(found.postings, key=lambda one: one.url)] == [f"动态{n}，\n欢迎转发" for n in (1, 2, 3)], (
        found.log
    )
    assert found.postings[0].url.startswith(f"{site.home}u/5/") and found.postings[0].kind is PostingKind.POST
    assert found.postings[0].images[0].url == site.home + "a.png"


def test_numbered_pages_end_where_nothing_is_found(site: Any, sweep: Any) -> None:
    def ads(numbers: list[int]) -> bytes:
        tag = '<i class="tag-ad">广告</i>'
        return "".join(
            f'<div class="ad"><h3><a href="/x/{n}">信息{n}</a></h3>{tag if n == 2 else ""}<p>说明{n}</p></div>' for n in numbers
        ).encode()

    site.pages |= {"/": ads([1, 2]), "/?page=2": ads([3]), "/?page=3": "暂无信息".encode() + b" " * 500}
    found = sweep(
        {
            "kind": "classifieds",
            "list": {
                "item": ".ad",
                "fields": {"title": "h3", "body": "p", "marked_ad": ".tag-ad"},
                "pages": {"param": "page", "last": 9},
                "empty": "暂无信息",
            },
        }
    )
    assert [(posting.title, posting.kind.value) for posting in sorted(found.postings, key=lambda one: one.title)] == [
        ("信息1", "listing"),
        ("信息2", "ad"),
        ("信息3", "listing"),
    ], found.log
    assert found.count("drift") == 0 and found.count("pages") == 3


def test_site_without_selectors_is_wandered_within_its_hosts(site: Any, sweep: Any) -> None:
    body = "，".join(["这是一篇写给测试的文章正文，说的是社区里的一件小事"] * 6) + "。"
    site.pages |= {
        "/": b'<a href="/a/1.html">one</a> <a href="http://192.0.2.1/x">elsewhere</a>',
        "/a/1.html": (
            "<html><title>一件小事_小城网</title><body><div class='nav'><a href='/'>首页</a></div><h1>一件小事</h1>"
            f"<p>2026-11-02 09:10 来源：小城网</p><div>{body}</div></body></html>"
        ).encode(),
    }
    found = sweep({"kind": "generic"})
    assert [posting.title for posting in found.postings] == ["一件小事"], found.log
    assert body in found.postings[0].body and found.postings[0].publisher == "小城网"
    assert found.postings[0].published_at is not None and found.postings[0].published_at.isoformat() == "2026-11-02T01:10:00+00:00"
    assert found.count("refused") == 0


def test_robots_are_obeyed_and_counted(site: Any, sweep: Any) -> None:
    town(site)
    site.pages["/robots.txt"] = b"User-agent: *\nDisallow: /news/2"
    found = sweep({key: value for key, value in PORTAL.items() if key != "start"} | {"robots": "obey"})
    assert "/news/2.html" not in site.asked and "/news/1.html?utm_source=a" in site.asked
    assert found.count("robots") == 1 and len(found.postings) == 2


def test_crawl_delay_slows_the_sweep(site: Any, sweep: Any) -> None:
    site.pages |= {"/robots.txt": b"User-agent: *\nCrawl-delay: 0.4", "/": LIST2.encode(), "/a": LIST2.encode(), "/b": LIST2.encode()}
    start = [site.home, site.home + "a", site.home + "b"]
    found = sweep(
        {"start": start, "list": {"item": "ul.news > li"}, "robots": "obey", "pace": {"delay_s": 0, "concurrency": 8, "jitter": False}}
    )
    times = sorted(harvest.capture.fetched_at for harvest in found.harvests)
    assert len(times) == 3 and (times[2] - times[0]).total_seconds() > 0.35, found.log


def test_changed_layout_is_drift(site: Any, sweep: Any) -> None:
    site.pages["/"] = ("<div class=new-layout>" + "改版后的页面，内容很多。" * 40 + "</div>").encode()
    found = sweep({"list": {"item": "ul.news > li"}})
    assert found.outcome == "drifted" and found.count("drift") == 1
    assert "ul.news > li finds nothing" in found.log


def test_budget_bounds_the_pages(site: Any, sweep: Any) -> None:
    site.pages["/"] = "".join(f'<li><a href="/n/{n}">第{n}条新闻标题在此</a></li>' for n in range(50)).encode()
    found = sweep({"list": {"item": "li"}, "detail": {"fields": {"title": "h1"}}, "budget": {"pages": 10}})
    assert len(site.asked) == 10 and found.count("over_budget") == 41


def test_unknown_platform_names_those_there_are(site: Any, sweep: Any) -> None:
    found = sweep({"id": "elsewhere"})
    assert found.code != 0 and "use one of elsewhere" in found.log
