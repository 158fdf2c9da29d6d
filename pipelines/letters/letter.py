"""One letter as plain values: the .docx and the .pdf are two prints of the same words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_HIDDEN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn"])
"""Unicode categories that a reader cannot see: controls, format marks (direction overrides, zero width), surrogates."""
_STOPS = "。！？!?；;\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered part: `一、` and so on is put in front by the template."""

    head: str
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    """(label, value) rows of a table under the paragraphs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a template prints. All texts are plain: no markup of any kind is read in them."""

    kind: str
    """notice 预警提示函, withdrawal 撤回告知函 or clue 线索通报函."""
    office: str
    number: str
    title: str
    addressee: str
    opening: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    """(label, value) rows of the table of facts."""
    quote_head: str
    """The line above the quotes."""
    quotes: tuple[str, ...]
    """Sentences of the posting, quoted, contacts masked where the receiver has no need of them."""
    sections: tuple[Section, ...]
    closing: tuple[str, ...]
    signer: str
    """The line that names who signs, and for a lead who prepared and who approved."""
    date: str
    """`2026年11月23日`."""
    copies: str = ""
    """抄送, or empty."""
    slip: tuple[tuple[str, str], ...] = ()
    """Rows of the reply slip 回执栏 at the end, or none."""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values, every text made plain, section heads numbered."""
        cleaned: dict[str, Any] = _clean(asdict(self))
        for number, section in zip("一二三四五六七八九十", cleaned["sections"], strict=False):
            section["head"] = f"{number}、{section['head']}"
        return cleaned


def plain(text: str) -> str:
    """`text` with nothing in it that a reader cannot see; line feeds and tabs become spaces.

    Quoted ad text is untrusted: a direction override or a control character could make a letter show what it does not say.
    """
    kept = (" " if char in "\n\r\t" else char for char in text)
    return "".join(char for char in kept if unicodedata.category(char) not in _HIDDEN)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def judged_text(hit: Any) -> str:
    """The text that a hit's matches count their offsets in: as `domain.model.Posting.text` puts it together."""
    return "\n".join(part for part in (hit.title, hit.body, *(image.get("text", "") for image in hit.images)) if part)


def spans_of(hit: Any) -> list[tuple[int, int]]:
    """Where a hit's text speaks for the suspicion, the strongest first."""
    told = sorted((match for match in hit.matches if match["weight"] > 0), key=lambda match: -float(match["weight"]))
    return [(match["start"], match["end"]) for match in told]


def telling(reasons: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The reasons that rules gave, those first that rest on four characters or more: a lone `收益` tells a reader little."""
    told = [reason for reason in reasons if reason.get("rule") and reason.get("text")]
    return sorted(told, key=lambda reason: (reason.get("end") or 0) - (reason.get("start") or 0) < 4)


def quoted(text: str, spans: Sequence[tuple[int, int]], *, most: int = 3, length: int = 120) -> tuple[str, ...]:
    """The sentences of `text` that hold the first spans, in the text's order: enough to know it by, no more.

    At most `most` sentences of at most `length` characters each; the beginning of the text where no span is given.
    """
    places: list[tuple[int, int]] = []
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            continue
        begin = max((text.rfind(stop, 0, start) for stop in _STOPS), default=-1) + 1
        ends = [found for found in (text.find(stop, end) for stop in _STOPS) if found >= 0]
        finish = min(ends, default=len(text) - 1) + 1
        if finish - begin > length:  # a sentence without stops: the span itself, with its surroundings
            begin = max(begin, start - length // 2)
            finish = min(finish, begin + length)
        if not any(begin < other_end and other_begin < finish for other_begin, other_end in places):
            places.append((begin, finish))
        if len(places) == most:
            break
    if not places and text.strip():
        places = [(0, min(len(text), length))]
    return tuple(line for line in (plain(text[begin:finish]).strip() for begin, finish in sorted(places)) if line)


def sentence(text: str) -> str:
    """`text` with a full stop at its end."""
    return text if not text or text[-1] in _STOPS else f"{text}。"
