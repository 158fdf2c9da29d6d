"""Letters (.eml, a folder or a zip of them) -> Harvests: promotion that came by mail, as a person or a unit handed it in.

Who handed it in is not kept: of the envelope only subject, date and sender are read, the receivers' addresses are cut out of the text,
and the sender of a letter that carries another letter (a cover) is left out. Source: 防范和处置非法集资条例 on the protection of those
who report; RFC 5322 and 2045 for the format.
"""

from __future__ import annotations

import email
import email.policy
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from crawlers.charset import decode
from crawlers.cut import MOST_BODY
from crawlers.imports.base import Asked, Example, Given, Look, Refused, Unopened, too_large
from crawlers.imports.bundle import bundle
from crawlers.imports.public import with_print
from crawlers.imports.warc import WEB_BEGAN
from crawlers.page import Page, line, plain
from domain.identity import sha256
from domain.model import Capture, Harvest, Image, Posting, PostingKind

log = logging.getLogger(__name__)

DEEPEST = 10
"""Letters inside letters."""
MOST_PARTS = 500
LINKS = 200
_HEAD = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){2,}")
_KNOWN = re.compile(rb"^(?:From|Received|MIME-Version|Subject|Return-Path|Message-ID):", re.I | re.M)
_RECEIVERS = ("To", "Cc", "Bcc", "Delivered-To", "X-Original-To", "Envelope-To", "Resent-To", "Apparently-To")
RECEIVER = "〔收件人〕"


@dataclass(slots=True)
class _Letter:
    """One letter taken apart."""

    message: Message
    path: str
    depth: int
    html: str = ""
    text: str = ""
    pictures: list[tuple[str, bytes, str]] = field(default_factory=list)
    """(path, bytes, media type)"""
    inner: list[_Letter] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


class Mail:
    """Letters as a mail program saves them."""

    name, title, suffixes = "eml", "EML 邮件（单封、文件夹或 zip）", (".eml",)

    def knows(self, look: Look) -> bool:
        if look.folder or look.names:
            return any(name.lower().endswith(".eml") for name in look.names)
        head = look.head.lstrip(b"\xef\xbb\xbf\r\n")
        return _HEAD.match(head) is not None and _KNOWN.search(head[:8192]) is not None

    def read(self, given: Given, asked: Asked) -> Iterator[Harvest | Refused]:
        """See Importer.read."""
        try:
            with bundle(given, asked) as files:
                yield from files.refused
                names = [name for name in files.names if name.lower().endswith(".eml")] or files.names
                for number, name in enumerate(names, 1):
                    asked.progress(number, len(names))
                    try:
                        yield from letters(files.read(name, largest=asked.largest), asked, number=number, where=name)
                    except Unopened as error:
                        yield Refused(number, name, str(error))
                if not names:
                    yield Refused(0, asked.name, "文件夹里没有 .eml 邮件")
        except Unopened as error:
            yield Refused(0, asked.name, str(error))

    def examples(self) -> tuple[Example, ...]:
        files = {f"{n}.eml": written(f"第{n}封", f"为示例写的第{n}封信，讲一次讲座。") for n in range(2)}
        return (Example(files=files, captures=2, postings=2, broken=files | {"0.eml": b"\x00\x01\x02" * 50}),)


def letters(data: bytes, asked: Asked, *, number: int, where: str) -> Iterator[Harvest | Refused]:
    """Every letter in one file, the outer before those that it carries: its pictures, then its text with the posting."""
    try:
        if not _HEAD.match(data[:65536].lstrip(b"\xef\xbb\xbf\r\n")):
            yield Refused(number, where, "不是邮件（没有邮件头）；请从邮件程序另存为 .eml")
            return
        outer = _opened(_parsed(data), "0", depth=1)
        found = list(_harvests(outer, f"mail:{sha256(data)[:32]}", asked, number=number, where=where))
    except RecursionError:
        yield Refused(number, where, f"邮件嵌套过深（超过 {DEEPEST} 层），不予读取")
        return
    except Exception as error:  # the standard parser raises nearly anything for hostile headers
        log.warning("letter=%d unread", number, exc_info=error)
        yield Refused(number, where, f"邮件读不了（{type(error).__name__}: {str(error)[:100]}）")
        return
    yield from found


def _parsed(data: bytes) -> Message:
    return email.message_from_bytes(data, policy=email.policy.compat32)


def _opened(message: Message, path: str, *, depth: int) -> _Letter:
    """The parts of one letter; a carried letter is opened in its turn, DEEPEST at most."""
    letter = _Letter(message, path, depth)
    waiting, count = [(message, "")], 0
    while waiting:
        part, at = waiting.pop(0)
        count += 1
        if count > MOST_PARTS:
            letter.refused.append(Refused(0, path, f"附件超过 {MOST_PARTS} 个，其余不读"))
            break
        kind = part.get_content_type()
        if kind == "message/rfc822" and part is not message:
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            _carry(letter, first if isinstance(first, Message) else None, at)
        elif part.is_multipart():
            waiting = [(one, f"{at}.{n}") for n, one in enumerate(part.get_payload(), 1) if isinstance(one, Message)] + waiting
        else:
            _take(letter, part, kind, at or ".1")
    return letter


def _carry(letter: _Letter, inner: Message | None, at: str) -> None:
    if inner is None:
        return
    if letter.depth >= DEEPEST:
        letter.refused.append(Refused(0, f"{letter.path}{at}", f"邮件嵌套超过 {DEEPEST} 层，更深的不读"))
        return
    letter.inner.append(_opened(inner, f"{letter.path}{at}", depth=letter.depth + 1))


def _take(letter: _Letter, part: Message, kind: str, at: str) -> None:
    data = part.get_payload(decode=True)
    name = line(_header(part.get_filename() or ""))[:100]
    if not isinstance(data, bytes) or not data.strip():
        return
    if kind.startswith("image/"):
        letter.pictures.append((f"{letter.path}{at}", data, kind))
    elif name.lower().endswith(".eml"):
        _carry(letter, _parsed(data), at)
    elif kind == "text/html" and not name:
        letter.html = letter.html or decode(data, declared=part.get_content_charset())[0]
    elif kind == "text/plain" and not name:
        letter.text = letter.text or decode(data, declared=part.get_content_charset())[0]
    elif name:
        letter.refused.append(Refused(0, f"{letter.path}{at} {name}", f"附件类型 {kind[:60]} 不读；只读图片和 .eml"))


def _harvests(letter: _Letter, home: str, asked: Asked, *, number: int, where: str) -> Iterator[Harvest | Refused]:
    base = home if letter.path == "0" else f"{home}/{letter.path}"
    for one in letter.refused:
        yield Refused(number, f"{where} {one.where}", one.reason)
    images: list[Image] = []
    for path, data, kind in letter.pictures:
        if len(data) > asked.largest:
            yield Refused(number, f"{where} {path}", too_large(len(data), asked.largest))
            continue
        images.append(Image(url=f"{home}/{path}"))
        yield _harvest(data, url=f"{home}/{path}", mime=kind, asked=asked)
    cover = bool(letter.inner)
    page = _without(letter.html or letter.text, letter.message, cover=cover)
    title = line(_without(_header(letter.message.get("Subject", "")), letter.message, cover=cover))[:500]
    text = (plain(page) if letter.html else page).strip()[:MOST_BODY]
    if text or images or (title and not cover):
        posting = Posting(
            platform="mail", url=base, kind=PostingKind.POST, title=title, body=text, images=tuple(images[:40]),
            publisher=None if cover else _sender(letter.message), links=_links(page) if letter.html else (),
            published_at=_date(letter.message, asked),
        )  # fmt: skip
        mime = "text/html" if letter.html else "text/plain"
        yield _harvest(page.encode("utf-8", "replace"), url=base, mime=mime, asked=asked, posting=with_print(posting))
    elif not cover:
        yield Refused(number, where if letter.path == "0" else f"{where} {letter.path}", "信里没有文字和图片")
    for inner in letter.inner:
        yield from _harvests(inner, home, asked, number=number, where=where)


def _harvest(data: bytes, *, url: str, mime: str, asked: Asked, posting: Posting | None = None) -> Harvest:
    capture = Capture(
        url=url, final_url=url, fetched_at=asked.now, status=0, sha256=sha256(data), size=len(data), mime=mime,
        charset="utf-8" if posting else None, via="eml",
    )  # fmt: skip
    return Harvest(capture=capture, body=data, postings=(posting,) if posting else ())


def _header(value: object) -> str:
    """A header's text, whatever its words are encoded in."""
    parts = []
    try:
        for data, charset in decode_header(str(value)[:20_000]):
            parts.append(decode(data, declared=charset)[0] if isinstance(data, bytes) else data)
    except Exception:  # a hostile header is no reason to lose the letter
        return str(value)[:500]
    return "".join(parts).replace("\x00", "")


def _addresses(message: Message, names: tuple[str, ...]) -> list[tuple[str, str]]:
    values = [str(value)[:20_000] for name in names for value in message.get_all(name, [])[:50]]
    return [(name, address) for name, address in getaddresses(values)[:200] if "@" in address]


def _without(text: str, message: Message, *, cover: bool) -> str:
    """The text without the addresses of those who received it, nor of who passed it on."""
    for _, address in _addresses(message, (*_RECEIVERS, *(("From", "Sender", "Reply-To") if cover else ()))):
        if address.isascii() and len(address) >= 6:
            text = re.sub(re.escape(address), RECEIVER, text, flags=re.I)
    return text


def _sender(message: Message) -> str | None:
    """Who promotes: the name that the letter shows, and its address."""
    found = _addresses(message, ("From",))
    if not found:
        return None
    name, address = found[0]
    return line(f"{_header(name)} <{address}>" if name else address)[:200]


def _date(message: Message, asked: Asked) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(message.get("Date", "")))
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if WEB_BEGAN <= found <= asked.now else None


def _links(page: str) -> tuple[str, ...]:
    nodes = Page(page.encode("utf-8", "replace"), url="http://mail.invalid/", override="utf-8").tree.css("a[href]")[:1000]
    found = dict.fromkeys(address for node in nodes if (address := node.attributes.get("href") or "").startswith(("http://", "https://")))
    return tuple(list(found)[:LINKS])


def written(subject: str, text: str, *, to: str = "citizen@example.org") -> bytes:
    """A plain letter, for examples and tests."""
    head = f"From: =?utf-8?b?{_b64('某某财富')}?= <ad@promo.example>\r\nTo: {to}\r\nSubject: =?utf-8?b?{_b64(subject)}?=\r\n"
    head += "Date: Fri, 20 Nov 2026 16:00:00 +0800\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Transfer-Encoding: base64\r\n\r\n{_b64(text)}\r\n".encode()


def _b64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()
