"""Articles without selectors: title, body, time and account of pages as small sites and old ones write them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from crawlers.bodies import trimmed
from crawlers.bylines import Around, byline, name_of, time_of
from crawlers.dates import in_address, moment
from crawlers.general import Found, article
from crawlers.page import Page
from crawlers.titles import title_of
from domain.clock import SHANGHAI


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]  # year, month, day and so on


NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TITLE = "渡口一公寓以预存返利招揽老人"
PARTS = (
    "银杏公寓近日在多个小区散发传单，称预存十万元，每年返还一万二千元。",
    "记者走访发现，该公寓尚未取得备案，门店负责人表示名额有限，先交定金可以锁定床位。",
    "民政部门提醒，预付养老费用前应当核实机构备案情况，不轻信高额返利承诺。",
)
BODY = "".join(f"<p>{part}</p>" for part in PARTS)


def read(markup: str, *, url: str = "http://town.example/n/1.html") -> Found:
    return article(Page(markup.encode(), url=url), now=NOW)


def whole(found: Found) -> bool:
    return all(part in found.body for part in PARTS)


def test_words_for_search_engines_alone_are_no_body() -> None:
    stuffed = "，".join(["开户 送彩金 棋牌 代理 一夜暴富"] * 400)
    found = read(f"<title>{TITLE}</title><h1>{TITLE}</h1><div class=post>{BODY}</div><div style='display:none'>{stuffed}</div>")
    assert whole(found) and "彩金" not in found.body


def test_hidden_text_is_read_where_there_is_no_other() -> None:
    found = read(f"<title>{TITLE}</title><div id=main style='display: none'>{BODY}</div><script>show()</script>")
    assert whole(found)


def test_boxes_in_boxes_are_one_body() -> None:
    boxes = "".join(f"{'<section>' * 5}<p>{part}</p>{'</section>' * 5}" for part in PARTS)
    found = read(f"<title>{TITLE}_渡口网</title><h1>{TITLE}</h1><div id=c>{boxes}</div><div>联系我们，版权所有。</div>")
    assert whole(found) and "联系我们" not in found.body


def test_comments_do_not_outweigh_a_short_article() -> None:
    comments = "".join(
        f"<div class='comment-item'><p>网友{n}：说得好，我也遇到过这种事情，大家要小心，不要上当！</p></div>" for n in range(40)
    )
    found = read(f"<title>{TITLE}</title><h1>{TITLE}</h1><div class=c>{BODY}</div><div class='comment-list'>{comments}</div>")
    assert whole(found) and "网友" not in found.body


def test_table_of_an_old_county_site_is_read() -> None:
    rows = (TITLE, "发布时间：2021-03-04 来源：渡口县金融办 点击：88", "<br><br>".join(PARTS))
    cells = "".join(f"<tr><td class=title>{row}</td></tr>" for row in rows)
    found = read(f"<title>渡口县人民政府</title><table><tr><td>首页 | 新闻</td></tr>{cells}</table>")
    assert found.title == TITLE and whole(found)
    assert found.publisher == "渡口县金融办"
    assert found.published_at == datetime(2021, 3, 4, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("head", "shown", "wanted"),
    [
        (f"{TITLE}_渡口网", f"<h1>{TITLE}</h1>", TITLE),
        (f"{TITLE}-民生-渡口网", "", TITLE),
        ("新闻动态--渡口商会官网", f"<h3>首页 - 新闻动态</h3><h5>{TITLE}</h5>", TITLE),
        ("渡口有限公司", f"<div class=news-title>{TITLE}</div>", TITLE),
        (f"{TITLE} 东区_渡口网", f"<span class=Title>{TITLE}</span>", TITLE),
        ("", f"<meta property=og:title content='{TITLE}'>", TITLE),
        (f"“{TITLE}”|渡口网", f'<h1>"{TITLE}"</h1>', f'"{TITLE}"'),
        (TITLE, "<h1>渡口网</h1>", TITLE),
    ],
)
def test_title_is_the_articles_own(head: str, shown: str, wanted: str) -> None:
    page = Page(f"<html><head><title>{head}</title></head><body>{shown}<div>{BODY}</div>".encode(), url="http://town.example/")
    over = "首页 - 新闻动态\n" + TITLE
    assert title_of(page, over=over) == wanted


@pytest.mark.parametrize(
    ("line", "when", "who"),
    [
        ("2019-09-09 16:01:46", at(2019, 9, 9, 16, 1, 46), None),
        ("原创 渡口观察 2019-09-09 16:01", at(2019, 9, 9, 16, 1), "渡口观察"),
        ("2019年10月23日 09:05 环渡网", at(2019, 10, 23, 9, 5), "环渡网"),
        ("时间：2019-09-25 作者：网络整理 阅读：1644", at(2019, 9, 25), "网络整理"),
        ("发表于2014-08-24 21:30| 1164次阅读| 来源渡口网| 0 条评论", at(2014, 8, 24, 21, 30), "渡口网"),
        ("发布时间：10-0812:00优质原创作者", at(2026, 10, 8, 12, 0), None),
        ("更新时间 2012年12月10日, 格林尼治标准时间10:41", at(2012, 12, 10), None),
    ],
)
def test_byline_between_title_and_text(line: str, when: datetime, who: str | None) -> None:
    near = Around(before=f"2026-11-22 星期日\n导航\n{TITLE}\n{line}\n字号 超大")
    page = Page(b"<p>x</p>", url="http://town.example/")
    lines = byline(TITLE, near)
    found = time_of(page, lines, now=NOW)
    assert found is not None and found.astimezone(SHANGHAI).date() == when.date(), found
    assert when.hour == 0 or found == when
    assert name_of(page, lines) == who


def test_today_in_a_menu_is_no_date() -> None:
    found = read(f"<title>{TITLE}</title><div>今天是2026年11月23日 星期一</div><h1>{TITLE}</h1><p>社区</p><div>{BODY}</div>")
    assert found.published_at is None


def test_day_of_the_address_is_the_last_resort() -> None:
    found = read(f"<title>{TITLE}</title><h1>{TITLE}</h1><div>{BODY}</div>", url="http://town.example/2021/0304/t20210304_55.html")
    assert found.published_at == datetime(2021, 3, 4, tzinfo=SHANGHAI)
    assert in_address("http://town.example/20991231/1.html", now=NOW) is None
    assert in_address("http://town.example/20210231/1.html", now=NOW) is None


def test_glued_clock_ends_the_day() -> None:
    assert moment("01-1417:58", now=NOW) == datetime(2026, 1, 14, 17, 58, tzinfo=SHANGHAI)
    assert moment("2020-01-1417:58", now=NOW) == datetime(2020, 1, 14, 17, 58, tzinfo=SHANGHAI)
    assert moment("编号 2020-01-1417", now=NOW) is None


def test_eight_digits_are_a_day_where_they_can_be_one() -> None:
    assert moment("20241105", now=NOW) == datetime(2024, 11, 5, tzinfo=SHANGHAI)
    for other in ("20241305", "20240230", "13800138", "99991231", "20991231", "2024110", "00000000", "２０２４１１０５"):
        assert moment(other, now=NOW) is None, other


def test_furniture_at_both_ends_goes_and_words_between_stay() -> None:
    lines = [
        "（原标题：另一个）",
        "T + -",
        "正文一。",
        "来源：某处说法不一。",
        "加微信 abc123 领取",
        "延伸阅读",
        "别的新闻",
        "责任编辑：某某",
        "【1】【2】",
    ]
    text = trimmed("\n".join(lines), linked=frozenset({"别的新闻"}))
    assert text == "正文一。\n来源：某处说法不一。\n加微信 abc123 领取"


def test_text_that_stands_only_in_scripts_is_read() -> None:
    data = {"props": {"detail": {"name": TITLE, "pubTime": "2023-05-06 07:30", "author": "阿衡", "content": BODY}}}
    for script in (
        f'<script id="__NEXT_DATA__" type="application/json">{json.dumps(data)}</script>',
        f'<script id="RENDER_DATA" type="application/json">{quote(json.dumps(data))}</script>',
        f"<script>window.__STATE__ = {json.dumps(data)};</script>",
        f"<script>var s = JSON.parse({json.dumps(json.dumps(data))});</script>",
    ):
        found = read(f"<title>{TITLE}-渡口网</title><div id=root></div>{script}")
        assert whole(found) and found.title == TITLE, script[:60]
        assert found.publisher == "阿衡" and found.published_at == datetime(2023, 5, 6, 7, 30, tzinfo=SHANGHAI)


def test_data_of_another_article_is_not_taken() -> None:
    other = json.dumps({"title": "毫不相干的另一篇文章标题", "content": BODY})
    assert read(f"<title>{TITLE}</title><h1>{TITLE}</h1><p>短讯。</p><script>var next = {other};</script>").body == ""


@pytest.mark.parametrize(
    "markup",
    [
        "<title>x</title><div>" + "1" * 50_000 + "x</div>",
        "<title>" + "-" * 50_000 + "</title><h1>" + "|" * 50_000 + "</h1>",
        "<script>content: '" + "\\" * 100_001 + "</script>",
        "<script>" + "a={" * 20_000 + "</script>",
        "<script>x = " + "[" * 100_000 + "content</script>",
        "<p>" + "来源：" * 20_000 + "</p>",
        "<div class=comment>" * 3_000 + "一些话，" * 50,
        "<p>" + "2020-01-" * 20_000 + "</p>",
        ("<ul>" + "<li><a href=/x>甲乙丙丁</a></li>" * 3 + "<div style='display:none'>" + "一段文字，内容。" * 5) * 900,
        ("<div class=c>" + "<a href=/x>甲乙丙丁</a>" * 3 + "一段文字，内容。" * 25) * 1_900,
        "<title>x</title>" + "<a href=/1.html>一个标题很长的链接</a>" * 100_000,
    ],
    ids=["digits", "dashes", "escapes", "assignments", "nesting", "labels", "comments", "dates", "hidden", "boxes", "links"],
)
def test_markup_made_to_be_slow_is_read_in_time(markup: str) -> None:
    began = time.thread_time()  # of this thread alone: other work on the machine does not count
    read(markup)
    assert time.thread_time() - began < 2.0
