"""Warnings: drafted by one, signed by another, answerable, withdrawable."""

from __future__ import annotations

import json

import pytest

from domain.errors import IllegalMove, LeaseLost, LetterFault, NotPermitted, StoreFault
from pipelines import warn
from pipelines.channels.folder import FolderChannel
from pipelines.dispatch import dispatch_due
from store import attempts, tables
from store.archive import Archive
from tests.pipelines.conftest import House


def send(house: House) -> None:
    dispatch_due(house.store, {"folder": FolderChannel(house.store.settings)}, now=house.now, worker="w", limit=20)


def deliveries(house: House) -> list[tuple[str, str]]:
    with house.store.read() as conn:
        return [(row.subject, row.state) for row in conn.execute(tables.deliveries.select().order_by(tables.deliveries.c.id))]


def test_only_a_confirmed_hit_is_warned_about(house: House) -> None:
    with pytest.raises(StoreFault, match="is open; only a confirmed"):
        warn.draft(house.store, house.hit(), officer="wang", now=house.now)


def test_without_an_address_a_mail_is_not_drafted(house: House) -> None:
    hit = house.confirmed(address=None)  # type: ignore[arg-type]
    with pytest.raises(StoreFault, match="no address of the publisher"):
        warn.draft(house.store, hit, officer="wang", now=house.now)
    assert warn.draft(house.store, hit, officer="wang", channel="folder", now=house.now)


def test_one_notice_about_a_hit_at_a_time(house: House) -> None:
    hit = house.confirmed()
    first = warn.draft(house.store, hit, officer="wang", now=house.now)
    with pytest.raises(StoreFault, match=f"notice:{first} about it is in force"):
        warn.draft(house.store, hit, officer="li", now=house.now)
    warn.withdraw(house.store, first, officer="wang", reason="改用平台接口", now=house.now)
    assert warn.draft(house.store, hit, officer="li", now=house.now) != first


@pytest.mark.parametrize(
    ("drafter", "signer"), [("wang", "li"), ("zhao", "zhao"), ("wang", "qian"), ("wang", "nobody"), ("wang", "machine:dispatch")]
)
def test_signing_takes_another_person_with_the_role(house: House, drafter: str, signer: str) -> None:
    notice = warn.draft(house.store, house.confirmed(), officer=drafter, now=house.now)
    with pytest.raises(NotPermitted):
        warn.approve(house.store, notice, officer=signer, now=house.now)
    assert house.state("notices", notice) == "draft"
    assert deliveries(house) == []


def test_signing_queues_and_numbers_without_gaps(house: House) -> None:
    first = house.queued_notice()
    second = house.queued_notice(url="https://forum.example/thread-2", text="第二条，保本保息，年化收益20%")
    assert [house.row("notices", one).number for one in (first, second)] == ["网巡示例预〔2026〕1号", "网巡示例预〔2026〕2号"]  # type: ignore[attr-defined]
    assert deliveries(house) == [("notice", "due"), ("notice", "due")]
    with pytest.raises(IllegalMove):
        warn.approve(house.store, first, officer="zhao", now=house.now)


def test_a_letter_that_cannot_be_printed_leaves_a_draft_that_keeps_its_number(house: House) -> None:
    own = house.store.settings.dir / "letters"
    own.mkdir()
    (own / "notice.docx").write_bytes(b"no zip")
    notice = warn.draft(house.store, house.confirmed(), officer="wang", now=house.now)
    with pytest.raises(LetterFault):
        warn.approve(house.store, notice, officer="zhao", now=house.now)
    assert house.state("notices", notice) == "draft"
    (own / "notice.docx").unlink()
    warn.approve(house.store, notice, officer="zhao", now=house.now)
    assert house.row("notices", notice).number == "网巡示例预〔2026〕1号"  # type: ignore[attr-defined]


def test_a_preview_is_what_will_be_signed(house: House) -> None:
    notice = warn.draft(house.store, house.confirmed(), officer="wang", now=house.now)
    letter = warn.preview(house.store, notice, now=house.now)
    assert letter.addressee == "“稳盈财富”账号运营者"
    assert "（待编号）" in letter.number


def test_the_words_of_a_signed_notice_are_kept_as_they_were_signed(house: House) -> None:
    notice = warn.draft(house.store, house.confirmed(), officer="wang", now=house.now)
    read = warn.preview(house.store, notice, now=house.now).as_json()
    warn.approve(house.store, notice, officer="sun", now=house.now)
    kept = house.row("notices", notice).body["letter"]  # type: ignore[attr-defined]
    assert kept["number"] == "网巡示例预〔2026〕1号"
    same = set(read) - {"number", "signer"}
    assert {name: kept[name] for name in same} == json.loads(json.dumps({name: read[name] for name in same}))


def test_an_unsent_notice_is_withdrawn_without_a_word(house: House) -> None:
    notice = house.queued_notice(channel="folder")
    warn.withdraw(house.store, notice, officer="sun", reason="主体有误", now=house.now)
    assert deliveries(house) == [("notice", "cancelled")]
    send(house)
    assert not (house.store.settings.dir / "outbox").exists()


def test_who_was_warned_is_told_of_the_withdrawal(house: House) -> None:
    notice = house.queued_notice(channel="folder")
    send(house)
    with pytest.raises(NotPermitted):
        warn.withdraw(house.store, notice, officer="wang", reason="异议成立", now=house.now)
    warn.withdraw(house.store, notice, officer="sun", reason="异议成立", now=house.now)
    send(house)
    assert house.state("notices", notice) == "withdrawn"
    assert deliveries(house) == [("notice", "delivered"), ("withdrawal", "delivered")]
    letter = house.row("notices", notice).body["withdrawal"]["pdf"]  # type: ignore[attr-defined]
    assert Archive(house.store.settings.archive_dir).read_blob(letter).startswith(b"%PDF")


def test_a_notice_that_is_just_being_sent_is_not_withdrawn(house: House) -> None:
    notice = house.queued_notice(channel="folder")
    attempts.lease(house.store, worker="w", now=house.now)
    with pytest.raises(LeaseLost, match="is sending"):
        warn.withdraw(house.store, notice, officer="sun", reason="主体有误", now=house.now)


def test_an_appeal_stops_the_clock_until_an_approver_settles_it(house: House) -> None:
    notice = house.queued_notice(channel="folder")
    send(house)
    warn.answer(house.store, notice, kind="acknowledge", text="已收到", now=house.now)
    warn.answer(house.store, notice, kind="appeal", text="我司持有牌照", officer="li", now=house.now)
    assert house.row("notices", notice).answer == "已收到\n\n我司持有牌照"  # type: ignore[attr-defined]
    with pytest.raises(NotPermitted):
        warn.reject(house.store, notice, officer="li", reason="无牌照", now=house.now)
    warn.reject(house.store, notice, officer="sun", reason="许可证已注销", now=house.now)
    assert house.state("notices", notice) == "sent"


def test_a_reminder_is_a_decision_anew(house: House) -> None:
    notice = house.queued_notice(channel="folder")
    send(house)
    with pytest.raises(IllegalMove):
        warn.remind(house.store, notice, officer="sun", now=house.now)
    with house.store.write() as conn:
        from store.moves import move

        move(conn, "notice", notice, "persist", actor="machine:recheck", at=house.now, rechecks=1)
    with pytest.raises(NotPermitted):
        warn.remind(house.store, notice, officer="wang", now=house.now)
    warn.remind(house.store, notice, officer="sun", now=house.now)
    send(house)
    assert deliveries(house) == [("notice", "delivered"), ("notice", "delivered")]
    assert house.state("notices", notice) == "sent"
