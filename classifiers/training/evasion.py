"""Ways in which promoters write to be missed, applied to texts that are learned from. The label stays."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from functools import lru_cache

SOUNDS = {
    "理财": ("里财", "理才", "lc", "李财"),
    "投资": ("头资", "投姿", "tz", "偷资"),
    "收益": ("收溢", "收蚁", "sy", "受益"),
    "贷款": ("代款", "袋款", "dk", "贷歀"),
    "微信": ("威信", "薇信", "V信", "vx", "徽信", "wx", "危信"),
    "信用卡": ("心用卡", "xyk", "信佣卡", "信鼡卡"),
    "保本": ("宝本", "保夲", "bb", "葆本"),
    "利息": ("利西", "立息", "力息", "lx"),
    "返利": ("反利", "返力", "返莉", "fl"),
    "赚钱": ("赚米", "篆钱", "zq", "赚qian"),
    "提现": ("提線", "提xian", "tx", "题现"),
    "套现": ("套xian", "淘现", "tx", "掏现"),
    "加微": ("加V", "➕v", "+薇", "嘉薇", "佳徽"),
    "股票": ("古票", "gp", "股piao", "骨票"),
    "年化": ("年花", "nh", "年華", "nian化"),
    "内部": ("nei部", "内布", "nb"),
    "原始股": ("元始股", "原始gu", "ysg", "源始股"),
    "虚拟币": ("虚拟幣", "xnb", "虚拟比"),
    "日结": ("日洁", "rj", "日jie"),
    "花呗": ("花贝", "花坝", "hb", "花唄"),
    "白条": ("白tiao", "bt", "百条"),
    "群": ("裙", "qun", "羣"),
    "钱": ("米", "qian", "钅戋"),
    "月息": ("月西", "yx", "月xi"),
    "返现": ("反现", "返xian", "fx"),
    "分红": ("分宏", "fh", "分hong"),
    "稳赚": ("稳赚", "wz", "穩篆"),
    "联系": ("联糸", "連系", "lianxi"),
    "电话": ("电活", "殿话", "dh"),
    "征信": ("征xin", "zx", "怔信"),
}
_SPLIT = "财贝才 利禾刂 投扌殳 股月殳 钱钅戋 赚贝兼 保亻呆 信亻言 贷代贝 收丩攵 现王见 项工页 群君羊 理王里 款士示欠 "
_SPLIT += "加力口 红纟工 领令页 到至刂 码石马 联耳关 购贝勾 额客页 结纟吉 话讠舌 稳禾急 奖丬夕大 息自心 盘舟皿 线纟戋"
PARTS = {entry[0]: entry[1:] for entry in _SPLIT.split()}
SIGNS = " .·*-_/|~+^`'。、丨丶灬★☆●○◆■→❤🔥💰✨💎🌟\u200b\u2060"
LOOKALIKES = {
    pair[0]: pair[1] for pair in ["本夲", "息恖", "款歀", "金釒", "月⽉", "日⽇", "入λ", "口囗", "元え", "千仟", "币帀", "未末", "己已"]
}


def inserted(text: str, draw: random.Random) -> str:
    """Signs or spaces between the characters of a stretch."""
    sign = draw.choice(SIGNS)
    start = draw.randrange(max(1, len(text) - 4))
    end = min(len(text), start + draw.randint(4, 24))
    return text[:start] + sign.join(text[start:end]) + text[end:]


def homophones(text: str, draw: random.Random) -> str:
    """Key words by words that sound alike, or by their initials."""
    for word, others in SOUNDS.items():
        if word in text and draw.random() < 0.6:
            text = text.replace(word, draw.choice(others))
    return text


def traditional(text: str, draw: random.Random) -> str:
    """Traditional characters, all or about half of them."""
    convert = _traditional()
    share = draw.choice((1.0, 0.5))
    return "".join(convert(character) if draw.random() < share else character for character in text)


@lru_cache(maxsize=1)
def _traditional() -> Callable[[str], str]:
    import opencc

    return lru_cache(maxsize=None)(opencc.OpenCC("s2t").convert)


def full_width(text: str, draw: random.Random) -> str:
    """Digits and letters in full width, or digits in circles or in Chinese."""
    kind = draw.randrange(3)
    if kind == 0:
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    table = str.maketrans("0123456789", "零一二三四五六七八九" if kind == 1 else "⓪①②③④⑤⑥⑦⑧⑨")
    return text.translate(table)


def split_glyphs(text: str, draw: random.Random) -> str:
    """Some characters written as their parts."""
    return "".join(PARTS[c] if c in PARTS and draw.random() < 0.35 else c for c in text)


def lookalikes(text: str, draw: random.Random) -> str:
    """Some characters by others of nearly the same shape."""
    return "".join(LOOKALIKES[c] if c in LOOKALIKES and draw.random() < 0.5 else c for c in text)


def cut(text: str, draw: random.Random) -> str:
    """Without its first or last sentence's end, as feeds and messages cut texts."""
    if len(text) < 40:
        return text
    size = draw.randint(len(text) * 3 // 5, len(text))
    return text[:size] if draw.random() < 0.7 else text[-size:]


WAYS: tuple[Callable[[str, random.Random], str], ...] = (inserted, homophones, traditional, full_width, split_glyphs, lookalikes)


def evade(text: str, draw: random.Random, *, most: int = 2) -> str:
    """`text` under one to `most` ways of evasion, drawn by `draw`. Never empty for a text that is not."""
    for way in draw.sample(WAYS, draw.randint(1, most)):
        text = way(text, draw)
    return text if unicodedata.normalize("NFKC", text).strip() else "。"
