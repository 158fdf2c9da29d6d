"""What a hit is tied by: the keys that only the same people would share, and how far a key may spread before it holds nothing.

The rule against giant campaigns. A key ties whatever has it, until it is seen to be everybody's. When 4, 8, 16 ... 4,096 postings have
it (8 and more of a text or a private contact), those first ones are looked at without it: they fall into parts by the contacts that lead
to one promoter (a posting without any counts where none has one, by its account). The spread of the key is the effective number of these
parts, n**2 / sum(n_i**2) for parts of n_i postings each: a ring that changes its telephone now and then has a spread of one or two, a
template or a forwarded warning as many as there are promoters or accounts. Beyond the limit of its kind the key is loose: it is shown,
and holds nothing.
A contact that leads to one promoter is measured by the accounts that give it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from store.door import clean_key
from store.linktables import key_of

PRIVATE = ("payee", "account", "crypto", "phone", "wechat", "qq", "group", "email", "qr")
"""Kinds that lead to one promoter, unless it is a service number."""
KINDS = frozenset((*PRIVATE, "domain", "icp"))
"""Contact kinds that tie by themselves; `link` ties by its domain."""
LIMITS = {"text": 12.0, "image": 2.5, "phash": 2.5, "icp": 2.5, "domain": 3.0}
"""How far a key of the kind may spread. A text may spread further: small rings give nearly every posting another contact."""
PRIVATE_LIMIT, SERVICE_LIMIT = 400.0, 2.5
"""Rings run hundreds of accounts for one telephone; a service number (400, 95, 12...) is soon everybody's."""
FIRST_LOOK, FIRST_LOOK_COMMON, LAST_LOOK = 8, 4, 4096
"""Postings at which a key's spread is measured for the first time (a text or a private contact, and the rest, of which more is common) and
for the last; in between whenever they have doubled."""
TEXT_LEAST = 20
"""Folded characters from which an identical text is no accident: 加微信了解 alone would tie strangers."""

_WIDE = """
baidu.com bdstatic.com bcebos.com sogou.com so.com 360.cn bing.com google.com qq.com weixin.qq.com wechat.com weibo.com weibo.cn
sina.com sina.com.cn sina.cn t.cn sohu.com 163.com 126.com 126.net yeah.net ifeng.com toutiao.com snssdk.com douyin.com ixigua.com
kuaishou.com bilibili.com b23.tv zhihu.com douban.com xiaohongshu.com xhslink.com tieba.baidu.com 58.com ganji.com 1688.com
taobao.com tmall.com tb.cn jd.com pinduoduo.com meituan.com dianping.com alipay.com alipayobjects.com aliyun.com aliyuncs.com
myqcloud.com qpic.cn url.cn dwz.cn suo.im bit.ly github.com apple.com huawei.com mi.com youku.com iqiyi.com csdn.net jianshu.com
thepaper.cn gmail.com outlook.com hotmail.com foxmail.com 139.com 189.cn aliyun.com 12321.cn 12377.cn example.com
"""
WIDE = frozenset(_WIDE.split())
"""Domains that everybody uses: platforms, portals, shorteners, mail providers. Sharing one ties nobody."""

_HOTLINES = """
110 119 120 122 12110 12315 12321 12337 12345 12363 12377 12378 12380 12386 12388 96110 95588 95533 95599
"""
HOTLINES = frozenset(_HOTLINES.split())
"""Public numbers that warnings quote."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """One reason to tie: kind and the normalised value that two hits share."""

    kind: str
    value: str

    @property
    def number(self) -> int:
        return key_of(self.kind, self.value)


def leads_to_one(key: Key) -> bool:
    """Whether the key leads to one promoter: a contact or a code, but no service number."""
    return key.kind in PRIVATE and not (key.kind == "phone" and (len(key.value) <= 8 or key.value.startswith(("400", "800"))))


def limit(key: Key) -> float:
    """How far the key may spread and still hold."""
    return PRIVATE_LIMIT if leads_to_one(key) else LIMITS.get(key.kind, SERVICE_LIMIT)


def look_at(key: Key, count: int) -> int:
    """How many of its first postings the key is measured by when `count` have it: 0 where it ties unmeasured."""
    first = FIRST_LOOK if key.kind == "text" or leads_to_one(key) else FIRST_LOOK_COMMON
    return 0 if count < first else min(LAST_LOOK, 1 << (count.bit_length() - 1))


def spread(sizes: Iterable[int]) -> float:
    """The effective number of parts of these sizes; 0 for none."""
    held = list(sizes)
    return sum(held) ** 2 / sum(one * one for one in held) if held else 0.0


def keys(posting: Mapping[Any, Any], *, also_wide: frozenset[str] = frozenset()) -> list[Key]:
    """All keys of a row of `postings` but its text, each once, sorted. `also_wide` are domains that are platforms here."""
    found = {Key(kind=kind_of(one), value=clean_key(one["value"])) for one in posting["contacts"] if one["kind"] in KINDS and one["value"]}
    links = [one["value"] for one in posting["contacts"] if one["kind"] == "link"]
    codes = [payload for image in posting["images"] for payload in image.get("qr") or ()]
    domains = {one.value for one in found if one.kind == "domain"} | {site_of(address) for address in (*links, *posting["links"], *codes)}
    own = site_of(posting["url"])
    found = {one for one in found if one.kind != "domain" and one.value not in HOTLINES}
    found |= {
        Key(kind="domain", value=clean_key(one)) for one in domains if one and one != own and one not in WIDE and one not in also_wide
    }
    found |= {Key(kind="qr", value=clean_key(_short(payload))) for payload in codes if len(payload) >= 6}
    found.update(_pictures(posting["images"]))
    return sorted(found)


def _pictures(images: Any) -> Iterator[Key]:
    """The bytes of each picture, and what it looks like where that was read: the same picture saved anew has other bytes."""
    for image in images:
        if image.get("sha256"):
            yield Key(kind="image", value=str(image["sha256"]))
        if telling(str(image.get("phash") or "")):
            yield Key(kind="phash", value=str(image["phash"]).lower())


def telling(phash: str) -> bool:
    """Whether a perceptual hash says anything: an empty or one-coloured picture gives a handful of bits, or all of them."""
    try:
        ones = int(phash, 16).bit_count()
    except ValueError:
        return False
    return 8 <= ones <= 4 * len(phash) - 8


def equal_text(folded: str) -> Key | None:
    """The key of a text that says too little to be near another one: its very characters. None where it is too short even for that."""
    bare = "".join(folded.split())
    if len(bare) < TEXT_LEAST:
        return None
    return Key(kind="text", value="=" + hashlib.sha256(bare.encode("utf-8", "replace")).hexdigest()[:32])


def account(posting: Mapping[Any, Any]) -> int:
    """The account that published a row of `postings`, or its site where it names none, as a number of 32 bits."""
    named = posting["publisher"] or site_of(posting["url"]) or posting["url"]
    name = f"{posting['platform']}\0{named}"
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=4).digest(), "big")


def kind_of(contact: Mapping[str, Any]) -> str:
    """A mobile number under which somebody has WeChat is one way to the same person as the telephone."""
    value = contact["value"]
    return "phone" if contact["kind"] == "wechat" and len(value) == 11 and value.isdigit() and value[0] == "1" else str(contact["kind"])


def _short(payload: str) -> str:
    """A QR payload as a key: itself, or its hash where it is long."""
    return payload if len(payload) <= 300 else "sha256-" + hashlib.sha256(payload.encode("utf-8", "replace")).hexdigest()


_SECOND = frozenset(("com", "net", "org", "gov", "edu", "ac", "mil"))


def site_of(address: str) -> str:
    """The domain that somebody registered: `a.b.example.com.cn` gives `example.com.cn`; an address with a port keeps it.

    A short list of second-level suffixes is enough for what ties campaigns; an IP address stands for itself. Empty for no address.
    """
    host = _host(address)
    labels = host.split(".")
    if ":" in host or (host.count(".") == 3 and host.replace(".", "").isdigit()):
        return host
    wanted = 3 if len(labels) >= 3 and labels[-1] in ("cn", "hk", "tw") and labels[-2] in _SECOND else 2
    return ".".join(labels[-wanted:]) if len(labels) >= 2 else ""


def _host(address: str) -> str:
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host = (parts.hostname or "").rstrip(".").lower()
        # Sites on one address of one machine are told apart by their ports.
        return f"{host}:{parts.port}" if host.replace(".", "").isdigit() and parts.port else host
    except ValueError:
        return ""
