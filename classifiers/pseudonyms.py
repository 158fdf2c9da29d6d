"""Numbers and names by which a person is reached, exchanged for invented ones of the same shape before a text is learned from.

A model needs the shape of a contact and never the contact. Asterisks (`domain.contacts.mask`) would teach it a shape that no page shows.
"""

from __future__ import annotations

import random
import re
import string
import unicodedata
from collections.abc import Iterator

from domain import contacts

PERSONAL = frozenset(("phone", "wechat", "qq", "group", "email", "account", "crypto"))
"""Kinds of contact that are exchanged. Links, domains and record numbers are public addresses of a site and stay."""
_RUN = re.compile(r"(?<![\d.,])\d{7,}(?![\d,]|\.\d| ?[元万亿])")
"""Any other number long enough to be somebody's: an identity card, a bank card, a number without a word before it. Not an amount."""
_PUBLIC = re.compile(r"[48]00\d{7}|(?:95|10|12|11)\d{1,4}")
"""Hotlines of firms and authorities."""
_HAN_DIGITS = "零一二三四五六七八九"


def exchanged(text: str) -> str:
    """The text with each personal number and name replaced, character for character; the first digit, of a whole phone number three, stays.

    What replaces them is drawn from the rest of the text and knows nothing of them, so it leads back to nobody. What stands twice in a
    text is replaced alike. Personal names in running text are not found: nothing here reads names.
    """
    spans = list(_spans(text))
    if not spans:
        return text
    rest, at = [], 0
    for start, end in spans:
        rest.append(text[at:start])
        at = end
    rest.append(text[at:])
    draw = random.Random("\0".join(rest).encode("utf-8", "surrogatepass"))
    made: dict[str, str] = {}
    parts = [rest[0]]
    for (start, end), after in zip(spans, rest[1:], strict=True):
        shown = text[start:end]
        if shown not in made:
            made[shown] = _invented(shown, draw)
        parts += [made[shown], after]
    return "".join(parts)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Half-open spans in order, none overlapping."""
    found = [(one.start, one.end) for one in contacts.find(text) if one.kind in PERSONAL and not _PUBLIC.fullmatch(one.value)]
    found += [match.span() for match in _RUN.finditer(text) if not _PUBLIC.fullmatch(match[0])]
    at = 0
    for start, end in sorted(found):
        if end > at:
            yield max(start, at), end
            at = end


def _invented(shown: str, draw: random.Random) -> str:
    """Digits for digits, Latin letters for letters; all else stays, and what follows the @ of an address."""
    name, at, host = shown.partition("@")
    keep = 3 if sum(map(_counts, name)) >= 11 else 1
    made, digits = [], 0
    for character in name:
        if _counts(character):
            digits += 1
            made.append(character if digits <= keep else _digit(character, draw.randrange(10)))
        elif character in string.ascii_letters:
            made.append(draw.choice(string.ascii_lowercase if character.islower() else string.ascii_uppercase))
        else:
            made.append(character)
    return "".join(made) + at + host


def _counts(character: str) -> bool:
    return character.isdecimal() or character in _HAN_DIGITS


def _digit(like: str, value: int) -> str:
    """The digit in the script of `like`: full width for full width, Chinese for Chinese."""
    if like in _HAN_DIGITS:
        return _HAN_DIGITS[value]
    return chr(ord(like) - unicodedata.decimal(like) + value)
