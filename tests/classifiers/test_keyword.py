"""The keyword judge: offsets true, long texts by paragraph, excuses without a veto, bad input bounded."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.keyword import SILENT, KeywordClassifier
from classifiers.tokens import Boundaries, _Jieba, _Rjieba
from classifiers.windows import WINDOW, windows
from domain.model import Document, Opinion
from rules.loader import load

KEYWORD = KeywordClassifier(load())
REVIEW = KEYWORD.ruleset.policy.thresholds_keyword.review
PROMO = "内部项目保本保息，年化收益18%，五万起投，按月分红，加微信 abcd8888 了解，名额有限"
WARNING = "警方提醒：近期有不法分子以高收益为名实施诈骗，请广大市民提高警惕，切勿轻信，谨防上当受骗。遇到可疑情况请拨打110报警。\n"


def judge(text: str) -> Opinion:
    return KEYWORD.judge([Document(text=text)])[0]


def test_promo_is_at_review_and_carries_its_reasons() -> None:
    opinion = judge(PROMO)
    assert opinion.score.value >= REVIEW
    assert {"F2", "F3"} <= {feature.value for feature in opinion.features}
    assert opinion.schemes[0][0] == "wealth_mgmt"


def test_text_without_a_word_of_ours_is_silent() -> None:
    assert judge("今天下午去公园看花，晚上吃面。").score.value == SILENT


def test_warning_is_below_review() -> None:
    assert judge(WARNING + "他们声称“保本保息，年化收益18%”，这都是骗局。").score.value < REVIEW


def test_one_soliciting_paragraph_in_a_warning_article_is_found_there() -> None:
    article = WARNING * 16
    text = article + PROMO + "\n" + WARNING * 3
    opinion = judge(text)
    assert opinion.score.value > judge(article).score.value
    assert opinion.score.value >= REVIEW
    start, end = opinion.spans[0]
    assert start <= text.index("内部项目") < end
    assert end - start < len(text) / 3


def test_an_excuse_lowers_and_does_not_veto() -> None:
    plain, excused = judge(PROMO), judge(PROMO + "。投资有风险，入市需谨慎")
    assert SILENT < excused.score.value < plain.score.value
    assert excused.score.value > 0.3


def test_evasive_twin_is_found_with_both_forms() -> None:
    text = "花·呗套·線秒到，信甬卡代還，加薇❤信"
    folds = {match.fold for match in judge(text).matches if match.fold}
    assert any("套现" in fold for fold in folds)


@pytest.mark.parametrize(
    "text", [PROMO, "加Ｖ❤ 123456789 花呗 套 現 秒到", "原始股每股2元，纳斯达克即将上市，认购名额不多，電話13812345678"]
)
def test_every_offset_slices_the_original(text: str) -> None:
    opinion = judge(text)
    assert opinion.matches
    for match in opinion.matches:
        assert 0 <= match.start < match.end <= len(text)
        assert text[match.start : match.end] == match.text


PIECES = [
    "保本", "年化18%", "加微信", "abc12345", "花呗套现", "警方", "“", "”", "谨防", "原始股", "认购", "，", "。", "\n",
    "❤", "薇", "\u200b", "ＶＸ", "：", "😀", "\ud800", "13812345678", "理财", "返 现",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
@settings(max_examples=200, deadline=None)
def test_offsets_hold_for_any_mixture(pieces: list[str]) -> None:
    text = "".join(pieces)
    opinion = judge(text)
    assert 0.0 <= opinion.score.value <= 1.0
    for match in opinion.matches:
        assert text[match.start : match.end] == match.text


@pytest.mark.parametrize(
    "text",
    [
        "", "保本高收益" * 200_000, "😀" * 100_000, "\ud83d" * 1000, "\u202e保本\u202c" * 1000, "\x00" * 10_000, "\x01\x02理财\x03",
        "年化18%" * 20_000,
    ],
    ids=["empty", "1 MB", "emoji", "surrogates", "right to left", "nul", "control", "rates"],
)
def test_bad_input_gets_a_bounded_answer_in_bounded_time(text: str) -> None:
    began = time.perf_counter()
    opinion = judge(text)
    assert 0.0 <= opinion.score.value <= 1.0
    assert len(opinion.matches) < 1000
    assert time.perf_counter() - began < 60


def test_explain_shows_rates_contacts_and_notes() -> None:
    explanation = KEYWORD.explain(PROMO)
    assert [rate.yearly for rate in explanation.rates] == [0.18]
    assert [contact.value for contact in explanation.contacts] == ["abcd8888"]
    assert explanation.score == judge(PROMO).score.value
    assert ("illegal_fundraising.guaranteed_words", "quoted") in KEYWORD.explain("他说“稳赚不赔”，加微信 abcd8888 理财").notes


@given(st.text(max_size=3000))
@settings(max_examples=50, deadline=None)
def test_windows_cover_the_text_without_overlap(text: str) -> None:
    spans = windows(text)
    assert spans[0][0] == 0 and spans[-1][1] == len(text)
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert all(end - start <= WINDOW for start, end in spans)


@pytest.mark.parametrize("text", ["我来到北京清华大学", "保本保息的理财产品年化收益18%", "加微信abc了解原始股", "", "😀 Hello，世界"])
def test_both_segmenters_cut_alike(text: str) -> None:
    terms = [term for term in KEYWORD.matcher.lexicon.terms if len(term) > 1]
    plain, own = _Rjieba().cut(text), _Rjieba(terms).cut(text)
    assert plain == _Jieba().cut(text)
    assert own == _Jieba(terms).cut(text)
    assert "".join(own) == text


def test_word_inside_another_word_does_not_stand_alone() -> None:
    boundaries = Boundaries(KEYWORD.matcher.lexicon.terms)
    assert not boundaries.stands_alone("一年级差不多有五十人", 2, 4)
    assert boundaries.stands_alone("按级差拿奖金，三代以内都算", 1, 3)
