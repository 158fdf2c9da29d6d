"""The public scan contract: a line in, a line out, a broken line told for itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from classifiers.base import Classifier
from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from classifiers.scan import MAX_LINE, dump, scan_lines
from domain.model import Document, Opinion
from rules.loader import load

RULESET = load()
KEYWORD = KeywordClassifier(RULESET)
JUDGE = Judge(keyword=KEYWORD, neural=None, ruleset=RULESET)
KEYS = {"id", "level", "score", "grade", "layer", "schemes", "features", "matches", "reasons", "ruleset", "model"}


def scan(*lines: bytes | dict[str, Any], judge: Judge = JUDGE) -> list[dict[str, Any]]:
    return list(scan_lines([line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines], judge))


def test_every_line_is_answered_in_order() -> None:
    out = scan(*({"id": n, "text": "保本保息理财，加微信 abcd1234" if n % 2 else "看花"} for n in range(600)))
    assert [row["id"] for row in out] == list(range(600))
    assert all(row.keys() >= KEYS for row in out)
    assert {row["level"] for row in out[::2]} == {"clear"}


def test_match_offsets_are_characters_of_the_input_text() -> None:
    text = "😀加Ｖ❤ 123456789，花呗 套 現 秒到"
    (row,) = scan({"id": "a", "title": "花呗套现", "text": text})
    assert row["matches"]
    for match in row["matches"]:
        assert text[match["start"] : match["end"]] == match["text"]


def test_title_is_judged_too() -> None:
    (row,) = scan({"id": "a", "title": "花呗套现秒到账，加微信 abcd1234", "text": "看图"})
    assert row["level"] in ("review", "alert")


def test_broken_lines_are_told_and_the_rest_goes_on() -> None:
    out = scan(
        b"{not json",
        b"\xff\xfe\x00",
        b"[1, 2]",
        {"text": "no id"},
        {"id": 1},
        {"id": 2, "text": 5},
        {"id": 3, "text": "ok", "title": ["x"]},
        b"[" * 100_000,
        {"id": 4, "text": "好"},
    )
    assert [row["id"] for row in out] == [None, None, None, None, 1, 2, 3, None, 4]
    assert [sorted(row) == ["error", "id"] for row in out] == [True] * 8 + [False]
    assert all(row["error"]["message"] for row in out[:8])


def test_blank_lines_are_passed_over() -> None:
    assert [row["id"] for row in scan(b"\n", b"  ", {"id": 1, "text": ""})] == [1]


def test_line_that_is_too_long_is_refused() -> None:
    (row,) = scan(b'{"id": 1, "text": "' + b"a" * MAX_LINE + b'"}')
    assert row["error"]["kind"] == "too_long"


def test_odd_text_is_answered() -> None:
    out = scan(
        {"id": 1, "text": ""}, {"id": 2, "text": "\x00保本\x00"}, {"id": 3, "text": "\ud800理财"},
        {"id": 4, "text": "套现" * 300_000},
    )
    assert ["error" in row for row in out] == [False] * 4
    assert all(dump(row).encode("utf-8") for row in out)


def test_classifier_that_fails_on_one_text_spoils_only_its_line() -> None:
    class Fragile:
        name, version = "keyword", "fragile"

        def judge(self, documents: Sequence[Document]) -> list[Opinion]:
            if any("boom" in document.text for document in documents):
                raise RuntimeError("boom")
            return KEYWORD.judge(documents)

    fragile: Classifier = Fragile()
    judge = Judge(keyword=fragile, neural=None, ruleset=RULESET)
    out = scan({"id": 1, "text": "a"}, {"id": 2, "text": "boom"}, {"id": 3, "text": "b"}, judge=judge)
    assert [("error" in row) for row in out] == [False, True, False]
    assert out[1]["error"]["kind"] == "judge"


def test_an_id_that_is_no_finite_number_is_refused() -> None:
    (row,) = scan(b'{"id": 1e999, "text": "a"}')
    assert row["id"] is None
    assert row["error"]["line"] == 1
