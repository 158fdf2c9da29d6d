"""Cheap signs: never a wrong no."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.signs import Signs, codes_of, runs, within

STRINGS = ("月息", "利", "vx", "回本快")
SIGNS = Signs(STRINGS)


@given(st.lists(st.text(alphabet="月息利vx回本快天\n", max_size=8), max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_text_that_holds_a_sign_is_always_seen(texts: list[str]) -> None:
    (seen,) = SIGNS.seen(*codes_of(texts))
    assert len(seen) == len(texts)
    assert all(found for text, found in zip(texts, seen.tolist(), strict=True) if any(one in text for one in STRINGS))


def test_a_text_without_any_is_let_go() -> None:
    assert SIGNS.seen(*codes_of(["今天天气好", "", "息月", "回"])).tolist() == [[False] * 4]


def test_no_sign_reaches_from_one_text_into_the_next() -> None:
    assert SIGNS.seen(*codes_of(["月", "息", "v", "x"])).tolist() == [[False] * 4]


def test_runs_begin_where_enough_follow() -> None:
    marks = np.array([1, 1, 1, 0, 1, 1, 1, 1], dtype=np.bool_)
    assert runs(marks, 3).tolist() == [True, False, False, False, True, True, False, False]
    assert runs(np.zeros(2, dtype=np.bool_), 5).tolist() == [False, False]


def test_within_names_the_texts_of_the_marks() -> None:
    codes, starts = codes_of(["ab", "", "c"])
    assert within(codes == ord("c"), starts).tolist() == [False, False, True]


def test_kinds_are_told_apart() -> None:
    both = Signs(("月息",), ("利", "月息"))
    assert both.seen(*codes_of(["月息", "利", "好"])).tolist() == [[True, False, False], [True, True, False]]
