"""Letters: what was promoted comes, who received it does not; nests, bombs and hostile headers cost themselves alone."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from crawlers.imports.mail import DEEPEST, RECEIVER, Mail, written
from tests.crawlers.imports.conftest import pieces

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def letter(
    subject: str = "讲座通知",
    *,
    text: str = "",
    html: str = "",
    to: str = "zhang.san@citizen.example",
    sender: str = "某财富 <ad@promo.example>",
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Date"] = sender, to, subject, "Fri, 20 Nov 2026 16:00:00 +0800"
    made["Received"] = f"from relay by mx for <{to}>; Fri, 20 Nov 2026 16:00:01 +0800"
    made["Cc"] = "li.si@citizen.example"
    if text or not html:
        made.set_content(text or "讲座周六举行，欢迎参加。")
    if html:
        made.add_alternative(html, subtype="html") if text else made.set_content(html, subtype="html")
    return made


def read(message: EmailMessage | bytes):  # type: ignore[no-untyped-def]
    return pieces(Mail(), io.BytesIO(message if isinstance(message, bytes) else message.as_bytes()), name="a.eml")


def test_text_and_page_and_pictures_become_one_posting_and_its_captures() -> None:
    message = letter(text="纯文本", html='<p>网页正文</p><a href="https://promo.example/join">加入</a><img src="cid:1">')
    message.add_attachment(PNG, maintype="image", subtype="png", filename="海报.png")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="合同.pdf")
    found, refused = read(message)
    picture, page = found
    posting = page.postings[0]
    assert (posting.title, posting.body, posting.publisher) == (
        "讲座通知",
        "网页正文\n加入",
        "某财富 <ad@promo.example>",
    ) or posting.body.startswith("网页正文")
    assert posting.links == ("https://promo.example/join",)
    assert posting.images[0].url == picture.capture.url and picture.body == PNG and picture.capture.mime == "image/png"
    assert posting.published_at is not None and posting.published_at.hour == 8
    assert len(refused) == 1 and "合同.pdf" in refused[0].where


def test_who_received_it_is_kept_nowhere() -> None:
    message = letter("致 zhang.san@citizen.example", html="<p>尊敬的 Zhang.San@citizen.example：欢迎。退订 li.si@citizen.example</p>")
    found, _ = read(message)
    kept = "".join(one.body.decode("utf-8", "replace") + repr(one.capture) + repr(one.postings) for one in found).lower()
    assert "citizen.example" not in kept and RECEIVER in kept and "ad@promo.example" in kept


def test_who_passed_it_on_is_kept_nowhere() -> None:
    """A citizen forwards a letter as an attachment: the cover's sender is the one who reports."""
    cover = letter("举报", text="我收到这封信。王五 wang.wu@home.example", sender="王五 <wang.wu@home.example>", to="tip@office.example")
    cover.add_attachment(letter("高息讲座"))
    found, refused = read(cover)
    assert refused == []
    assert [one.postings[0].title for one in found] == ["举报", "高息讲座"]
    kept = "".join(one.body.decode() + repr(one.capture) + repr(one.postings) for one in found)
    assert "wang.wu" not in kept and found[0].postings[0].publisher is None
    assert found[1].postings[0].publisher == "某财富 <ad@promo.example>"


@pytest.mark.parametrize("how", ["attached", "renamed"])
def test_a_nest_of_fifty_letters_is_read_ten_deep(how: str) -> None:
    inner = letter("第0层")
    for depth in range(1, 51 if how == "attached" else 15):  # base64 in base64 grows by a third each time
        outer = letter(f"第{depth}层")
        if how == "attached":
            outer.add_attachment(inner)
        else:
            outer.add_attachment(inner.as_bytes(), maintype="application", subtype="octet-stream", filename="信.eml")
        inner = outer
    data = inner.as_bytes()
    found, refused = read(data)
    assert len(found) == DEEPEST
    assert len(refused) == 1 and "嵌套" in refused[0].reason


def test_parts_inside_parts_without_end_are_refused() -> None:
    head = b"From: a@b.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    nest = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(3000))
    found, refused = read(head + nest)
    assert found == [] and len(refused) == 1


def test_thousands_of_parts_are_cut() -> None:
    message = letter()
    message.make_mixed()
    data = message.as_bytes().replace(b"\r\n", b"\n")
    boundary = message.get_boundary() or ""
    many = b"".join(b"--" + boundary.encode() + b"\nContent-Type: image/png\n\nx\n" for _ in range(3000))
    found, refused = read(data.partition(b"\n--" + boundary.encode())[0] + b"\n" + many + b"--" + boundary.encode() + b"--\n")
    assert len(found) <= 500 and any("附件超过" in one.reason for one in refused)


@pytest.mark.parametrize(
    "head",
    [
        b"Subject: =?utf-8?b?!!!?= =?x-none?q?a?=",
        b"Subject: \xb2\xe2\xca\xd4",
        b'From: <<<@@>>> "\\',
        b"Date: Fri, 99 Xxx 99999 99:99:99 +9999",
        b'Content-Type: text/html; charset="no such"',
        b"Content-Type: multipart/mixed",
        b"Content-Transfer-Encoding: base64",
        b"To: " + b"a" * 70_000 + b"@x.example",
        b"Subject: a\x00b",
    ],
)
def test_hostile_headers_never_raise(head: bytes) -> None:
    found, refused = read(b"Received: x\r\n" + head + b"\r\nMIME-Version: 1.0\r\n\r\nbody of it, long enough\r\n")
    assert len(found) + len(refused) == 1
    for one in found:
        assert "\x00" not in one.postings[0].title


@pytest.mark.parametrize("charset", ["gb18030", "big5", "utf-8"])
def test_odd_encodings_of_text(charset: str) -> None:
    text = "這是一封測試的信件，歡迎大家來參加我們的講座。" if charset == "big5" else "这是一封测试的信件，欢迎大家来参加我们的讲座。"
    head = "From: a@b.example|Subject: x|MIME-Version: 1.0|Content-Type: text/plain; charset=iso-8859-1|Content-Transfer-Encoding: 8bit||"
    data = head.replace("|", "\r\n").encode()
    assert read(data + text.encode(charset))[0][0].postings[0].body == text


def test_a_folder_and_a_zip_of_letters(tmp_path: Path) -> None:
    (tmp_path / "in" / "2026").mkdir(parents=True)
    (tmp_path / "in" / "1.eml").write_bytes(written("一", "第一封"))
    (tmp_path / "in" / "2026" / "2.EML").write_bytes(written("二", "第二封"))
    (tmp_path / "in" / "说明.txt").write_text("不是信")
    (tmp_path / "in" / "link.eml").symlink_to("/etc/passwd")
    found, refused = pieces(Mail(), tmp_path / "in")
    assert [one.postings[0].title for one in found] == ["一", "二"]
    assert len(refused) == 1 and "符号链接" in refused[0].reason
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1.eml", written("一", "第一封"))
        archive.writestr("../../etc/2.eml", written("二", "第二封"))
    found, refused = pieces(Mail(), buffer)
    assert [one.postings[0].title for one in found] == ["一"] and "之外" in refused[0].reason
