"""The police receiver: a lead with its letter and its dossier in one signed POST, answered by a receipt (回执).

POST police_url, multipart/form-data with the parts `lead` (application/json), `letter.pdf`, `letter.docx`, `dossier.zip`.
Headers: Idempotency-Key (the lead's key: a receiver that knows it answers with the receipt it gave), X-Wangxun-Signature
(`sha256=` + HMAC-SHA256 of the whole body with police_token). The answer is 2xx, or 409 for a known key, with JSON
{"receipt": number, "received_at": ISO 8601}.

GET police_url/{receipt} with X-Wangxun-Signature over the receipt number gives the feedback:
{"status": "verifying" | "filed" | "returned" | "elsewhere", "text": ..., "at": ISO 8601}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from domain.errors import Permanent, Transient
from domain.settings import Settings
from pipelines.channels.base import TIMEOUT_S, Parcel, Receipt, example_parcels, exchange, signature

STATUSES = ("verifying", "filed", "returned", "elsewhere")
"""核查中, 立案, 不予立案, 转外地."""


class PoliceChannel:
    name = "police"
    idempotent = True

    def __init__(self, settings: Settings) -> None:
        self._url = str(settings.police_url or "")
        self._token = settings.police_token.get_secret_value()

    def send(self, parcel: Parcel) -> Receipt:
        if not self._token:
            raise Permanent("police: no secret to sign with; set WANGXUN_POLICE_TOKEN")
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            answer = exchange(client, _request(client, self._url, parcel, token=self._token), now=parcel.at, also=(409,))
        return _receipt(answer)

    def examples(self) -> Sequence[Parcel]:
        return example_parcels(address=self._url, subject="lead")


def feedback(client: httpx.Client, *, url: str, receipt: str, token: str, now: datetime) -> dict[str, Any]:
    """What the receiver says became of a lead: {"status", "text", "at"} as it wrote them, `status` checked.

    Raises Transient and Permanent as a channel does; an answer that is not of this form is Transient.
    """
    request = client.build_request(
        "GET", f"{url.rstrip('/')}/{quote(receipt, safe='')}", headers={"X-Wangxun-Signature": signature(token, receipt.encode())}
    )
    given = _object(exchange(client, request, now=now))
    if given.get("status") not in STATUSES:
        raise Transient(f"police: feedback with status {str(given.get('status'))[:80]!r}; it should be one of {', '.join(STATUSES)}")
    return {"status": str(given["status"]), "text": str(given.get("text") or "")[:4000], "at": str(given.get("at") or "")[:64]}


def _request(client: httpx.Client, url: str, parcel: Parcel, *, token: str) -> httpx.Request:
    """The same parcel gives the same bytes at every attempt: the boundary is made of its key."""
    lead = {"key": parcel.key, "number": parcel.number, "addressee": parcel.addressee, "title": parcel.title, **parcel.fields}
    files: list[tuple[str, tuple[str, bytes, str]]] = [
        ("lead", ("lead.json", json.dumps(lead, ensure_ascii=True, sort_keys=True).encode(), "application/json"))
    ]
    files += [(item.name, (item.name, item.data, item.mime)) for item in parcel.attachments]
    headers = {"Content-Type": f"multipart/form-data; boundary=wangxun-{parcel.key}", "Idempotency-Key": parcel.key}
    request = client.build_request("POST", url, files=files, headers=headers)
    request.headers["X-Wangxun-Signature"] = signature(token, request.read())
    return request


def _receipt(answer: httpx.Response) -> Receipt:
    given = _object(answer)
    number = str(given.get("receipt") or "").strip()
    if not number:
        raise Transient(f"police: answered {answer.status_code} without a receipt number; it will be asked again")
    moment = given.get("received_at")
    return Receipt(number=number[:200], received_at=str(moment)[:64] if moment else None, detail={"status": answer.status_code})


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        given = answer.json()
    except ValueError as error:
        raise Transient(f"police: answered {answer.status_code} with what is no JSON; it will be asked again") from error
    if not isinstance(given, dict):
        raise Transient(f"police: answered {answer.status_code} with JSON that is no object; it will be asked again")
    return given
