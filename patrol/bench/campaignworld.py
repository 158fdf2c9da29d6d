"""The made-up world of `bench campaigns`: postings in the order of their coming, and who truly made each.

The truth is the maker: an operator, whatever accounts, contacts and wordings it uses. Of all postings

- 62 in 100 are of rings: one operator each, 2 to 3,000 postings, one to six texts, one to twelve contacts in turn and some used once,
  dozens of accounts, some with a site, a QR code, a poster or a payee of their own;
- 13 in 100 are of templates: one text that 60 to 600 independent promoters post, each with contacts of their own; one posting in fifteen
  of these is of a small template of 3 to 10 promoters, which nobody could tell from a ring by its text. Each promoter is one maker;
- 7 in 100 are forwarded warnings and news: one text, up to 800 accounts, public numbers in it. Each posting is a maker by itself;
- 18 in 100 are lone ads.

Over all lie keys that everybody shares and that no list names: link shorteners, service numbers, stock pictures, filing numbers of portals.
Every posting but a lone one is edited: amounts and contacts always, and each by chance: homophones, look-alikes and split words from the
evasion suite, characters exchanged for any other, signs and emoji between characters, sentences reordered or dropped, noise put around it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from classifiers import evasions

SHARES = {"ring": 0.62, "template": 0.13, "forward": 0.07}
"""The rest is lone."""
CHANCES = {"respelt": 0.35, "exchanged": 0.3, "signs": 0.35, "reordered": 0.3, "dropped": 0.25, "noise": 0.3}
PLATFORMS, COMMONS = 40, 40
"""Platforms; and of each kind the keys that everybody shares, fewer where there are fewer postings."""
WORDS = Path(__file__).parent / "campaignwords.json"
_SIGNS = ("🔥", "✨", "💰", "★", "~", "·", " ", "❤", "|", "…", "👍", "、", "。")


@lru_cache(maxsize=1)
def _words() -> dict[str, list[str]]:
    """What the sentences are made of, invented: words by slot, and the forms of ads, noise and warnings."""
    return {name: list(held) for name, held in json.loads(WORDS.read_text("utf-8")).items()}


@dataclass(frozen=True, slots=True)
class Maker:
    """What one operator, or one template, has: texts as sentences, and the pools that its postings draw from."""

    texts: tuple[tuple[str, ...], ...]
    contacts: tuple[dict[str, Any], ...]
    accounts: tuple[str, ...]
    links: tuple[str, ...]
    codes: tuple[str, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One posting, and the number of its maker."""

    maker: int
    row: dict[str, Any]


def world(count: int, *, seed: int = 20261128) -> Iterator[Made]:
    """`count` postings in the order of their coming, the same ones for the same `count` and `seed`."""
    draw = random.Random(seed)
    plan = _plan(count, draw)
    draw.shuffle(plan)
    for number, (kind, group, member) in enumerate(plan):
        yield _posting(number, kind, group, member, seed=seed, commons=max(1, min(COMMONS, count // 2000)))


def _plan(count: int, draw: random.Random) -> list[tuple[str, int, int]]:
    """(kind, group, member) of each posting. Of a template the member is the promoter, else it says which one of the group it is."""
    found: list[tuple[str, int, int]] = []
    group = 0
    for kind, share in SHARES.items():
        end = len(found) + int(count * share)
        while len(found) < end:
            group += 1
            found += [(kind, group, member) for member in _members(kind, draw, most=max(4, min(3000, count // 50)))][: end - len(found)]
    found += [("lone", group + 1 + number, 0) for number in range(count - len(found))]
    return found


def _members(kind: str, draw: random.Random, *, most: int) -> list[int]:
    if kind == "ring":
        return list(range(min(most, max(2, int(2 * draw.paretovariate(0.75))))))
    if kind == "forward":
        return list(range(draw.randint(3, min(most, 800))))
    small = draw.random() < 0.6  # by postings one in fifteen, since the others are a hundred times as large
    promoters = draw.randint(3, 10) if small else draw.randint(60, 600)
    return [promoter for promoter in range(promoters) for _ in range(min(30, int(draw.paretovariate(1.0))))][: max(most, 60)]


@lru_cache(maxsize=20_000)
def _maker(kind: str, group: int, seed: int) -> Maker:
    draw = random.Random(f"{seed}-{kind}-{group}")
    forms = _words()["warnings" if kind == "forward" else "forms"]
    texts = draw.choice((1, 1, 1, 2, 2, 3, 4, 6)) if kind == "ring" else 1
    chance: Callable[[float], bool] = lambda share: draw.random() < share  # noqa: E731
    return Maker(
        texts=tuple(tuple(_sentence(draw, form) for form in draw.sample(forms, draw.randint(5, min(8, len(forms))))) for _ in range(texts)),
        contacts=tuple(_contact(draw) for _ in range(draw.choice((1, 1, 2, 3, 5, 8, 12)))),
        accounts=tuple(_name(draw, 4) for _ in range(draw.choice((2, 5, 15, 60)))),
        links=(f"https://www.{_latin(draw, 9)}.{draw.choice(('com', 'cn', 'top', 'vip'))}/join",) if chance(0.3) else (),
        codes=(f"https://u.wechat.example/{_latin(draw, 16)}",) if chance(0.25) else (),
        pictures=tuple(_sha(draw) for _ in range(2)) if chance(0.3) else (),
    )


def _posting(number: int, kind: str, group: int, member: int, *, seed: int, commons: int) -> Made:
    draw = random.Random(f"{seed}:{number}")
    promoter = kind == "template"
    owner = _maker("lone", group * 1000 + member, seed) if promoter else _maker(kind, group, seed) if kind != "lone" else _lone(draw)
    sentences = draw.choice(_maker("template", group, seed).texts if promoter else owner.texts)
    body = "。".join(sentences) if kind == "lone" else _edited(sentences, draw, hard=kind == "ring")
    contacts = _given(owner, draw, kind=kind)
    reach = "" if not contacts else "，联系" + " ".join(f"{one['kind']} {one['value']}" for one in contacts)
    links, images = _extras(owner, draw, commons=commons)
    platform = draw.randrange(PLATFORMS)
    account = _name(draw, 5) if kind == "forward" else draw.choice(owner.accounts)
    return Made(
        maker=maker_number(kind, group, member, number),
        row={
            "platform": f"site-{platform}",
            "url": f"https://www.platform{platform}.example/t/{number}",
            "title": "",
            "body": body + reach,
            "publisher": account,
            "contacts": contacts + _everybodys(draw, platform, commons=commons),
            "links": links,
            "images": images,
        },
    )


def maker_number(kind: str, group: int, member: int, number: int) -> int:
    """The maker's number: the ring, the promoter of a template, or the posting itself."""
    return group * 1000 if kind == "ring" else group * 1000 + member + 1 if kind == "template" else -number - 1


def _lone(draw: random.Random) -> Maker:
    texts = (tuple(_sentence(draw, form) for form in draw.sample(_words()["forms"], draw.randint(4, 8))),)
    return Maker(texts, (_contact(draw),), (_name(draw, 4),), (), (), ())


def _given(owner: Maker, draw: random.Random, *, kind: str) -> list[dict[str, Any]]:
    """The contacts of one posting: of the pool, one that is used once, or none."""
    if kind == "forward":
        return [{"kind": "phone", "value": "96110", "start": 0, "end": 0}]
    turn = draw.random()
    if kind == "ring" and turn < 0.15:
        return [_contact(draw)]
    if turn < 0.3:
        return []
    return [dict(one) for one in draw.sample(owner.contacts, min(len(owner.contacts), 1 + (draw.random() < 0.25)))]


def _extras(owner: Maker, draw: random.Random, *, commons: int) -> tuple[list[str], list[dict[str, Any]]]:
    links = list(owner.links) if draw.random() < 0.6 else []
    if draw.random() < 0.06:
        links.append(f"https://s{draw.randrange(40)}.short{draw.randrange(commons)}.example/{_latin(draw, 6)}")
    images: list[dict[str, Any]] = []
    if owner.pictures and draw.random() < 0.5:
        images.append({"url": "", "sha256": draw.choice(owner.pictures), "text": "", "qr": list(owner.codes)})
    if draw.random() < 0.05:
        images.append({"url": "", "sha256": f"{draw.randrange(commons):064x}", "text": "", "qr": []})
    return links, images


def _everybodys(draw: random.Random, platform: int, *, commons: int) -> list[dict[str, Any]]:
    """Contacts that nobody owns: a service number, the portal's filing number."""
    found = []
    if draw.random() < 0.02:
        found.append({"kind": "phone", "value": f"40088{draw.randrange(commons):05d}", "start": 0, "end": 0})
    if platform % 4 == 0 and draw.random() < 0.3:
        found.append({"kind": "icp", "value": f"京icp备{10000000 + platform}号", "start": 0, "end": 0})
    return found


def _edited(sentences: tuple[str, ...], draw: random.Random, *, hard: bool) -> str:
    """The text as it was posted this time."""
    scale = 1.0 if hard else 0.5
    parts = [_amounts(one, draw) for one in sentences]
    if draw.random() < CHANCES["dropped"] * scale:
        parts = parts[: max(2, round(len(parts) * draw.uniform(0.45, 0.85)))]
    if draw.random() < CHANCES["reordered"] * scale:
        draw.shuffle(parts)
    text = "，".join(parts)
    if draw.random() < CHANCES["respelt"] * scale:
        text = draw.choice((evasions.homophone, evasions.split, evasions.lookalike, evasions.inserted))(text, draw)
    if draw.random() < CHANCES["exchanged"] * scale:
        held = list(text)
        for at in draw.sample(range(len(held)), max(1, round(len(held) * draw.uniform(0.01, 0.05)))):
            held[at] = draw.choice(_words()["characters"])
        text = "".join(held)
    if draw.random() < CHANCES["signs"] * scale:
        share = draw.uniform(0.03, 0.3)
        text = "".join(char + draw.choice(_SIGNS) if draw.random() < share else char for char in text)
    if draw.random() < CHANCES["noise"] * scale:
        noise = [_sentence(draw, draw.choice(_words()["noise"])) for _ in range(draw.randint(1, 5))]
        text = "。".join([*noise, text] if draw.random() < 0.3 else [text, *noise])
    return text


def _amounts(text: str, draw: random.Random) -> str:
    return "".join(draw.choice("0123456789") if char.isdigit() else char for char in text)


def _sentence(draw: random.Random, form: str) -> str:
    text = form
    while (at := text.find("{")) >= 0:
        slot = text[at + 1 : text.index("}", at)]
        word = (
            _name(draw, 2)
            if slot in ("name", "place")
            else str(draw.randint(1, 99) * 100)
            if slot == "num"
            else draw.choice(_words()[slot])
        )
        text = text.replace("{" + slot + "}", word, 1)
    return text


def _name(draw: random.Random, size: int) -> str:
    return "".join(draw.choices(_words()["characters"], k=size))


def _latin(draw: random.Random, size: int) -> str:
    return "".join(draw.choices("abcdefghijkmnpqrstuvwxyz23456789", k=size))


def _sha(draw: random.Random) -> str:
    return f"{draw.getrandbits(256):064x}"


def _contact(draw: random.Random) -> dict[str, Any]:
    kind = draw.choice(("phone", "wechat", "wechat", "qq", "group"))
    value = {"phone": f"1{draw.randrange(3 * 10**9, 10**10):010d}", "wechat": _latin(draw, 10), "qq": f"{draw.randrange(10**8, 10**10)}"}
    return {"kind": kind, "value": value.get(kind, f"{draw.randrange(10**8, 10**9)}"), "start": 0, "end": 0}
