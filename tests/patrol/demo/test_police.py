"""The police desk: signatures, receipts, one receipt a key, feedback that comes in time, and a log that outlives it."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import httpx
import pytest

from patrol.demo.police import Police
from tests.patrol.demo.conftest import TOKEN


def post(client: httpx.Client, police: Police, *, key: str, token: str = TOKEN, number: str = "网巡示例线〔2026〕1号") -> httpx.Response:
    lead = json.dumps({"number": number}).encode()
    files = {"parcel": ("parcel.json", lead, "application/json"), "dossier": ("d.zip", b"PK\x05\x06", "application/zip")}
    request = client.build_request("POST", police.url, files=files, headers={"Idempotency-Key": key} if key else {})
    request.headers["X-Wangxun-Signature"] = hmac.new(token.encode(), request.read(), hashlib.sha256).hexdigest()
    return client.send(request)


def test_lead_gets_a_receipt_and_its_dossier_is_kept(client: httpx.Client, police: Police, tmp_path: Path) -> None:
    given = post(client, police, key="a").json()
    assert given["receipt"].startswith("QTGA-") and given["received_at"]
    assert (tmp_path / "police" / "dossiers" / f"{given['receipt']}.zip").read_bytes() == b"PK\x05\x06"
    assert police.leads()[0]["sha256"] == hashlib.sha256(b"PK\x05\x06").hexdigest()


def test_same_key_gets_the_same_receipt(client: httpx.Client, police: Police) -> None:
    assert post(client, police, key="a").json() == post(client, police, key="a").json()
    assert post(client, police, key="b").json() != post(client, police, key="a").json()
    assert len(police.leads()) == 2 and police.duplicates() == 2


def test_bad_signature_and_missing_key_are_refused(client: httpx.Client, police: Police) -> None:
    assert post(client, police, key="a", token="another").status_code == 401
    assert post(client, police, key="").status_code == 400
    assert police.leads() == () and police.refused() == 2


def test_body_that_is_no_form_is_refused(client: httpx.Client, police: Police) -> None:
    sign = hmac.new(TOKEN.encode(), b"{}", hashlib.sha256).hexdigest()
    answer = client.post(police.url, content=b"{}", headers={"Idempotency-Key": "a", "X-Wangxun-Signature": sign})
    assert answer.status_code == 422


def test_feedback_progresses_with_the_asking_and_then_stays(client: httpx.Client, police: Police) -> None:
    receipt = post(client, police, key="a").json()["receipt"]
    answers = [client.get(police.url + receipt).json()["status"] for _ in range(3)]
    assert answers == ["verifying", "filed", "filed"]
    assert client.get(police.url + "网巡示例线〔2026〕1号").json()["status"] == "filed"
    assert client.get(police.url + "no-such-receipt").status_code == 404


def test_leads_end_in_different_ways(client: httpx.Client, police: Police) -> None:
    ends = set()
    for key in "abcde":
        receipt = post(client, police, key=key).json()["receipt"]
        client.get(police.url + receipt)
        ends.add(client.get(police.url + receipt).json()["status"])
    assert ends == {"filed", "returned", "elsewhere"}


@pytest.mark.parametrize("cut", [False, True])
def test_restart_remembers_receipts_counts_and_progress(client: httpx.Client, police: Police, tmp_path: Path, cut: bool) -> None:
    given = post(client, police, key="a").json()
    post(client, police, key="a")
    client.get(police.url + given["receipt"])
    url = police.url
    police.stop()
    if cut:
        with (tmp_path / "police" / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write('{"event": "lead", "key": "b", "rece')
    again = Police(token=TOKEN)
    again.start(tmp_path)
    try:
        assert again.url == url and again.duplicates() == 1
        assert post(client, again, key="a").json() == given
        assert client.get(again.url + given["receipt"]).json()["status"] == "filed"
    finally:
        again.stop()
