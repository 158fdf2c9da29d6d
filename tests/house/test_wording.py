from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from tests.house import ROOT, shown, sources

NEVER = (
    *("认定违法", "认定为违法", "认定为非法集资", "罪犯", "犯罪分子", "违法分子", "不法分子", "诈骗犯", "骗子"),
    *("已构成犯罪", "构成非法集资罪", "系非法集资", "属于非法集资", "确属非法集资"),
)
"""Only the authority determines (认定). Rules, lexicons and the demo's made-up sites quote others and are not our word."""
TEXT = {".html", ".htm", ".j2", ".txt", ".typ", ".md", ".xml"}
NAMES_OF_LAW = re.compile(r"《[^》]*》|防范和处置非法集资|处置非法集资|处非")
BARE = re.compile(r"(?<!涉嫌)(?<!疑似)(?<!含)非法集资广告")


def _ours() -> list[Path]:
    folders = [ROOT / "console", ROOT / "pipelines", ROOT / "patrol"]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in TEXT | {".docx"}]
    files += sources("console", "pipelines", "patrol", "store", "domain")
    return [path for path in files if "demo" not in path.parts]


def _read(path: Path) -> str:
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as folder:
            return re.sub(r"<[^>]+>", "", folder.read("word/document.xml").decode("utf-8"))
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", _ours(), ids=shown)
def test_no_text_of_ours_speaks_as_the_authority(path: Path) -> None:
    text = _read(path)
    assert not [word for word in NEVER if word in text]


@pytest.mark.parametrize("path", [path for path in _ours() if path.suffix in TEXT | {".docx"}], ids=shown)
def test_what_people_read_says_suspected(path: Path) -> None:
    bare = BARE.search(NAMES_OF_LAW.sub("", _read(path)))
    assert bare is None, f"{shown(path)}: 非法集资广告 without 涉嫌 in front"
