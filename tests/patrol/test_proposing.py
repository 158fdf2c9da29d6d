"""wangxun platforms new against a site of this machine: the real spider process, the files that it writes, and what it says instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from domain.errors import PatrolError
from patrol.commands.checking import check
from patrol.commands.proposing import new
from patrol.probing import address_of, keep
from tests.crawlers.conftest import Site
from tests.crawlers.test_probe import article, listing

New = Callable[..., Result]


@pytest.fixture
def site() -> Iterator[Site]:
    place = Site()
    yield place
    place.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Site) -> New:
    monkeypatch.setenv("WANGXUN_DIR", str(tmp_path))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)

    def call(*words: str, url: str | None = None, allow: bool = True) -> Result:
        given = [url or site.home, "--delay", "0", *(["--allow-host", f"127.0.0.1:{site.port}"] if allow else []), *words]
        return CliRunner().invoke(new, given)

    return call


def town(site: Site) -> None:
    site.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /life/\n")
    site.pages["/"] = listing(range(1, 12)).encode()
    site.pages["/news/"] = listing(range(12, 30)).encode()
    site.pages["/life/"] = listing(range(30, 40)).encode()
    site.pages |= {f"/news/2026/{n}.html": article(n).encode() for n in range(1, 40)}


def test_site_is_shown_written_checked_and_left_alone_the_second_time(site: Site, run: New, tmp_path: Path) -> None:
    town(site)
    shown = run()
    assert shown.exit_code == 0, shown.output
    assert "小城网" in shown.output and "第1条消息" in shown.output and "记者" in shown.output and "步道" in shown.output
    assert "/life/：robots.txt 不许读" in shown.output and "还没有写" in shown.output
    assert not (tmp_path / "platforms").exists()
    assert "/life/" not in site.asked and 3 <= len(site.asked) <= 9  # eight pages, and robots.txt
    first = run("--write", "--fixture", "--id", "town")
    assert first.exit_code == 0 and "已写入" in first.output, first.output
    path = tmp_path / "platforms" / "town.yml"
    before = path.read_text(encoding="utf-8")
    assert {page.name for page in (tmp_path / "platforms" / "pages" / "town").iterdir()} == {
        "list.html",
        "list.yml",
        "article.html",
        "article.yml",
    }
    done = CliRunner().invoke(check, [str(path.parent)])
    assert done.exit_code == 0, done.output
    again = run("--write", "--id", "town")
    assert again.exit_code == 0 and "没有改动" in again.output and path.read_text(encoding="utf-8") == before


def test_report_is_one_object(site: Site, run: New, tmp_path: Path) -> None:
    town(site)
    found: dict[str, Any] = json.loads(run("--json", "--requests", "4", "--kind", "articles").output)
    assert found["ok"] and found["how"] == "lists" and found["requests"] == 4 and not found["written"]
    assert found["postings"][0]["published_at"] and "kind: articles" in found["yaml"] and found["announced"] > 5


def test_page_that_needs_scripts_is_proposed_with_the_browser(site: Site, run: New) -> None:
    site.pages["/"] = '<title>小城</title><div id="app"></div><script>document.title</script>'.encode()
    found = run()
    assert found.exit_code == 0 and "JavaScript" in found.output and "fetch: auto" in found.output


def no_page(site: Site, path: str, **headers: str) -> None:
    site.pages[path] = (200, {"Content-Type": "application/pdf", **headers}, b"%PDF-1.4 x")


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ((200, {}, "<p>请输入验证码</p>".encode()), "要验证码"),
        ((403, {}, b"no"), "拒绝访问"),
        ((401, {}, b"no"), "要登录"),
        ((404, {}, b"none"), "回答 404"),
        ((500, {}, b"oops"), "回答 500"),
        ((200, {"Content-Type": "application/pdf"}, b"%PDF-1.4 x"), "不是网页"),
        ((200, {}, b""), "没有文字也没有链接"),
        ((302, {"Location": "http://10.0.0.1/"}, b""), "不在公网上"),
        ((302, {"Location": "/"}, b""), "连不上"),
    ],
    ids=["captcha", "forbidden", "login", "missing", "broken", "pdf", "empty", "inside", "circle"],
)
def test_pages_that_say_nothing_are_told_with_the_way_out(site: Site, run: New, page: Any, said: str, tmp_path: Path) -> None:
    site.pages["/"] = page
    found = run("--write")
    assert found.exit_code == 1 and said in found.output, found.output
    assert not (tmp_path / "platforms").exists()


def test_robots_that_forbid_the_home_are_obeyed(site: Site, run: New) -> None:
    site.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /\n")
    found = run()
    assert found.exit_code == 1 and "robots.txt 不许" in found.output and site.asked == ["/robots.txt"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/", "--allow-host 127.0.0.1:9"), ("http://169.254.169.254/", "不在公网上"), ("ftp://x.example/", "不是网址"),
        ("http://u:p@x.example/", "不是网址"), ("http://x.example:99999/", "不是网址"), ("不是 网址", "不是网址"),
        ("https://www.baidu.com/", "平台 baidu"),
    ],
)  # fmt: skip
def test_addresses_are_refused_before_anything_is_asked(run: New, url: str, said: str) -> None:
    found = run(url=url, allow=False)
    assert found.exit_code == 1 and said in found.output, found.output


def test_site_that_a_platform_has_is_proposed_anew_only_by_force(site: Site, run: New, tmp_path: Path) -> None:
    town(site)
    folder = tmp_path / "platforms"
    folder.mkdir()
    (folder / "old.yml").write_text(f"id: old\ntitle: 旧\nhome: {site.home}\nkind: generic\n", encoding="utf-8")
    found = run()
    assert found.exit_code == 1 and "平台 old（旧）" in found.output and not site.asked
    assert run("--force", "--requests", "1").exit_code == 0


def test_host_without_a_scheme_is_tried_both_ways() -> None:
    assert address_of("town.example") == ("https://town.example/", "http://town.example/")
    assert address_of(" http://town.example/bbs ") == ("http://town.example/bbs",)


def test_file_of_another_hand_stays_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "p" / "town.yml"
    assert keep("id: town\n", path, force=False)
    assert not keep("id: town\n", path, force=False)
    with pytest.raises(PatrolError, match="--force"):
        keep("id: other\n", path, force=False)
    assert keep("id: other\n", path, force=True)
    assert (path.parent / "town.yml.bak").read_text(encoding="utf-8") == "id: town\n"


def test_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "town.yml"
    path.write_text("id: town\n", encoding="utf-8")

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(PatrolError, match="写不进去"):
        keep("id: other\n", path, force=True)
    monkeypatch.undo()
    assert [one.name for one in tmp_path.iterdir()] == ["town.yml"] and path.read_text(encoding="utf-8") == "id: town\n"


def test_words_of_a_page_cannot_write_over_the_terminal(site: Site, run: New) -> None:
    site.pages["/"] = "<title>小\x1b[2J城\u202e</title>".encode() + listing(range(1, 9)).encode()
    assert "\x1b" not in run("--requests", "1").output
