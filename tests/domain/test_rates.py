"""Every way a return is written, as a yearly rate; and the numbers beside which nobody earns anything."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rates import find, in_folded
from domain.text import Folded, fold

READ = [
    # By the year
    ("年化18%", 0.18, 0.18, "year"),
    ("年化１８％", 0.18, 0.18, "year"),
    ("年 化 １８％", 0.18, 0.18, "year"),
    ("年化壹拾捌%", 0.18, 0.18, "year"),
    ("年化：10%", 0.10, 0.10, "year"),
    ("年化12%-15%", 0.12, 0.15, "year"),
    ("年化12%～15%", 0.12, 0.15, "year"),
    ("年化12~15个点", 0.12, 0.15, "year"),
    ("年化收益率高达百分之二十四", 0.24, 0.24, "year"),
    ("年收益率百分之十二到十五", 0.12, 0.15, "year"),
    ("年收益百分之十二至百分之十五", 0.12, 0.15, "year"),
    ("年化收益一般在12%左右", 0.12, 0.12, "year"),
    ("12%的年化收益", 0.12, 0.12, "year"),
    ("年回报率不低于8%", 0.08, 0.08, "year"),
    ("年返7%返10年", 0.07, 0.07, "year"),
    ("7.2%/年", 0.072, 0.072, "year"),
    ("每年固定收益6%", 0.06, 0.06, "year"),
    ("每年给到九个点", 0.09, 0.09, "year"),
    ("一年给12个点", 0.12, 0.12, "year"),
    ("首年8%", 0.08, 0.08, "year"),
    ("年息1分", 0.10, 0.10, "year"),
    ("年息八厘", 0.08, 0.08, "year"),
    ("年回报九厘", 0.09, 0.09, "year"),
    ("年息一毛", 1.0, 1.0, "year"),
    ("年息9厘到1分2", 0.09, 0.12, "year"),
    ("年化四成", 0.40, 0.40, "year"),
    ("三年期10.8%", 0.108, 0.108, "year"),
    ("3个月10.2%", 0.102, 0.102, "year"),
    ("3月标11.2%", 0.112, 0.112, "year"),
    # By the month
    ("月息3分", 0.36, 0.36, "month"),
    ("月息三分五", 0.42, 0.42, "month"),
    ("月息一分五", 0.18, 0.18, "month"),
    ("月息1.5分", 0.18, 0.18, "month"),
    ("月息2分半", 0.30, 0.30, "month"),
    ("月息8厘", 0.096, 0.096, "month"),
    ("月息５厘", 0.06, 0.06, "month"),
    ("月息一分到一分五", 0.12, 0.18, "month"),
    ("一分利", 0.12, 0.12, "month"),
    ("二分息", 0.24, 0.24, "month"),
    ("两分五的利息", 0.30, 0.30, "month"),
    ("利息1.5分", 0.18, 0.18, "month"),
    ("利息低至三厘", 0.036, 0.036, "month"),
    ("每月得一分二", 0.144, 0.144, "month"),
    ("月返5%", 0.60, 0.60, "month"),
    ("月返两成", 2.40, 2.40, "month"),
    ("5%/月", 0.60, 0.60, "month"),
    ("每月返本金的5%", 0.60, 0.60, "month"),
    ("月固定分红5%", 0.60, 0.60, "month"),
    ("月月分红2%", 0.24, 0.24, "month"),
    ("月化15%", 1.80, 1.80, "month"),
    ("月均15个点", 1.80, 1.80, "month"),
    ("本月+11.4%", 1.368, 1.368, "month"),
    # By the quarter and the week
    ("季度收益5%", 0.20, 0.20, "quarter"),
    ("每季度付息2.5%", 0.10, 0.10, "quarter"),
    ("派息2.5%/季", 0.10, 0.10, "quarter"),
    ("周返10%", 5.20, 5.20, "week"),
    ("每周分红3%", 1.56, 1.56, "week"),
    # By the day
    ("日息万5", 0.1825, 0.1825, "day"),
    ("日息万分之五", 0.1825, 0.1825, "day"),
    ("日息0.05%", 0.1825, 0.1825, "day"),
    ("日息1‰", 0.365, 0.365, "day"),
    ("日息一分五", 0.5475, 0.5475, "day"),
    ("每天返千分之三", 1.095, 1.095, "day"),
    ("每日返还千分之八", 2.92, 2.92, "day"),
    ("积分每天释放万分之五", 0.1825, 0.1825, "day"),
    ("日结1%", 3.65, 3.65, "day"),
    ("日入1%", 3.65, 3.65, "day"),
    ("静态日结百分之一", 3.65, 3.65, "day"),
    ("日收益0.8%-1.2%", 2.92, 4.38, "day"),
    ("平台每天给你1个点", 3.65, 3.65, "day"),
    ("持有一天涨0.6%", 2.19, 2.19, "day"),
    # Over a term, or none
    ("收益率高达15%", 0.15, 0.15, "total"),
    ("保底收益8%", 0.08, 0.08, "total"),
    ("三成收益", 0.30, 0.30, "total"),
    ("收益两成", 0.20, 0.20, "total"),
    ("3个月收益20%", 0.80, 0.80, "total"),
    ("30天收益15%", 1.825, 1.825, "total"),
    ("半年收益8%", 0.16, 0.16, "total"),
    ("3年收益30%", 0.10, 0.10, "total"),
    ("12年100%收益", 1 / 12, 1 / 12, "total"),
    ("存款利率1.5%", 0.015, 0.015, "total"),
    ("三年期利率2.75%", 0.0275, 0.0275, "total"),
    ("返利比例10%", 0.10, 0.10, "total"),
    ("浮盈7个点", 0.07, 0.07, "total"),
    # Multiples
    ("翻倍", 1.0, 1.0, "total"),
    ("资产翻倍", 1.0, 1.0, "total"),
    ("资金翻一番", 1.0, 1.0, "total"),
    ("翻三番", 7.0, 7.0, "total"),
    ("三年翻两番", 1.0, 1.0, "total"),
    ("3个月翻倍", 4.0, 4.0, "total"),
    ("半年翻3倍", 6.0, 6.0, "total"),
    ("收益10倍", 10.0, 10.0, "total"),
    ("10倍收益", 10.0, 10.0, "total"),
    ("1.8-2.5倍收益", 1.8, 2.5, "total"),
    ("暴赚百倍", 100.0, 100.0, "total"),
    ("100元变1000元", 9.0, 9.0, "total"),
    ("一万变十万", 9.0, 9.0, "total"),
    # Money back
    ("3个月回本", 4.0, 4.0, "payback"),
    ("90天回本", 365 / 90, 365 / 90, "payback"),
    ("半年回本", 2.0, 2.0, "payback"),
    ("一年半回本", 1 / 1.5, 1 / 1.5, "payback"),
    ("3到6个月回本", 2.0, 4.0, "payback"),
    ("8个月收回成本", 1.5, 1.5, "payback"),
    ("回本周期只要45天", 365 / 45, 365 / 45, "payback"),
    ("当月回本", 12.0, 12.0, "payback"),
    # So much for so much
    ("存1万一年900", 0.09, 0.09, "year"),
    ("存一万一年给九百", 0.09, 0.09, "year"),
    ("一万二一年给一千八", 0.15, 0.15, "year"),
    ("10万一年利息1.2万", 0.12, 0.12, "year"),
    ("每万元年收益1200元", 0.12, 0.12, "year"),
    ("存两万，年返2400", 0.12, 0.12, "year"),
    ("投10万每月拿3000", 0.36, 0.36, "month"),
    ("投入5万元，每月领取2500元", 0.60, 0.60, "month"),
    ("存20万，每月领2000", 0.12, 0.12, "month"),
    ("本金1万，月收益800元", 0.96, 0.96, "month"),
    ("一千块一个月十四块", 0.168, 0.168, "month"),
    ("投资5000元，每天分红50元", 3.65, 3.65, "day"),
    ("一万元每天收益100元", 3.65, 3.65, "day"),
    ("充一万送五千", 0.5, 0.5, "bonus"),
    ("充1000返1000", 1.0, 1.0, "bonus"),
    ("存五千返一百五", 0.03, 0.03, "bonus"),
    ("满500返500", 1.0, 1.0, "bonus"),
    ("买一返一", 1.0, 1.0, "bonus"),
    # Of a loan
    ("贷款年利率低至3.85%", 0.0385, 0.0385, "year"),
    ("综合年化费率24%", 0.24, 0.24, "year"),
]
UNREAD = [
    "GDP同比增长5.2%", "CPI环比上涨0.3%", "销售额同比增长12%", "营业收入增长37%", "净利润同比下降15%", "收入同比增长37%", "房价上涨10%",
    "年增长率8%", "年产值增长20%", "利率下调0.25个百分点", "降息25个基点", "收益率跌了3%",
    "全场8折，满100减20", "打9.5折", "满300送50", "买一送一", "买2送1", "充100送10张券", "折扣率15%",
    "首付30%即可入住", "首付三成", "贷款占房价的70%", "占比35%", "市场份额达18%", "持股15%", "股权占比51%", "12%的股权",
    "中奖率99%", "中奖概率1%", "100%中奖", "胜率70%", "准确率99%", "通过率30%", "转化率3%", "覆盖率90%", "完成率95%", "合格率98.5%",
    "满意度99%", "失业率5.2%", "出租率95%", "毛利率60%", "利用率80%", "电量80%", "电池剩余20%", "湿度60%", "酒精含量52%",
    "税率13%", "增值税率6%", "个人所得税3%", "手续费0.6%", "佣金万2.5", "百分之百的满意", "收益100%保障", "100%纯棉", "100%正品保证",
    "12%的人认为", "20%的企业", "百分之八十的家庭", "3分钟搞定", "每天三分钟", "一分钟学会", "10分钟到账", "三分球命中率40%", "十分满意",
    "考了100分", "五五分成", "盈利三七分", "第三分公司", "三分之一的人", "七分熟", "九成新", "两倍速", "收益是活期的16倍",
    "晚上8点到9点", "早上九点准时", "每天8点开门", "日结：早上8点", "下午三点", "赚一点零花钱", "版本号3.5.1", "分期3个月",
    "2026年11月3日", "2026年12月31日前", "每年3月", "一毛钱", "8厘米", "毛利十八个点",
    "效率翻倍", "客流翻倍", "GDP翻一番", "工资翻倍", "底薪翻倍", "积分翻倍", "快乐翻倍",
    "投资100万元建厂", "投资1.2亿元，占地300亩", "存5000元送油一桶", "交1127套，环比上升6.3%", "到期一年还本付息", "每天分红30元", "",
]  # fmt: skip


@pytest.mark.parametrize(("text", "yearly", "high", "period"), READ, ids=[row[0] for row in READ])
def test_rate_is_read(text: str, yearly: float, high: float, period: str) -> None:
    (rate,) = find(text)
    assert (rate.yearly, rate.high, rate.period) == (pytest.approx(yearly, abs=1e-5), pytest.approx(high, abs=1e-5), period)


@pytest.mark.parametrize("text", UNREAD)
def test_what_is_no_return_is_left_alone(text: str) -> None:
    assert find(text) == ()


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("本产品，年 化 １８％ 起", "年 化 １８％"),
        ("保底，静态日结百分之一，随存随取", "日结百分之一"),
        ("存两万，年返2400现金", "存两万，年返2400"),
        ("只要3到6个月回本，", "3到6个月回本"),
        ("给出18%的年化收益。", "18%的年化收益"),
        ("保证半年翻3倍！", "半年翻3倍"),
    ],
)
def test_span_is_what_was_read_in_the_original(text: str, span: str) -> None:
    (rate,) = find(text)
    assert text[rate.start : rate.end] == span


@pytest.mark.parametrize(
    ("text", "yearly"),
    [
        ("年化收益8%、10%、12%三档", [0.08, 0.10, 0.12]),
        ("6个月期年化8%，12个月期10%，24个月期12%", [0.08, 0.10, 0.12]),
        ("一年期8.1%，三年期10.8%", [0.081, 0.108]),
        ("首年8%，次年9%", [0.08, 0.09]),
        ("月息2分，日息万五", [0.24, 0.1825]),
    ],
)
def test_a_list_of_rates_is_read_whole(text: str, yearly: list[float]) -> None:
    assert [rate.yearly for rate in find(text)] == pytest.approx(yearly)


@pytest.mark.parametrize(
    ("text", "loan"),
    [("抵押贷款月息6厘", True), ("借款日息万三", True), ("逾期罚息每日0.05%", True), ("入股月息6厘", False), ("存款利率1.5%", False)],
)
def test_what_is_paid_for_borrowing_is_marked(text: str, loan: bool) -> None:
    assert [rate.loan for rate in find(text)] == [loan]


def test_in_folded_counts_in_the_folded_text() -> None:
    folded = fold("保\u200b本，年\u200b化18%")
    (rate,) = in_folded(folded)
    assert folded.text[rate.start : rate.end] == "年化18%"


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    for rate in find(text):
        assert text[rate.start : rate.end]


@given(
    st.text(alphabet="年月日周息利化返收益%％‰.0123456789一二三十百千万分厘毛倍翻番个点成存充投送回本变元块之-~至到,，。每天 ", max_size=60)
)
@settings(max_examples=500, deadline=None)
def test_rates_are_in_order_apart_and_capped(text: str) -> None:
    at = 0
    for rate in find(text):
        assert at <= rate.start < rate.end <= len(text)
        assert 0 <= rate.yearly <= rate.high <= 1000
        at = rate.end


@given(
    st.sampled_from([row[0] for row in READ]),
    st.sampled_from(["", "详情咨询，", "保本保息。", "名额有限！"]),
    st.sampled_from(["。", "\n更多", ""]),
)
@settings(max_examples=200, deadline=None)
def test_what_stands_around_a_rate_does_not_move_it(text: str, before: str, after: str) -> None:
    (alone,) = find(text)
    rate = find(before + text + after)[0]
    assert (before + text + after)[rate.start : rate.end] == text[alone.start : alone.end]


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "-",
        "1-",
        "1.",
        "1,",
        "一",
        "十",
        "万",
        "百分之",
        "1%",
        "1%-",
        "1%、",
        "息万5",
        "月息3分",
        "1年",
        "1到",
        "翻倍",
        "3个月回本",
        "1元返",
        "存1万一年900",
    ],
)
def test_time_stays_bounded_on_a_page_of_one_thing(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    began = time.perf_counter()
    in_folded(Folded(text, range(len(text)), range(1, len(text) + 1)))
    assert time.perf_counter() - began < 10
