"""The mail box of the demo city: a real SMTP server on 127.0.0.1 that keeps every message and tells the city whom it warned."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from dataclasses import asdict, dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP

from domain.clock import utc_now
from patrol.demo.serving import listen, port_of

ADDRESS = re.compile(r"^\s*网址[：:]\s*(\S+)", re.M)
NUMBER = re.compile(r"[^（(\s]+〔\d{4}〕\d+号")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message as it came in."""

    at: str
    """ISO 8601, UTC."""
    message_id: str
    number: str
    """Document number of the notice, from X-Wangxun-Notice or the subject; empty where there is none."""
    recipients: tuple[str, ...]
    subject: str
    urls: tuple[str, ...]
    """Addresses of postings that its text names in lines that begin with 网址."""
    duplicate: bool
    """Whether a message with this Message-ID had come before."""
    file: str
    """Name of the .eml in the mail box's folder; a duplicate is kept, too."""


class Warned(Protocol):
    """Who hears of warnings: the city."""

    def on_warning(self, url: str) -> object: ...


class Mailbox:
    """Keeps mails in the folder that it is started on. A restart goes on with the same port, log and count of duplicates.

    `city.on_warning` is called with every posting address of a first message, from the server's thread.
    """

    def __init__(self, city: Warned) -> None:
        self._city = city
        self._mails: list[Mail] = []
        self._lock = threading.Lock()
        self._heard = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, folder: Path) -> None:
        """Listen, keep everything in `folder`/mailbox, and return when the port is open."""
        self._folder = folder / "mailbox"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log = self._folder / "log.jsonl"
        self._mails = [Mail(**_tuples(row)) for row in _rows(self._log)]
        kept = self._folder / "port"
        self._sock = listen(int(kept.read_text()) if kept.is_file() else None)
        self.port = port_of(self._sock)
        kept.write_text(str(self.port))
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), name="demo-mailbox", daemon=True)
        self._thread.start()
        if not ready.wait(20):
            raise RuntimeError("the demo's mail box did not start")

    def stop(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            self._loop = None
            self._sock.close()

    def mails(self) -> tuple[Mail, ...]:
        """All messages, oldest first, duplicates among them."""
        with self._lock:
            return tuple(self._mails)

    def duplicates(self) -> int:
        """Messages whose Message-ID had come before."""
        return sum(mail.duplicate for mail in self.mails())

    def has(self, key: str) -> bool:
        """Whether a message came whose Message-ID carries this idempotency key."""
        return any(key in mail.message_id for mail in self.mails())

    def wait_idle(self, *, timeout_s: float, quiet_s: float = 0.3) -> bool:
        """Wait until nothing has come in for `quiet_s` seconds; False where it was never quiet."""
        deadline = time.monotonic() + timeout_s
        pause = threading.Event()
        while time.monotonic() < deadline:
            if time.monotonic() - self._heard >= quiet_s:
                return True
            pause.wait(0.05)
        return False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Called by aiosmtpd with a whole message; its answer goes to the sender."""
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        await asyncio.get_running_loop().run_in_executor(None, self.take, raw, tuple(envelope.rcpt_tos))
        return "250 2.0.0 OK"

    def take(self, raw: bytes, recipients: tuple[str, ...]) -> Mail:
        """Keep one message and pass its warnings on."""
        message = message_from_bytes(raw, policy=default)
        assert isinstance(message, EmailMessage)
        with self._lock:
            mail = self._noted(message, recipients)
            (self._folder / mail.file).write_bytes(raw)
            with self._log.open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(mail), ensure_ascii=False) + "\n")
            self._mails.append(mail)
        # A letter that takes a notice back names the same address, and warns of nothing.
        if not mail.duplicate and "撤回" not in mail.subject:
            for url in mail.urls:
                self._city.on_warning(url)
        self._heard = time.monotonic()
        return mail

    def _noted(self, message: EmailMessage, recipients: tuple[str, ...]) -> Mail:
        message_id, subject = str(message["Message-ID"] or "").strip(), str(message["Subject"] or "")
        body = message.get_body(("plain",))
        text = str(body.get_content()) if body is not None else ""
        named = NUMBER.search(subject)
        return Mail(
            at=utc_now().isoformat(),
            message_id=message_id,
            number=str(message["X-Wangxun-Notice"] or (named[0] if named else "")).strip(" （("),
            recipients=recipients,
            subject=subject,
            urls=tuple(dict.fromkeys(ADDRESS.findall(text))),
            duplicate=bool(message_id) and any(mail.message_id == message_id for mail in self._mails),
            file=f"{len(self._mails) + 1:05d}.eml",
        )

    def _serve(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        factory = lambda: SMTP(self, hostname="mail.qingtang.example", enable_SMTPUTF8=True, loop=loop)  # noqa: E731
        server = loop.run_until_complete(loop.create_server(factory, sock=self._sock))
        ready.set()
        try:
            loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


def _rows(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a log; a last one that a crash cut short is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
