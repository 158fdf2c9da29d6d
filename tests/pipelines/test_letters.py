"""Letters: complete, careful in their words, and deaf to what a quoted text would have them do."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document
from pypdf import PdfReader

from domain.errors import LetterFault
from pipelines import refer, warn
from pipelines.letters import make_templates, notice
from pipelines.letters.fonts import find_font
from pipelines.letters.letter import Letter, Section, plain, quoted
from pipelines.letters.render import HERE, print_letter
from store.archive import Archive
from tests.pipelines.conftest import House

HOSTILE = "#eval(1) $x$ *粗* {{ 7*7 }} {%p if x %} <w:p/> & \u202e反向\u202c \x00\x07 \ud800 = 标题 `代码` @引用 \\n"


def letter(**fields: object) -> Letter:
    given: dict[str, object] = {
        "kind": "notice",
        "office": "（示例）市互联网信息办公室",
        "number": "网巡示例预〔2026〕12号",
        "title": "预警提示函",
        "addressee": "某账号运营者",
        "opening": ("开头一段。",),
        "facts": (("发布地址", "https://forum.example/" + "a" * 90),),
        "quote_head": "原文：",
        "quotes": ("保本保息",),
        "sections": (Section(head="提示事项", paragraphs=("第一条。",), rows=(("1", "b" * 64),)),),
        "closing": ("特此函告。",),
        "signer": "签发人：赵某",
        "date": "2026年11月23日",
        **fields,
    }
    return Letter(**given)  # type: ignore[arg-type]


def docx_text(data: bytes) -> str:
    document = Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def pdf_text(data: bytes) -> str:
    """The words of a PDF without white space."""
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).split())


def test_both_prints_carry_the_same_words() -> None:
    printed = print_letter(letter(slip=(("受理文号", ""),), kind="clue"))
    written, shown = docx_text(printed.docx), pdf_text(printed.pdf)
    for words in (
        "（示例）市互联网信息办公室",
        "网巡示例预〔2026〕12号",
        "一、提示事项",
        "第一条。",
        "“保本保息”",
        "b" * 64,
        "特此函告。",
        "签发人：赵某",
        "受理文号",
    ):
        assert words in written
        assert words in shown


def test_quoted_text_stays_text() -> None:
    hostile = letter(addressee=HOSTILE, quotes=(HOSTILE,), facts=((HOSTILE, HOSTILE),), opening=(HOSTILE,), title=HOSTILE)
    printed = print_letter(hostile)
    written, shown = docx_text(printed.docx), pdf_text(printed.pdf)
    for words in ("#eval(1)", "{{ 7*7 }}", "<w:p/>", "*粗*", "{%p if x %}"):
        assert words in written
        assert "".join(words.split()) in shown
    assert "49" not in written
    assert "\u202e" not in written


def test_a_docx_of_hostile_text_is_whole() -> None:
    with zipfile.ZipFile(io.BytesIO(print_letter(letter(quotes=(HOSTILE,))).docx)) as box:
        assert box.testzip() is None


def test_plain_keeps_what_a_reader_sees() -> None:
    assert plain("年化\u200b18％\r\n\t保本\u202e") == "年化18％   保本"


def test_quotes_are_the_sentences_that_speak_and_no_more() -> None:
    text = "第一句没事。稳健理财，保本保息！第三句也没事。" + "长" * 400 + "年化收益18%" + "长" * 400
    first = text.index("保本保息")
    last = text.index("年化收益")
    assert quoted(text, [(first, first + 4)]) == ("稳健理财，保本保息！",)
    (long,) = quoted(text, [(last, last + 6)])
    assert "年化收益18%" in long
    assert len(long) <= 120
    assert quoted(text, [(-3, 4), (5, 5), (9, 10**6)]) == (text[:120],)


def test_a_missing_font_names_its_cure(tmp_path: Path) -> None:
    with pytest.raises(LetterFault, match="apt-get install fonts-noto-cjk"):
        find_font([tmp_path])


def test_the_packaged_templates_are_what_the_script_makes(tmp_path: Path) -> None:
    make_templates.main(tmp_path)
    for name in ("notice.docx", "clue.docx"):
        assert Document(str(tmp_path / name)).element.xml == Document(str(HERE / name)).element.xml


def test_an_office_prints_on_its_own_template(tmp_path: Path) -> None:
    own = make_templates.make(slip=False)
    own.add_paragraph("本单位地址：某街一号")
    own.save(str(tmp_path / "notice.docx"))
    assert "某街一号" in docx_text(print_letter(letter(), templates=tmp_path).docx)


def test_a_broken_template_is_a_clear_fault(tmp_path: Path) -> None:
    (tmp_path / "notice.docx").write_bytes(b"no zip")
    with pytest.raises(LetterFault, match=r"notice\.docx: cannot be printed"):
        print_letter(letter(), templates=tmp_path)


def test_a_notice_says_all_that_it_must(house: House) -> None:
    notice = house.queued_notice()
    row = house.row("notices", notice)
    shown = pdf_text(Archive(house.store.settings.archive_dir).read_blob(row.pdf_sha256))  # type: ignore[attr-defined]
    needed = (
        "网巡示例预〔2026〕1号",
        "“稳盈财富”账号运营者",
        "身份依据",
        "https://forum.example/thread-1",
        "2026-11-2316:05:00",
        "保本保息",
        "涉嫌非法集资广告",
        "《中华人民共和国广告法》第二十五条",
        "提示事项",
        "未作处理的后果",
        "有权陈述、申辩",
        "7日内",
        "不是行政处罚",
        "联系方式",
        "签发人：赵某",
        "电子邮件",
    )
    assert [words for words in needed if words not in shown] == []
    assert "认定为" not in shown


def test_contacts_in_a_notice_are_masked(house: House) -> None:
    hit = house.confirmed(text="保本保息，年化收益18%，请联系客户张女士13912345678")
    notice = warn.draft(house.store, hit, officer="wang", now=house.now)
    warn.approve(house.store, notice, officer="zhao", now=house.now)
    row = house.row("notices", notice)
    shown = pdf_text(Archive(house.store.settings.archive_dir).read_blob(row.pdf_sha256))  # type: ignore[attr-defined]
    assert "保本保息" in shown
    assert "13912345678" not in shown
    assert "13912345678" not in str(row.body)  # type: ignore[attr-defined]


def test_a_clue_says_all_that_it_must(house: House) -> None:
    lead = house.submitted_lead()
    refer.approve(house.store, lead, officer="zhao", now=house.now)
    row = house.row("leads", lead)
    shown = pdf_text(Archive(house.store.settings.archive_dir).read_blob(row.pdf_sha256))  # type: ignore[attr-defined]
    needed = (
        "网巡示例线〔2026〕1号",
        "市公安局：",
        "被反映主体",
        "稳盈财富",
        "公开网络巡查",
        "发现时间",
        "第十九条第四项",
        "公开性、利诱性、社会性",
        "证据清单",
        "影响范围",
        "已采取措施",
        "建议",
        "高危",
        "承办人：王某",
        "审核人：李某",
        "批准人：赵某",
        "保密",
        "15日内反馈",
        "回执",
        "线索材料",
        row.body["manifest_sha256"],  # type: ignore[attr-defined]
    )
    assert [words for words in needed if words not in shown] == []
    assert "不是案件移送" in shown


def test_a_notice_names_few_articles_and_no_criminal_law() -> None:
    found = [
        "《金融产品网络营销管理办法》第10条",
        "《最高人民法院关于审理非法集资刑事案件具体应用法律若干问题的解释》第2条",
        "《某方案》全文",
        "《广告法》第25条",
    ]
    assert notice.articles([{"articles": found}]) == ["《广告法》第25条", "《金融产品网络营销管理办法》第10条"]


def test_reasons_lose_their_articles_and_the_telling_ones_come_first() -> None:
    given = [
        {"rule": "a", "text": "许利：“收益”，涉嫌甲（参照《某办法（试行）》全文、《广告法》第25条）。", "start": 1, "end": 3},
        {"rule": "b", "text": "承诺：“保本保息”，涉嫌乙（参照《广告法》第25条）", "start": 5, "end": 9},
        {"rule": None, "text": "文本所示特征：利诱性。"},
    ]
    assert notice.reasons(given) == ["承诺：“保本保息”，涉嫌乙。", "许利：“收益”，涉嫌甲。"]


def test_what_lowered_the_score_is_not_told_to_a_publisher() -> None:
    """It stands under 涉嫌违反的规定 otherwise, and speaks of scores."""
    given = [
        {"text": "减轻因素：普通房产销售（仅降低分值，不排除嫌疑）。", "rule": "x.sale", "start": 0, "end": 4},
        {"text": "承诺：“保本保息”，涉嫌乙。", "rule": "x.promise", "start": 5, "end": 9},
    ]
    assert notice.reasons(given) == ["承诺：“保本保息”，涉嫌乙。"]
