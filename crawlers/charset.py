"""Bytes of a page to text. What a page declares is distrusted: Chinese pages often say one thing and are another.

UTF-8 first, since text in another encoding hardly ever passes for it; then GB18030 (GBK and GB2312 are parts of it)
against Big5, told apart by how many of the characters are everyday ones.
"""

from __future__ import annotations

import codecs
import re

EVERYDAY = frozenset(
    "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只"
    "作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进法此实回二理美点月明其种声全工己话儿者向情部正名定"
    "女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市总金员投资理财收益利"
    "這來個國到說們為後過學對會還發沒時開見經頭動長樣現將與進實點種聲話兒問機幾業間樂東話華電廣買賣車錢灣讓應該請資訊網頁關於聯絡"
)
SAMPLE = 20_000
"""Bytes looked at to tell GB18030 from Big5: more do not change the answer."""
SLIP = 8
"""Characters that are right to one that is broken in UTF-8 with slips; text in GB18030 read as UTF-8 has 1 to 30, the other way."""
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,30})""", re.I)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w-]{2,30})""", re.I)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_FOREIGN = frozenset(["cp1251", "koi8-r", "iso8859-5", "cp1252", "iso8859-1", "latin-1", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949"])


def decode(body: bytes, *, declared: str | None = None, override: str | None = None) -> tuple[str, str]:
    """The text without NUL characters, and the encoding that was found (a Python codec name).

    `declared` (of the header; that of the page's own head is looked up) only breaks ties. `override` is used as it is.
    Bytes that fit nowhere become U+FFFD; nothing is raised for any input.
    """
    if override:
        text, name = body.decode(override, "replace"), codecs.lookup(override).name
    else:
        text, name = _guess(body, declared)
    return (text.replace("\x00", "") if "\x00" in text else text), name


def _guess(body: bytes, declared: str | None) -> tuple[str, str]:
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace"), name
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        # A page cut short ends inside a character; one bad byte in a long UTF-8 page is an editor's slip, not another encoding.
        text = body.decode("utf-8", "replace")
        sample = text[max(0, len(body[: error.start].decode("utf-8", "replace")) - SAMPLE // 2) :][:SAMPLE]
        broken = sample.count("\ufffd")
        if error.start >= len(body) - 3 or broken * SLIP <= sum(1 for char in sample if "\u4e00" <= char <= "\u9fff"):
            return text, "utf-8"
    if body[:SAMPLE].count(0) * 4 > len(body[:SAMPLE]):
        name = "utf-16-le" if body[1:SAMPLE:2].count(0) >= body[:SAMPLE:2].count(0) else "utf-16-be"
        return body.decode(name, "replace"), name
    return _chinese(body, declared)


def _chinese(body: bytes, declared: str | None) -> tuple[str, str]:
    start = next((at for at, byte in enumerate(body) if byte > 127), 0)
    sample = body[start : start + SAMPLE]
    if not sample:
        return body.decode("utf-8", "replace"), "utf-8"
    gb, big5 = _everyday(sample, "gb18030"), _everyday(sample, "big5hkscs")
    name = "big5hkscs" if big5 > gb else "gb18030"
    if max(gb, big5) < 0.1:
        told = _told(body, declared)
        if told in _FOREIGN:
            return body.decode(told, "replace"), told
    return body.decode(name, "replace"), "big5" if name == "big5hkscs" else name


def _everyday(sample: bytes, name: str) -> float:
    """Share of the non-ASCII characters that are everyday ones, 0.0-1.0; what does not decode counts against it."""
    text = [char for char in sample.decode(name, "replace") if char > "\x7f"]
    return sum(1 for char in text if char in EVERYDAY) / len(text) if text else 0.0


def _told(body: bytes, declared: str | None) -> str | None:
    found = _XML.search(body[:200]) or _META.search(body[:4096])
    for name in (found[1].decode("ascii") if found else None, declared):
        if name:
            try:
                return codecs.lookup(name).name
            except LookupError:
                continue
    return None
