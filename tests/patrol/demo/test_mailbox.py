"""The mail box takes real SMTP, tells the city, counts copies, and remembers after a restart."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from patrol.demo.city import City
from patrol.demo.mailbox import Mailbox
from patrol.demo.postings import Post
from tests.patrol.demo.conftest import HandClock


def notice(*urls: str, key: str = "k1") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "wangxun@example.org", "jubao@forum.qingtang.example"
    message["Subject"], message["Message-ID"] = "预警提示函（网巡示例预〔2026〕12号）", f"<{key}@example.org>"
    lines = "\n".join(f"网址：{url}" for url in urls)
    message.set_content(f"贵站下列内容涉嫌违规发布集资广告：\n{lines}\n请核实处理。", charset="utf-8", cte="base64")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="提示函.pdf")
    return message


def send(mailbox: Mailbox, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.port, timeout=20) as client:
        client.send_message(message)


def first(city: City, posts: tuple[Post, ...], behaviour: str) -> str:
    return next(item.url for item in city.snapshot() if item.truth == "promo" and city.life.posts[item.id].behaviour == behaviour)


def test_notice_reaches_the_publisher(city: City, clock: HandClock, mailbox: Mailbox, posts: tuple[Post, ...]) -> None:
    url = first(city, posts, "takes_down_on_warning")
    send(mailbox, notice(url))
    clock.at_s += 10
    assert url not in {item.url for item in city.snapshot()}
    (mail,) = mailbox.mails()
    assert mail.urls == (url,) and mail.number == "网巡示例预〔2026〕12号"
    assert mail.recipients == ("jubao@forum.qingtang.example",)
    assert mailbox.has("k1") and not mailbox.has("k2")
    assert mailbox.wait_idle(timeout_s=5, quiet_s=0)


def test_withdrawal_warns_of_nothing(city: City, clock: HandClock, mailbox: Mailbox, posts: tuple[Post, ...]) -> None:
    url = first(city, posts, "takes_down_on_warning")
    message = notice(url)
    message.replace_header("Subject", "预警提示函撤回告知函（网巡示例预〔2026〕12号（撤回））")
    send(mailbox, message)
    clock.at_s += 10
    assert len(mailbox.mails()) == 1
    assert url in {item.url for item in city.snapshot()}


def test_copies_are_counted_by_message_id(city: City, mailbox: Mailbox, posts: tuple[Post, ...]) -> None:
    url = first(city, posts, "ignores")
    for key in ("k1", "k2", "k1"):
        send(mailbox, notice(url, key=key))
    assert [mail.duplicate for mail in mailbox.mails()] == [False, False, True]
    assert mailbox.duplicates() == 1


def test_restart_remembers_port_and_mails(city: City, mailbox: Mailbox, tmp_path: Path, posts: tuple[Post, ...]) -> None:
    send(mailbox, notice(first(city, posts, "ignores")))
    port, mails = mailbox.port, mailbox.mails()
    mailbox.stop()
    with (tmp_path / "mailbox" / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"at": "cut short by a cr')
    again = Mailbox(city)
    again.start(tmp_path)
    try:
        assert again.port == port and again.mails() == mails
        send(again, notice(first(city, posts, "ignores")))
        assert again.duplicates() == 1
    finally:
        again.stop()
