"""Ways to reach the promoter: phone, WeChat, QQ, group, link, domain, e-mail, ICP number, payee account, crypto address.

WeChat is a legal way to be reached: a contact by itself suspects nobody.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterator

from domain.model import Contact
from domain.reach import Found, cue_before, numbers
from domain.text import Folded, fold

NAMES = {
    "phone": "电话",
    "wechat": "微信",
    "qq": "QQ",
    "group": "群号",
    "link": "链接",
    "domain": "域名",
    "email": "邮箱",
    "icp": "备案号",
    "account": "收款账户",
    "crypto": "钱包地址",
}
"""Kinds of contacts as officers read them."""
_SIGN = re.compile(
    r"[0-9a-z零〇一二两三四五六七八九幺](?:[ \-._·@#*/()—]{0,6}[0-9a-z零〇一二两三四五六七八九幺]){4}|@[a-z]{4}|[0-9a-z]{2}[\[(.。点]"
)
"""What no contact is written without, but a payee's name: cheaper to look for than to read them all."""
_LINK = re.compile(r"h(?:tt|xx)ps?://[a-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{3,500}")
_ICP = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼] ?"
    r"(?:icp ?[备证] ?\d{5,10}|公网安备 ?\d{10,14}) ?号?(?:-\d{1,3})?"
)
_TLDS = (
    "com|cn|net|org|top|xyz|vip|cc|info|club|me|app|io|shop|ltd|tv|site|online|pro|icu|wang|win|live|link|fun|store|tech|co|hk|us|in|la|so"
    "|gov|edu|xin|ren|group|work|biz|mobi|ink|bid|loan"
)
# Evasive dots are believed only before the commonest endings.
_SURE = "com|cn|net|org|top|xyz|vip|cc|info|club|shop|app|icu|me|io"
_ENDING = re.compile(
    rf"(?:\.(?:{_TLDS})|(?:\[\.\]|\(\.\)|\[点\]|\(点\)|点|。|·|dot ?)(?:{_SURE}))(?![a-z0-9\-])"
    r"(?:\.[a-z]{2,3}(?![a-z0-9\-]))?(?::\d{2,5}(?!\d))?(?:/[a-z0-9/_\-.?=&%#+~]{0,80})?"
)
_DOTS = re.compile(r"\[\.\]|\(\.\)|\[点\]|\(点\)|点|。|·|dot ?")
_INVITE = re.compile(r"\.me/\+[a-z0-9_\-]{6,40}")
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_SHORT = frozenset(
    """
    t.cn t.me dwz.cn url.cn suo.im bit.ly u.nu 0x.sg w.url.cn tinyurl.com is.gd goo.gl u.to sourl.cn dwz.mk mrw.so rrd.me c1n.cn 985.so
    ft12.com t.ly cutt.ly reurl.cc 6du.in suo.nz rb.gy v.ht xsurl.cn telegram.me
    """.split()  # noqa: SIM905 - read as a list of words
)
"""Shorteners: a path of theirs is a link to somewhere else, no domain of anybody's own."""
_AT = re.compile(r"@|#|\(at\)|\[at\]|\(@\)|艾特")
_MAIL_HOST = re.compile(r"[a-z0-9][a-z0-9\-]{0,62}(?:\.[a-z0-9\-]{1,62}){0,4}(?:\.|点)[a-z]{2,8}(?![a-z0-9])")
_KNOWN_MAIL = re.compile(
    r"(?:vip\.)?(?:qq|163|126|139|189|gmail|outlook|hotmail|foxmail|sina|sohu|yeah|aliyun|protonmail|tom)(?:\.|点)(?:com|cn|net|me)"
)
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._%+-")
_LATIN = re.compile(r"[a-z]")
_DOTTED = re.compile(r"[.点。·\])t] ?[a-z]{2}")
_LONG = re.compile(r"[0-9a-z]{26,120}")
_WALLET = re.compile(r"0x[0-9a-f]{40}|t[1-9a-z]{33}|bc1[02-9ac-hj-np-z]{25,59}|(?P<legacy>[13][1-9a-z]{25,33})")
_PAYEE = re.compile(
    r"(?:收款人|收款方|收款单位|收款户名|开户名称?|户名|账户名称?)[: 为是]{1,3}"
    r"(?P<v>[\u4e00-\u9fff()]{2,30}?(?:公司|合作社|中心|商行|工作室|经营部|服务部|店|厂|协会|基金会))"
)
_NAME = re.compile(r"[a-z0-9_][a-z0-9_\-]{4,40}")
_MENTION = re.compile(r"@(?P<v>[a-z][a-z0-9_]{4,31})(?![a-z0-9_.])")
_TAIL = re.compile(r"[a-z0-9_\-]{1,18}")
_TYPED = re.compile(r"[a-z0-9_\-]+$")
_GLUED = re.compile(r"(?:[wv]x(?=[a-z_]{0,8}\d)|v(?!ip|er|x)(?=[a-z]{0,6}\d{5,11}$))(?P<v>[a-z0-9_\-]{5,18})$")
"""The cue grown together with the name: wxabc123, v13800138000."""
_VERBS = frozenset(("加", "添加", "+"))
_NO_NAME = frozenset(
    ("official", "wechat", "android", "iphone", "version", "https", "login", "windows", "video", "group", "account", "online")
)


def find(text: str | Folded) -> tuple[Contact, ...]:
    """Every contact, in order, none overlapping. Offsets are in the original of what is given."""
    folded = text if isinstance(text, Folded) else fold(text)
    contacts = []
    for one in _read(folded):
        start, end = folded.span(one.start, one.end)
        value = one.value
        if isinstance(text, str):
            if one.kind == "crypto":
                # A crypto address means nothing in lower case.
                value = text[start:end]
                if value[0] in "13" and (value == value.lower() or value == value.upper()):
                    continue
            elif one.kind == "wechat" and folded.changes and folded.kinds(one.start, one.end):
                # The fold took letters of the name for a word: the original has them.
                value, start = _as_typed(text, start, end, value)
        contacts.append(Contact(kind=one.kind, value=value, start=start, end=end))
    return tuple(contacts)


def _as_typed(text: str, start: int, end: int, value: str) -> tuple[str, int]:
    """(value, start) of the name that ends the span, in the original's own letters; what stands in Chinese before it is no part of it."""
    typed = _TYPED.search(unicodedata.normalize("NFKC", text[start:end]).lower())
    return (typed[0], max(start, end - len(typed[0]))) if typed else (value, start)


def in_folded(folded: Folded) -> tuple[Contact, ...]:
    """As `find`, with offsets in the folded text."""
    return tuple(Contact(kind=one.kind, value=one.value, start=one.start, end=one.end) for one in _read(folded))


def mask(text: str) -> str:
    """The text with every contact's middle replaced by asterisks: for logs and for roles that have no need of it."""
    parts, at = [], 0
    for contact in find(text):
        shown = text[contact.start : contact.end]
        if contact.start < at or (contact.kind == "wechat" and shown.endswith(("同号", "同步", "微信", "微信号", "同", "同手机"))):
            continue
        keep = 0 if len(shown) < 5 else 2 if len(shown) < 10 else 3
        # 138****5678, as phones are hidden everywhere else.
        last = 4 if contact.kind == "phone" and len(shown) >= 11 else keep
        parts += [text[at : contact.start], shown[:keep], "*" * max(len(shown) - keep - last, 3), shown[-last:] if last else ""]
        at = contact.end
    return "".join([*parts, text[at:]])


def _read(folded: Folded) -> list[Found]:
    flat = folded.text
    kept: list[Found] = []
    if "收款" in flat or "户名" in flat:
        _keep(kept, (Found("account", m["v"], *m.span("v")) for m in _PAYEE.finditer(flat)))
    if "公网安备" in flat:
        _keep(kept, (Found("icp", m[0].replace(" ", ""), *m.span()) for m in _ICP.finditer(flat)))
    if not folded.changes and not _SIGN.search(flat):
        return kept
    latin = _LATIN.search(flat) is not None
    if latin:
        _addresses(kept, flat)
    if folded.changes:
        _keep(kept, _spelt(folded))
    _keep(kept, numbers(flat))
    if latin:
        _keep(kept, _names(flat))
        if "@" in flat:
            _keep(kept, _mentions(flat))
    return kept


def _addresses(kept: list[Found], flat: str) -> None:
    """Links, mail addresses, ICP numbers, wallets and domains: none is written without Latin letters."""
    if "://" in flat:
        _keep(kept, (Found("link", m[0].rstrip(".,;:!?)'\""), *m.span()) for m in _LINK.finditer(flat)))
    if _AT.search(flat):
        _keep(kept, _mails(flat))
    if "icp" in flat:
        _keep(kept, (Found("icp", m[0].replace(" ", ""), *m.span()) for m in _ICP.finditer(flat)))
    if len(flat) >= 26:
        _keep(kept, _wallets(flat))
    if _DOTTED.search(flat):
        _keep(kept, _domains(flat))


def _keep(kept: list[Found], more: Iterator[Found]) -> None:
    """Put `more` in their places among those that are kept, sorted; what overlaps one of them is left out."""
    for one in more:
        place = bisect(kept, one.start, key=lambda other: other.start)
        if (place == 0 or kept[place - 1].end <= one.start) and (place == len(kept) or one.end <= kept[place].start):
            kept.insert(place, one)


def _back(flat: str, end: int, allowed: frozenset[str], most: int) -> int:
    """Where the run of `allowed` characters that ends at `end` begins, `most` characters back at the farthest."""
    start = end
    while start > 0 and start > end - most and flat[start - 1] in allowed:
        start -= 1
    return start


def _mails(flat: str) -> Iterator[Found]:
    for m in _AT.finditer(flat):
        host = (_MAIL_HOST if m[0] == "@" else _KNOWN_MAIL).match(flat, m.end())
        start = _back(flat, m.start(), _LOCAL, 64) if host else m.start()
        while start < m.start() and flat[start] in "._%+-":
            start += 1
        if host and start < m.start():
            yield Found("email", f"{flat[start : m.start()]}@{host[0].replace('点', '.')}", start, host.end())


def _wallets(flat: str) -> Iterator[Found]:
    for m in _LONG.finditer(flat):
        wallet = _WALLET.fullmatch(m[0])
        if wallet is None or (m.start() and flat[m.start() - 1] in "_-/"):
            continue
        # A hash in hexadecimal begins with 1 or 3 as well.
        if wallet["legacy"] and (sum(c > "f" for c in m[0]) < 3 or sum(c.isdigit() for c in m[0]) < 3):
            continue
        yield Found("crypto", m[0], *m.span())


def _domains(flat: str) -> Iterator[Found]:
    done = 0
    for m in _ENDING.finditer(flat):
        stop = m.start()
        while stop > done and flat[stop - 1] == " " and m[0].startswith("dot"):
            stop -= 1
        start = _back(flat, stop, _HOST, 120)
        while start < stop and flat[start] in ".-":
            start += 1
        before = flat[start - 1 : start]
        host = flat[start:stop]
        if start >= stop or start < done or before == "@" or (before == "/" and flat[start - 2 : start] != "//"):
            continue
        dotted = m[0] if m[0][0] == "." else _DOTS.sub(".", m[0], count=1)
        if host[-1] == "-" or ".." in host or (m[0][0] != "." and not any(c.isalpha() for c in host)):
            continue
        done = m.end()
        invite = _INVITE.match(dotted) if host[-1] == "t" else None
        if invite:
            # Nothing stands between it and what was written before: 577219t.me/+abc.
            start, host, dotted, done = stop - 1, "t", invite[0], stop + invite.end()
        value = (host + dotted).rstrip(".,/?")
        short = "/" in value and value.split("/", 1)[0] in _SHORT
        yield Found("link" if short else "domain", value, start, done)


def _spelt(folded: Folded) -> Iterator[Found]:
    """WeChat names that begin as a folded word does: wx_abc, licai168. The fold took their first letters for the word."""
    flat = folded.text
    for change in folded.changes:
        tail = _TAIL.match(flat, change.end) if change.kind in ("pinyin", "homophone") else None
        if tail is None or re.fullmatch(r"1\d{10}", tail[0]) or cue_before(flat, change.start)[0] != "wechat":
            continue
        value = (flat[change.start : change.end].replace("微信", "wx") + tail[0]).rstrip("-_")
        if len(value) >= 5 or not value.isascii():
            yield Found("wechat", value, change.start, tail.end())


def _names(flat: str) -> Iterator[Found]:
    """WeChat and Telegram names: letters and digits after words that say so."""
    for m in _NAME.finditer(flat):
        after = flat[m.end() : m.end() + 2]
        if m[0].isdigit() or after[:1] == "@" or (after[:1] == "." and after[1:].isalnum() and after.isascii()):
            continue
        name = m[0].strip("-_")
        start = m.start() + m[0].index(name) if name else m.start()
        kind, word = cue_before(flat, m.start())
        if kind == "telegram" and 5 <= len(name) <= 32 and (word not in ("飞机", "纸飞机") or flat[m.start() - 1] in ":@"):
            yield Found("link", f"t.me/{name}", start, start + len(name))
            continue
        if kind != "wechat":
            glued = _GLUED.match(name)
            if glued and not (start and flat[start - 1].isascii() and flat[start - 1] not in " :,"):
                yield Found("wechat", glued["v"], start + glued.start("v"), start + glued.end("v"))
                continue
        if _is_name(name) and (kind == "wechat" or (kind == "weak" and (word not in _VERBS or not name.isalpha()))):
            yield Found("wechat", name, start, start + len(name))


def _is_name(name: str) -> bool:
    """Whether WeChat would take it: a letter first, or digits and letters mixed."""
    if not 5 <= len(name) <= 20 or name in _NO_NAME:
        return False
    return name[:1].isalpha() or (len(name) > 5 and any(c.isalpha() for c in name))


def _mentions(flat: str) -> Iterator[Found]:
    for m in _MENTION.finditer(flat):
        before = flat[m.start() - 1 : m.start()]
        if not before or not (before.isascii() and (before.isalnum() or before in ".@_-")):
            yield Found("link", f"t.me/{m['v']}", *m.span("v"))
