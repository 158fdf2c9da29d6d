"""The words of the lead push (线索通报函, Track A): what an authority needs to verify, and what is not known.

Fields after the common content of local lead-transfer rules and 国令737 art 19; features after 法释〔2022〕5号 art 1. It is no
transfer of a case under 国令310, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from domain.clock import chinese_date, for_people
from domain.model import Feature, Layer
from domain.settings import Settings
from pipelines.letters.letter import Letter, Section, judged_text, quoted, sentence, spans_of, telling
from pipelines.letters.names import CONTACTS, Names

LISTED = 12
"""More hits than this stand in the dossier alone: a letter must stay readable."""
GRADE_WHY = {
    "高危": "文本特征较集中，且有面向公众收取资金的表述",
    "中危": "有回报承诺及面向公众的表述，主体或者资质不明",
    "一般": "主要为广告表述问题",
}

SLIP = (
    ("受理文号", ""),
    ("受理日期", ""),
    ("经办人及电话", ""),
    ("是否受理", "□ 受理　□ 不属本单位管辖，已转："),
    ("核查结果", "□ 立案　□ 不予立案（理由：　　　　　）　□ 转外地"),
)
"""Rows of the reply slip 回执栏."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Names as letters show them: two who prepared, one who approved."""

    prepared_by: str
    second_preparer: str
    approved_by: str


def compose(
    lead: Row[Any],
    hits: Sequence[Row[Any]],
    *,
    settings: Settings,
    names: Names,
    number: str,
    signers: Signers,
    manifest: str,
    platforms: Sequence[str],
    measures: Sequence[str],
    at: datetime,
) -> Letter:
    """The letter of one lead. `hits` as `store.leads.whole_hit` gives them, `manifest` the hash of the dossier's list of parts."""
    first = hits[0]
    authority = names.authorities.get(lead.authority, lead.authority)
    layer = max((Layer(hit.layer) for hit in hits if hit.layer), key=list(Layer).index, default=Layer.SUSPECTED_FUNDRAISING)
    opening = (
        (
            f"本办在对公开网络页面的日常巡查中发现下列{layer.chinese}，经两名工作人员核对并报批，现作为线索通报你单位，请依职责核查。"
            "本函为线索通报，不是案件移送，所附材料为线索材料；是否构成违法犯罪，由有权机关依法调查后认定。"
        ),
    )
    return Letter(
        kind="clue",
        office=settings.office_name,
        number=number,
        title="关于涉嫌非法集资广告的线索通报函" if layer is not Layer.AD_DEFECT else "线索通报函",
        addressee=authority,
        opening=opening,
        facts=_facts(lead, hits, names=names, manifest=manifest, platforms=platforms),
        quote_head="上述内容中的有关表述（原文摘引）：",
        quotes=quoted(judged_text(first), spans_of(first)),
        sections=_sections(lead, hits, settings=settings, measures=measures),
        closing=("特此通报。", f"附件：卷宗一份（dossier.zip，含 {len(hits)} 项发布内容的页面原文、研判、复核记录及校验清单）"),
        signer=f"承办人：{signers.prepared_by}　　审核人：{signers.second_preparer}　　批准人：{signers.approved_by}",
        date=chinese_date(at),
        slip=SLIP,
    )


def _facts(
    lead: Row[Any], hits: Sequence[Row[Any]], *, names: Names, manifest: str, platforms: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    return (
        ("被反映主体", lead.suspect),
        ("主体信息", "统一社会信用代码、资质情况：未核实，请以登记信息为准"),
        ("广告主", _joined(hit.advertiser for hit in hits)),
        ("发布账号", _joined(hit.publisher for hit in hits)),
        ("发布平台", _joined(platforms)),
        ("联系方式", _joined(f"{CONTACTS.get(item['kind'], item['kind'])} {item['value']}" for hit in hits for item in hit.contacts)),
        ("线索来源", "公开网络巡查"),
        ("发现时间", f"{for_people(min(hit.first_seen_at for hit in hits))}（北京时间）"),
        ("涉嫌类型", names.scheme_line(list(dict.fromkeys(slug for hit in hits for slug in hit.schemes)))),
        ("线索等级", f"{lead.grade or '未评定'}（{GRADE_WHY.get(lead.grade or '', '见研判理由')}；等级由本办内部规则得出，供参考）"),
        ("卷宗校验值", f"清单 SHA-256：{manifest}"),
    )


def _sections(lead: Row[Any], hits: Sequence[Row[Any]], *, settings: Settings, measures: Sequence[str]) -> tuple[Section, ...]:
    shown = {feature for hit in hits for feature in hit.features}
    present = "、".join(feature.chinese for feature in Feature if feature.value in shown)
    absent = "、".join(
        feature.chinese for feature in Feature if feature.value not in shown and feature.value != "X" and feature.value != "M"
    )
    evidence = [(str(index), _evidence(hit)) for index, hit in enumerate(hits[:LISTED], 1)]
    rest = (f"其余 {len(hits) - LISTED} 项见卷宗。",) if len(hits) > LISTED else ()
    reasons = list(dict.fromkeys(sentence(reason["text"]) for hit in hits for reason in telling(hit.reasons)))[:4]
    contact = settings.office_contact or "见本办公布的联系方式"
    summary = [lead.summary] if lead.summary else []
    return (
        Section(
            head="涉嫌情形",
            paragraphs=(
                *summary,
                (
                    "拟对应《防范和处置非法集资条例》（国务院令第737号）第十九条第四项（违反法律、行政法规或者国家有关规定，"
                    "通过公开方式传播吸收资金信息），待核。"
                ),
                f"文本中显示的特征：{present or '无'}。未显示或者待核的特征：{absent or '无'}。",
                *reasons,
            ),
        ),
        Section(head="证据清单", paragraphs=("下列页面原文已随卷宗一并提供。", *rest), rows=tuple(evidence)),
        Section(
            head="影响范围",
            paragraphs=(f"已发现公开发布内容 {len(hits)} 项，累计巡查到 {sum(hit.seen for hit in hits)} 次；浏览、粉丝和群组规模未取得。",),
        ),
        Section(head="已采取措施", paragraphs=tuple(measures) or ("未向发布者发出预警提示。",)),
        Section(head="建议", paragraphs=("建议依职责核查主体资质、资金去向和涉及人员范围；属其他地区或者部门管辖的，请转送并告知本办。",)),
        Section(
            head="保密与反馈",
            paragraphs=(
                "本线索仅限办理工作使用，请勿向被反映主体透露来源；涉及举报人信息的，依法保密。",
                f"请签收后反馈回执，并在{settings.feedback_days}日内反馈核查进展。不予立案的，请告知理由并退回材料，以便作行政处理。联系方式：{contact}。",
            ),
        ),
    )


def _evidence(hit: Row[Any]) -> str:
    picture = f"截图 SHA-256：{hit.screenshot_sha256}" if hit.screenshot_sha256 else "无截图"
    return f"网址：{hit.url}；取证时间：{for_people(hit.fetched_at, seconds=True)}；页面 SHA-256：{hit.sha256}；{picture}"


def _joined(values: Any) -> str:
    found = list(dict.fromkeys(str(value) for value in values if value))
    return "、".join(found[:12]) + (f" 等 {len(found)} 项" if len(found) > 12 else "") if found else "页面未显示"
