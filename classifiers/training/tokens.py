"""Makes the character tokenizer: one token a character, Traditional read as Simplified, full width as half width.

All of the reading is inside `tokenizer.json`, so that whoever has the file reads as the model did; offsets lead back to the
original text. White space is dropped, since inserted spaces are the cheapest evasion; addresses and long digit runs become
one token each, since the digits of a phone number tell nothing and fill the window.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LINK, DIGITS = "\ue000", "\ue001"


def reader() -> normalizers.Normalizer:
    """The normaliser: NFKC, lower case, invisible characters and white space dropped, links and digit runs folded."""
    return normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"https?://[!-~]+|www\.[!-~]+"), LINK),
            normalizers.Replace(Regex(r"[\s\p{Cf}\p{Cc}\p{Mn}]+"), ""),
            normalizers.Replace(Regex(r"[0-9*]{7,}"), DIGITS),
        ]
    )


def simplified() -> dict[str, str]:
    """Traditional character -> Simplified character, where both are single."""
    import opencc

    convert = opencc.OpenCC("t2s").convert
    table = {}
    for code in (*range(0x3400, 0xA000), *range(0xF900, 0xFB00)):
        character = chr(code)
        other = convert(character)
        if other != character and len(other) == 1:
            table[character] = other
    return table


def build(lines: Iterable[str], *, min_count: int, max_vocab: int) -> str:
    """The text of a `tokenizer.json` over the characters of `lines` that occur `min_count` times or more, commonest first."""
    normalise = reader().normalize_str
    fold = simplified()
    table = str.maketrans(fold)
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(normalise(line).translate(table))
    kept = [character for character, count in counts.most_common(max_vocab - len(SPECIAL)) if count >= min_count]
    numbers = {token: number for number, token in enumerate((*SPECIAL, *kept))}
    tokenizer = Tokenizer(models.WordLevel(dict(numbers), unk_token=SPECIAL[1]))
    tokenizer.normalizer = reader()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    data = json.loads(tokenizer.to_str())
    # Two spellings, one number: the model cannot tell them apart, so an ad in Traditional is read like any other. Written
    # by hand, since the library drops one of two spellings when it saves.
    data["model"]["vocab"] = numbers | {old: numbers[new] for old, new in fold.items() if new in numbers}
    return json.dumps(data, ensure_ascii=False)


def vocabulary(path: Path) -> dict[str, int]:
    """Token -> number of a saved tokenizer, both spellings."""
    vocab: dict[str, int] = json.loads(path.read_text("utf-8"))["model"]["vocab"]
    return vocab
