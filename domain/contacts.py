"""Ways to reach the promoter: phone, WeChat, QQ, group, link, domain, e-mail, ICP number, payee account, crypto address.

WeChat is a legal way to be reached: a contact by itself suspects nobody.
"""

from __future__ import annotations

import re
from dataclasses import replace

from domain.model import Contact
from domain.text import Folded, fold

_DIGIT_WORDS = str.maketrans("零〇一二两三四五六七八九幺oO", "001223456789100")
_SEP = r"[ \-.·]?"
_TLD = (
    r"(?:com|cn|net|org|top|xyz|vip|cc|info|club|me|app|io|shop|ltd|tv|site|online|pro|icu|wang|win|live|link|fun|store|tech|co|hk|us"
    r"|in|la|so)"
)
_NAME = r"[a-z][a-z0-9_\-]{4,19}|(?=[a-z0-9_\-]*\d)[a-z0-9][a-z0-9_\-]{5,19}"
_PHONE = rf"1{_SEP}[3-9](?:{_SEP}[\dx*]){{9}}"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[a-z0-9][a-z0-9._%+\-]{0,63}@[a-z0-9][a-z0-9\-]{0,62}(?:\.[a-z0-9\-]{1,62}){0,4}\.[a-z]{2,8}")),
    ("icp", re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼] ?icp ?[备证] ?\d{5,10} ?号?(?:-\d{1,3})?")),
    ("link", re.compile(r"https?://[a-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{3,500}")),
    ("link", re.compile(r"(?<![a-z0-9@.\-])(?:t\.cn|t\.me|dwz\.cn|url\.cn|suo\.im|bit\.ly|u\.nu|0x\.sg|w\.url\.cn)/[a-z0-9/_\-+]{2,60}")),
    ("crypto", re.compile(r"(?<![a-z0-9])(?:0x[0-9a-f]{40}|t[1-9a-z]{33}|(?:bc1)[02-9ac-hj-np-z]{25,59})(?![a-z0-9])")),
    ("account", re.compile(r"(?<!\d)(?:6[2-9]|4[0-9]|5[1-5]|9[0-9])\d{2}(?:[ \-]?\d{4}){3}(?:[ \-]?\d{1,3})?(?!\d)")),
    (
        "account",
        re.compile(
            r"(?:对公账[户号]|收款账[户号]|汇款账[户号]|银行账[户号]|银行卡号|卡号|账号)[:： ]{0,2}(?P<v>\d(?:[ \-]?\d){8,22})"
        ),
    ),
    ("group", re.compile(r"(?:群号?码?|交流群|q群|qq ?群|扣扣群|微信群|福利群|粉丝群)[:： 号]{0,3}(?P<v>\d{6,12})")),
    ("qq", re.compile(r"(?:qq|扣扣|企鹅|(?<![a-z])q)[:： 号码加+]{0,4}(?P<v>[1-9]\d{4,11})")),
    ("qq", re.compile(r"(?P<v>[1-9]\d{4,11})(?:@qq|\(qq\))")),
    (
        "wechat",
        re.compile(
            rf"(?:微信|(?<![a-z])(?:vx|wx|weixin|v信|v))"
            rf"(?:公众号|号码|同号|号|同步|客服|咨询|联系|是|id)?[:： +加()【】\[\]]{{0,4}}(?P<v>{_PHONE}|{_NAME}|\d{{6,11}})"
        ),
    ),
    ("wechat", re.compile(rf"(?:公众号|加我|咨询加|详情加|联系加|添加|徽|薇|加)[:： +]{{1,3}}(?P<v>{_PHONE}|{_NAME})(?![a-z0-9.@])")),
    ("phone", re.compile(rf"(?<![\d.])(?:\+?86[ \-]?)?(?P<v>{_PHONE})(?![\d.]\d)")),
    ("phone", re.compile(r"(?<![\d.])(?P<v>[48]00[ \-]?\d{3,4}[ \-]?\d{3,4})(?!\d)")),
    ("phone", re.compile(r"(?<![\d.\-])(?P<v>\(?0\d{2,3}\)?[ \-]?[2-9]\d{6,7})(?![\d.])")),
    (
        "phone",
        re.compile(
            r"(?:电话|热线|咨询|致电|拨打|手机|联系|来电|询|tel|专线|预约)[^\d\n]{0,8}(?P<v>\d{3,4}-?\d{7,8}|\d{7,11})(?!\d)"
        ),
    ),
    (
        "phone",
        re.compile(
            r"(?<![零一二三四五六七八九幺])(?P<v>[一幺1][三四五六七八九3-9](?:[零一二三四五六七八九幺oO0-9]){9})"
            r"(?![零一二三四五六七八九幺\d])"
        ),
    ),
    ("link", re.compile(r"(?<![a-z0-9.@_\-])@(?P<v>[a-z][a-z0-9_]{4,31})(?![a-z0-9_.])")),
    (
        "domain",
        re.compile(
            rf"(?<![a-z0-9@.\-/])(?:[a-z0-9](?:[a-z0-9\-]{{0,61}}[a-z0-9])?\.){{1,4}}{_TLD}(?![a-z0-9\-])"
            rf"(?:/[a-z0-9/_\-.?=&%]{{0,80}})?"
        ),
    ),
)
_SIGN = re.compile(r"[\d@.]|微信|vx|wx|qq|公众号|[零一二三四五六七八九幺]{6}")


def find(text: str | Folded) -> tuple[Contact, ...]:
    """Every contact, in order, none overlapping. Offsets are in the original of what is given."""
    folded = text if isinstance(text, Folded) else fold(text)
    flat = folded.text
    if not _SIGN.search(flat):
        return ()
    taken: list[tuple[int, int]] = []
    found: list[Contact] = []
    for kind, pattern in _PATTERNS:
        for m in pattern.finditer(flat):
            group = "v" if "v" in pattern.groupindex else 0
            start, end = m.span(group)
            if any(start < b and a < end for a, b in taken):
                continue
            value = _normal(kind, m.group(group))
            if value is None:
                continue
            taken.append((start, end))
            found.append(_contact(kind, value, folded=folded, span=(start, end)))
            if kind == "crypto" and isinstance(text, str):
                # A crypto address means nothing in lower case.
                found[-1] = replace(found[-1], value=text[found[-1].start : found[-1].end])
    return tuple(sorted(found, key=lambda contact: contact.start))


def in_folded(folded: Folded) -> tuple[Contact, ...]:
    """As `find`, with offsets in the folded text."""
    size = len(folded.text)
    return find(Folded(folded.text, range(size), range(1, size + 1)))


def mask(text: str) -> str:
    """The text with every contact's middle replaced by asterisks: for logs and for roles that have no need of it."""
    parts, at = [], 0
    for contact in find(text):
        if contact.start < at:
            continue
        shown = text[contact.start : contact.end]
        keep = 0 if len(shown) < 5 else 2 if len(shown) < 10 else 3
        parts += [text[at : contact.start], shown[:keep], "*" * max(len(shown) - 2 * keep, 3), shown[len(shown) - keep :] if keep else ""]
        at = contact.end
    return "".join([*parts, text[at:]])


def _contact(kind: str, value: str, *, folded: Folded, span: tuple[int, int]) -> Contact:
    start, end = folded.span(*span)
    return Contact(kind=kind, value=value, start=start, end=end)


def _normal(kind: str, raw: str) -> str | None:
    """The normalised value, or None where it is no contact after all."""
    if kind in ("phone", "account"):
        digits = re.sub(r"[^\dx*]", "", raw.translate(_DIGIT_WORDS))
        if kind == "account" and len(set(digits)) < 3:
            return None
        return digits if len(digits) >= 7 else None
    if kind == "wechat":
        return re.sub(r"[ .·]", "", raw) if raw[:1].isdigit() and _is_phone(raw) else raw.strip("-_ ")
    if kind == "link":
        return raw.rstrip(".,;:!?)'\"") if "/" in raw else f"t.me/{raw}"
    if kind == "icp":
        return raw.replace(" ", "")
    if kind == "domain":
        return raw.rstrip(".,/")
    return raw


def _is_phone(raw: str) -> bool:
    return len(re.sub(r"\D", "", raw)) == 11
