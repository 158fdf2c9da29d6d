"""wangxun hits, notices, leads, dossier, outbox: what officers do, from the command line.

The console does the same with the same functions; here the officer is named by `--officer` and goes into the audit log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from domain import contacts, states
from domain.clock import for_people, utc_now
from domain.settings import load
from patrol.cli import show_json
from store.engine import Store, open_store

OFFICER = click.option("--officer", required=True, help="Who decides; goes into the audit log.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@contextmanager
def opened() -> Iterator[Store]:
    store = open_store(load())
    try:
        yield store
    finally:
        store.close()


def _state(machine: str, state: str) -> str:
    return states.CHINESE[machine][state]


@click.group()
def hits() -> None:
    """The hit queue (命中): list, decide, reopen."""


@hits.command("list")
@click.option("--state", default="open", show_default=True, type=click.Choice([*states.HIT, "all"]))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--uncertain", is_flag=True, help="Those that wait and would teach most: the judges disagree, or a borderline score.")
@JSON
def hits_list(state: str, limit: int, uncertain: bool, as_json: bool) -> None:
    """Hits that wait for a person, most suspected first."""
    from store.hits import queue

    if uncertain and state != "open":
        raise click.UsageError("--uncertain lists what waits: leave --state out")
    with opened() as store, store.read() as connection:
        if uncertain:
            rows = _uncertain(store, connection, limit=limit)
        else:
            rows = [dict(row) for row in queue(connection, state=None if state == "all" else state, limit=limit)]
    if as_json:
        show_json({"hits": rows})
        return
    for row in rows:
        head = f"{row['id']:>6}  {row['grade'] or '':<4} {row['score']:.2f}  {_state('hit', row['state'])}"
        click.echo(f"{head}  {row['platform']}  {contacts.mask(row['title'])[:40]}")
    if not rows:
        click.echo("没有符合条件的命中")


def _uncertain(store: Store, connection: Any, *, limit: int) -> list[dict[str, Any]]:
    from rules.loader import load as load_rules
    from store.views import QueueFilter, queue

    review = load_rules(store.settings.rules_dir).policy.thresholds.review
    return [dict(row._mapping) for row in queue(connection, QueueFilter(state="learn", review=review), officer="", limit=limit)]


@hits.command("decide")
@click.argument("hit_id", type=int)
@click.argument("outcome", type=click.Choice(["confirmed", "dismissed"]))
@click.option("--reason", required=True, help="Why; the law asks for it and the next officer reads it.")
@OFFICER
def hits_decide(hit_id: int, outcome: Any, reason: str, officer: str) -> None:
    """Confirm or dismiss one hit (复核)."""
    from pipelines import review

    with opened() as store:
        review.claim(store, hit_id, officer=officer, now=utc_now())
        state = review.decide(store, hit_id, officer=officer, outcome=outcome, reason=reason, now=utc_now())
    click.echo(f"命中 {hit_id}：{_state('hit', state)}")


@hits.command("reopen")
@click.argument("hit_id", type=int)
@click.option("--reason", required=True)
@OFFICER
def hits_reopen(hit_id: int, reason: str, officer: str) -> None:
    """Take a decision back (undo), while nothing was sent because of it."""
    from pipelines import review

    with opened() as store:
        review.reopen(store, hit_id, officer=officer, reason=reason, now=utc_now())
    click.echo(f"命中 {hit_id}：待复核")


@click.group()
def notices() -> None:
    """Notices to publishers (预警提示函): list, draft, approve, withdraw, answer."""


@notices.command("list")
@JSON
def notices_list(as_json: bool) -> None:
    """Every notice and where it stands."""
    from store.notices import all_notices

    with opened() as store, store.read() as connection:
        rows = [dict(row) for row in all_notices(connection)]
    if as_json:
        show_json({"notices": rows})
        return
    for row in rows:
        sent = for_people(row["sent_at"]) if row["sent_at"] else "未送达"
        head = f"{row['id']:>5}  {row['number'] or '（未编号）'}  {_state('notice', row['state'])}"
        click.echo(f"{head}  {contacts.mask(row['addressee'])}  {sent}  {row['url']}")
    if not rows:
        click.echo("没有预警提示函")


@notices.command("draft")
@click.argument("hit_id", type=int)
@click.option("--channel", default="email", show_default=True)
@click.option("--address", help="Where the page gives none.")
@OFFICER
def notices_draft(hit_id: int, channel: str, address: str | None, officer: str) -> None:
    """Draft a notice from a confirmed hit."""
    from pipelines import warn

    with opened() as store:
        notice_id = warn.draft(store, hit_id, officer=officer, channel=channel, address=address, now=utc_now())
    click.echo(f"预警提示函 {notice_id}：拟稿，待另一人签发")


@notices.command("approve")
@click.argument("notice_id", type=int)
@OFFICER
def notices_approve(notice_id: int, officer: str) -> None:
    """Approve and queue a notice; the officer must not be its drafter."""
    from pipelines import warn

    with opened() as store:
        warn.approve(store, notice_id, officer=officer, now=utc_now())
    click.echo(f"预警提示函 {notice_id}：已签发，待送达")


@notices.command("withdraw")
@click.argument("notice_id", type=int)
@click.option("--reason", required=True)
@OFFICER
def notices_withdraw(notice_id: int, reason: str, officer: str) -> None:
    """Withdraw a notice, sent or not; a sent one's receiver is told."""
    from pipelines import warn

    with opened() as store:
        warn.withdraw(store, notice_id, officer=officer, reason=reason, now=utc_now())
    click.echo(f"预警提示函 {notice_id}：已撤回")


@notices.command("answer")
@click.argument("notice_id", type=int)
@click.argument("kind", type=click.Choice(["acknowledge", "appeal"]))
@click.option("--text", required=True, help="What the publisher wrote.")
@OFFICER
def notices_answer(notice_id: int, kind: Any, text: str, officer: str) -> None:
    """Record a publisher's answer (签收 or 申诉)."""
    from pipelines import warn

    with opened() as store:
        warn.answer(store, notice_id, kind=kind, text=text, officer=officer, now=utc_now())
    click.echo(f"预警提示函 {notice_id}：{'已签收' if kind == 'acknowledge' else '申诉中'}")


@click.group()
def leads() -> None:
    """Leads for authorities (线索): list, draft, second, submit, approve, decline."""


@leads.command("list")
@JSON
def leads_list(as_json: bool) -> None:
    """Every lead and where it stands."""
    from store.leads import all_leads

    with opened() as store, store.read() as connection:
        rows = [dict(row) for row in all_leads(connection)]
    if as_json:
        show_json({"leads": rows})
        return
    for row in rows:
        head = f"{row['id']:>5}  {row['number'] or '（未编号）'}  {_state('lead', row['state'])}"
        click.echo(f"{head}  {row['authority']}  {contacts.mask(row['suspect'])}  回执 {row['receipt'] or '无'}")
    if not rows:
        click.echo("没有线索")


@leads.command("draft")
@click.argument("hit_ids", nargs=-1, required=True, type=int)
@click.option("--authority", default="police", show_default=True, help="Slug of rules/authorities.yml.")
@OFFICER
def leads_draft(hit_ids: tuple[int, ...], authority: str, officer: str) -> None:
    """Gather confirmed hits about one suspect into a lead."""
    from pipelines import refer

    with opened() as store:
        lead_id = refer.draft(store, list(hit_ids), officer=officer, authority=authority, now=utc_now())
    click.echo(f"线索 {lead_id}：拟稿，待第二名承办人")


@leads.command("second")
@click.argument("lead_id", type=int)
@OFFICER
def leads_second(lead_id: int, officer: str) -> None:
    """Sign as second preparer (two people prepare)."""
    from pipelines import refer

    with opened() as store:
        refer.second(store, lead_id, officer=officer, now=utc_now())
    click.echo(f"线索 {lead_id}：{officer} 为第二承办人")


@leads.command("submit")
@click.argument("lead_id", type=int)
@OFFICER
def leads_submit(lead_id: int, officer: str) -> None:
    """Submit to the approver; the three-day clock begins."""
    from pipelines import refer

    with opened() as store:
        refer.submit(store, lead_id, officer=officer, now=utc_now())
    click.echo(f"线索 {lead_id}：待审批")


@leads.command("approve")
@click.argument("lead_id", type=int)
@OFFICER
def leads_approve(lead_id: int, officer: str) -> None:
    """Approve: seals the dossier and queues the delivery. Neither preparer may."""
    from pipelines import refer

    with opened() as store:
        refer.approve(store, lead_id, officer=officer, now=utc_now())
    click.echo(f"线索 {lead_id}：已批准，待推送")


@leads.command("decline")
@click.argument("lead_id", type=int)
@click.option("--reason", required=True)
@OFFICER
def leads_decline(lead_id: int, reason: str, officer: str) -> None:
    """Decline, with the reason on record."""
    from pipelines import refer

    with opened() as store:
        refer.decline(store, lead_id, officer=officer, reason=reason, now=utc_now())
    click.echo(f"线索 {lead_id}：未批准")


@click.group()
def dossier() -> None:
    """Evidence packets (卷宗)."""


@dossier.command("verify")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def dossier_verify(path: Path) -> None:
    """Check a packet offline: every part against its hash. Exit 1 on any altered byte."""
    from pipelines.dossier import verify

    faults = verify(path)
    for fault in faults:
        click.echo(fault)
    click.echo("dossier: every part as sealed" if not faults else f"dossier: {len(faults)} faults")
    raise click.exceptions.Exit(1 if faults else 0)


@click.group()
def outbox() -> None:
    """What waits to be sent, and what could not be."""


@outbox.command("list")
@JSON
def outbox_list(as_json: bool) -> None:
    """Every delivery that is not done."""
    from store.outbox import waiting

    with opened() as store, store.read() as connection:
        rows = [dict(row) for row in waiting(connection)]
    if as_json:
        show_json({"deliveries": rows})
        return
    for row in rows:
        head = f"{row['id']:>5}  {_state('delivery', row['state'])}  {row['channel']} -> {row['address']}"
        click.echo(f"{head}  尝试 {row['attempts']} 次  {row['last_error'][:80]}")
    if not rows:
        click.echo("没有待发件")


@outbox.command("settle")
@click.argument("delivery_id", type=int)
@click.argument("how", type=click.Choice(["delivered", "resend", "cancel"]))
@OFFICER
def outbox_settle(delivery_id: int, how: Any, officer: str) -> None:
    """A person settles an uncertain or dead delivery, after asking the receiver."""
    from pipelines import dispatch

    with opened() as store:
        dispatch.settle(store, delivery_id, how=how, officer=officer, now=utc_now())
    click.echo(f"投递 {delivery_id}：{how}")
