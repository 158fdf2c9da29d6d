"""What is posted in the demo city: enough, varied, invented, and with a truth for each."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest

from domain.model import PostingKind
from patrol.demo.brought import every
from patrol.demo.postings import SITES, Post

ALIKE = 0.5
"""Two texts that share half of their three-character pieces are one text with other names in it."""


def pieces(post: Post) -> frozenset[str]:
    text = re.sub(r"\W", "", post.title + post.body)
    return frozenset(text[start : start + 3] for start in range(len(text) - 2))


def test_town_has_about_seven_hundred_postings_and_nine_percent_promos(posts: tuple[Post, ...]) -> None:
    truths = Counter(post.truth for post in posts)
    assert len(posts) >= 650
    assert 0.07 <= truths["promo"] / len(posts) <= 0.1
    assert truths["lookalike"] >= 120


def test_promos_spread_over_schemes_sites_and_registers(posts: tuple[Post, ...]) -> None:
    promos = [post for post in posts if post.truth == "promo"]
    assert len({post.scheme for post in promos}) >= 12
    assert {post.site for post in promos} >= set(SITES) - {"portal", "captcha", "login"}
    assert sum(1 for post in promos if post.image) >= 4
    assert any(post.appears_s for post in promos)
    assert {post.behaviour for post in promos} == {"takes_down_on_warning", "edits_on_warning", "ignores", "comes_back"}


def test_only_promos_have_a_scheme(posts: tuple[Post, ...]) -> None:
    assert all((post.scheme is not None) == (post.truth == "promo") for post in posts)


def test_every_posting_has_its_own_id_a_known_site_and_kind(posts: tuple[Post, ...]) -> None:
    assert len({post.id for post in posts}) == len(posts)
    assert {post.site for post in posts} <= set(SITES)
    assert all(PostingKind(post.kind) for post in posts)
    assert all(post.body and post.author for post in posts)


def test_behaviours_have_the_words_they_need(posts: tuple[Post, ...]) -> None:
    assert all((post.edited is not None) == (post.behaviour == "edits_on_warning") for post in posts)
    assert all((post.again is not None) == (post.behaviour == "comes_back") for post in posts)


def test_replies_belong_to_threads_that_are_there_before_them(posts: tuple[Post, ...]) -> None:
    by_id = {post.id: post for post in posts}
    replies = [post for post in posts if post.reply_to]
    assert len(replies) > 50
    for post in replies:
        thread = by_id[post.reply_to or ""]
        assert thread.reply_to is None
        assert thread.appears_s <= post.appears_s


@pytest.mark.parametrize("truth", ["promo", "lookalike", "ordinary"])
def test_no_two_texts_are_nearly_the_same(posts: tuple[Post, ...], truth: str) -> None:
    texts = [(post.campaign or post.id, pieces(post)) for post in posts if post.truth == truth]
    alike = [
        (one, other)
        for (one, a), (other, b) in combinations(texts, 2)
        if one != other and a and b and len(a & b) / min(len(a), len(b)) > ALIKE
    ]
    assert alike == []


def test_contacts_are_invented(posts: tuple[Post, ...]) -> None:
    text = "\n".join(post.title + post.body + " ".join(post.image.lines if post.image else ()) for post in posts)
    text += "\n".join(str(row) for row in every())
    mobiles = re.findall(r"(?<!\d)1[3-9]\d{9}(?!\d)", text)
    assert mobiles and all(number.startswith("1390000") for number in mobiles)
    assert all(".example/" in post.image.qr for post in posts if post.image)


def test_campaigns_stand_in_several_places_and_promote_alone(posts: tuple[Post, ...]) -> None:
    held = [(post.campaign, post.site, post.truth) for post in posts if post.campaign]
    held += [(row["campaign"], "brought", row["truth"]) for row in every() if row.get("campaign")]
    names = {name for name, _, _ in held}
    assert len(names) >= 3
    for name in names:
        assert len({site for one, site, _ in held if one == name}) >= 2
    assert {truth for _, _, truth in held} == {"promo"}
