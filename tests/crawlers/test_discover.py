"""An unknown site, known by its home address alone: what is found on it, and what is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from crawlers.discover import is_idle, is_view, leads, wanders
from crawlers.frontier import BARREN_SHARE, UNDER_WAY, Frontier
from crawlers.page import Page
from crawlers.platform import PlatformFile
from crawlers.reading import Follow

SITE = PlatformFile(id="town", title="小城", home="http://town.example/", kind="generic")
NAV = (
    '<div class=nav><a href="/">首页</a><a href="/news/">新闻中心</a><a href="/notice/">通知公告</a><a href="/life/">生活服务</a>'
    '<a href="/about.html">关于我们</a><a href="/login">登录</a><a href="/calendar/2026/11">日历</a><a href="/list?sort=hot">最热</a>'
    '<a href="http://elsewhere.example/">友情链接的另一个网站</a><a href="/form.pdf">下载一份很长名字的登记表格</a></div>'
)
WORDS = "这是一篇写给测试的文章正文，说的是社区里的一件小事，与别的事情无关。"


def article(number: int, section: str) -> bytes:
    body = "".join(f"<p>第{number}篇第{part}段：{WORDS}</p>" for part in range(4))
    return (
        f"<html><title>{section}第{number}号消息_小城</title><body>{NAV}<h1>{section}第{number}号消息</h1>"
        f"<div>2026-11-{number % 20 + 1:02d} 09:00 来源：小城</div><div class=c>{body}</div></body></html>"
    ).encode()


def index(section: str, numbers: range, *, more: str = "") -> bytes:
    rows = "".join(
        f'<li><a href="/{section}/2026/{n}.html">{section}第{n}号消息，这一条的标题比较长</a><span>2026-11-20</span></li>' for n in numbers
    )
    return f"<html><title>{section}</title><body>{NAV}<ul>{rows}</ul>{more}</body></html>".encode()


def town(site: Any) -> None:
    """Three sections of twenty articles on two pages each, a calendar without end, endless filters, and empty pages."""
    site.pages["/"] = (
        f"<html><title>小城</title><body>{NAV}"
        + "".join(f'<a href="/empty/{n}.html">空白页面的入口第{n}号</a>' for n in range(30))
        + "</body>"
    ).encode()
    for section in ("news", "notice", "life"):
        more = f'<a href="/{section}/index_2.html">下一页</a><a href="/{section}/?order=asc&page=1">按时间排列的列表</a>'
        site.pages[f"/{section}/"] = index(section, range(10), more=more)
        site.pages[f"/{section}/index_2.html"] = index(section, range(10, 20))
        site.pages |= {f"/{section}/2026/{n}.html": article(n, section) for n in range(20)}
    site.pages |= {f"/empty/{n}.html": b"<html><title>x</title><body></body></html>" for n in range(30)}

    def calendar(request: Any) -> None:
        body = "".join(f'<a href="/calendar/{year}/{month:02d}">{year}-{month}</a>' for year in (2025, 2027) for month in range(1, 13))
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body.encode())

    site.pages |= {f"/calendar/{year}/{month:02d}": calendar for year in (2025, 2026, 2027) for month in range(1, 13)}


def test_site_is_discovered_from_its_home_alone(site: Any, sweep: Any) -> None:
    town(site)
    found = sweep({"kind": "generic", "budget": {"pages": 50, "depth": 4}})
    assert found.outcome == "ok", found.log
    titles = {posting.title for posting in found.postings}
    assert len(titles) >= 40 and all("号消息" in title for title in titles), found.log  # articles, not rows of lists
    assert {title[:2] for title in titles} == {"ne", "no", "li"}  # of every section
    assert all(posting.published_at is not None and posting.publisher == "小城" for posting in found.postings)
    paths = [path for path in site.asked if path != "/robots.txt"]
    assert not [path for path in paths if path.startswith(("/calendar", "/login", "/form.pdf", "/list?"))]
    assert not [path for path in paths if "order=" in path] and found.count("trap") > 0
    assert len(paths) == len(set(paths)) and found.count("refused") == 0  # never twice, never elsewhere


def test_empty_pages_do_not_eat_the_budget_and_have_an_end(site: Any, sweep: Any) -> None:
    rows = "".join(f'<a href="/empty/2026/{n}.html">一个标题很长很像文章的空白页面第{n}号</a>' for n in range(200))
    site.pages["/"] = f"<title>小城</title>{rows}<a href='/real.html'>短</a>".encode()
    site.pages |= {f"/empty/2026/{n}.html": b"<html></html>" for n in range(200)} | {"/real.html": article(1, "life")}
    found = sweep({"kind": "generic", "budget": {"pages": 10, "depth": 3}})
    assert "life第1号消息" in {posting.title for posting in found.postings}, found.log
    assert len(site.asked) <= 10 * (1 + BARREN_SHARE) + 1
    assert found.count("over_budget") + found.count("trap") > 100


def test_budget_of_pages_holds(site: Any, sweep: Any) -> None:
    town(site)
    found = sweep({"kind": "generic", "budget": {"pages": 12, "depth": 4}})
    assert len([harvest for harvest in found.harvests if harvest.postings]) <= 12 and found.count("over_budget") > 0


def test_leads_weigh_articles_over_doors() -> None:
    page = Page(
        index("news", range(10), more='<a href="/x?a=1&b=2">其他</a><a href="index_2.html">下一页</a>'), url="http://town.example/news/"
    )
    found = leads(page, SITE)
    worth = {step.url.removeprefix("http://town.example"): step.worth for step in found}
    assert min(worth[f"/news/2026/{n}.html"] for n in range(10)) > worth["/notice/"] > worth["/x?a=1&b=2"]
    assert not {"/login", "/form.pdf", "/about.html"} & set(worth) and "http://elsewhere.example/" not in worth
    assert [step.url for step in found if step.onward] == ["http://town.example/news/index_2.html"]
    assert all(1 <= step.worth <= 100 for step in found)


def test_feeds_of_a_page_come_first() -> None:
    head = "".join(f'<link rel="alternate" type="application/rss+xml" href="{path}">' for path in ("/feed.xml", "/comments/feed"))
    found = leads(Page((head + '<a href="/a/2026/1.html">一篇文章的很长很长的标题在此</a>').encode(), url="http://town.example/"), SITE)
    assert (found[0].url, found[0].role) == ("http://town.example/feed.xml", "list") and len(found) == 2


@pytest.mark.parametrize("url", ["/a.pdf", "/x/A.JPG", "/user/login", "/wp-admin/x", "/p?action=quote", "/member.php?mod=logging"])
def test_files_and_doors_are_idle(url: str) -> None:
    assert is_idle("http://town.example" + url)


@pytest.mark.parametrize("url", ["/news/1.html", "/article/reg-2.html", "/p/123", "/?id=5", "/regulation/1.html", "/payment-scam/1.html"])
def test_articles_are_neither_idle_nor_views(url: str) -> None:
    assert not is_idle("http://town.example" + url) and not is_view("http://town.example" + url)


@pytest.mark.parametrize("url", ["/l?sort=a", "/e?date=2026-11-01", "/events/2026/11/", "/events/2026/11/23", "/l?a=1&b=2&c=3&d=4&e=5"])
def test_orders_days_and_filters_are_views(url: str) -> None:
    assert is_view("http://town.example" + url)


def test_frontier_prefers_what_gave_and_ends() -> None:
    frontier = Frontier(pages=20)
    for n in range(40):
        frontier.add(Follow(url=f"http://town.example/bad/{n}.html", role="start", worth=60), depth=1)
        frontier.add(Follow(url=f"http://town.example/good/{n}", role="start", worth=50), depth=1)
    asked = []
    while True:
        taken = [step for _ in range(UNDER_WAY) if (step := frontier.take()) is not None and frontier.began(step[0].url) is None]
        if not taken:
            break
        for follow, _ in taken:
            asked.append(follow.url)
            frontier.ended(follow.url, text="good" in follow.url, article="good" in follow.url)
    assert sum("good" in url for url in asked) == 20 and sum("bad" in url for url in asked) < 20
    assert frontier.left() == 80 - len(asked) and frontier.left() == 0


def test_site_is_the_same_with_and_without_www() -> None:
    other = SITE.model_copy(update={"home": "http://www.town.example/"})
    assert SITE.owns("http://www.town.example/a") and other.owns("http://town.example/a")
    assert not other.owns("http://shop.town.example/a") and not SITE.owns("http://town.example.evil.example/")


def test_platform_that_names_its_pages_is_not_wandered() -> None:
    assert wanders(SITE) and not wanders(SITE.model_copy(update={"list": (object(),)}))
