"""What a probe derives from pages: links sorted, entries and parts named by CSS that lasts, files that hold on the pages they came from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser

from crawlers import general
from crawlers.extract import read
from crawlers.loader import PACKAGED
from crawlers.page import Page
from crawlers.probe import Probe, plain_platform, template_of, templates_for
from crawlers.probe_article import Piece, fields_of
from crawlers.probe_css import selectors
from crawlers.probe_floors import floors_on
from crawlers.probe_items import items_on
from crawlers.probe_links import links_on, pattern_of, pieces, sections
from crawlers.probe_pages import Errand, Fetched, Robots, row_of, rows_in
from crawlers.probe_proposal import Proposal, id_of, propose, title_of_site, written

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
HOME = "http://town.example/"
SITE = plain_platform(HOME)
NAV = (
    '<div class="nav"><a href="/">首页</a><a href="/news/">新闻</a><a href="/life/">生活</a><a href="/login">登录</a>'
    '<a href="/about/">关于我们</a></div>'
)
ROW = (
    '<li><a href="/news/2026/{n}.html">第{n}条消息说的是街上的一件小事</a> <span class="date">2026-11-{d:02d}</span>'
    '<em class="author">记者{n}</em></li>'
)
WORDS = "河边的步道修好了，傍晚散步的人多了起来，卖糖水的摊子也回来了。"


def listing(numbers: range, *, more: str = "") -> str:
    rows = "".join(ROW.format(n=n, d=n % 27 + 1) for n in numbers)
    return f'<html><title>新闻_小城网</title><body>{NAV}<ul class="news">{rows}</ul>{more}</body></html>'


def article(number: int, *, words: str = WORDS) -> str:
    text = "".join(f"<p>第{number}篇第{part}段：{words}</p>" for part in range(4))
    return (
        f"<html><title>第{number}条消息说的是街上的一件小事_小城网</title><body>{NAV}<h1>第{number}条消息说的是街上的一件小事</h1>"
        f'<div class="info">发布时间：2026-11-{number % 27 + 1:02d} 09:0{number % 10} 来源：小城网{number % 3}</div>'
        f'<div class="text">{text}</div><div class="foot">小城网版权所有</div></body></html>'
    )


def fetched(url: str, text: str, *, why: str = "home", role: str = "start", charset: str = "utf-8") -> Fetched:
    return Fetched(asked=url, url=url, why=why, role=role, at=NOW, status=200, mime="text/html", body=text.encode(charset))  # type: ignore[arg-type]


def page(text: str, url: str = HOME) -> Page:
    return Page(text.encode(), url=url)


def look(pages: dict[str, str], *, requests: int = 8, charset: str = "utf-8") -> Probe:
    """A probe of a site whose pages are these, as the spider would do it."""
    probe = Probe(Errand(home=HOME, requests=requests), folders=[PACKAGED])
    while (wanted := probe.next()) is not None:
        text = pages.get(wanted.url)
        if text is None:
            probe.took(Fetched(asked=wanted.url, url=wanted.url, why=wanted.why, role=wanted.role, at=NOW, status=404, body=b"none"))
        else:
            probe.took(fetched(wanted.url, text, why=wanted.why, role=wanted.role, charset=charset))
    return probe


def town() -> dict[str, str]:
    pages = {
        HOME: listing(range(1, 12)),
        f"{HOME}news/": listing(range(12, 40), more='<a class="nxt" href="/news/index_2.html">下一页</a>'),
    }
    pages |= {f"{HOME}life/": listing(range(40, 60)), f"{HOME}about/": f"<body>{NAV}小城网是一家小网站</body>"}
    return pages | {f"{HOME}news/2026/{n}.html": article(n) for n in range(1, 60)}


def proposed(pages: dict[str, str], *, charset: str = "utf-8", kind: str | None = None) -> Proposal:
    return propose(look(pages, charset=charset), name="town", kind=kind)


# --- links


def test_links_are_sorted_into_pieces_and_sections() -> None:
    links = links_on(page(listing(range(1, 9))), SITE)
    assert [link.url for link in pieces(links)] == [f"{HOME}news/2026/{n}.html" for n in range(1, 9)]
    assert [link.url for link in sections(links, home=HOME)] == [f"{HOME}news/", f"{HOME}life/"]  # neither the login nor 关于我们


@pytest.mark.parametrize(
    ("urls", "fits", "misses"),
    [
        (["/news/1.html", "/news/22.html"], "http://x.example/news/7.html", "http://x.example/news/"),
        (["/s/1", "/s/2"], "http://x.example/s/33", "http://x.example/s/list"),
        (["/show.php?id=4", "/show.php?id=5"], "http://x.example/show.php?id=61", "http://x.example/show.php?cat=a"),
        (["/a/FIV54ATS000181BR.html", "/a/GQ8K2LMN000181XX.html"], "http://x.example/a/ABC1234567890DEF.html", "http://x.example/b/"),
    ],
)
def test_pattern_fits_pieces_alike_and_no_section(urls: list[str], fits: str, misses: str) -> None:
    import re

    pattern = re.compile(pattern_of([f"http://x.example{url}" for url in urls]))
    assert pattern.search(fits) and not pattern.search(misses)


def test_pattern_of_a_site_of_many_sections_keeps_the_tail_alone() -> None:
    pattern = pattern_of([f"http://x.example/{name}/2026/{n}.html" for name in ("a-b", "c-d", "e-f", "g-h") for n in (1, 2)])
    assert pattern == r"/\d+\.html$"


# --- selectors


@pytest.mark.parametrize("name", ["item1042", "css-1x2y3z", "active", "12345", "a:b"])
def test_names_that_will_not_last_are_passed_over(name: str) -> None:
    node = LexborHTMLParser(f'<div class="box"><i id="{name}" class="{name}">x</i></div>').css_first("i")
    assert node is not None
    assert list(selectors(node))[:2] == ["div.box > i", "body > div > i"]


def test_entries_are_named_with_their_parts() -> None:
    one = page(listing(range(1, 12)))
    items = items_on(one, frozenset(link.url for link in pieces(links_on(one, SITE))), now=NOW)
    assert items is not None and items.count == 11
    assert items.fields == {"title": "a", "link": "a::attr(href)", "published_at": "span.date", "publisher": "em.author"}
    assert one.tree.css(items.select)[0].css_first("a") is not None and len(one.tree.css(items.select)) == 11


def test_titles_cut_short_are_taken_from_the_links_title() -> None:
    rows = "".join(
        f'<li><a href="/news/{n}.html" title="第{n}条消息说的是街上的一件小事，很长">第{n}条消息说的是…</a></li>' for n in range(9)
    )
    one = page(f"<ul class=hot>{rows}</ul>")
    items = items_on(one, frozenset(link.url for link in pieces(links_on(one, SITE))), now=NOW)
    assert items is not None and items.fields["title"] == "a::attr(title)"


def test_article_fields_hold_on_every_page() -> None:
    told = [Piece(one, general.article(one, now=NOW)) for n in (1, 2, 3) if (one := page(article(n), f"{HOME}news/2026/{n}.html"))]
    fields = fields_of(told, now=NOW)
    assert fields["title"] == "h1" and fields["body"] == "div.text" and fields["published_at"] == "div.info"
    assert fields["publisher"]["select"] == "div.info" and "来源" in fields["publisher"]["pattern"]


def test_one_article_cannot_tell_the_site_from_its_text() -> None:
    one = page(article(1))
    assert fields_of([Piece(one, general.article(one, now=NOW))], now=NOW) == {}


NOTICE = (
    "<title>转让第N台咖啡机_同城</title><h1>转让第N台咖啡机</h1><div class=desc>九成新，第N台，自提，价钱好说。</div>"
    "<p class=tip>请当面验货再付款，谨防诈骗。</p>"
)


def test_notices_of_one_line_are_found_by_what_differs() -> None:
    pages = [page(NOTICE.replace("N", str(n))) for n in (1, 2, 3)]
    told = [Piece(one, general.article(one, now=NOW)) for one in pages]
    assert not any(piece.found.body for piece in told)
    assert fields_of(told, now=NOW)["body"] == "div.desc"


def thread(number: int, floors: int) -> str:
    posts = "".join(
        f'<div id="post_{number}{floor}" class="floor"><a class="member" href="/space/{floor}">住户{floor}号</a>'
        f'<span class="when">2026-11-2{floor} 08:00</span>'
        f'<div class="words">第{number}帖第{floor}楼：{WORDS}</div></div>'
        for floor in range(floors)
    )
    return f'<title>第{number}帖 - 小城论坛</title><h1>第{number}帖</h1><div id="floors">{posts}</div>'


def test_floors_of_a_forum_of_no_known_make_are_found() -> None:
    told = [Piece(one, general.article(one, now=NOW)) for n, count in ((1, 3), (2, 1)) if (one := page(thread(n, count)))]
    found = floors_on(told, now=NOW)
    assert found is not None and found.count == 4
    assert found.fields == {"body": "div.words", "publisher": "a.member", "published_at": "span.when"}


def test_comments_below_an_article_are_no_floors() -> None:
    comments = "".join(
        f'<div class="comment"><i class="user">路人{n}</i> 2026-11-20 10:0{n} <p class="say">说得好</p></div>' for n in range(3)
    )
    told = [
        Piece(one, general.article(one, now=NOW))
        for n in (1, 2)
        if (one := page(article(n).replace('<div class="foot">', f'{comments}<div class="foot">')))
    ]
    assert floors_on(told, now=NOW) is None


# --- templates


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('<meta name="generator" content="Discuz! X3.4" />', "discuz"),
        ("<p>Powered by <strong><a href=#>Discuz!</a></strong> X3.5</p>", "discuz"),
        ("<script>var discuz_uid = '0';</script>", "discuz"),
        ('<meta name="generator" content="phpwind v9.0">', "phpwind"),
        ("<p>我们论坛用过 Discuz</p>", None),
        (listing(range(9)), None),
    ],
)
def test_makers_are_known_by_how_they_sign(text: str, name: str | None) -> None:
    assert template_of(page(text), templates_for(HOME, [PACKAGED])) == name


# --- the walk


def test_walk_looks_at_lists_and_articles_within_its_requests() -> None:
    probe = look(town())
    assert [one.why for one in probe.got] == ["home", "article", "section", "article", "section", "article"]
    assert len({one.asked for one in probe.got}) == len(probe.got)
    assert len(look(town(), requests=3).got) == 3


def test_walk_ends_at_a_wall() -> None:
    probe = look({HOME: "<body>请输入验证码</body>"})
    assert probe.wall == ("captcha", "请输入验证码") and len(probe.got) == 1


def test_feed_that_the_home_names_is_looked_at() -> None:
    pages = town()
    pages[HOME] = pages[HOME].replace("<title>", '<link rel="alternate" type="application/rss+xml" href="/rss.xml"><title>')
    pages[f"{HOME}rss.xml"] = (
        "<rss><channel><title>小城网</title><item><title>一条</title><link>http://town.example/news/2026/1.html</link></item></channel></rss>"
    )
    made = proposed(pages)
    assert made.how == "lists" and f"{HOME}rss.xml" in made.data["start"]


# --- proposals


def test_file_reads_the_pages_it_came_from() -> None:
    made = proposed(town())
    assert made.how == "lists" and made.data["title"] == "小城网"
    assert made.data["detail"]["match"] == r"/news/\d+/\d+\.html$" and made.data["list"][0]["next"] == "a.nxt"
    assert [posting.published_at is not None and len(posting.body) > 100 for posting in made.postings] == [True] * 3
    assert len(made.announced) == 11 + 28 + 20 - 3
    fresh = read(made.platform, page(article(77), f"{HOME}news/2026/77.html"), role="detail", now=NOW).postings[0]
    assert fresh.title == "第77条消息说的是街上的一件小事" and fresh.body.count("\n") == 3 and fresh.publisher == "小城网2"


def test_file_is_the_same_each_time_and_sound(tmp_path: Path) -> None:
    from crawlers.loader import load_platforms

    first, again = (written(proposed(town()), command="wangxun platforms new http://town.example/") for _ in range(2))
    assert first == again
    (tmp_path / "town.yml").write_text(first, encoding="utf-8")
    assert load_platforms([tmp_path])["town"].detail[0].fields.body is not None
    assert yaml.safe_load(first)["home"] == HOME


def test_pages_in_gb18030_are_read() -> None:
    pages = {url: text.replace("<title>", '<meta charset="gb2312"><title>', 1) for url, text in town().items()}
    made = proposed(pages, charset="gb18030")
    assert made.data["title"] == "小城网" and "步道" in made.postings[0].body


def test_forum_of_no_known_make_becomes_a_forum() -> None:
    rows = "".join(
        f'<tr class="thread"><td><a href="/thread/{n}">第{n}个帖子问的是街上的一件小事</a></td><td class="by">2026-11-20</td></tr>'
        for n in range(1, 9)
    )
    pages = {HOME: f"<title>小城论坛</title><table>{rows}</table>"} | {f"{HOME}thread/{n}": thread(n, n % 3 + 1) for n in range(1, 9)}
    made = proposed(pages)
    assert made.data["kind"] == "forum" and made.data["detail"]["item"] and made.data["page"] == {"title": "h1"}
    assert {posting.publisher for posting in made.postings} >= {"住户0号", "住户1号"}


def test_site_without_lists_is_left_to_be_discovered() -> None:
    made = proposed({HOME: f"<title>小城网</title><body>{NAV}<p>{WORDS * 6}</p></body>"})
    assert made.how == "discovered" and set(made.data) == {"id", "title", "home", "kind"} and made.data["kind"] == "generic"


def test_page_that_needs_scripts_is_told() -> None:
    made = proposed({HOME: '<title>小城网</title><body><div id="app"></div><script src="/app.js"></script></body>'})
    assert made.scripted and made.data["fetch"] == "auto" and not made.postings


def test_feed_as_the_address_itself() -> None:
    item = f"<item><title>一条消息</title><link>{HOME}news/2026/1.html</link><description>短</description></item>"
    probe = Probe(Errand(home=f"{HOME}rss.xml"), folders=[PACKAGED])
    assert probe.next() is not None
    probe.took(fetched(f"{HOME}rss.xml", f'<?xml version="1.0"?><rss version="2.0"><channel><title>小城网</title>{item}</channel></rss>'))
    made = propose(probe, name="town")
    assert made.how == "feed" and made.data["home"] == HOME and made.data["start"] == [f"{HOME}rss.xml"] and made.data["title"] == "小城网"
    onward = probe.next()
    assert onward is not None and onward.url == f"{HOME}news/2026/1.html"


def test_discuz_forum_takes_its_template() -> None:
    folder = PACKAGED / "pages" / "discuz"
    home = folder.joinpath("front.html").read_text(encoding="utf-8")
    probe = Probe(Errand(home=HOME), folders=[PACKAGED])
    assert probe.next() is not None
    probe.took(fetched(HOME, f'<meta name="generator" content="Discuz! X3.4">{home}'))
    wanted = probe.next()
    assert probe.template == "discuz" and wanted is not None and "forum" in wanted.url
    probe.took(fetched(wanted.url, folder.joinpath("board.html").read_text(encoding="utf-8"), why="section", role=wanted.role))
    made = propose(probe, name="town")
    assert made.how == "template" and made.data["like"] == "discuz" and "list" not in made.data
    assert written(made, command="x").splitlines()[2] == "like: discuz"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.haitang.example/", "haitang-example"), ("http://127.0.0.1:8101/", "127-0-0-1-8101"),
        ("https://例子.example/", "example"), ("http://[::1]:80/", "1-site"), ("https://a.b.c.example:443/x", "a-b-c-example"),
    ],
)  # fmt: skip
def test_ids_are_made_of_hosts(url: str, name: str) -> None:
    assert id_of(url) == name


def test_site_is_named_by_what_its_titles_share() -> None:
    home, other = page("<title>要闻 - 小城网 - 看见身边</title>"), page("<title>一条消息_小城网</title>")
    assert title_of_site(home, others=[other]) == "小城网"
    assert title_of_site(page('<meta property="og:site_name" content="小城"><title>x</title>')) == "小城"
    assert title_of_site(page("<title></title>")) == "town.example"


# --- what passes between the processes


def test_pages_pass_between_the_processes_and_a_cut_line_is_left_out(tmp_path: Path) -> None:
    one = fetched(HOME, "<p>小城</p>", charset="gb18030")
    path = tmp_path / "pages"
    path.write_text(row_of(Robots(sitemaps=("http://town.example/map.xml",), delay_s=2)) + row_of(one) + row_of(one)[:-9], encoding="utf-8")
    assert list(rows_in(path)) == [Robots(sitemaps=("http://town.example/map.xml",), delay_s=2.0), one]
    assert list(rows_in(tmp_path / "none")) == []


# --- hostile pages


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<",
        "\x00" * 500,
        "<li>" * 5000,
        "<div>" * 4000 + "x",
        "".join(f'<li class="{n}"><a href="http://town.example/{"/" * n}">{"长" * 30}</a></li>' for n in range(300)),
        '<ul class="a\'b&quot;]{}">'
        + "".join(f'<li id="x[{n}]"><a href="/n/{n}.html?q=(]">{"题" * 12}</a></li>' for n in range(20))
        + "</ul>",
        "".join(f'<a href="javascript:x({n})">{"点" * 12}</a><a href="//[::1/{n}">{"点" * 12}</a>' for n in range(50)),
        f"<title>{'题' * 100_000}</title>" + listing(range(1, 12)),
        f'<meta property="og:site_name" content="a: [b&#10;- c: !!python/object {{">{listing(range(1, 12))}',
    ],
    ids=["empty", "sign", "nul", "open", "deep", "slashes", "quotes", "addresses", "title", "yaml"],
)
def test_hostile_pages_give_a_sound_file_or_none(text: str, tmp_path: Path) -> None:
    from crawlers.loader import load_platforms

    made = propose(look({HOME: text}), name="town")
    (tmp_path / "town.yml").write_text(written(made, command="x"), encoding="utf-8")
    assert load_platforms([tmp_path])["town"].id == "town"


def test_sections_on_subdomains_belong_to_the_site() -> None:
    home = "http://www.town.example/"
    rows = "".join(f'<li><a href="http://news.town.example/2026/{n}.html">第{n}条消息说的是街上的一件小事</a></li>' for n in range(1, 9))
    probe = Probe(Errand(home=home), folders=[PACKAGED])
    assert probe.next() is not None
    probe.took(fetched(home, f"<title>小城网</title><ul class=news>{rows}</ul>"))
    wanted = probe.next()
    assert wanted is not None and wanted.url.startswith("http://news.town.example/")
    probe.took(fetched(wanted.url, article(1), why="article", role="detail"))
    made = propose(probe, name="town")
    assert made.how == "lists" and made.data["hosts"] == ["town.example"] and len(made.announced) == 7
