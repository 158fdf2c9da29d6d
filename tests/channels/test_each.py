"""What is each channel's own."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import default as mail_policy

import httpx
import pytest

from domain.errors import Doubtful, Permanent, Transient
from domain.settings import Settings
from pipelines.channels import police
from pipelines.channels.base import retry_after
from pipelines.channels.email import EmailChannel
from pipelines.channels.folder import FolderChannel
from pipelines.channels.police import PoliceChannel
from pipelines.channels.webhook import WebhookChannel
from tests.channels.conftest import TOKEN, MailSink, WebSink

AT = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)


def email(settings: Settings, port: int) -> EmailChannel:
    return EmailChannel(settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port, "mail_from": "xuncha@office.example"}))


def police_channel(settings: Settings, url: str, token: str = TOKEN) -> PoliceChannel:
    return PoliceChannel(Settings.model_validate({**settings.model_dump(), "police_url": url, "police_token": token}))


def test_a_mail_has_a_message_id_of_its_key_and_no_forged_headers(settings: Settings, mail_sink: tuple[MailSink, int]) -> None:
    sink, port = mail_sink
    channel = email(settings, port)
    hostile = channel.examples()[1]
    receipt = channel.send(hostile)
    (mail,) = sink.mails
    assert mail["Message-ID"] == f"<{hostile.key}@office.example>" == receipt.detail["message_id"]
    assert mail["Bcc"] is None
    assert mail["To"] == hostile.address
    parts = [part for part in mail.walk() if part.get_filename()]
    assert [(part.get_filename(), part.get_payload(decode=True)) for part in parts] == [
        (item.name, item.data) for item in hostile.attachments
    ]


def test_lines_that_begin_with_a_dot_arrive_whole(settings: Settings, mail_sink: tuple[MailSink, int]) -> None:
    sink, port = mail_sink
    channel = email(settings, port)
    channel.send(replace(channel.examples()[0], text=".\n..两点\n."))
    text = next(part for part in sink.mails[0].walk() if part.get_content_type() == "text/plain")
    body = text.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().split() == [".", "..两点", "."]


def test_a_connection_cut_after_the_mail_is_doubt(settings: Settings, mail_sink: tuple[MailSink, int]) -> None:
    sink, port = mail_sink
    sink.mute = True
    channel = email(settings, port)
    with pytest.raises(Doubtful):
        channel.send(channel.examples()[0])
    assert len(sink.mails) == 1


@pytest.mark.parametrize("address", ["", "无此人", "a@b@c", "a b@example.com\r\nRCPT TO:<x@y>", "<script>@example.com>"])
def test_what_is_no_address_is_refused_before_sending(settings: Settings, mail_sink: tuple[MailSink, int], address: str) -> None:
    sink, port = mail_sink
    channel = email(settings, port)
    with pytest.raises(Permanent, match="is no address"):
        channel.send(replace(channel.examples()[0], address=address))
    assert sink.mails == []


def test_police_get_lead_letter_and_dossier_in_one_signed_body(settings: Settings, web_sink: tuple[WebSink, str]) -> None:
    sink, url = web_sink
    channel = police_channel(settings, url)
    parcel = channel.examples()[1]
    receipt = channel.send(parcel)
    assert (receipt.number, receipt.received_at) == ("公受〔2026〕1号", "2026-11-23T16:06:00+08:00")
    head = f"Content-Type: multipart/form-data; boundary=wangxun-{parcel.key}\r\n\r\n".encode()
    parts = {part.get_filename(): part for part in BytesParser(policy=mail_policy).parsebytes(head + sink.bodies[parcel.key]).iter_parts()}
    assert set(parts) == {"lead.json", "letter.pdf", "dossier.zip"}
    assert parts["dossier.zip"].get_payload(decode=True) is not None
    assert json.loads(parts["lead.json"].get_content())["key"] == parcel.key


def test_police_bodies_are_the_same_at_every_attempt(settings: Settings, web_sink: tuple[WebSink, str]) -> None:
    sink, url = web_sink
    channel = police_channel(settings, url)
    parcel = channel.examples()[0]
    channel.send(parcel)
    first = sink.bodies.pop(parcel.key)
    channel.send(replace(parcel, at=datetime(2027, 1, 1, tzinfo=UTC)))
    assert sink.bodies[parcel.key] == first


def test_police_with_another_secret_refuse(settings: Settings, web_sink: tuple[WebSink, str]) -> None:
    channel = police_channel(settings, web_sink[1], token="another")
    with pytest.raises(Permanent, match="401"):
        channel.send(channel.examples()[0])
    with pytest.raises(Permanent, match="WANGXUN_POLICE_TOKEN"):
        police_channel(settings, web_sink[1], token="").send(channel.examples()[0])


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"receipt": ""}', b'{"receipt": null}', b"\xff\xfe"])
def test_an_answer_without_a_receipt_is_no_receipt(settings: Settings, web_sink: tuple[WebSink, str], body: bytes) -> None:
    sink, url = web_sink
    sink.body = body
    channel = police_channel(settings, url)
    with pytest.raises(Transient):
        channel.send(channel.examples()[0])


def test_evidence_does_not_follow_a_redirect(settings: Settings, web_sink: tuple[WebSink, str]) -> None:
    sink, url = web_sink
    sink.answers.append((307, {"Location": url}))
    channel = police_channel(settings, url)
    with pytest.raises(Permanent, match="307"):
        channel.send(channel.examples()[0])
    assert sink.requests == []


def test_retry_after_is_read_as_seconds_and_as_a_date(settings: Settings, web_sink: tuple[WebSink, str]) -> None:
    sink, url = web_sink
    channel = police_channel(settings, url)
    parcel = replace(channel.examples()[0], at=AT)
    for said, wanted in (("90", 90.0), ("Mon, 23 Nov 2026 08:15:00 GMT", 600.0), ("soon", None), ("-5", None), ("", None)):
        sink.answers.append((429, {"Retry-After": said}))
        with pytest.raises(Transient) as caught:
            channel.send(parcel)
        assert caught.value.retry_after_s == wanted
    past = httpx.Response(503, headers={"Retry-After": "Mon, 23 Nov 2020 08:15:00 GMT"})
    assert retry_after(past, now=AT) == 0.0


def test_feedback_is_asked_by_receipt(settings: Settings, web_sink: tuple[WebSink, str]) -> None:
    sink, url = web_sink
    sink.feedback["公受〔2026〕1号"] = {"status": "filed", "text": "已立案", "at": "2026-11-25"}
    sink.feedback["公受〔2026〕2号"] = {"status": "guilty"}
    with httpx.Client() as client:
        ask = {"client": client, "url": url, "token": TOKEN, "now": AT}
        assert police.feedback(receipt="公受〔2026〕1号", **ask) == {"status": "filed", "text": "已立案", "at": "2026-11-25"}  # type: ignore[arg-type]
        with pytest.raises(Transient, match="guilty"):
            police.feedback(receipt="公受〔2026〕2号", **ask)  # type: ignore[arg-type]
        with pytest.raises(Permanent, match="404"):
            police.feedback(receipt="公受〔2026〕3号", **ask)  # type: ignore[arg-type]


def test_webhook_carries_files_with_their_hashes(settings: Settings, web_sink: tuple[WebSink, str]) -> None:
    sink, url = web_sink
    channel = WebhookChannel(Settings.model_validate({**settings.model_dump(), "webhook_url": url, "webhook_token": TOKEN}))
    parcel = channel.examples()[1]
    channel.send(parcel)
    given = json.loads(sink.bodies[parcel.key])
    for item, kept in zip(given["attachments"], parcel.attachments, strict=True):
        data = base64.b64decode(item["base64"])
        assert (item["name"], data, item["sha256"]) == (kept.name, kept.data, hashlib.sha256(data).hexdigest())
    assert given["title"] == parcel.title


def test_folder_is_whole_or_not_there(settings: Settings) -> None:
    channel = FolderChannel(settings)
    parcel = channel.examples()[1]
    receipt = channel.send(parcel)
    place = settings.dir / "outbox" / parcel.key
    note = json.loads((place / "parcel.json").read_text())
    assert (
        {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in note["files"]}
        == note["files"]
        == receipt.detail["files"]
    )
    assert sorted(path.name for path in place.iterdir()) == ["dossier.zip", "letter.pdf", "parcel.json"]
    assert sorted(path.name for path in place.parent.iterdir()) == [parcel.key]


def test_folder_refuses_names_that_lead_elsewhere(settings: Settings) -> None:
    channel = FolderChannel(settings)
    parcel = channel.examples()[0]
    for name in ("../out.pdf", "/etc/passwd", ".hidden", "信.pdf", ""):
        bad = replace(parcel, attachments=(replace(parcel.attachments[0], name=name),))
        with pytest.raises(Permanent, match="no plain file name"):
            channel.send(bad)
    assert not (settings.dir / "outbox").exists() or not any((settings.dir / "outbox").iterdir())
