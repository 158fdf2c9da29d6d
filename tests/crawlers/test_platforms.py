"""Every platform file that is shipped or shown, and what faults in one look like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crawlers.loader import PACKAGED, load_platforms, load_sound
from crawlers.monitors import COUNTED, outcome
from crawlers.platform import Browser, Budget, Pace, PlatformFile
from domain.errors import PlatformFault

DOC = Path(__file__).parents[2] / "docs" / "platforms.md"
MINIMAL = "id: town\ntitle: 小城\nhome: http://town.example/\nkind: portal\n"


def test_packaged_platforms_are_sound_and_named_as_their_ids() -> None:
    found = load_platforms([PACKAGED])
    assert set(found) == {path.stem for path in PACKAGED.glob("*.yml")} and len(found) >= 8
    for platform in found.values():
        assert platform.owns(platform.home), platform.id
        assert platform.pace.delay_s > 0 or platform.proxy, f"{platform.id} is swept without any delay"


def test_examples_of_the_documents_are_sound(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", DOC.read_text(encoding="utf-8"), re.S)
    for number, text in enumerate(examples):
        (tmp_path / f"{number}.yml").write_text(text, encoding="utf-8")
    assert len(load_platforms([tmp_path])) == len(examples) >= 9


def test_every_key_and_count_is_documented() -> None:
    text = DOC.read_text(encoding="utf-8")
    keys = [*PlatformFile.model_fields, *Pace.model_fields, *Budget.model_fields, *Browser.model_fields]
    assert [name for name in (*keys, *COUNTED) if f"`{name}`" not in text and f"{name}:" not in text] == []


def test_all_faults_come_at_once_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(
        "id: BAD ID\ntitle: x\nhome: ftp://x\nkind: blog\nlist:\n  item: '[['\n  fields:\n    title: 'xpath://['\n    bodyy: p\n"
        "  next: {select: a, pattern: abc}\nstart: ['http://x.example/{query}']\npace: {delay_s: -1}\n",
        encoding="utf-8",
    )
    (tmp_path / "b.yml").write_text(MINIMAL + "title: again\n", encoding="utf-8")
    (tmp_path / "c.yml").write_text("just text", encoding="utf-8")
    (tmp_path / "d.yml").write_bytes(b"id: \xff\xfe")
    (tmp_path / "e.yml").write_text("id: [1\n", encoding="utf-8")
    (tmp_path / "f.yml").write_text(MINIMAL, encoding="utf-8")
    (tmp_path / "g.yml").write_text(MINIMAL, encoding="utf-8")
    with pytest.raises(PlatformFault) as caught:
        load_platforms([tmp_path])
    where = {(Path(fault.path).name, fault.line) for fault in caught.value.faults}
    assert where >= {("a.yml", line) for line in (1, 3, 4, 6, 8, 9, 10, 12)}
    assert where >= {("b.yml", 5), ("c.yml", 1), ("d.yml", 1), ("e.yml", 2), ("g.yml", 1)}
    assert all(fault.remedy and str(fault).count(": ") >= 1 for fault in caught.value.faults)


def test_later_folder_takes_the_place_of_an_earlier_file(tmp_path: Path) -> None:
    for folder, title in (("one", "先"), ("two", "后")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "town.yml").write_text(MINIMAL.replace("小城", title), encoding="utf-8")
    assert load_platforms([tmp_path / "one", tmp_path / "two", tmp_path / "none"])["town"].title == "后"


def test_sound_files_are_had_without_the_faulty_ones(tmp_path: Path) -> None:
    for folder in ("packaged", "own"):
        (tmp_path / folder).mkdir()
    for name in ("town", "port", "twin"):
        (tmp_path / "packaged" / f"{name}.yml").write_text(MINIMAL.replace("town", name), encoding="utf-8")
    (tmp_path / "own" / "other-name.yml").write_text(MINIMAL + "kindd: x\n", encoding="utf-8")  # says that it is town
    (tmp_path / "own" / "port.yml").write_text("id: [1\n", encoding="utf-8")
    (tmp_path / "own" / "list.yml").write_text("- 1\n", encoding="utf-8")
    (tmp_path / "own" / "gone.yml").symlink_to(tmp_path / "nowhere")
    found, faults = load_sound([tmp_path / "packaged", tmp_path / "own"])
    assert set(found) == {"twin"}
    assert {Path(fault.path).name for fault in faults} == {"other-name.yml", "port.yml", "list.yml", "gone.yml"}


def test_queries_fill_the_start_in_the_sites_own_charset() -> None:
    platform = PlatformFile(
        id="se",
        title="搜",
        home="http://s.example/",
        kind="search",
        start=("http://s.example/s?q={query}",),
        queries=("高息 理财",),
        query_charset="gb18030",
    )
    assert platform.entries == ("http://s.example/s?q=%B8%DF%CF%A2%20%C0%ED%B2%C6",)


def test_platform_owns_its_hosts_alone() -> None:
    platform = PlatformFile(id="town", title="小城", home="http://town.example/", kind="portal", hosts=("town.example", "127.0.0.1:8001"))
    owned = ("http://town.example/a", "https://bbs.town.example/b", "http://127.0.0.1:8001/")
    foreign = (
        "http://mytown.example/",
        "http://town.example.evil.example/",
        "http://127.0.0.1:8002/",
        "http://127.0.0.1/",
        "http://[::1",
        "mailto:a@b",
    )
    assert all(platform.owns(url) for url in owned) and not any(platform.owns(url) for url in foreign)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"pages": 3, "read": 3, "postings": 4}, "ok"),
        ({"pages": 1, "read": 1}, "empty"),
        ({"blocked": 1, "postings": 4}, "walled"),
        ({"login_wall": 1}, "walled"),
        ({"drift": 2, "read": 3, "pages": 3, "postings": 1}, "drifted"),
        ({"drift": 1, "read": 9, "pages": 9, "postings": 5}, "ok"),
        ({"errors": 2}, "failed"),
        ({"refused": 1}, "failed"),
        ({"errors": 1, "pages": 4, "read": 4, "postings": 2}, "ok"),
        ({"outcome": "disk_full", "postings": 3}, "disk_full"),
        ({}, "empty"),
    ],
)
def test_outcome_follows_from_the_counts(counts: dict[str, object], expected: str) -> None:
    assert outcome({f"sweep/{name}": value for name, value in counts.items()})[0] == expected
