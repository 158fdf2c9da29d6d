"""The police desk of the demo city: a real HTTP receiver that checks signatures, gives receipts and, later, feedback.

POST / (multipart: `lead` or `parcel` as JSON, `dossier.zip` or `dossier` as zip), with Idempotency-Key and X-Wangxun-Signature
(HMAC-SHA256 of the body in hex, with or without `sha256=`) -> {"receipt", "received_at"}. GET /{receipt} or /{number of the
lead} -> {"status", "text", "at"}.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.clock import utc_now
from patrol.demo.serving import Served, listen, port_of

TEXTS = {
    "verifying": "已受理，正在核查",
    "filed": "经审查，涉嫌犯罪，决定立案侦查",
    "returned": "经审查，现有材料不足以立案，退回行政机关依法处理",
    "elsewhere": "涉案主体在外地，已转有管辖权的公安机关",
}
ENDS = ("filed", "returned", "filed", "elsewhere", "filed")
"""How leads end, in turn."""


class Police:
    """Keeps its log and the dossiers in the folder that it is started on; a restart goes on with the same port, receipts and counts.

    A lead is `verifying` until it was asked about `polls` times or `after_s` seconds have passed; then it stays with its end.
    """

    def __init__(self, *, token: str, after_s: float = 90.0, polls: int = 2, now: Callable[[], datetime] = utc_now) -> None:
        self._token, self._after_s, self._polls, self._now = token.encode(), after_s, polls, now
        self._lock = threading.Lock()
        self._leads: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, int] = {}
        self._duplicates = self._refused = 0
        self._served: Served | None = None

    def start(self, folder: Path) -> None:
        """Listen, keep everything in `folder`/police, and return when it answers."""
        self._folder = folder / "police"
        (self._folder / "dossiers").mkdir(parents=True, exist_ok=True)
        self._log = self._folder / "log.jsonl"
        self._read_log()
        kept = self._folder / "port"
        sock = listen(int(kept.read_text()) if kept.is_file() else None)
        self.port = port_of(sock)
        kept.write_text(str(self.port))
        app = Starlette(routes=[Route("/", self._receive, methods=["POST"]), Route("/{number:path}", self._feedback)])
        self._served = Served(app, [sock], name="demo-police")
        self._served.start()

    def stop(self) -> None:
        if self._served is not None:
            self._served.stop()
            self._served = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def leads(self) -> tuple[dict[str, Any], ...]:
        """Every lead received, oldest first: receipt, key, number, received_at, sha256 of its dossier."""
        with self._lock:
            return tuple(self._leads.values())

    def duplicates(self) -> int:
        """Deliveries of a lead that had a receipt already. Harmless: the receiver gave the same receipt again."""
        return self._duplicates

    def refused(self) -> int:
        """Deliveries without a good signature, key or form."""
        return self._refused

    def _read_log(self) -> None:
        self._leads, self._asked, self._duplicates, self._refused = {}, {}, 0, 0
        for line in self._log.read_text(encoding="utf-8").splitlines() if self._log.is_file() else ():
            try:
                self._apply(json.loads(line))
            except ValueError:  # cut short by a crash: its sender never had an answer and sends again
                continue

    async def _receive(self, request: Request) -> Response:
        body, key = await request.body(), request.headers.get("idempotency-key", "")
        if not self._signed(body, request.headers.get("x-wangxun-signature", "")):
            return self._refuse(401, "签名不符")
        if not key:
            return self._refuse(400, "缺少 Idempotency-Key")
        form = await request.form()
        lead, dossier = form.get("lead") or form.get("parcel"), form.get("dossier.zip") or form.get("dossier")
        try:
            fields = json.loads(await lead.read() if isinstance(lead, UploadFile) else str(lead or ""))
        except ValueError:
            return self._refuse(422, "线索内容不是 JSON")
        if not isinstance(fields, dict):
            return self._refuse(422, "线索内容不是 JSON 对象")
        data = await dossier.read() if isinstance(dossier, UploadFile) else b""
        return JSONResponse(await run_in_threadpool(self._take, key, fields, data))

    def _take(self, key: str, fields: dict[str, Any], dossier: bytes) -> dict[str, str]:
        with self._lock:
            known = self._leads.get(key)
            if known is not None:
                self._write({"event": "duplicate", "key": key, "at": self._now().isoformat()})
                return {"receipt": known["receipt"], "received_at": known["received_at"]}
            now = self._now()
            receipt = f"QTGA-{now:%Y%m%d}-{len(self._leads) + 1:04d}"
            if dossier:
                (self._folder / "dossiers" / f"{receipt}.zip").write_bytes(dossier)
            lead = {"receipt": receipt, "number": str(fields.get("number", "")), "sha256": hashlib.sha256(dossier).hexdigest()}
            self._write({"event": "lead", "key": key, "received_at": now.isoformat(), **lead})
            return {"receipt": receipt, "received_at": now.isoformat()}

    async def _feedback(self, request: Request) -> Response:
        number = unquote(request.path_params["number"])
        with self._lock:
            known = list(self._leads.values())
            place = next((place for place, lead in enumerate(known) if number in (lead["receipt"], lead["number"])), None)
            if place is None:
                return JSONResponse({"error": f"没有编号为 {number} 的线索"}, status_code=404)
            lead = known[place]
            self._write({"event": "asked", "key": lead["key"], "at": self._now().isoformat()})
            waited_s = (self._now() - datetime.fromisoformat(lead["received_at"])).total_seconds()
            done = self._asked[lead["key"]] >= self._polls or waited_s >= self._after_s
            status = ENDS[place % len(ENDS)] if done else "verifying"
            return JSONResponse({"status": status, "text": TEXTS[status], "at": self._now().isoformat()})

    def _signed(self, body: bytes, given: str) -> bool:
        wanted = hmac.new(self._token, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), given.removeprefix("sha256=").strip().encode())

    def _refuse(self, status: int, why: str) -> Response:
        with self._lock:
            self._write({"event": "refused", "status": status, "why": why, "at": self._now().isoformat()})
        return JSONResponse({"error": why}, status_code=status)

    def _write(self, row: dict[str, Any]) -> None:
        """On disk before the answer leaves: a receipt that was given is never forgotten."""
        with self._log.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())
        self._apply(row)

    def _apply(self, row: dict[str, Any]) -> None:
        event = row["event"]
        if event == "lead":
            self._leads[row["key"]] = {key: value for key, value in row.items() if key != "event"}
        elif event == "asked":
            self._asked[row["key"]] = self._asked.get(row["key"], 0) + 1
        elif event == "duplicate":
            self._duplicates += 1
        elif event == "refused":
            self._refused += 1
