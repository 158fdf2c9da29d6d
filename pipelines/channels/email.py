"""E-mail over SMTP: the one channel whose receiver cannot tell two copies apart.

The Message-ID is made from the parcel's key, so that a mail server or a person can find a copy by it. Source: RFC 5321 (4.2.5, 4.5.3.2:
a client must not conclude from a lost connection that the message was, or was not, accepted), RFC 5322.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NoReturn

from domain.errors import Doubtful, Permanent, Transient
from domain.settings import Settings
from pipelines.channels.base import TIMEOUT_S, Parcel, Receipt, example_parcels
from pipelines.letters.letter import plain


class EmailChannel:
    """Notices as mails with the letter attached."""

    name = "email"
    idempotent = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, parcel: Parcel) -> Receipt:
        message = self.message(parcel)
        client = self._connect()
        try:
            return self._transact(client, parcel, message)
        finally:
            client.close()

    def message(self, parcel: Parcel) -> EmailMessage:
        """The mail. Raises Permanent for an address that is none."""
        message = EmailMessage(policy=SMTP)
        message["From"] = _address(self._settings.mail_from)
        message["To"] = _address(parcel.address)
        message["Subject"] = plain(f"{parcel.title}（{parcel.number}）")
        message["Date"] = format_datetime(parcel.at)
        message["Message-ID"] = self.message_id(parcel.key)
        message["Auto-Submitted"] = "no"
        message.set_content("\n".join(plain(line) for line in parcel.text.splitlines()) or " ", charset="utf-8", cte="base64")
        for item in parcel.attachments:
            main, _, sub = item.mime.partition("/")
            message.add_attachment(item.data, maintype=main, subtype=sub, filename=item.name)
        return message

    def message_id(self, key: str) -> str:
        return f"<{key}@{self._settings.mail_from.rpartition('@')[2] or 'localhost'}>"

    def examples(self) -> Sequence[Parcel]:
        return example_parcels(address="publisher@example.com")

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        where = f"smtp://{settings.smtp_host}:{settings.smtp_port}"
        try:
            if settings.smtp_tls == "tls":
                client: smtplib.SMTP = smtplib.SMTP_SSL(
                    settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S, context=ssl.create_default_context()
                )
            else:
                client = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S)
                if settings.smtp_tls == "starttls":
                    client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
            if settings.smtp_user:
                client.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        except smtplib.SMTPAuthenticationError as error:
            raise Permanent(f"{where}: refuses the account ({error.smtp_code}); mend smtp_user and smtp_password") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"{where}: {type(error).__name__}: {error}; it will be tried again") from error
        return client

    def _transact(self, client: smtplib.SMTP, parcel: Parcel, message: EmailMessage) -> Receipt:
        """MAIL, RCPT, DATA: up to the 354 nothing can have been taken; after it only the server's answer tells."""
        data = message.as_bytes()
        try:
            _expect(client.mail(message["From"].addresses[0].addr_spec), "MAIL FROM")
            _expect(client.rcpt(message["To"].addresses[0].addr_spec), "RCPT TO")
            _expect(client.docmd("DATA"), "DATA", good=354)
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"smtp: {type(error).__name__}: {error}; it will be tried again") from error
        parcel.hand_over()  # a LeaseLost here closes the connection without the final dot: the server drops what it has
        try:
            client.send(_dotted(data))
            code, answer = client.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise Doubtful(f"smtp: the connection ended before the server's answer ({type(error).__name__}); ask the receiver") from error
        _expect((code, answer), "the message")
        with suppress(smtplib.SMTPException, OSError):  # the mail is taken; how the talk ends does not matter
            client.quit()
        said = answer.decode("utf-8", "replace")[:500]
        return Receipt(number=None, received_at=None, detail={"message_id": str(message["Message-ID"]), "answer": f"{code} {said}"})


def _expect(reply: tuple[int, bytes], step: str, *, good: int = 250) -> None:
    code, answer = reply
    if code != good and not (good == 250 and code in (251, 252)):
        _refused(code, f"smtp: {step}: {code} {answer.decode('utf-8', 'replace')[:300]}")


def _refused(code: int, message: str) -> NoReturn:
    if 500 <= code < 600:
        raise Permanent(f"{message}; check the address")
    raise Transient(f"{message}; it will be tried again")


def _dotted(data: bytes) -> bytes:
    """Dot-stuffed, with the end mark. `data` has CRLF line ends by its policy."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _address(text: str) -> Address:
    try:
        return Address(addr_spec=text.strip())
    except Exception as error:  # the parser raises many kinds, IndexError among them
        raise Permanent(f"email: {text[:100]!r} is no address; give the publisher's public one") from error
