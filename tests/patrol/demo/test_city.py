"""The sites of the demo city over real HTTP: reachable, paged, dated, walled; and what warnings change in them."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from crawlers import extract
from crawlers.extract import Reading, Role
from crawlers.loader import load_platforms
from crawlers.page import Page
from domain.clock import utc_now
from domain.identity import canonical_url
from patrol.demo.city import City, platform_id
from patrol.demo.postings import SITES, Post
from tests.patrol.demo.conftest import HandClock


def words(city: City, client: httpx.Client, url: str) -> str:
    """What a reader of the page gets, its data file included where the page draws itself from one."""
    as_victim = {"User-Agent": "Mobile", "Referer": "https://www.baidu.com/"} if url.startswith(city.address("shop")) else {}
    answer = client.get(url, headers=as_victim)
    if url.startswith(city.address("portal")):
        return answer.content.decode("gbk")
    if url.startswith(city.address("video")):
        return client.get(url.replace("/v/", "/data/v/") + ".json").text
    return answer.text


def promo(posts: tuple[Post, ...], behaviour: str) -> Post:
    return next(post for post in posts if post.behaviour == behaviour and not post.appears_s and not post.reply_to)


def test_every_posting_stands_at_its_own_canonical_address(city: City, client: httpx.Client) -> None:
    shown = city.snapshot()
    assert len({item.url for item in shown}) == len(shown) > 500
    for item in shown:
        answer = client.get(item.url)
        assert answer.status_code == 200, item.url
        page, mark, floor = item.url.partition("#")
        assert canonical_url(page) == page and bool(mark) == (item.site == "bbs") and floor.startswith("post_" if mark else "")
        assert city.key_of(item.url) == item.id
        assert city.truth(item.url) == item.truth == city.truth(item.id)


@pytest.mark.parametrize("site", sorted(set(SITES) - {"captcha", "login"}))
def test_page_of_a_posting_says_what_was_posted(city: City, client: httpx.Client, site: str) -> None:
    for item in city.life.shown(site)[:12]:
        text = words(city, client, city.url(item)).replace("&#34;", '"').replace("&amp;", "&")
        assert item.body in text
        assert item.title in text


def test_portal_declares_an_encoding_that_it_does_not_use(city: City, client: httpx.Client) -> None:
    declared = set()
    for item in city.life.shown("portal")[:30]:
        answer = client.get(city.url(item))
        declared.add(answer.headers["content-type"])
        assert item.title in answer.content.decode("gbk")
    assert declared == {"text/html", "text/html; charset=gbk", "text/html; charset=utf-8"}


def test_forum_pages_lead_to_every_floor(city: City, client: httpx.Client) -> None:
    thread = max((item for item in city.life.shown("forum") if not item.post.reply_to), key=lambda item: len(city.life.floors(item.id)))
    floors = city.life.floors(thread.id)
    assert len(floors) > 4
    first, second = (client.get(f"{city.address('forum')}/thread-{thread.number}-{page}-1.html").text for page in (1, 2))
    assert 'class="nxt"' in first and 'class="nxt"' not in second
    for item in floors:
        assert f'id="post_{item.number}"' in first + second


def test_microblog_cursor_gives_every_post_once(city: City, client: httpx.Client) -> None:
    cursor, seen = "", []
    while cursor is not None:
        data = client.get(f"{city.address('microblog')}/api/timeline", params={"cursor": cursor} if cursor else {}).json()["data"]
        seen += [card["id"] for card in data["cards"]]
        cursor = data["cursor"]
    assert sorted(seen) == sorted(item.number for item in city.life.shown("microblog"))


def test_video_pages_have_no_words_without_their_script(city: City, client: httpx.Client) -> None:
    item = city.life.shown("video")[0]
    assert item.body not in client.get(city.url(item)).text


def test_shop_shows_its_promotions_to_phones_from_a_search_alone(city: City, client: httpx.Client) -> None:
    """The key knows the page for what it is, whoever looks."""
    cloaking = [item for item in city.life.shown("shop") if item.truth == "promo"]
    assert len(cloaking) == 2
    for item in cloaking:
        for agent, referrer in (("Mobile", ""), ("X11", "https://www.baidu.com/"), ("X11", "")):
            plain = client.get(city.url(item), headers={"User-Agent": agent, "Referer": referrer}).text
            assert item.body not in plain and item.title not in plain
        assert item.body in words(city, client, city.url(item))
        assert city.truth(city.url(item)) == "promo"


def test_search_marks_its_ads_and_puts_them_first(city: City, client: httpx.Client) -> None:
    page = client.get(f"{city.address('search')}/s", params={"q": "青棠 理财"}).text
    ads = [item for item in city.life.shown("search") if item.post.kind == "ad"] + list(city.life.shown("landing"))
    assert page.count('class="ad-label"') == min(10, len(ads))


def test_search_leads_to_every_promoted_page(city: City, client: httpx.Client) -> None:
    base, found = city.address("search"), ""
    for begin in range(0, 60, 10):
        found += client.get(f"{base}/s", params={"q": "白芦县 保本", "pn": begin}).text
    behind = [item for item in city.life.shown("landing") if f'href="{city.url(item)}"' in found]
    assert len(behind) == len(city.life.shown("landing")) > 2
    assert all(item.body not in found and item.body in client.get(city.url(item)).text for item in behind)


def read(city: City, client: httpx.Client, tmp_path: Path, site: str, path: str, role: Role = "start") -> Reading:
    """A page of a site as its platform file reads it."""
    city.platform_files(tmp_path)
    platform = load_platforms([tmp_path / "platforms"])[platform_id(site)]
    url = city.address(site) + path
    return extract.read(platform, Page(client.get(url).content, url=url), role=role, now=utc_now())


def test_forum_of_a_known_make_needs_no_selectors(city: City, client: httpx.Client, tmp_path: Path) -> None:
    boards = [step.url for step in read(city, client, tmp_path, "bbs", "/").follow]
    assert boards == [city.address("bbs") + "/forum-2-1.html"]
    text = tmp_path / "platforms" / "demo-bbs.yml"
    assert "like: discuz" in text.read_text(encoding="utf-8") and "list:" not in text.read_text(encoding="utf-8")
    floors = read(city, client, tmp_path, "bbs", "/thread-1005-1-1.html", role="detail").postings
    wanted = [(city.url(item), item.body, item.author) for item in city.life.floors("b1005")]
    assert [(one.url, one.body, one.publisher) for one in floors] == wanted and len(wanted) == 2


def test_feed_gives_whole_texts_and_leads_to_the_others(city: City, client: httpx.Client, tmp_path: Path) -> None:
    reading = read(city, client, tmp_path, "feed", "/feed.xml")
    whole, behind = {one.url: one.body for one in reading.postings}, {step.url for step in reading.follow}
    assert len(whole) == len(behind) == 4
    assert {*whole, *behind} == {city.url(item) for item in city.life.shown("feed")}
    assert all(whole[city.url(item)] == item.body for item in city.life.shown("feed") if city.url(item) in whole)


def test_county_site_is_read_from_its_home_alone(city: City, client: httpx.Client, tmp_path: Path) -> None:
    waiting, seen = ["/"], {}
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen[path] = read(city, client, tmp_path, "county", path)
            waiting += [step.url.removeprefix(city.address("county")) for step in seen[path].follow]
    found = {one.url: one for reading in seen.values() for one in reading.postings}
    for item in city.life.shown("county"):
        assert (found[city.url(item)].title, found[city.url(item)].body) == (item.title, item.body)


def test_walls_show_nothing_but_themselves(city: City, client: httpx.Client) -> None:
    assert 'id="captcha-form"' in client.get(f"{city.address('captcha')}/shops").text
    answer = client.get(f"{city.address('login')}/feed", follow_redirects=True)
    assert answer.url.path == "/passport/login" and 'id="login"' in answer.text


def test_every_page_names_an_address_for_notices(city: City, client: httpx.Client) -> None:
    for site in SITES:
        page = client.get(city.address(site) + "/", follow_redirects=True)
        assert f"jubao@{site}.qingtang.example".encode() in page.content


def test_missing_page_is_404(city: City, client: httpx.Client) -> None:
    for site in SITES:
        assert client.get(city.address(site) + "/no/such/page").status_code == 404
    assert city.truth(city.address("portal") + "/news/") == "unknown"
    assert city.truth("http://example.com/s/1001") == "unknown"


def test_postings_arrive_while_the_city_runs(city: City, clock: HandClock, posts: tuple[Post, ...]) -> None:
    late = [post for post in posts if post.appears_s]
    assert all(city.life.find(post.id) is None for post in late)
    clock.at_s = max(post.appears_s for post in late)
    assert all(city.life.find(post.id) for post in late)


def test_posting_is_taken_down_after_a_warning(city: City, clock: HandClock, client: httpx.Client, posts: tuple[Post, ...]) -> None:
    item = city.life.find(promo(posts, "takes_down_on_warning").id)
    assert item is not None
    url = city.url(item)
    assert city.on_warning(url) == item.id
    assert client.get(url).status_code == 200
    clock.at_s += 10
    assert client.get(url).status_code == 404
    assert url not in {item.url for item in city.snapshot()}
    assert city.truth(url) == "promo"


def test_posting_is_mended_after_a_warning(city: City, clock: HandClock, client: httpx.Client, posts: tuple[Post, ...]) -> None:
    post = promo(posts, "edits_on_warning")
    item = city.life.find(post.id)
    assert item is not None and post.edited is not None
    url = city.url(item)
    city.on_warning(url)
    clock.at_s += 10
    text = words(city, client, url)
    assert post.edited.body in text and post.body not in text
    assert city.truth(url) == "lookalike"


def test_warning_changes_nothing_where_it_is_ignored(city: City, clock: HandClock, client: httpx.Client, posts: tuple[Post, ...]) -> None:
    item = city.life.find(promo(posts, "ignores").id)
    assert item is not None
    before = client.get(city.url(item)).text
    city.on_warning(city.url(item))
    clock.at_s += 1000
    assert client.get(city.url(item)).text == before


def test_posting_comes_back_at_a_new_address(city: City, clock: HandClock, client: httpx.Client, posts: tuple[Post, ...]) -> None:
    item = city.life.find(promo(posts, "comes_back").id)
    assert item is not None
    old = city.url(item)
    city.on_warning(old)
    clock.at_s += 10
    gone = {item.url for item in city.snapshot()}
    clock.at_s += 50
    new = [found for found in city.snapshot() if found.url not in gone and found.author == item.author]
    assert len(new) == 1 and new[0].truth == "promo"
    assert client.get(new[0].url).status_code == 200 and client.get(old).status_code == 404
    city.on_warning(new[0].url)
    clock.at_s += 10
    assert client.get(new[0].url).status_code == 404


def test_replies_go_with_their_thread(city: City, clock: HandClock, client: httpx.Client, posts: tuple[Post, ...]) -> None:
    threads = {post.reply_to for post in posts if post.reply_to}
    thread = next(post for post in posts if post.id in threads and post.behaviour == "takes_down_on_warning")
    reply = next(post for post in posts if post.reply_to == thread.id)
    clock.at_s = 700
    item = city.life.find(reply.id)
    assert item is not None and client.get(city.url(item)).status_code == 200
    city.on_warning(thread.id)
    clock.at_s += 10
    assert client.get(city.url(item)).status_code == 404


def test_second_run_finds_the_same_town(tmp_path: Path, posts: tuple[Post, ...]) -> None:
    clock = HandClock()
    first = City(wall=clock)
    first.start(tmp_path)
    warned = promo(posts, "takes_down_on_warning").id
    clock.at_s = 300
    first.on_warning(warned)
    ports, shown = first.ports, first.snapshot()
    first.stop()
    with City(wall=HandClock()) as second:
        second.start(tmp_path)
        assert second.ports == ports
        assert second.elapsed_s == pytest.approx(300)
        assert second.snapshot() == shown


def test_busy_port_is_replaced(tmp_path: Path) -> None:
    first = City()
    first.start(tmp_path)
    taken = first.ports["portal"]
    first.stop()
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        other.listen()
        with City() as second:
            second.start(tmp_path)
            assert second.ports["portal"] != taken
            assert second.ports["forum"] == first.ports["forum"]


def test_speed_and_rounds_let_city_time_pass(tmp_path: Path) -> None:
    clock = HandClock()
    with City(wall=clock, speed=60) as city:
        city.start(tmp_path)
        clock.at_s = 2
        assert city.elapsed_s == pytest.approx(120)
        city.advance_to_round(2)
        assert city.elapsed_s == pytest.approx(700)
        city.advance_to_round(2)
        assert city.elapsed_s == pytest.approx(700)


def test_platform_files_are_sound_and_name_these_ports(city: City, tmp_path: Path) -> None:
    written = city.platform_files(tmp_path)
    assert [path.parent for path in written] == [tmp_path / "platforms"] * len(SITES)
    found = load_platforms([tmp_path / "platforms"])
    assert set(found) == {platform_id(site) for site in SITES}
    for item in city.snapshot():
        assert found[item.platform].owns(item.url)


def test_broken_city_file_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "city.json").write_text('{"ports": {"por', encoding="utf-8")
    with City() as city:
        city.start(tmp_path)
        assert len(city.snapshot()) > 500
