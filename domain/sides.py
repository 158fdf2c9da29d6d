"""What the words on both sides of a number say: a return, of which period, or something else (a growth, a share, a discount)."""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.numerals import SMALL, number

_WORDS = {
    "year": "年化 年均 年息 年利 年率 年租 年付 每年 一年 首年 次年 全年 年化费率 年费率 历史年 /年 年收 年回报 年返 年分红"
    " 年盈利 年增值 年赚",
    "quarter": "每季 每季度 季息 季返 季收益 季度收益 /季",
    "month": "月息 月利 月化 月均 月结 月增 月入 月付 月费 月费率 每月 每个月 一个月 按月 单月 /月 月涨 月收益 月回报 月返 月分红"
    " 月盈利 月赚",
    "week": "每周 一周 周息 周返 周化 周收益 周分红 /周",
    "day": "日息 日利 日化 日结 日入 日均 日返 日收益 日分红 日盈利 日赚 日回报 每天 每日 天天 一天 当天 当日"
    " 按天 按日 /天 /日 日涨 每天涨 一天涨 日费率",
    "gain": "收益 回报 利息 利率 分红 红利 返还 返利 返现 返本 返 盈利 利润 租金 增值 提成 收入 获利 纯利 浮盈 涨幅 涨停 回款 释放 派息"
    " 派发 奖励 结息 计息 付息 生息 赚 出借 均费率 综合费率"
    " 息 利 提成比例 返利比例 分红比例 返还比例 奖励比例",
    "bad": "同比 环比 增长 增幅 增速 增加 提高 提升 上升 上浮 上调 上涨 下降 下滑 下跌 下调 下浮 跌 降 回落 减 缩水 缩小 占 份额"
    " 股权 持股 控股"
    " 股份 税 首付 折扣 中奖 概率 几率 完成 达标 合格 通过 录取 电量 电池 剩余 进度 含量 浓度 湿度 成分 纯度 棉 毛利 毛利率 费率 手续费"
    " 服务费 管理费 违约金 滞纳金 罚 亏 损 回撤 风险 波动 通胀 cpi gdp ppi 杠杆 仓位 覆盖 参与 出勤 满意 支持 超过了 击败 优惠 打折 涨"
    " 手续 抽成"
    " 率 比例 比重 兑付 业绩 交易额 销售额 流水 金额 总额 佣金 质押 定金 押金 订金 保证金 准备金 绩点 气温 评分 得分 学分 扣 满分 公积金",
}
_KIND = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# 3年收益 and 3个月收益 speak of a term, 毛利 and 信息 of nothing that is paid out.
_NOT_BEFORE = dict.fromkeys(("年收", "年回报", "年返", "年分红", "年盈利", "年增值", "年赚"), "0123456789半二两三四五六七八九十")
_NOT_BEFORE |= dict.fromkeys(("月收益", "月回报", "月返", "月分红", "月盈利", "月赚"), "0123456789个")
_NOT_BEFORE |= {"率": "益报利息润化红值返", "息": "信消休本", "利": "毛便顺胜权福专让", "佣金": "返"}
_NOT_AFTER = {"返": "回程校乡", "利": "用诱好器益贷得索", "上涨": "空", "涨": "幅停"}
_LONGEST_FIRST = sorted(_KIND, key=len, reverse=True)
# Words alone, no conditions: so the engine skips at once to characters that begin one.
_CUES = re.compile("|".join(re.escape(word) for word in _LONGEST_FIRST))
EARNED = "(?:" + "|".join(word for word in _LONGEST_FIRST if _KIND[word] == "gain") + ")"
"""Matches one word for what is earned."""
_REACH = 18
_GAP = re.compile(r"(?:[^\d%。;!?\n零二两三四五六七八九十百]|一(?=[般直律定])){0,8}")
_BARE = re.compile(
    r"(?<![\d半零一二两三四五六七八九十个近])(?:(?P<year>年)|(?P<month>月)|(?P<week>周)|(?P<day>(?<![生节假工昔往])日))"
    r"[固定保底净均综合稳预期最低高达可给到有至约为满近+]{0,4}$"
)
_ALONE = re.compile(r".[均达可有约为满近至给到+]{0,2}")
_AFTER = re.compile(
    r"(?:以上|左右|上下|起|多|\+)*的?"
    r"(?:(?P<year>/ ?年|每年|[/ ]?一年|年化|年(?=[收息利回分返])|p\.?a)|(?P<quarter>/ ?季|每季)"
    r"|(?P<month>/ ?月|每个?月|一个月|月(?=[收息利回化分返]))|(?P<week>/ ?周|每周|周(?=[收息利回分返]))"
    r"|(?P<day>/ ?[天日]|每[天日]|一天|日(?=[收息利回结分返])))?"
    r"(?:固定|稳定|高额|最低|保底|超高|净|纯|预期|综合|无风险|的)*"
    r"(?P<gain>收益|回报|利息|利润|返还|返利|返现|盈利|分红|红利|涨幅|涨停|增值|空间|息(?!肉)|利率?(?![于用好率润]))?"
)
_NONE_AFTER = re.compile(
    r"(?:以上|左右|上下)*的?(?:股权|股份|持股|首付|手续费|概率|几率|税|折|电量|满意|好评|纯棉|参与|出席|受访|控股|准确|成功率"
    r"|(?<=的)(?:人|企业|客户|用户|家庭|居民|股|可能|优惠|客流|市场|学生|网友|市民|份额|电|概|几|准备金|投票))"
)
_TERM = re.compile(
    rf"(?<![\d第.])(?P<n>{SMALL})(?P<u>个月|年|周|天|日(?=内)|季度?)"
    rf"(?:[内期的总共累后可就能即到左右翻实现轻松快速资产金本预固定综合稳达高,为是约率 ]|累计|{EARNED})*$"
)
YEARS = {"年": 1.0, "季": 0.25, "季度": 0.25, "个月": 1 / 12, "月": 1 / 12, "周": 7 / 365, "天": 1 / 365, "日": 1 / 365}
"""Years in one of these."""
_PERIODS = ("year", "quarter", "month", "week", "day")


class Side(NamedTuple):
    """What the words on one side of a number make of it."""

    at: int
    """Where the cue begins on the left, where it ends on the right."""
    period: str = ""
    gain: bool = False
    """True where the words speak of something earned."""
    bad: bool = False
    """True where they make the number something else."""
    cue: str = ""


def left_of(flat: str, start: int) -> Side:
    """The nearest cue before the number that begins at `start`, and the period that goes with it."""
    low = max(0, start - _REACH)
    words = flat[low:start]
    stop = max(words.rfind("。"), words.rfind(";"), words.rfind("!"), words.rfind("?"), words.rfind("\n")) + 1
    if stop:
        low, words = low + stop, words[stop:]
    cues = _cues(words)
    if not cues:
        bare = _BARE.search(words)
        alone = bare is not None and _ALONE.fullmatch(bare[0]) is not None
        return Side(low + bare.start(), period=str(bare.lastgroup)) if bare and alone else Side(start)
    at, end, kind = cues[-1]
    cue, gap = words[at:end], words[end:]
    if not _GAP.fullmatch(gap):
        return Side(start)
    if kind == "bad":
        return Side(start, cue=cue, bad=cue == "占" or not gap.startswith(("到", "至", "后", "为")))
    if kind != "gain":
        return Side(low + at, period=kind, gain=cue[-1] in "化息利返入结" or cue[-2:] in ("回报", "分红", "盈利"), cue=cue)
    at, period = _period_before(words, at, cues[:-1])
    return Side(low + at, period=period, gain=True, cue=cue)


def right_of(flat: str, end: int) -> Side:
    """What follows the number that ends at `end`: 年化, /月, 的收益, or a share of something."""
    m = _AFTER.match(flat, end)
    if m is None or _NONE_AFTER.match(flat, end):
        return Side(end, bad=True)
    gain = m["gain"] or ""
    period = next((name for name in _PERIODS if m[name]), "") if m.end() > end else ""
    return Side(m.end() if gain or period else end, period=period, gain=bool(gain), cue=gain)


def term_before(flat: str, end: int) -> tuple[float, int]:
    """(years, start) of the term that leads up to `end`, 三年总收益 or 90天; one year and `end` where there is none."""
    m = _TERM.search(flat, max(0, end - _REACH), end)
    years = (number(m["n"]) or 0.0) * YEARS[m["u"]] if m else 0.0
    return (years, m.start()) if m and 0 < years <= 60 else (1.0, end)


def _cues(words: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of the cues in `words`, in order."""
    found = []
    m = _CUES.search(words)
    while m:
        word, (start, end) = m[0], m.span()
        before, after = words[start - 1 : start], words[end : end + 1]
        if (before and before in _NOT_BEFORE.get(word, "")) or (after and after in _NOT_AFTER.get(word, "")):
            end = start + 1
        else:
            found.append((start, end, _KIND[word]))
        m = _CUES.search(words, end)
    return found


def _period_before(words: str, at: int, cues: list[tuple[int, int, str]]) -> tuple[int, str]:
    """Where the phrase that ends in a gain word at `at` begins, and its period: 每月固定收益, 月保底分红."""
    for before, end, kind in reversed(cues):
        between = words[end:at]
        if kind == "bad" or "," in between or not _GAP.fullmatch(between):
            break
        at = before
        if kind != "gain":
            return at, kind
    bare = _BARE.search(words[:at])
    return (bare.start(), str(bare.lastgroup)) if bare else (at, "")
