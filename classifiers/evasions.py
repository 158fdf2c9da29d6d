"""The evasion suite: promos written to be missed, each beside its clean twin, and how many of them a judge still finds.

Fourteen tactics. The transformations here are kept apart from those of the training and from the tables of the fold: they have their own
spellings in `data/evasion`, so that the figures say something. `python -m classifiers.evasions` prints the figures; with `--make` it
writes `suite.jsonl` anew from the hand-written rows in it and from `clean.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from classifiers.base import Classifier
from classifiers.dataset import Row
from classifiers.evaluate import words
from classifiers.fusion import Judge, load_judge
from domain.model import Level

DATA = Path(__file__).parent / "data" / "evasion"
LEAST_RATIO, LEAST_TACTIC_RATIO, MOST_FALSE_POINTS = 0.9, 0.8, 1.0
"""What a judge must keep: of its clean recall, over all and for each tactic; and false hits in points that evasion may add."""
GENERATED = 16
"""Rows a tactic that are made from clean promos, beside the hand-written ones."""
_RANKS = {level: rank for rank, level in enumerate((Level.CLEAR, Level.WATCH, Level.REVIEW, Level.ALERT))}
_SIGNS = " .·*-_/|~+^、★●◆❤🔥💰✨\u200b"
_ENCLOSED = ("０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "零壹贰叁肆伍陆柒捌玖", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
_MISREAD = str.maketrans("0l本末入日己大未间", "O1夲未人曰已夫末问")
_REACH = re.compile(
    r"(?:详情|咨询|想要的|联系|添加|家长)?(?:加微信|私聊我?|进群|微信拉群|联系(?:我|老师|招部|客服|老板)?(?:微信)?)[^，。]{0,8}"
)
_PERCENT = re.compile(r"(\d{1,2})(?:\.\d)?%")
_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A row of the suite: one promo as it is written to be missed (`text`) and plainly (`twin`)."""

    tactic: str
    text: str
    twin: str
    label: str
    scheme: str
    made: str
    """hand or generated."""


Way = Callable[[str, random.Random], str]


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines() if line]


@lru_cache(maxsize=8)
def _spellings(kind: str) -> dict[str, list[str]]:
    return {row["word"]: row[kind] for row in _lines("spellings.jsonl") if kind in row}


@lru_cache(maxsize=8)
def _phrases(tactic: str) -> list[str]:
    return next(row["phrases"] for row in _lines("phrases.jsonl") if row["tactic"] == tactic)


def _respelt(text: str, draw: random.Random, *, kind: str, share: float) -> str:
    """`share` of the words or characters that have another spelling of `kind` get one; at least one of them does."""
    table = _spellings(kind)
    present = [word for word in sorted(table, key=len, reverse=True) if word in text]
    chosen = [word for word in present if draw.random() < share] or present[:1]
    if not chosen:
        return text
    pattern = re.compile("|".join(re.escape(word) for word in chosen))
    return pattern.sub(lambda m: draw.choice(table[m.group()]), text)


def homophone(text: str, draw: random.Random) -> str:
    """谐音: words by others of the same sound."""
    return _respelt(text, draw, kind="sounds", share=0.7)


def split(text: str, draw: random.Random) -> str:
    """拆字: characters as their left and right parts."""
    return _respelt(text, draw, kind="parts", share=0.4)


def lookalike(text: str, draw: random.Random) -> str:
    """形近字与火星文."""
    text = _respelt(text, draw, kind="shapes", share=0.6)
    return text.replace("微信", draw.choice(("ⅴⅹ", "𝑽𝑿", "ㄨ信", "νх", "ᴠx", "🆅🆇"))) if draw.random() < 0.5 else text


def pinyin(text: str, draw: random.Random) -> str:
    """拼音与缩写."""
    return _respelt(text, draw, kind="letters", share=0.6)


def inserted(text: str, draw: random.Random) -> str:
    """插入符号: a sign between the characters, of the whole text or of each second clause."""
    sign = draw.choice(_SIGNS)
    whole = draw.random() < 0.5
    clauses = text.split("，")
    return "，".join(sign.join(part) if whole or number % 2 == 0 else part for number, part in enumerate(clauses))


def width(text: str, draw: random.Random) -> str:
    """全角, 繁体, 数字变体."""
    simple, full = _phrases("width")
    text = text.translate(str.maketrans(simple, full)) if draw.random() < 0.8 else text
    digits = draw.choice(_ENCLOSED)
    text = text.translate(str.maketrans("0123456789", digits))
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def euphemism(text: str, draw: random.Random) -> str:
    """代称与暗语; some words only, or nothing would be left to understand."""
    return _respelt(text, draw, kind="slang", share=0.35)


def image_text(text: str, draw: random.Random) -> str:
    """图片文字: as a recogniser reads a poster, in short lines, with gaps and a few characters misread."""
    parts = []
    for clause in text.split("，"):
        clause = "".join(c.translate(_MISREAD) if draw.random() < 0.3 else c for c in clause)
        parts.append(" ".join(clause) if draw.random() < 0.2 else clause)
    return "\n".join(parts)


def qr_private(text: str, draw: random.Random) -> str:
    """二维码与私域: no account in the text, only where to find it."""
    phrase = draw.choice(_phrases("qr_private"))
    return _REACH.sub(phrase, text) if _REACH.search(text) else f"{text}，{phrase}"


def two_step(text: str, draw: random.Random) -> str:
    """平台外引流: the way to the promoter leads over a lesson or a talk."""
    phrase = draw.choice(_phrases("two_step"))
    return _REACH.sub(phrase, text) if _REACH.search(text) else f"{text}，{phrase}"


def rate_rewriting(text: str, draw: random.Random) -> str:
    """收益改写: percentages in words or points, other figures in Chinese numerals."""

    def spoken(m: re.Match[str]) -> str:
        tens, ones = divmod(int(m[1]), 10)
        said = ("" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十") + (_DIGITS[ones] if ones or not tens else "")
        return draw.choice((f"百分之{said}", f"{m[1]}个点", f"{said}个点", f"{m[1]}个百分点"))

    found = _PERCENT.sub(spoken, text)
    return found if found != text else re.sub(r"(?<!\d)[1-9](?=[万分元个年])", lambda m: _DIGITS[int(m.group())], text)


def cover(text: str, draw: random.Random) -> str:
    """正面词掩护."""
    return draw.choice(_phrases("cover")) + text


def urgency(text: str, draw: random.Random) -> str:
    """时效与限量."""
    return text + draw.choice(_phrases("urgency"))


def counter_review(text: str, draw: random.Random) -> str:
    """反审核话术."""
    return text + draw.choice(_phrases("counter_review"))


TACTICS: dict[str, Way] = {
    way.__name__: way
    for way in (
        homophone, split, lookalike, pinyin, inserted, width, euphemism, image_text, qr_private, two_step, rate_rewriting, cover, urgency,
        counter_review,
    )
}  # fmt: skip


def suite() -> list[Twin]:
    """All rows of `suite.jsonl`."""
    return [Twin(**row) for row in _lines("suite.jsonl")]


def negatives() -> list[Row]:
    """Ordinary texts and hard ones that are no promos."""
    return [Row(text=row["text"], label=row["label"]) for row in _lines("negatives.jsonl")]


def make() -> list[Twin]:
    """The hand-written rows as they are, and GENERATED rows a tactic from `clean.jsonl`, drawn by a fixed seed."""
    rows = [row for row in suite() if row.made == "hand"]
    clean = _lines("clean.jsonl")
    for tactic, way in TACTICS.items():
        draw = random.Random(f"evasion {tactic}")
        made = 0
        for row in draw.sample(clean, len(clean)):
            text = way(row["text"], draw)
            if text != row["text"] and made < GENERATED:
                made += 1
                rows.append(Twin(tactic=tactic, text=text, twin=row["text"], label=row["label"], scheme=row["scheme"], made="generated"))
    order = {tactic: number for number, tactic in enumerate(TACTICS)}
    return sorted(rows, key=lambda row: (order[row.tactic], row.made != "hand"))


def _hits(texts: Sequence[str], speaker: Classifier | Judge, level: Level) -> list[bool]:
    rows = [Row(text=text, label="other") for text in texts]
    return [_RANKS[word.level] >= _RANKS[level] for word in words(rows, speaker)]


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0


def measure(speaker: Classifier | Judge, *, level: Level = Level.REVIEW) -> dict[str, Any]:
    """Recall of the twins and of the evading texts, by tactic and over `all`; and false hits among the negatives, plain and disguised.

    A row counts as found from `level` on. Shares 0-1; `points` is the rise of false hits in percentage points, `most_points` that of the
    worst tactic.
    """
    rows = suite()
    clean = _hits([row.twin for row in rows], speaker, level)
    evaded = _hits([row.text for row in rows], speaker, level)
    tactics = {}
    for tactic in (*TACTICS, "all"):
        own = [number for number, row in enumerate(rows) if tactic in (row.tactic, "all")]
        before, after = _share([clean[n] for n in own]), _share([evaded[n] for n in own])
        tactics[tactic] = {"rows": len(own), "clean": before, "evaded": after, "ratio": after / before if before else 0.0}
    return {"tactics": tactics, "negatives": _false_hits(speaker, level)}


def _false_hits(speaker: Classifier | Judge, level: Level) -> dict[str, Any]:
    texts = [row.text for row in negatives()]
    clean = _share(_hits(texts, speaker, level))
    by_tactic = {}
    for tactic, way in TACTICS.items():
        draw = random.Random(f"negatives {tactic}")
        by_tactic[tactic] = _share(_hits([way(text, draw) for text in texts], speaker, level))
    evaded = sum(by_tactic.values()) / len(by_tactic)
    points = {"points": 100 * (evaded - clean), "most_points": 100 * (max(by_tactic.values()) - clean)}
    return {"rows": len(texts), "clean": clean, "evaded": evaded, **points, "by_tactic": by_tactic}


def table(found: Mapping[str, Any]) -> str:
    """The figures as lines."""
    lines = [f"{'':16}{'rows':>6}{'clean':>8}{'evaded':>8}{'ratio':>8}{'false':>8}"]
    for tactic, own in found["tactics"].items():
        false = found["negatives"]["by_tactic"].get(tactic, found["negatives"]["evaded"])
        lines.append(f"{tactic:16}{own['rows']:>6}{own['clean']:>8.3f}{own['evaded']:>8.3f}{own['ratio']:>8.3f}{false:>8.3f}")
    own = found["negatives"]
    lines.append(f"negatives {own['rows']}: {own['clean']:.3f} false plain, {own['evaded']:.3f} disguised, {own['points']:+.2f} points")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.evasions", description=__doc__)
    parser.add_argument("--make", action="store_true", help="write suite.jsonl anew")
    parser.add_argument("--mode", choices=("keyword", "neural", "both"), default="keyword")
    parser.add_argument("--level", choices=[level.value for level in Level], default=Level.REVIEW.value)
    given = parser.parse_args(arguments)
    if given.make:
        lines = [json.dumps({name: getattr(row, name) for name in Twin.__slots__}, ensure_ascii=False) for row in make()]
        (DATA / "suite.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
        return 0
    judge, alarms = load_judge(rules_dir=None, weights_dir=None, mode=given.mode)
    sys.stderr.writelines(f"{alarm}\n" for alarm in alarms)
    sys.stdout.write(table(measure(judge, level=Level(given.level))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
