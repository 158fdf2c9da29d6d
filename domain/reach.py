"""Numbers by which somebody is reached or paid: what stands before a run of digits says whether it is a phone, an account or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Found(NamedTuple):
    """A contact in folded text: kind and normalised value, half-open span."""

    kind: str
    value: str
    start: int
    end: int


_WORDS = {
    "not": "订单 单号 运单 快递 编号 证号 许可 执照 信用代码 注册号 流水 批号 批次 条码 条形码 isbn issn 版本 身份证 合同 案号 文号 代码"
    " 邮编 车牌 型号 货号 学号 工号"
    " 专利 登记 验证码 尾号 密码 票号 取件码 兑换码 邀请码"
    " 日期 时间 ip 端口 坐标 房号 房源 户号 表号 期号 参数 规格 文件 编码 序列号 标号 号段",
    "money": "价 金额 人民币 rmb 总额 市值 成交 阅读 播放 粉丝 销量 元",
    "account": "对公账户 对公账号 收款账户 收款账号 汇款账户 汇款账号 银行账户 银行账号 银行卡号 银行卡 卡号"
    " 账号 账户 帐号 帐户 打款到 汇入",
    "alipay": "支付宝账号 支付宝账户 支付宝号 支付宝",
    "group": "群号 群码 群号码 交流群 q群 qq群 qq_群 扣扣群 扣扣裙 q裙 qq裙 微信群 福利群 粉丝群 内部群 企鹅群 加群 进群 入群 官方群 群",
    "qq": "qq 扣扣 企鹅 q 扣",
    "wechat": "微信 v信 vx wx weixin 微信公众号 公众号 威❤ 威♥ 薇❤ 薇信 微❤ v❤ v♥ v: v+",
    "weak": "加我 咨询加 详情加 联系加 添加 加 徽 薇 威 卫星 绿泡泡 喂 v +",
    "telegram": "飞机 电报 纸飞机 tg telegram 电报群 飞机号 tg号",
    "phone": "电话 热线 咨询 致电 拨打 手机 联系 来电 询 tel 专线 预约 座机 固话 传真 fax 客服 call 详询 手机号 ☎ 📞",
}
_KIND = {word.replace("_", " "): kind for kind, words in _WORDS.items() for word in words.split()}
_CUES = re.compile("|".join(re.escape(word) for word in sorted(_KIND, key=len, reverse=True)))
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
_REACH = 16
_GAPS = {
    "not": re.compile(r"[^0-9,。;!?\n]{0,4}"),
    "money": re.compile(r"[^0-9\n]{0,4}"),
    "account": re.compile(r"[: \-为是()]{0,3}"),
    "alipay": re.compile(r"(?:收款|转账|付款)?[: \-为是到()]{0,3}"),
    "group": re.compile(r"[: 号码是为+()]{0,4}"),
    "qq": re.compile(r"[: 号码加是为+()\-]{0,4}"),
    "wechat": re.compile(
        r"(?:公众号|号码|同号|号|同步|客服|咨询|联系|是|id|账号|手机|搜索?|添加){0,2}"
        r"[: +加()【】\[\]\-~❤♥\"“”]{0,4}"
    ),
    "weak": re.compile(r"[: +]{1,3}"),
    "telegram": re.compile(r"(?:号|群|频道|联系)?[: @]{0,3}"),
    "phone": re.compile(r"[^0-9\n]{0,8}"),
}


def cue_before(flat: str, start: int) -> tuple[str, str]:
    """(kind, word) of the nearest words that say what begins at `start`; empty where none is near enough."""
    low = max(0, start - _REACH)
    words = flat[low:start]
    cues = [m for m in _CUES.finditer(words) if not (m[0][0] in _LATIN and m.start() and words[m.start() - 1] in _LATIN)]
    if not cues:
        return "", ""
    last = cues[-1]
    kind = _KIND[last[0]]
    if kind in ("phone", "weak") and len(cues) > 1:
        # 微信咨询 and 微信加 speak of WeChat, whatever the nearer word says by itself.
        before = cues[-2]
        if (_KIND[before[0]] == "wechat" or before[0] == "v") and _GAPS["wechat"].fullmatch(words, before.end()):
            last, kind = before, "wechat"
    return (kind, last[0]) if _GAPS[kind].fullmatch(words, last.end()) else ("", "")


# Bounded repeats and no two ways to take a character: a page of digits and hyphens costs no more than its length.
_NUMBER = re.compile(r"[(+]?[0-9](?:[ \-.·—–/()]{0,2}[0-9o*x]){4,60}")
_HAN = re.compile(r"[零〇一二两三四五六七八九幺0-9][零〇一二两三四五六七八九幺0-9o]{6,22}")
_DIGIT_WORDS = str.maketrans("零〇一二两三四五六七八九幺oO", "001223456789100")
_SEP = r"[ \-.·—–]?"
_MOBILE = re.compile(
    rf"(?:(?<![\d.*])|(?<=\d{{7}}\.))(?:(?:\+|00)?86[ \-]?)?"
    rf"(?P<v>1{_SEP}[3-9o](?:{_SEP}[\do*x]){{9}})(?![\d*]|x\d|\.\d{{1,4}}(?!\d))"
)
_WHOLE = re.compile(r"1[3-9]\d{9}(?![0-9a-z_*]|\.\d)")
_SHORT_WORD = re.compile(r"[^a-z0-9_@./\-][a-z]{1,3}$")
_SERVICE = re.compile(r"(?<![\d.])(?P<v>[48]00(?:[ \-]?\d){7})(?!\d|[元万亿])")
_LANDLINE = re.compile(
    r"(?<![\d.\-])(?:(?:\+|00)86[ \-]?)?"
    r"(?P<v>\(?0(?:10|2\d|[3-9]\d{2})\)?[ \-—–./]{0,2}[2-9]\d{2,3}[ \-]?\d{4}|0\d{2,3}-?[2-9]\d{6,7})(?!\d|\.\d)"
)
_NEAR_PHONE = re.compile(r"\(?(?P<v>\d{3,4}-?\d{7,8}|\d{7,11}|(?P<split>\d{3,4}[ \-—]\d{4}))(?![\d*元万人次个年月%户台级页期]|\.\d|-\d{6})")
_CLOSE = re.compile(r"[\u4e00-\u9fff][: 为是(]{0,3}$")
_PHONE_AFTER = re.compile(r"[ (]{0,2}(?:座机|办公电话|固话|电话|热线)")
_DATE = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_CARD = re.compile(r"(?<!\d)(?:6[2-9]|4[0-9]|5[1-5]|9[0-9])\d{2}(?:[ \-]?\d{4}){3}(?:[ \-]?\d{1,3})?(?!\d)")
_PAID_TO = re.compile(r"\d(?:[ \-]?\d){8,22}(?!\d)")
_PLAIN = {
    "group": re.compile(r"\d{6,12}(?!\d)"),
    "qq": re.compile(r"[1-9]\d{4,11}(?!\d)"),
    "wechat": re.compile(r"\d{6,11}(?![\d元万人亿%个次户家年月日粉用])"),
}
_WEAK_SIGN = re.compile(r"[v薇徽威星泡喂][: +]{1,3}$|加[:+]$")
_QQ_AFTER = re.compile(r"[1-9]\d{4,11}(?=@qq|\(qq\))")
_SAME = re.compile(r"[ (,、/]{0,3}(?P<w>(?:手机)?(?:微信|v信?)(?:号)?同(?:号|步|手机)?|同(?:微信|v)号?|即微信)")


def numbers(flat: str) -> Iterator[Found]:
    """Phones, accounts, and the numbers of QQ, groups and WeChat, in order."""
    for m in _NUMBER.finditer(flat):
        yield from _number(flat, m.start(), m.end())
    if _HAN.search(flat):
        for m in _HAN.finditer(flat):
            yield from _in_words(flat, m)


def _number(flat: str, start: int, end: int) -> Iterator[Found]:
    first = start + (flat[start] in "(+")
    kind, word = cue_before(flat, first)
    if kind == "not":
        return
    if start and (flat[start - 1] == "_" or flat[start - 1] in _LATIN) and not flat.endswith(word or "\n", 0, start):
        # The digits of a longer name, unless they are a whole mobile number, or the letters are the cue itself: qq12345678.
        whole = _WHOLE.match(flat, start)
        if whole and flat[start - 1] != "_":
            chat = flat[start - 1] == "v" and flat[start - 2 : start - 1] not in _LATIN
            yield Found("wechat" if chat else "phone", whole[0], *whole.span())
        elif kind == "phone" and _SHORT_WORD.search(flat, max(0, start - 5), start):
            yield from _phones(flat, start, end, told=True)
        return
    if kind in ("", "phone", "money") and end - first == 11 and _WHOLE.match(flat, first):
        # What most contacts are: eleven digits and nothing else.
        yield from _with_chat(flat, Found("phone", flat[first:end], first, end))
        return
    at = start
    named = _named(flat, first, kind)
    if named is not None:
        yield named
        at = named.end
    if kind in ("wechat", "weak") and at == start:
        mobile = _MOBILE.match(flat, first)
        if mobile and kind == "wechat" and _spaced_well(mobile["v"]):
            yield Found("wechat", _digits(mobile["v"]), mobile.start("v"), mobile.end())
            at = mobile.end()
    qq = _QQ_AFTER.search(flat, at, min(len(flat), end + 4))
    if qq:
        yield Found("qq", qq[0], *qq.span())
        at = qq.end()
    yield from _phones(flat, at, end, told=kind == "phone")


def _named(flat: str, start: int, kind: str) -> Found | None:
    """The number that the words before it name: an account, a QQ, a group, a WeChat of digits."""
    if kind == "weak" and flat[start - 1 : start] in (" ", ":", "+") and _WEAK_SIGN.search(flat, max(0, start - 5), start):
        kind = "wechat"
    if kind == "account" and _MOBILE.match(flat, start):
        return None
    if kind in ("account", "alipay"):
        m = _PAID_TO.match(flat, start)
        return Found("account", _digits(m[0]), *m.span()) if m and len(set(_digits(m[0]))) > 2 else None
    if kind in _PLAIN and not (kind == "wechat" and _MOBILE.match(flat, start)):
        m = _PLAIN[kind].match(flat, start)
        return Found(kind, m[0], *m.span()) if m else None
    return None


def _phones(flat: str, start: int, end: int, *, told: bool) -> Iterator[Found]:
    """Bank cards and every shape of phone in one run; `told` where the words before it say that it is a phone."""
    # What follows the run decides too: one character more than the run.
    after = min(len(flat), end + 2)
    cards = ((_digits(m[0]), m) for m in _CARD.finditer(flat, start, after))
    found = [Found("account", digits, *m.span()) for digits, m in cards if len(set(digits)) > 2]
    for pattern in (_MOBILE, _SERVICE, _LANDLINE):
        for m in pattern.finditer(flat, start, after):
            one = Found("phone", _digits(m["v"]), *m.span("v"))
            if all(one.end <= other.start or other.end <= one.start for other in found) and _plausible(m["v"]):
                found.append(one)
    if not found and (told or _PHONE_AFTER.match(flat, end)):
        near = _NEAR_PHONE.match(flat, start, after)
        close = start == 0 or not near or not near["split"] or _CLOSE.search(flat, max(0, start - 5), start) is not None
        if near and close and not _DATE.fullmatch(near["v"]):
            found.append(Found("phone", _digits(near["v"]), *near.span("v")))
    for one in sorted(found, key=lambda one: one.start):
        yield from _with_chat(flat, one)


def _with_chat(flat: str, one: Found) -> Iterator[Found]:
    """The number, and the WeChat that the words after a phone give it: 微信同号."""
    yield one
    same = _SAME.match(flat, one.end) if one.kind == "phone" else None
    if same:
        yield Found("wechat", one.value, *same.span("w"))


def _in_words(flat: str, m: re.Match[str]) -> Iterator[Found]:
    """A number spelt in Chinese digits, in part or wholly."""
    written = m[0].rstrip("o")
    if sum(not c.isascii() for c in written) < 4 or flat[m.end() : m.end() + 1] in tuple("十百千万亿年"):
        return
    digits, (kind, _), span = _digits(written), cue_before(flat, m.start()), (m.start(), m.start() + len(written))
    if kind in ("qq", "group") and 5 <= len(digits) <= 12:
        yield Found(kind, digits, *span)
    elif re.fullmatch(r"1[3-9]\d{9}", digits):
        yield Found("wechat" if kind == "wechat" else "phone", digits, *span)
    elif (kind == "phone" and 7 <= len(digits) <= 12) or re.fullmatch(r"0(?:10|2\d|[3-9]\d\d)[2-9]\d{6,7}", digits):
        yield Found("phone", digits, *span)


def _digits(raw: str) -> str:
    return re.sub(r"[^\dx*]", "", raw.translate(_DIGIT_WORDS))


def _plausible(raw: str) -> bool:
    digits = _digits(raw)
    return digits[:1] != "1" or (sum(c.isdigit() for c in digits) >= 5 and _spaced_well(raw))


def _spaced_well(raw: str) -> bool:
    """A phone is written in a few groups or digit by digit; eleven digits of several prices are not a phone."""
    seps = [c for c in raw if c in " -.·—–"]
    return (len(seps) <= 4 or len(seps) == 10) and ("." not in seps or len(set(seps)) == 1)
