"""Faults in a pack: all of them at once, each with path:line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from domain.errors import RuleFault
from rules.lint import check
from rules.loader import PACKAGED, load

GOOD = """id: illegal_fundraising.trial
title: 试写规则
status: live
severity: high
basis: [gl737.2]
features: [F2, F3]
scheme: wealth_mgmt
match:
  all:
    - terms: [试写词甲]
examples:
  hit:
    - text: 这里有试写词甲
    - text: 那里也有试写词甲
  miss:
    - text: 这里没有
      why: 没有词
    - text: 那里也没有
      why: 没有词
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    for name in ("schemes.yml", "statutes.yml", "authorities.yml", "policy.yml"):
        shutil.copy(PACKAGED / name, tmp_path / name)
    shutil.copytree(PACKAGED / "lexicon", tmp_path / "lexicon")
    (tmp_path / "illegal_fundraising").mkdir()
    (tmp_path / "illegal_fundraising" / "trial.yml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def _write(pack: Path, text: str, name: str = "trial") -> None:
    (pack / "illegal_fundraising" / f"{name}.yml").write_text(text, encoding="utf-8")


def test_good_pack_loads(pack: Path) -> None:
    assert check(pack) == []
    assert [rule.id for rule in load(pack).rules] == ["illegal_fundraising.trial"]


@pytest.mark.parametrize(
    ("old", "new", "line", "found"),
    [
        ("basis: [gl737.2]", "basis: [gl999.1]", 5, "gl999.1 is not in statutes.yml"),
        ("basis: [gl737.2]\n", "", 1, "no article is given"),
        ("severity: high", "severity: huge", 4, "severity"),
        ("status: live", "status: live\nstatis: draft", 4, "statis"),
        ("scheme: wealth_mgmt", "scheme: nothing_like_it", 7, "nothing_like_it is not in schemes.yml"),
        ("- terms: [试写词甲]", "- terms: ['\u200b']", 10, "folds to nothing"),
        ("- terms: [试写词甲]", "- terms: ['@nolist']", 10, "the list @nolist is not in lexicon/"),
        ("- terms: [试写词甲]", "- {pattern: 'a*', gate: [试]}", 10, "could match the empty string"),
        ("- terms: [试写词甲]", "- {pattern: '(?=甲)', gate: [甲]}", 10, "could match the empty string"),
        ("- terms: [试写词甲]", "- {pattern: '甲?$', gate: [甲]}", 10, "could match the empty string"),
        ("- terms: [试写词甲]", "- terms: [甲]\n    - contact: [pigeon]", 11, "pigeon is none of ours"),
        ("severity: high", "severity: high\ndaily_cap: 0", 5, "daily_cap"),
        ("severity: high", "severity: high\ncodes: [ZH999]", 5, "the code ZH999 is not in policy.yml"),
        ("- terms: [试写词甲]", "- {terms: [试], rate: 'rate>=8%/y'}", 10, "exactly one"),
        ("- terms: [试写词甲]", "- near: {a: [甲], b: [乙], within: 0}", 10, "within"),
        ("title: 试写规则", "title: 认定为非法集资", 2, "only the authority determines"),
        ("id: illegal_fundraising.trial", "id: illegal_fundraising.other", 1, "does not fit the file's place"),
    ],
)
def test_fault_is_told_with_its_line(pack: Path, old: str, new: str, line: int, found: str) -> None:
    _write(pack, GOOD.replace(old, new, 1))
    faults = check(pack)
    assert [fault.line for fault in faults if found in fault.found or found in fault.remedy] == [line], [str(f) for f in faults]
    assert all(str(fault).startswith(f"{pack}/illegal_fundraising/trial.yml:") for fault in faults)


def test_all_faults_of_all_files_come_at_once(pack: Path) -> None:
    _write(pack, GOOD.replace("severity: high", "severity: huge").replace("why: 没有词", "why: ''", 1))
    _write(pack, "id: [", name="broken")
    with pytest.raises(RuleFault) as caught:
        load(pack)
    assert len(caught.value.faults) >= 3
    assert {Path(fault.path).name for fault in caught.value.faults} == {"trial.yml", "broken.yml"}


def test_double_id_is_a_fault(pack: Path) -> None:
    _write(pack, GOOD, name="twin")
    assert any("is taken by another file" in fault.found or "does not fit" in fault.found for fault in check(pack))


def test_bytes_that_are_no_utf8_are_a_fault(pack: Path) -> None:
    (pack / "illegal_fundraising" / "gbk.yml").write_bytes("id: 规则".encode("gb18030"))
    assert any("not UTF-8" in fault.found for fault in check(pack))


def test_two_rules_that_ask_the_same_are_a_fault(pack: Path) -> None:
    twin = GOOD.replace("trial", "twin").replace("[试写词甲]", "[试写词乙, '試寫詞甲', 试写词甲]")
    _write(pack, GOOD.replace("[试写词甲]", "[试写词甲, 试写词乙]"))
    _write(pack, twin, name="twin")
    (fault,) = check(pack)
    assert "twin.yml:8: the same match as illegal_fundraising.trial" in str(fault)


def test_a_rule_that_differs_in_what_lessens_it_is_no_twin(pack: Path) -> None:
    _write(pack, GOOD.replace("trial", "twin").replace("examples:", "  less:\n    - terms: [谨防]\nexamples:"), name="twin")
    assert check(pack) == []


def test_a_line_of_a_list_that_folds_to_nothing_is_a_fault(pack: Path) -> None:
    (pack / "lexicon" / "own.txt").write_text("好词\n\u200b  # 空\n# 注\n", encoding="utf-8")
    assert [(Path(fault.path).name, fault.line) for fault in check(pack)] == [("own.txt", 2)]
