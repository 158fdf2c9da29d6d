"""The first lines of a new rule, with what to write where."""

from __future__ import annotations

from rules.schema import FAMILIES

_HEAD = """# {place}：{what}
# 写法见 docs/rules.md。写完依次运行：wangxun rules check、wangxun rules test、wangxun rules diff
id: {family}.{name}
title: 待写标题                # 文本显示了什么，给人看；只写事实，结论由主管部门作出
status: draft                  # draft 草稿 → background 试运行 → live 启用 → retired 停用
severity: medium               # low 低 medium 中 high 高 critical 特高
"""
_BASIS = """basis: [{article}]             # 依据：statutes.yml 里的条文编号，至少一个
features: [F3]                 # F1 非法性 F2 公开性 F3 利诱性 F4 社会性 M 传销性 X 虚假冒用
# scheme: wealth_mgmt          # 涉嫌类型：schemes.yml 里的名字；不专属某类就不写
# daily_cap: 100               # 一天最多开这么多条命中；不写则按 policy.yml
"""
_REST = """match:
  all:                         # 下面每一条都要在同一段文字里出现
    - terms: [待写词]          # 任一词即可；'@invite' 指 lexicon/invite.txt 里的全部词
    # - near: {a: [年化, 月息], b: 'rate>=8%/y', within: 6}   # 两样相隔不超过 6 个字
    # - contact: [phone, wechat, qq]
  # less:                      # 出现则减弱，不否决
  #   - terms: [谨防, 警惕]
examples:
  hit:                         # 至少两个：必须命中
    - text: 例一，含有待写词
    - text: 例二，也含有待写词
  miss:                        # 至少两个：必须放过，写明为什么。先想同样的词在警方提示、新闻、投诉里怎么写
    - text: 例三，不含那个词
      why: 为什么不该命中
    - text: 例四，也不含
      why: 为什么不该命中
"""
_WHAT = {
    "illegal_fundraising": "涉嫌非法集资宣传，加分并给出理由",
    "illegal_finance": "其他涉嫌非法金融活动，加分并给出理由",
    "ad_law": "广告法上的缺陷，加分并给出理由",
    "signs": "招揽旁证，只加分，不单独成理由",
    "excuses": "减轻因素，只减分，从不一票否决",
}
_ARTICLES = {"illegal_fundraising": "gl737.11", "illegal_finance": "gl737.39", "ad_law": "ggf.25"}


def skeleton(name: str, *, family: str) -> str:
    """The text of a new rule file: a draft without a fault, whose words and examples wait to be written."""
    assert family in FAMILIES
    basis = _BASIS.format(article=_ARTICLES[family]) if family in _ARTICLES else ""
    return _HEAD.format(place=f"rules/{family}/{name}.yml", what=_WHAT[family], family=family, name=name) + basis + _REST
