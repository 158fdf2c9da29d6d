"""Link (串并): tie hits into campaigns (同源线索) by what only the same people would share: a contact, a QR code, a text.

Each tie is a row that says why, and an officer can cut it: a cut tie never ties again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from domain.text import fold
from store import ties
from store.engine import Store

KINDS = frozenset(("phone", "wechat", "qq", "group", "domain", "email", "payee", "crypto", "account"))
"""Contact kinds that tie by themselves; `link` ties by its domain, `icp` names whole sites and does not tie."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One reason to tie: kind and the normalised value that two hits share."""

    kind: str
    value: str


def link_new(store: Store, *, now: datetime, batch: int = 200) -> int:
    """Give every hit without a campaign one, its own or that of the hits it shares a key with: how many were tied to others.

    Safe to run beside itself; a hit that ties two campaigns makes them one, the older.
    """
    tied = 0
    while True:
        with store.write() as connection:
            ties.alone(connection)
            rows = ties.unlinked(connection, limit=batch)
            hosts = _platforms(ties.platform_ends(connection)) if rows else frozenset()
            for row in rows:
                named = [(key.kind, key.value) for key in keys(row, also_wide=hosts)]
                tied += ties.join(connection, row["id"], named, title=row["title"] or row["body"][:40] or row["url"], now=now)
        if len(rows) < batch:
            return tied


def cut(store: Store, tie_id: int, *, officer: str, reason: str, now: datetime) -> list[int]:
    """An officer cuts one tie for good: the campaigns that its hits are in afterwards, the old one first.

    What is still held together by other ties stays together. Raises StoreFault where there is no such tie, or no reason is given.
    """
    with store.write() as connection:
        ties.alone(connection)
        return ties.cut(connection, tie_id, officer=officer, reason=reason, now=now)


def keys(posting: Mapping[Any, Any], *, also_wide: frozenset[str] = frozenset()) -> list[Key]:
    """All keys of a row of `postings`, each once, sorted. `also_wide` are domains that are platforms here."""
    found = {Key(kind=_kind(one), value=one["value"]) for one in posting["contacts"] if one["kind"] in KINDS and one["value"]}
    links = [one["value"] for one in posting["contacts"] if one["kind"] == "link"]
    codes = [payload for image in posting["images"] for payload in image["qr"]]
    domains = {one.value for one in found if one.kind == "domain"} | {
        _registrable(address) for address in (*links, *posting["links"], *codes)
    }
    own = _registrable(posting["url"])
    found = {one for one in found if one.kind != "domain" and one.value not in HOTLINES}
    found |= {Key(kind="domain", value=one) for one in domains if one and one != own and one not in WIDE and one not in also_wide}
    found |= {Key(kind="qr", value=_short(payload)) for payload in codes if len(payload) >= 6}
    text = "".join(fold(f"{posting['title']}\n{posting['body']}").text.split())
    if len(text) >= TEXT_LEAST:
        found.add(Key(kind="text", value=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]))
    return sorted(found, key=lambda one: (one.kind, one.value))


def _kind(contact: Mapping[str, Any]) -> str:
    """A mobile number under which somebody has WeChat is one way to the same person as the telephone."""
    value = contact["value"]
    return "phone" if contact["kind"] == "wechat" and len(value) == 11 and value.isdigit() and value[0] == "1" else str(contact["kind"])


def _platforms(ends: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Domains of the platforms that are one site each: their own address, in a text or a menu, ties nobody.

    A search engine's postings stand on many sites, so its first and its last address differ, and none of them counts as its own.
    """
    return frozenset(_registrable(first) for first, last in ends if _registrable(first) == _registrable(last))


def _short(payload: str) -> str:
    """A QR payload as a key: itself, or its hash where it is long."""
    return payload if len(payload) <= 300 else "sha256-" + hashlib.sha256(payload.encode("utf-8", "replace")).hexdigest()


_SECOND = frozenset(("com", "net", "org", "gov", "edu", "ac", "mil"))


def _registrable(address: str) -> str:
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
