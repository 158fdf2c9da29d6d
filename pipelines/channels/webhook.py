"""A signed JSON POST to an address of the office: for platforms and systems that take notices by program.

Body: {"key", "subject", "number", "addressee", "title", "text", "fields", "attachments": [{"name", "mime", "sha256", "base64"}]}.
Headers: Idempotency-Key (the parcel's key; a receiver that knows it answers 2xx again) and X-Wangxun-Signature
(`sha256=` + HMAC-SHA256 of the body with webhook_token). An answer may be JSON with `receipt` and `received_at`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import httpx

from domain.errors import Permanent
from domain.identity import sha256
from domain.settings import Settings
from pipelines.channels.base import TIMEOUT_S, Parcel, Receipt, example_parcels, exchange, signature


class WebhookChannel:
    name = "webhook"
    idempotent = True

    def __init__(self, settings: Settings) -> None:
        self._url = str(settings.webhook_url or "")
        self._token = settings.webhook_token.get_secret_value()

    def send(self, parcel: Parcel) -> Receipt:
        if not self._token:
            raise Permanent("webhook: no secret to sign with; set WANGXUN_WEBHOOK_TOKEN")
        body = json.dumps(_document(parcel), ensure_ascii=True, sort_keys=True).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": parcel.key, "X-Wangxun-Signature": signature(self._token, body)}
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            answer = exchange(client, client.build_request("POST", self._url, content=body, headers=headers), now=parcel.at)
        given = _json(answer)
        number, moment = given.get("receipt"), given.get("received_at")
        return Receipt(
            number=str(number)[:200] if number else None,
            received_at=str(moment)[:64] if moment else None,
            detail={"status": answer.status_code},
        )

    def examples(self) -> Sequence[Parcel]:
        return example_parcels(address=self._url)


def _document(parcel: Parcel) -> dict[str, Any]:
    files = [
        {"name": item.name, "mime": item.mime, "sha256": sha256(item.data), "base64": base64.b64encode(item.data).decode()}
        for item in parcel.attachments
    ]
    words = {name: getattr(parcel, name) for name in ("key", "subject", "number", "addressee", "title", "text", "fields")}
    return {**words, "attachments": files}


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        given = answer.json()
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}
