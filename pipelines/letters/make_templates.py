"""Makes notice.docx and clue.docx, the templates that docxtpl fills: `python -m pipelines.letters.make_templates [FOLDER]`.

Layout after GB/T 9704. An office opens the files in its editor, changes what it likes around the {{ fields }}, and puts
them into DIR/letters.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

RED = RGBColor(0xC8, 0x10, 0x2E)
BODY_FONT, TITLE_FONT = "仿宋", "宋体"


def _run(paragraph: Any, text: str, *, size: float, bold: bool = False, font: str = BODY_FONT, color: Any = None) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.font.bold, run.font.name = Pt(size), bold, "Times New Roman"
    fonts = run._element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), font)
    if color is not None:
        run.font.color.rgb = color


def _paragraph(holder: Any, text: str, *, size: float = 15, align: Any = None, indent: bool = False, **style: Any) -> Any:
    paragraph = holder.add_paragraph()
    form = paragraph.paragraph_format
    form.line_spacing, form.space_before, form.space_after = Pt(size * 1.8), Pt(0), Pt(0)
    if align is not None:
        paragraph.alignment = align
    if indent:
        form.first_line_indent = Pt(size * 2)
    _break_anywhere(paragraph)
    _run(paragraph, text, size=size, **style)
    return paragraph


def _break_anywhere(paragraph: Any) -> None:
    """Addresses and hashes have no spaces: let Latin text end a line at any character."""
    wrap = OxmlElement("w:wordWrap")
    wrap.set(qn("w:val"), "0")
    properties = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(
        wrap, "w:overflowPunct", "w:topLinePunct", "w:autoSpaceDE", "w:autoSpaceDN", "w:bidi", "w:adjustRightInd", "w:snapToGrid",
        "w:spacing", "w:ind", "w:contextualSpacing", "w:mirrorIndents", "w:suppressOverlap", "w:jc", "w:rPr",
    )  # fmt: skip


def _red_line(paragraph: Any) -> None:
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "4"), ("color", "C8102E")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _table(document: Any, rows: str, *, label_mm: float) -> None:
    """A two-column table whose middle row is repeated for each (label, value) of `rows`."""
    table = document.add_table(rows=3, cols=2)
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    texts = ((f"{{%tr for row in {rows} %}}", ""), ("{{ row[0] }}", "{{ row[1] }}"), ("{%tr endfor %}", ""))
    for line, pair in zip(table.rows, texts, strict=True):
        for index, (cell, text) in enumerate(zip(line.cells, pair, strict=True)):
            cell.width = Mm(label_mm if index == 0 else 156 - label_mm)
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.line_spacing = Pt(19)
            if index == 0:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            _break_anywhere(paragraph)
            _run(paragraph, text, size=11.5, bold=index == 0)


def _page_number(section: Any) -> None:
    paragraph = section.footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(paragraph, "— ", size=11)
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        run = paragraph.add_run()
        run.font.size = Pt(11)
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = text
        run._r.append(mark)
    _run(paragraph, " —", size=11)


def _head(document: Any) -> None:
    centre = WD_ALIGN_PARAGRAPH.CENTER
    _paragraph(document, "{{ office }}", size=27, bold=True, font=TITLE_FONT, color=RED, align=centre)
    _paragraph(document, "", size=10)
    _red_line(_paragraph(document, "{{ number }}", size=14, align=centre))
    _paragraph(document, "", size=14)
    _paragraph(document, "{{ title }}", size=21, bold=True, font=TITLE_FONT, align=centre)
    _paragraph(document, "", size=12)
    _paragraph(document, "{{ addressee }}：")


def _loop(document: Any, items: str, **style: Any) -> None:
    _paragraph(document, f"{{%p for item in {items} %}}")
    _paragraph(document, style.pop("text", "{{ item }}"), indent=True, **style)
    _paragraph(document, "{%p endfor %}")


def make(*, slip: bool) -> Any:
    """A template; with the reply slip 回执栏 at its end where `slip`."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = Mm(37), Mm(35), Mm(28), Mm(26)
    _page_number(section)
    _head(document)
    _loop(document, "opening")
    _paragraph(document, "{%p if facts %}")
    _table(document, "facts", label_mm=27)
    _paragraph(document, "{%p endif %}")
    _paragraph(document, "{%p if quotes %}")
    _paragraph(document, "{{ quote_head }}", indent=True)
    _loop(document, "quotes", text="“{{ item }}”", size=13.5)
    _paragraph(document, "{%p endif %}")
    _paragraph(document, "{%p for section in sections %}")
    _paragraph(document, "{{ section.head }}", indent=True, bold=True, font="黑体")
    _loop(document, "section.paragraphs")
    _paragraph(document, "{%p if section.rows %}")
    _table(document, "section.rows", label_mm=16)
    _paragraph(document, "{%p endif %}")
    _paragraph(document, "{%p endfor %}")
    _loop(document, "closing")
    _paragraph(document, "", size=12)
    _paragraph(document, "{{ office }}", align=WD_ALIGN_PARAGRAPH.RIGHT)
    _paragraph(document, "{{ date }}", align=WD_ALIGN_PARAGRAPH.RIGHT)
    _paragraph(document, "{{ signer }}", indent=True)
    _paragraph(document, "{%p if copies %}")
    _paragraph(document, "抄送：{{ copies }}", size=12.5)
    _paragraph(document, "{%p endif %}")
    if slip:
        _paragraph(document, "{%p if slip %}")
        _paragraph(document, "回　执", size=16, bold=True, font=TITLE_FONT, align=WD_ALIGN_PARAGRAPH.CENTER)
        _table(document, "slip", label_mm=40)
        _paragraph(document, "{%p endif %}")
    return document


def main(folder: Path) -> None:
    """Write both templates into `folder`."""
    make(slip=False).save(str(folder / "notice.docx"))
    make(slip=True).save(str(folder / "clue.docx"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
