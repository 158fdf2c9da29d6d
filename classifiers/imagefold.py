"""Characters that the recogniser takes for others, put right where that is safe: where what was read is no word and what is meant is ours.

Only for text out of pictures: in typed text the same signs are meant as they stand. Length never changes, so that regions stay true.
"""

from __future__ import annotations

import re

MISREAD: tuple[tuple[str, str, str, str], ...] = (
    # read, meant, not after one of these, not before one of these: there it is part of another word (环保木材, 澳内阁, 代市长)
    ("澳内", "澳门", "", "阁部陆地外政"),
    ("澳冂", "澳门", "", ""),
    ("保木", "保本", "环", "材板地门工质制业器屋雕林头料"),
    ("返木", "返本", "往", "材板地门工质制业器屋雕林头料"),
    ("木息", "本息", "乔树草", ""),
    ("木金", "本金", "土水火乌红柏松实原硬楠", "属融星家水火土"),
    ("保恩", "保息", "", "施"),
    ("付恩", "付息", "", "施"),
    ("刺息", "利息", "", ""),
    ("刺润", "利润", "", ""),
    ("返刺", "返利", "", ""),
    ("月怠", "月息", "", "慢工速惰"),
    ("付怠", "付息", "", "慢工速惰"),
    ("曰息", "日息", "", ""),
    ("攻益", "收益", "进", ""),
    ("偾权", "债权", "", ""),
    ("偾券", "债券", "", ""),
    ("信扦", "信托", "", ""),
    ("扦管", "托管", "", ""),
    ("贷币", "货币", "借网信", "圈"),
    ("货巾", "货币", "", ""),
    ("虚拟巾", "虚拟币", "", ""),
    ("数字巾", "数字币", "", ""),
    ("代巾", "代币", "", ""),
    *((f"{a}夲{b}", f"{a}本{b}", "", "") for a, b in (("保", ""), ("返", ""), ("还", ""), ("", "金"), ("", "息"))),
)
"""Written by hand: of all words of this field with one character taken for one drawn alike, those that are no part of ordinary text."""
_DIGITS = str.maketrans("OoQDlI|", "0000111")
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[0-9OoQDlI|]{7,18}(?![A-Za-z0-9])")
_AMOUNT = re.compile(r"(?<=\d)[Oo]+(?=[%％分万元])")
_MEANT = {read: meant for read, meant, _, _ in MISREAD}
_WORD = re.compile(
    "|".join(
        (f"(?<![{before}])" if before else "") + re.escape(read) + (f"(?![{after}])" if after else "") for read, _, before, after in MISREAD
    )
)


def mend(text: str) -> str:
    """`text` with what was misread put right; the same length."""
    mended = _WORD.sub(lambda match: _MEANT[match[0]], text)
    mended = _NUMBER.sub(lambda match: _as_number(match[0]), mended)
    return _AMOUNT.sub(lambda match: "0" * len(match[0]), mended)


def _as_number(text: str) -> str:
    """Letters among six digits in ten are digits: a telephone number reads 138OOl2..., a word does not."""
    return text.translate(_DIGITS) if sum(map(str.isdigit, text)) >= 0.6 * len(text) else text
