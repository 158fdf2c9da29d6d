"""Printing a Letter: .docx from an office's template, .pdf with a Chinese font of this machine."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typst
from docxtpl import DocxTemplate

from domain.errors import LetterFault
from pipelines.letters.fonts import Font, find_font
from pipelines.letters.letter import Letter

HERE = Path(__file__).parent
FORMS = {"notice": "notice.docx", "withdrawal": "notice.docx", "clue": "clue.docx"}
"""Which template prints which letter; an office puts its own files of these names into DIR/letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    docx: bytes
    pdf: bytes


def print_letter(letter: Letter, *, templates: Path | None = None, font: Font | None = None) -> Printed:
    """Both prints of one letter. `templates` is an office's own folder, asked before the packaged one.

    Raises LetterFault: no Chinese font, a template that cannot be read or that names a field which letters do not have.
    """
    values = letter.as_json()
    return Printed(docx=_docx(letter.kind, values, templates), pdf=_pdf(values, font or find_font()))


def _docx(kind: str, values: dict[str, Any], templates: Path | None) -> bytes:
    name = FORMS[kind]
    own = templates / name if templates else None
    path = own if own and own.is_file() else HERE / name
    out = io.BytesIO()
    try:
        template = DocxTemplate(path)
        # autoescape: quoted ad text is untrusted and must not become markup of the document.
        template.render(values, autoescape=True)
        template.save(out)
    except Exception as error:
        raise LetterFault(f"{path}: cannot be printed ({type(error).__name__}: {error}); mend the template or take it away") from error
    return out.getvalue()


def _pdf(values: dict[str, Any], font: Font) -> bytes:
    inputs = {"letter": json.dumps(values, ensure_ascii=False), "family": font.family}
    try:
        made = typst.compile(
            str(HERE / "letter.typ"), root=str(HERE), font_paths=[str(font.folder)], ignore_system_fonts=True,
            format="pdf", sys_inputs=inputs, timestamp=0,
        )  # fmt: skip
    except typst.TypstError as error:
        raise LetterFault(f"letter.typ: cannot be printed ({error}); check the font {font.family}") from error
    if not isinstance(made, bytes):
        raise LetterFault("letter.typ: no single document came out; check the installed typst")
    return made
