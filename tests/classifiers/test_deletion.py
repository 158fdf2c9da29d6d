"""Which sentence speaks: found by deletion, and the whole text where none does by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifiers import neural
from classifiers.deletion import MOST, sentences, speaking
from domain.model import Document

QUIET = "今天和孩子去公园看了荷花，回来的路上买了两斤桃子。"
LOUD = "保本保息，年化18%，到期还本付息，名额有限，加微信了解。"


def counting(texts: Sequence[str]) -> NDArray[np.float64]:
    return np.array([4.0 * ("息" in text) + 0.1 * ("桃" in text) for text in texts])


def test_the_sentence_that_carries_the_suspicion_is_named() -> None:
    text = f"{QUIET}{LOUD}晚上下雨了。"
    ((start, end),) = speaking([text], [4.1], counting, quick=counting)
    assert "息" in text[start:end] and "桃" not in text[start:end]


def test_the_whole_text_is_named_where_no_part_speaks_alone() -> None:
    assert speaking([QUIET, "一句"], [0.1, 0.0], counting, quick=counting) == [(0, len(QUIET)), (0, 2)]


@given(st.text(alphabet="保本，。!?；\n a.1…", max_size=300))
def test_sentences_cover_the_text_and_are_few(text: str) -> None:
    parts = sentences(text)
    assert "".join(text[start:end] for start, end in parts) == text
    assert len(parts) <= MOST


def test_shipped_model_names_the_sentence_in_the_original() -> None:
    text = f"{QUIET}保·本·保·息，年化18%，到期连本带利，老客户介绍新客户另有返点，详询经理。{QUIET}"
    opinion = neural.load().judge([Document(text=text)])[0]
    assert opinion.score.value > neural.NAMES
    start, end = opinion.spans[0]
    assert text.index("保·本") - 1 <= start < end <= text.index("详询经理") + 6
