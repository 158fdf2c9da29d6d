"""The words of the warning (预警提示函) and of its withdrawal.

Content after the general duty to hear the party (行政处罚法 arts 7, 44), 国令737 arts 10, 11 and 18, and 广告法 arts 25, 45. The letter is
no penalty and determines nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from domain.clock import chinese_date, for_people
from domain.contacts import mask
from domain.model import Layer
from domain.settings import Settings
from pipelines.letters.letter import Letter, Section, judged_text, quoted, sentence, spans_of, telling

_FUNDRAISING = "《防范和处置非法集资条例》（国务院令第737号）第十一条：除国家另有规定外，任何单位和个人不得发布包含集资内容的广告"
GENERAL = {
    Layer.AD_DEFECT: "《中华人民共和国广告法》第二十五条：招商等有投资回报预期的商品或者服务广告，应当对可能存在的风险有合理提示",
    Layer.SUSPECTED_FUNDRAISING: _FUNDRAISING,
    Layer.SUSPECTED_CRIME: _FUNDRAISING,
}
"""What is named where the assessment gives no articles."""
_ARTICLES = re.compile(r"（参照[^（）]*(?:（[^（）]*）[^（）]*)*）")
CHANNELS = {"email": "电子邮件", "webhook": "平台接口", "folder": "书面寄送", "police": "线索接收平台"}


def fields(hit: Row[Any], *, platform: str) -> dict[str, Any]:
    """What a notice's body keeps of a hit (`store.leads.whole_hit`): JSON values, quotes already masked."""
    lines = [mask(line) for line in quoted(judged_text(hit), spans_of(hit))]
    return {
        "platform": platform,
        "url": hit.url,
        "publisher": hit.publisher or "",
        "published_at": for_people(hit.published_at) if hit.published_at else "",
        "fetched_at": for_people(hit.fetched_at, seconds=True),
        "page_sha256": hit.sha256,
        "screenshot_sha256": hit.screenshot_sha256 or "",
        "quotes": [line for line in lines if "***" not in line] or lines,
        "layer": hit.layer or Layer.SUSPECTED_FUNDRAISING.value,
        "articles": articles(hit.reasons),
        "reasons": reasons(hit.reasons),
    }


def articles(given: Sequence[dict[str, Any]]) -> list[str]:
    """At most four, those of the fundraising decree and the advertising law first. Criminal law is no matter for a warning, and a
    whole text is no article.
    """
    found = dict.fromkeys(article for reason in given for article in reason.get("articles") or ())
    fit = [article for article in found if "刑" not in article and not article.endswith("全文")]
    return sorted(fit, key=lambda article: not any(name in article for name in ("防范和处置非法集资条例", "广告法")))[:4]


def reasons(given: Sequence[dict[str, Any]]) -> list[str]:
    """The three that say most, without the articles, which stand above them. What lowered the score is no rule that was broken."""
    charges = [reason for reason in given if not reason.get("text", "").startswith("减轻因素")]
    return [sentence(mask(_ARTICLES.sub("", reason["text"]))) for reason in telling(charges)[:3]]


def compose(
    body: dict[str, Any],
    *,
    settings: Settings,
    number: str,
    addressee: str,
    channel: str,
    signer: str,
    at: datetime,
    reminder: bool = False,
) -> Letter:
    """The letter of one notice. `body` as `fields` gives it."""
    layer = Layer(body["layer"])
    contact = settings.office_contact or "见本办公布的联系方式"
    published = f"，页面显示发布时间 {body['published_at']}" if body["published_at"] else ""
    opening: tuple[str, ...] = (
        (
            f"本办在对公开网络页面的日常巡查中发现，你（单位）在{body['platform']}发布的下列内容（见下表{published}），"
            f"经工作人员复核，{layer.chinese}，可能使社会公众财产遭受损失。现将有关情况函告如下。"
        ),
    )
    if reminder:
        opening += ("前次提示后再次查看，有关内容仍可公开访问，现再次提示。",)
    return Letter(
        kind="notice",
        office=settings.office_name,
        number=number,
        title="预警提示函",
        addressee=addressee,
        opening=opening,
        facts=_facts(body),
        quote_head="上述内容中的有关表述（原文摘引，联系方式已遮盖）：",
        quotes=tuple(body["quotes"]),
        sections=_sections(body, layer, settings=settings, contact=contact),
        closing=("特此函告。",),
        signer=f"签发人：{signer}　　联系方式：{contact}　　送达方式：{CHANNELS.get(channel, channel)}",
        date=chinese_date(at),
    )


def _facts(body: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return (
        ("发布地址", body["url"]),
        ("发布平台", body["platform"]),
        ("账号名称", body["publisher"] or "页面未显示"),
        ("身份依据", "上述页面公开显示的发布者信息"),
        ("取证时间", f"{body['fetched_at']}（北京时间）"),
        ("页面校验值", f"SHA-256：{body['page_sha256']}"),
        ("截图校验值", f"SHA-256：{body['screenshot_sha256']}" if body["screenshot_sha256"] else "未留存截图，留存页面原文"),
    )


def _sections(body: dict[str, Any], layer: Layer, *, settings: Settings, contact: str) -> tuple[Section, ...]:
    basis = "；".join(body["articles"]) or GENERAL[layer]
    asks = ["核对发布者、广告主是否取得国务院金融管理部门的许可或者备案，以及有关证明文件。"]
    if layer is Layer.AD_DEFECT:
        asks.append("有合法依据的，补充对可能存在的风险以及风险责任承担的合理提示，删改对收益作出保证性承诺的表述。")
        asks.append("不能提供合法依据的，请停止发布或者下架有关内容。")
    else:
        asks.append("不能提供合法依据的，请停止发布、传播并下架有关内容，保存有关发布记录和委托材料。")
        asks.append("有合法依据的，请提供有关文件，并补充风险提示。")
    return (
        Section(head="涉嫌违反的规定", paragraphs=(f"{basis}。", *body["reasons"])),
        Section(head="提示事项", paragraphs=tuple(f"（{mark}）{ask}" for mark, ask in zip("一二三", asks, strict=False))),
        Section(
            head="未作处理的后果",
            paragraphs=(
                (
                    "有关内容继续公开传播且未作说明的，本办将依照职责把情况通报处置非法集资牵头部门、"
                    "市场监督管理等主管部门，由其依法核查处理。"
                ),
            ),
        ),
        Section(
            head="说明与申诉",
            paragraphs=(
                (
                    "你（单位）有权陈述、申辩。对本函有异议，或者已取得合法许可、已自行整改的，"
                    f"请在收到本函之日起{settings.appeal_days}日内，注明本函编号，以书面或者电子邮件方式提出，并附有关材料。联系方式：{contact}。"
                    "异议成立的，本办将撤回本函并书面告知。"
                ),
            ),
        ),
        Section(
            head="本函性质",
            paragraphs=(
                (
                    "本函是对涉嫌问题的提示，不是行政处罚，也不是行政强制措施，不对有关内容是否违法作出认定；"
                    "是否违法，由有权机关依法调查后确定。"
                ),
            ),
        ),
    )


def withdrawal(body: dict[str, Any], *, settings: Settings, number: str, addressee: str, reason: str, signer: str, at: datetime) -> Letter:
    """The letter that takes a sent notice back: who was warned must learn that the mark is gone."""
    contact = settings.office_contact or "见本办公布的联系方式"
    opening = (
        f"本办此前向你（单位）发出的《预警提示函》（{number}），所涉内容见下表。经复核，现决定撤回该函。",
        f"撤回理由：{reason}",
        "本办不再以该函作为任何处理的依据。",
    )
    return Letter(
        kind="withdrawal",
        office=settings.office_name,
        number=f"{number}（撤回）",
        title="预警提示函撤回告知函",
        addressee=addressee,
        opening=opening,
        facts=(("原函编号", number), ("发布地址", body["url"]), ("发布平台", body["platform"])),
        quote_head="",
        quotes=(),
        sections=(),
        closing=("特此告知。",),
        signer=f"签发人：{signer}　　联系方式：{contact}",
        date=chinese_date(at),
    )
