"""Beginnings of terms are found wherever they stand, and nothing else is."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.prefixes import Prefixes
from domain.signs import codes_of

ALPHABET = "保本息年化%a1\n😀"
TERMS = st.lists(st.text(alphabet=ALPHABET.replace("\n", ""), min_size=1, max_size=5), min_size=1, max_size=12, unique=True)


@given(TERMS, st.text(alphabet=ALPHABET, max_size=60))
@settings(max_examples=400, deadline=None)
def test_every_beginning_is_found_where_it_stands(terms: list[str], text: str) -> None:
    prefixes = Prefixes(terms)
    codes, _ = codes_of([text])
    found = set(zip(*(part.tolist() for part in prefixes.find(codes)), strict=True))
    wanted = {
        (number, place)
        for term, number in zip(terms, prefixes.number_of, strict=True)
        for place in range(len(text))
        if text.startswith(term[:4], place)
    }
    assert found == wanted


def test_terms_of_one_beginning_share_a_number() -> None:
    prefixes = Prefixes(["加入我们吧", "加入我们", "加入我", "加"])
    assert prefixes.number_of[0] == prefixes.number_of[1]
    assert prefixes.size == 3


def test_nothing_is_found_in_nothing() -> None:
    numbers, places = Prefixes(["保本"]).find(np.zeros(0, dtype=np.uint32))
    assert (len(numbers), len(places)) == (0, 0)
