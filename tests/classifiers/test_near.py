from __future__ import annotations

import random

from classifiers import near

SENTENCE = "昨天在老街的茶馆里听人讲起三十年前修水库的事，几位老人记得清清楚楚，连谁家出了几个工都说得上来"


def test_clusters_unite_a_template_whose_numbers_and_signs_differ() -> None:
    first = "【年终回馈】存满10万送电视一台，详询13800001111王经理"
    texts = [first, "明天上午停水检修，请居民提前储水", "年终回馈！存满20万，送电视一台。详询13900002222 王经理"]
    assert near.clusters(texts) == [0, 1, 0]


def test_clusters_see_through_inserted_signs_and_full_width() -> None:
    assert near.clusters(["保本保息年化收益18%加微信详谈", "保*本*保*息年化收益１８％加微信详谈"]) == [0, 0]


def test_clusters_unite_a_text_and_the_same_with_some_words_changed() -> None:
    changed = SENTENCE.replace("老街", "巷口").replace("三十年前", "早些年")
    assert near.clusters([SENTENCE, changed]) == [0, 0]


def test_clusters_leave_texts_apart_that_share_only_a_phrase() -> None:
    other = "几位老人记得清清楚楚，当年的戏台就在河对岸，每逢初一十五都有班子来唱，一唱就是三天三夜不停歇"
    assert near.clusters([SENTENCE, other]) == [0, 1]


def test_nearness_is_passed_on_and_named_by_the_first() -> None:
    """The ends of the chain share little; each link shares much."""
    draw = random.Random(5)
    words = [chr(draw.randrange(0x4E00, 0x9000)) for _ in range(90)]
    chain = ["".join(words[start : start + 50]) for start in (0, 12, 24, 36)]
    assert near.clusters([chain[0], chain[3]]) == [0, 1]
    assert near.clusters(chain) == [0, 0, 0, 0]


def test_short_texts_are_only_near_themselves_and_empty_ones_not_even_that() -> None:
    assert near.clusters(["", "好", "好的", "好", "！！", "！！", ""]) == [0, 1, 2, 1, 4, 4, 6]


def test_no_texts_give_no_clusters() -> None:
    assert near.clusters([]) == []


def test_lone_surrogates_and_long_texts_are_read() -> None:
    assert near.clusters(["\ud800", SENTENCE * 3000, "\ud800"]) == [0, 1, 0]


def test_clusters_are_the_same_each_time_and_do_not_depend_on_the_rest() -> None:
    draw = random.Random(7)
    texts = ["".join(chr(draw.randrange(0x4E00, 0x9000)) for _ in range(30)) for _ in range(300)]
    found = near.clusters([*texts, texts[17] + "而已"])
    assert found == near.clusters([*texts, texts[17] + "而已"])
    assert found == [*range(300), 17]


def test_ties_unite_by_key_and_leave_what_has_none() -> None:
    ties = near.Ties(5)
    ties.tie_equal(["a", "", "b", "a", ""])
    ties.tie(2, 3)
    assert ties.tops() == [0, 1, 0, 0, 4]
