"""wangxun campaigns: what belongs together (同源线索), why, and cutting what does not."""

from __future__ import annotations

from typing import Any

import click

from domain import contacts
from domain.clock import for_people, utc_now
from patrol.cli import show_json
from patrol.commands.acting import JSON, OFFICER, opened

REASON = click.option("--reason", required=True, help="Why; the next officer reads it.")
OPEN_KINDS = ("domain", "icp")
"""Kinds whose values are nobody's contact."""


@click.group()
def campaigns() -> None:
    """Campaigns (同源线索): list, show, link, cut, restore, mute, unmute, decide."""


@campaigns.command("list")
@click.option("--least", default=2, show_default=True, type=click.IntRange(1, 1_000_000), help="Hits that a campaign has at least.")
@click.option("--waiting", is_flag=True, help="Only those with hits that wait for a person.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@JSON
def campaigns_list(least: int, waiting: bool, limit: int, as_json: bool) -> None:
    """The largest first."""
    from store.campaignviews import listed

    with opened() as store, store.read() as connection:
        rows = [dict(row._mapping) for row in listed(connection, least=least, waiting=waiting, limit=limit)]
    if as_json:
        show_json({"campaigns": rows})
        return
    for row in rows:
        counted = f"{row['hits']:>6} 条（待复核 {row['waiting']}，已确认 {row['confirmed']}）  {row['platforms']} 个平台"
        click.echo(f"{row['id']:>7}  {counted}  {for_people(row['last_at'])}  {contacts.mask(row['title'])[:40]}")
    if not rows:
        click.echo("没有符合条件的同源线索")


@campaigns.command("show")
@click.argument("campaign_id", type=int)
@JSON
def campaigns_show(campaign_id: int, as_json: bool) -> None:
    """One campaign: its keys and what each ties, its hits, its cuts. The number of one that went up into another leads there."""
    from store import campaigns as rows
    from store import campaignviews

    with opened() as store, store.read() as connection:
        row = rows.now_called(connection, campaign_id)
        found = {
            "id": row.id,
            "asked": campaign_id,
            "title": row.title,
            "hits": [dict(one._mapping) for one in campaignviews.members(connection, row.id)],
            "bonds": [_bond(one) for one in campaignviews.bonds(connection, row.id)],
            "near": [{"hit": one.hit_id, "other": one.other_hit, "share": one.share} for one in campaignviews.nearness(connection, row.id)],
            "ties": [_tie(one) for its in campaignviews.own_ties(connection, row.id).values() for one in its],
            "cuts": [
                {"tie": one.tie_id, "hit": one.hit_id, "kind": one.kind, "by": one.by} for one in campaignviews.cuts(connection, row.id)
            ],
            "merged": [one.id for one in campaignviews.merged_here(connection, row.id)],
        }
    if as_json:
        show_json(found)
    else:
        _tell(found)


def _bond(one: Any) -> dict[str, Any]:
    state = {"holds": one.holds, "loose": one.loose, "spread": one.spread, "muted_by": one.muted_by}
    return {"tie": one.tie_id, "kind": one.kind, "value": _shown(one.kind, one.value), "hits": list(one.hits), **state}


def _tie(one: Any) -> dict[str, Any]:
    return {"tie": one.id, "hit": one.hit_id, "kind": one.kind, "value": _shown(one.kind, one.value)}


def _shown(kind: str, value: str) -> str:
    """A value as lists show it: a contact by its beginning."""
    return value if kind in (*OPEN_KINDS, "text", "image", "phash") else value[:2] + "***"


def _tell(found: dict[str, Any]) -> None:
    moved = f"（原 {found['asked']}，已并入）" if found["asked"] != found["id"] else ""
    click.echo(f"线索 {found['id']}{moved}  {contacts.mask(found['title'])[:60]}  {len(found['hits'])} 条命中")
    for one in found["bonds"]:
        counted = f"{len(one['hits'])} 条  分散度 {one['spread']:.1f}  关联 {one['tie']}"
        state = "起作用" if one["holds"] else "公用，不起作用"
        click.echo(f"  [{one['kind']}] {one['value'][:40]}  {counted}  {state}")
    near = {one["hit"]: one for one in reversed(found["near"])}
    for hit in found["hits"]:
        like = f"  与 #{near[hit['id']]['other']} 文字相近 {near[hit['id']]['share']:.0%}" if hit["id"] in near else ""
        mine = " ".join(f"{one['kind']}:{one['tie']}" for one in found["ties"] if one["hit"] == hit["id"])
        click.echo(f"  #{hit['id']:<7} {for_people(hit['at'])}  {hit['platform']}  {contacts.mask(hit['title'])[:30]}{like}  关联 {mine}")
    for one in found["cuts"]:
        click.echo(f"  已切断：关联 {one['tie']}（#{one['hit']}，{one['kind']}），{one['by']}")


@campaigns.command("link")
@JSON
def campaigns_link(as_json: bool) -> None:
    """Tie what waits, now; the daemon does it after each judging. Safe beside it, and to be broken off."""
    from rich.progress import Progress

    from pipelines.link import link_new
    from store import ties

    with opened() as store:
        with store.read() as connection:
            waiting = ties.count_unlinked(connection)
        with Progress(disable=as_json or not waiting, transient=True) as bar:
            task = bar.add_task("同源关联", total=waiting)
            tied = link_new(store, now=utc_now(), progress=lambda count: bar.advance(task, count))
    if as_json:
        show_json({"linked": waiting, "tied": tied})
    else:
        click.echo(f"已处理 {waiting} 条，其中 {tied} 条与其他命中同源")


def _act(name: str, number: int, *, officer: str, reason: str) -> Any:
    """One act on a tie or a hit, by an officer who reviews."""
    from pipelines import link
    from pipelines.review import REVIEWERS
    from store import powers

    with opened() as store:
        with store.read() as connection:
            powers.require(connection, officer, *REVIEWERS)
        return getattr(link, name)(store, number, officer=officer, reason=reason, now=utc_now())


@campaigns.command("cut")
@click.argument("tie_id", type=int)
@click.option("--hit", "whole", is_flag=True, help="The number is a hit's: cut all its ties.")
@REASON
@OFFICER
@JSON
def campaigns_cut(tie_id: int, whole: bool, reason: str, officer: str, as_json: bool) -> None:
    """Cut one tie for good; the hit's text tie goes with it."""
    parts = _act("cut_hit" if whole else "cut", tie_id, officer=officer, reason=reason)
    if as_json:
        show_json({"act": "cut", "hit" if whole else "tie": tie_id, "campaigns": list(parts)})
        return
    click.echo("已切断；" + ("仍由其他依据相连" if len(parts) == 1 else "分为线索 " + "、".join(map(str, parts))))


@campaigns.command("restore")
@click.argument("tie_id", type=int)
@REASON
@OFFICER
@JSON
def campaigns_restore(tie_id: int, reason: str, officer: str, as_json: bool) -> None:
    """Take a cut back, with what was cut by the same stroke."""
    campaign = _act("restore", tie_id, officer=officer, reason=reason)
    if as_json:
        show_json({"act": "restore", "tie": tie_id, "campaigns": [campaign]})
    else:
        click.echo(f"已恢复；现为线索 {campaign}")


@campaigns.command("mute")
@click.argument("tie_id", type=int)
@REASON
@OFFICER
@JSON
def campaigns_mute(tie_id: int, reason: str, officer: str, as_json: bool) -> None:
    """Say that a tie's key is everybody's: it ties nobody any more."""
    parts = _act("mute", tie_id, officer=officer, reason=reason)
    if as_json:
        show_json({"act": "mute", "tie": tie_id, "campaigns": list(parts)})
    else:
        click.echo("已标为公用；" + "、".join(f"线索 {one}" for one in parts))


@campaigns.command("unmute")
@click.argument("tie_id", type=int)
@REASON
@OFFICER
@JSON
def campaigns_unmute(tie_id: int, reason: str, officer: str, as_json: bool) -> None:
    """Let a muted key tie again."""
    campaign = _act("unmute", tie_id, officer=officer, reason=reason)
    if as_json:
        show_json({"act": "unmute", "tie": tie_id, "campaigns": [campaign]})
    else:
        click.echo(f"已恢复为关联依据；现为线索 {campaign}")


@campaigns.command("decide")
@click.argument("campaign_id", type=int)
@click.argument("outcome", type=click.Choice(["confirmed", "dismissed"]))
@REASON
@OFFICER
@JSON
def campaigns_decide(campaign_id: int, outcome: Any, reason: str, officer: str, as_json: bool) -> None:
    """Confirm or dismiss what waits of a campaign, each hit by itself and with its own decision (复核)."""
    from pipelines.linked import decide_campaign

    with opened() as store:
        told = decide_campaign(store, campaign_id, officer=officer, outcome=outcome, reason=reason, now=utc_now())
    passed = {hit: str(error) for hit, error in told.passed.items()}
    if as_json:
        show_json({"decided": told.decided, "first": told.first, "disagreed": told.disagreed, "passed": passed, "left": told.left})
        return
    click.echo(
        f"已决定 {len(told.decided)} 条，待二次复核 {len(told.first)} 条，意见不一致 {len(told.disagreed)} 条，未处理 {told.left} 条"
    )
    for hit, why in passed.items():
        click.echo(f"  #{hit} 未决定：{why}")
