"""The table of characters reads exactly as the tokenizer that it is made of, and the linear voice hears a batch as each text alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from classifiers import manifest, neural
from classifiers.characters import Characters
from classifiers.linear import BLOCK, LinearVoice, ngrams
from domain.errors import ModelUnavailable
from domain.text import fold_all

DATA = manifest.read().bytes_of("tokenizer.json")
TOKENIZER, CHARACTERS = Tokenizer.from_str(DATA.decode("utf-8")), Characters(DATA)
VOICE = LinearVoice(np.random.default_rng(3).integers(-100, 100, 2**12).astype(np.int8), scale=0.05, bias=-1.0)
MIXED = st.text(alphabet=st.sampled_from("保本高息Ａ１收 益\n\t１３8000*httpwww.:/ＡÀé\u200b\u0301龘😀\ufffd"), max_size=40)
SIGNS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(MIXED | SIGNS, max_size=5))
@settings(max_examples=300, deadline=None)
def test_numbers_are_those_of_the_tokenizer(texts: list[str]) -> None:
    wanted = [one.ids for one in TOKENIZER.encode_batch(texts, add_special_tokens=False)]
    assert [one.tolist() for one in CHARACTERS.numbers(texts)] == wanted


@pytest.mark.parametrize(
    "text", ["加我 wx 13800001234", "详见 https://a.example/b?c=1 或www.b.example", "高\u200b息\ufe0f", "保證本金\n無風險"]
)
def test_links_digits_and_invisible_characters_are_read_alike(text: str) -> None:
    assert CHARACTERS.numbers([text])[0].tolist() == TOKENIZER.encode(text, add_special_tokens=False).ids


def test_a_tokenizer_of_words_is_refused() -> None:
    data = json.loads(DATA)
    data["model"]["vocab"]["保本"] = 9999
    with pytest.raises(ModelUnavailable, match="no tokenizer of characters"):
        Characters(json.dumps(data).encode())


@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_batch_is_heard_as_each_text_alone(texts: list[list[int]]) -> None:
    arrays = [np.array(text, dtype=np.int64) for text in texts]
    assert VOICE.logits(arrays).tolist() == [VOICE.logits([one])[0] for one in arrays]


def test_a_batch_larger_than_a_block_is_heard_whole() -> None:
    draw = np.random.default_rng(9)
    arrays = [draw.integers(0, 5000, size) for size in (0, 1, 3, BLOCK + 5, 0, 700, BLOCK - 1, 2)]
    wanted = []
    for one in arrays:
        buckets, values = ngrams(one, bits=VOICE.bits)
        wanted.append(VOICE.bias + VOICE.scale * float(values.astype(np.float64) @ VOICE.weights[buckets]))
    assert VOICE.logits(arrays) == pytest.approx(wanted, abs=1e-4)


def test_what_the_linear_voice_finds_nothing_in_is_not_read_by_the_encoder() -> None:
    classifier = neural.load()
    texts = ["保本保息年化百分之二十四，名额有限，加微信 zq8866abc 进群", "今天下雨，河边的路封了，请绕行"]
    folded = fold_all(texts)
    classifier._doubt = float(np.sort(classifier.quick(classifier.views(texts)))[1]) - 0.01
    heard, whole = classifier.of_heard(texts, folded), classifier.of_folded(texts, folded)
    assert heard[0] == whole[0]
    assert heard[1] is classifier.silent
    assert whole[1] is not classifier.silent
