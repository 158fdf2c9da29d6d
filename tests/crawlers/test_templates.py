"""Platform files that are like a template: what they take over, and what their faults look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawlers.gather import platform_for
from crawlers.loader import PACKAGED, load_platforms, load_sound
from crawlers.page import Page
from domain.errors import PlatformFault

TEMPLATE = "kind: forum\npace: {delay_s: 3, concurrency: 1}\nlist:\n  item: li\n  fields: {title: a}\nwalls: {login: [请登录]}\n"


def _write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (f"templates/{name[2:]}.yml" if name.startswith("t_") else f"{name}.yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_two_lines_are_a_platform(tmp_path: Path) -> None:
    (bbs,) = load_platforms([_write(tmp_path, town="like: discuz\nhome: https://bbs.town.example/\n")]).values()
    assert (bbs.id, bbs.title, bbs.kind, bbs.site, bbs.enabled) == ("town", "bbs.town.example", "forum", ("bbs.town.example",), True)
    assert bbs.list and bbs.detail and bbs.owns("https://bbs.town.example/thread-1-1-1.html")


def test_own_keys_take_the_place_of_the_templates(tmp_path: Path) -> None:
    own = "like: mine\nhome: http://a.example/\ntitle: 甲\nid: a-1\npace: {delay_s: 9}\nlist: {item: dd}\n"
    (one,) = load_platforms([_write(tmp_path, t_mine=TEMPLATE, a=own)]).values()
    assert (one.id, one.title, one.pace.delay_s, one.pace.concurrency) == ("a-1", "甲", 9, 1)
    assert one.list[0].item is not None and one.list[0].item[0].query == "dd" and one.walls.login == ("请登录",)


def test_template_of_a_later_folder_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    own = "like: mine\nhome: http://a.example/\n"
    one, two = _write(tmp_path / "1", t_mine=TEMPLATE, aa=own), _write(tmp_path / "2", t_mine=TEMPLATE.replace("forum", "video"))
    assert load_platforms([one, two])["aa"].kind == "video"


def test_template_is_no_platform_itself(tmp_path: Path) -> None:
    assert load_platforms([_write(tmp_path, t_mine=TEMPLATE)]) == {}


@pytest.mark.parametrize(
    ("template", "own", "where"),
    [
        (
            TEMPLATE,
            "like: other\nhome: http://a.example/\n",
            "a.yml:1: no template 'other'; use one of app-store, classifieds, discuz, mine",
        ),
        (TEMPLATE, "like: [x]\nhome: http://a.example/\n", "a.yml:1: no template ['x']"),
        (TEMPLATE, "like: mine\n", "a.yml:1: home: Field required"),
        (TEMPLATE, "home: http://a.example/\nlike: mine\nkindd: x\n", "a.yml:3: kindd"),
        (TEMPLATE.replace("item: li", "item: '[['"), "like: mine\nhome: http://a.example/\n", "mine.yml:4: list.0.item.0: not a CSS"),
        (TEMPLATE + "id: x\n", "like: mine\nhome: http://a.example/\n", "mine.yml:7: id belongs to one place"),
        ("- 1\n", "like: mine\nhome: http://a.example/\n", "mine.yml:1: no template stands in it"),
        ("a: [\n", "like: mine\nhome: http://a.example/\n", "mine.yml:2: not YAML"),
    ],
)
def test_fault_is_told_where_it_stands(tmp_path: Path, template: str, own: str, where: str) -> None:
    folder = _write(tmp_path, t_mine=template, a=own)
    with pytest.raises(PlatformFault) as caught:
        load_platforms([folder])
    assert any(where in str(fault).replace(f"{folder}/", "").replace("templates/", "") for fault in caught.value.faults), caught.value


def test_faulty_template_is_told_once_and_stops_only_those_like_it(tmp_path: Path) -> None:
    own = "like: mine\nhome: http://{}.example/\n"
    whole = "id: cc\ntitle: 丙\nhome: http://c.example/\nkind: portal\n"
    folder = _write(tmp_path, t_mine=TEMPLATE + "kindd: 1\n", aa=own.format("a"), bb=own.format("b"), cc=whole)
    found, faults = load_sound([folder])
    assert set(found) == {"cc"} and len(faults) == 1 and "mine.yml:7" in str(faults[0])


def test_forum_is_swept_from_its_home_address_alone(site: Any, sweep: Any) -> None:
    pages = {path.stem: path.read_bytes() for path in (PACKAGED / "pages" / "discuz").glob("*.html")}
    quiet = "<html><body>抱歉，指定的主题不存在</body></html>".encode()
    site.pages |= {
        "/": pages["front"],
        "/forum-2-1.html": pages["board"],
        "/thread-2-1-1.html": pages["thread"],
        "/thread-1-1-1.html": quiet,
    }
    found = sweep({"like": "discuz", "kind": "forum", "walls": {}})
    floors = [(one.title, one.publisher, one.url.rsplit("#")[-1]) for one in found.postings]
    assert floors == [("民间借贷 月息三分 抵押放款", "放款小张", "post_71"), ("民间借贷 月息三分 抵押放款", "路过", "post_72")], found.log
    assert "/forum-2-1.html" in site.asked and "/thread-2-2-1.html" in site.asked


def test_kept_thread_of_an_unnamed_forum_goes_to_the_template() -> None:
    body = (PACKAGED / "pages" / "phpwind" / "thread.html").read_bytes()
    page = Page(body, url="http://club.elsewhere.example/read.php?tid=5")
    assert platform_for(page, load_platforms([PACKAGED])).id == "phpwind"
    assert (
        platform_for(Page(body, url="http://club.elsewhere.example/about.html"), load_platforms([PACKAGED])).id == "club.elsewhere.example"
    )
