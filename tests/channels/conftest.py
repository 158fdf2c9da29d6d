"""Real receivers on this machine: an SMTP sink and an HTTP receiver that knows keys, each able to fail on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from domain.settings import Settings
from pipelines.channels.base import Channel, signature
from pipelines.channels.email import EmailChannel
from pipelines.channels.folder import FolderChannel
from pipelines.channels.police import PoliceChannel
from pipelines.channels.webhook import WebhookChannel

TOKEN = "共享密钥"


class MailSink:
    """Keeps every mail that it answered with 250. `refusals` are answers for the next mails, `mute` drops the connection instead."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refusals: list[str] = []
        self.mute = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content))
        if self.mute:
            assert server.transport is not None
            server.transport.abort()
        return "250 taken"

    def keys(self) -> list[str]:
        return [str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in self.mails]


class WebSink:
    """Keeps every signed POST once a key, and answers with a receipt. `answers` are (status, headers) for the next requests."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.body: bytes | None = None
        """Said instead of a receipt."""
        self.feedback: dict[str, Any] = {}

    def take(self, key: str, body: bytes) -> bytes:
        self.requests.append(key)
        self.bodies.setdefault(key, body)
        number = f"公受〔2026〕{list(self.bodies).index(key) + 1}号"
        return self.body if self.body is not None else json.dumps({"receipt": number, "received_at": "2026-11-23T16:06:00+08:00"}).encode()


def _handler(sink: WebSink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if sink.answers:
                status, headers = sink.answers.pop(0)
                self._say(status, b"", headers)
            elif self.headers["X-Wangxun-Signature"] != signature(TOKEN, body):
                self._say(401, b"", {})
            else:
                self._say(200, sink.take(self.headers["Idempotency-Key"], body), {})

        def do_GET(self) -> None:
            from urllib.parse import unquote

            number = unquote(self.path.rpartition("/")[2])
            if self.headers["X-Wangxun-Signature"] != signature(TOKEN, number.encode()):
                self._say(401, b"", {})
            elif number in sink.feedback:
                self._say(200, json.dumps(sink.feedback[number]).encode(), {})
            else:
                self._say(404, b"", {})

        def _say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


class OnFreePort(Controller):
    """aiosmtpd's controller on a port that the system chose."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mail_sink() -> Iterator[tuple[MailSink, int]]:
    sink = MailSink()
    controller = OnFreePort(sink, hostname="127.0.0.1", port=0)
    controller.start()
    yield sink, controller.port
    controller.stop()


@pytest.fixture
def web_sink() -> Iterator[tuple[WebSink, str]]:
    sink = WebSink()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(sink))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield sink, f"http://127.0.0.1:{server.server_port}/receive"
    server.shutdown()
    server.server_close()


class Bench(Protocol):
    """One channel with its receiver: what the conformance suite needs to know of it."""

    channel: Channel
    unreachable: Channel

    def received(self) -> list[str]:
        """Keys of the parcels that the receiver holds, one a copy."""

    def refuse(self, *, forever: bool) -> None:
        """Let the receiver refuse the next parcel."""


class MailBench:
    def __init__(self, sink: MailSink, port: int, settings: Settings) -> None:
        self.sink = sink
        self.channel = EmailChannel(settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port}))
        self.unreachable = EmailChannel(settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": 1}))

    def received(self) -> list[str]:
        return self.sink.keys()

    def refuse(self, *, forever: bool) -> None:
        self.sink.refusals.append("550 no such mailbox" if forever else "451 try again later")


class WebBench:
    def __init__(self, sink: WebSink, make: Callable[[str], Channel], url: str) -> None:
        self.sink, self.channel, self.unreachable = sink, make(url), make("http://127.0.0.1:1/receive")

    def received(self) -> list[str]:
        return list(self.sink.bodies)

    def refuse(self, *, forever: bool) -> None:
        self.sink.answers.append((403, {}) if forever else (503, {"Retry-After": "120"}))


class FolderBench:
    def __init__(self, settings: Settings) -> None:
        self.folder = settings.dir / "outbox"
        self.channel = FolderChannel(settings)
        blocked = settings.dir / "a-file"
        blocked.write_text("")
        self.unreachable = FolderChannel(settings.model_copy(update={"outbox_dir": blocked / "below"}))

    def received(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []

    def refuse(self, *, forever: bool) -> None:
        raise AssertionError("a folder refuses nobody")


@pytest.fixture(params=["email", "webhook", "folder", "police"])
def bench(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Bench:
    """Every channel in turn. A channel that is missing here fails test_every_channel_is_held_to_the_suite."""
    if request.param == "email":
        return MailBench(*request.getfixturevalue("mail_sink"), settings)
    if request.param == "folder":
        return FolderBench(settings)
    sink, url = request.getfixturevalue("web_sink")
    kind = {"webhook": WebhookChannel, "police": PoliceChannel}[request.param]
    name = request.param

    def make(address: str) -> Channel:
        return kind(Settings.model_validate({**settings.model_dump(), f"{name}_url": address, f"{name}_token": TOKEN}))  # type: ignore[no-any-return]

    return WebBench(sink, make, url)


BENCHED = frozenset(("email", "webhook", "folder", "police"))
