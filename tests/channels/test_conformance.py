"""What every channel must do. A new one gets a bench in conftest.py and passes all of this."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from domain.errors import LeaseLost, Permanent, SettingFault, Transient
from domain.settings import Settings
from pipelines.channels.email import EmailChannel
from pipelines.channels.registry import EVERY, by_name, configured
from tests.channels.conftest import BENCHED, Bench


def test_every_channel_is_held_to_the_suite(settings: Settings) -> None:
    assert {make(settings).name for make, _ in EVERY} == BENCHED


def test_examples_arrive_and_give_a_receipt(bench: Bench) -> None:
    parcels = bench.channel.examples()
    assert len(parcels) >= 2
    receipts = [bench.channel.send(parcel).as_json() for parcel in parcels]
    assert sorted(bench.received()) == sorted(parcel.key for parcel in parcels)
    for receipt in receipts:
        assert json.loads(json.dumps(receipt)) == receipt
        assert any(receipt.values())


def test_an_unreachable_receiver_is_tried_again(bench: Bench) -> None:
    with pytest.raises(Transient):
        bench.unreachable.send(bench.channel.examples()[0])


@pytest.mark.parametrize("bench", ["email", "webhook", "police"], indirect=True)  # a folder refuses nobody
def test_a_busy_receiver_is_tried_again_and_a_refusal_is_final(bench: Bench) -> None:
    parcel = bench.channel.examples()[0]
    bench.refuse(forever=False)
    with pytest.raises(Transient):
        bench.channel.send(parcel)
    bench.refuse(forever=True)
    with pytest.raises(Permanent):
        bench.channel.send(parcel)
    assert bench.received() == []
    bench.channel.send(parcel)
    assert bench.received() == [parcel.key]


def test_a_second_copy_is_known_by_its_key_or_announced(bench: Bench) -> None:
    """An idempotent channel's receiver holds one copy; any other channel says `hand_over` before the receiver can take it."""
    seen: list[list[str]] = []
    parcel = replace(bench.channel.examples()[0], hand_over=lambda: seen.append(bench.received()))
    first = bench.channel.send(parcel)
    if bench.channel.idempotent:
        assert bench.channel.send(parcel).number == first.number
        assert bench.received() == [parcel.key]
    else:
        assert seen == [[]]


def test_a_lost_lease_lets_nothing_arrive(bench: Bench) -> None:
    def lost() -> None:
        raise LeaseLost("delivery:1: the lease went to somebody else")

    if bench.channel.idempotent:  # it need not ask: a copy that another worker sends too does no harm
        bench.channel.send(replace(bench.channel.examples()[0], hand_over=lost))
        assert bench.received() == [bench.channel.examples()[0].key]
        return
    with pytest.raises(LeaseLost):
        bench.channel.send(replace(bench.channel.examples()[0], hand_over=lost))
    bench.channel.send(bench.channel.examples()[1])
    assert bench.received() == [bench.channel.examples()[1].key]


def test_two_channels_of_one_name_are_refused(settings: Settings) -> None:
    with pytest.raises(SettingFault, match="email stands twice"):
        by_name([EmailChannel(settings), EmailChannel(settings)])


def test_settings_switch_channels_on(settings: Settings) -> None:
    assert set(configured(settings)) == {"folder"}
    more = {"smtp_host": "127.0.0.1", "police_url": "http://127.0.0.1:9/", "webhook_url": "http://127.0.0.1:9/"}
    assert set(configured(Settings.model_validate({**settings.model_dump(), **more}))) == {"email", "webhook", "folder", "police"}
