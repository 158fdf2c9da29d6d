"""What `wangxun platforms new` says: the site, the pages that were read, what would be extracted, what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from domain.clock import for_people
from domain.settings import Settings

if TYPE_CHECKING:
    from crawlers.probe import Probe
    from crawlers.probe_pages import Fetched
    from crawlers.probe_proposal import Proposal, Read

ROWS = 10
WIDTHS = (44, 16, 16, 40)
"""Columns of the table on a terminal."""
SAMPLE = 240
"""Characters of the sample article that are shown."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
"""What a page could use to write over the terminal."""
WALLS = {"captcha": "要验证码", "login": "要登录", "refused": "拒绝访问"}
FAULTS = {
    "refused": "不在公网上，没有去读", "robots": "robots.txt 不许读", "timed_out": "没有在时限内回答", "too_big": "太大，没有读完",
    "errors": "连不上", "not_text": "不是网页",
}  # fmt: skip
HOW = {
    "template": "论坛或网站程序：{template}（套用模板，不必写选择器）", "lists": "按网页推得列表和正文的选择器",
    "feed": "订阅源或站点地图", "discovered": "没有可靠的选择器：由通用提取器自行发现列表和文章",
}  # fmt: skip
WHY = {"home": "首页", "section": "栏目", "article": "文章", "feed": "订阅源", "sitemap": "站点地图"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at a site came to."""

    trouble: str = ""
    """Why there is no proposal; empty where there is one."""
    probe: Probe | None = None
    proposal: Proposal | None = None
    text: str = ""
    """The YAML."""
    path: Path | None = None


def refusal(url: str, reason: str) -> str:
    """The guard's refusal of the address itself."""
    parts = urlsplit(url)
    return f"{url}：不在公网上，没有去读（{reason.partition(';')[0]}）；确是要巡查的内网或测试站，加 --allow-host {parts.netloc}"


def trouble_of(probe: Probe) -> str:
    """Why the home page says nothing, and the way out; empty where it does."""
    home = probe.got[0]
    where = home.asked
    if probe.wall is not None and len(probe.got) == 1:
        kind, mark = probe.wall
        return f"{where}：网站{WALLS[kind]}（{mark}）。网巡不绕墙：请网站放行本单位的巡查，或用 wangxun import 导入人工取得的网页"
    if home.fault == "robots":
        return f"{where}：robots.txt 不许巡查程序读首页。仍要读由单位自己决定：手写平台文件，写明 robots: {{ignore: 理由}}"
    if home.fault == "refused":
        return refusal(where, home.reason)
    if home.fault == "not_text":
        return f"{where}：不是网页（{home.reason}）；给网站首页或栏目页的地址，文件用 wangxun import 导入"
    if home.fault:
        way = "检查域名的拼写" if home.reason == "no such host" else "检查地址，过一会儿再试"
        return f"{where}：{FAULTS.get(home.fault, home.fault)}（{_clean(home.reason, 120)}）；{way}"
    if home.status >= 400:
        return f"{where}：网站回答 {home.status}；检查地址，或过一会儿再试"
    return ""


def misses(probe: Probe, proposal: Proposal, settings: Settings) -> list[str]:
    """What could not be read, each with what would help."""
    from crawlers.chromium import find_browser

    found = [
        f"{one.asked}：{FAULTS.get(one.fault, one.fault)}" if one.fault else f"{one.asked}：网站回答 {one.status}"
        for one in probe.got if one.fault or one.status >= 400
    ]  # fmt: skip
    if probe.wall is not None:
        found.append(f"{probe.got[-1].asked}：网站{WALLS[probe.wall[0]]}（{probe.wall[1]}），到此为止")
    if proposal.scripted:
        seen = "" if find_browser(settings) is not None else "；本机还没有浏览器，装好之前读不到"
        way = f"文件里写了 fetch: auto（先用 HTTP，缺文字时用浏览器{seen}）"
        found.append(f"有网页不运行 JavaScript 就没有文字：{way}。加 --browser 可以现在就用浏览器试读")
    articles = [one for one in proposal.pages if one.fetched.why == "article"]
    postings = [posting for one in articles for posting in one.reading.postings]
    if not articles:
        found.append("没有找到文章页" + ("；首页的链接由脚本生成" if proposal.scripted else "；请直接给栏目页的地址再试"))
    elif not any(posting.body for posting in postings):
        found.append("文章页没有取到正文：看网页源代码，给 detail 写 body")
    if postings and not any(posting.published_at for posting in postings):
        found.append("文章页没有取到发布时间：给 detail 写 published_at")
    if postings and not any(posting.publisher for posting in postings):
        found.append("文章页没有取到来源或账号：给 detail 写 publisher")
    if any(one.reading.drift for one in proposal.pages):
        found += [f"{one.fetched.url}：{one.reading.drift}" for one in proposal.pages if one.reading.drift]
    if probe.robots.delay_s > 1:
        found.append(f"robots.txt 要求每次间隔 {probe.robots.delay_s:g} 秒，巡查时照办")
    return found


def _rows(proposal: Proposal) -> Iterator[tuple[str, str, str, str]]:
    for posting in proposal.postings:
        when = for_people(posting.published_at) if posting.published_at else ""
        yield posting.title, when, posting.publisher or "", posting.body.replace("\n", " ")
    for _url, hints in proposal.announced:
        yield hints.title, for_people(hints.published_at) if hints.published_at else "", hints.publisher or "", "（列表已见，正文未试读）"


def show(looked: Looked, settings: Settings, *, requests: int, delay_s: float) -> None:
    """All of it for a person."""
    probe, proposal = looked.probe, looked.proposal
    if proposal is None or probe is None or looked.trouble:
        click.echo(_clean(looked.trouble, 2000), err=True)
        return
    robots = "，另读了 robots.txt" if settings.obey_robots else ""
    pace = f"每次间隔约 {max(delay_s, probe.robots.delay_s):g} 秒，自称 {settings.user_agent.partition(' ')[0]}"
    click.echo(f"网站：{_clean(proposal.data['title'], 40)}  {proposal.data['home']}")
    click.echo(f"请求：{len(probe.got)} 页（上限 {requests}{robots}），{pace}")
    click.echo(f"识别：{HOW[proposal.how].format(template=proposal.template)}")
    for one in proposal.pages:
        click.echo(f"  {WHY[one.fetched.why]}  {_clean(one.fetched.url, 90)}  {_of_page(one)}")
    _table(proposal)
    _sample(proposal)
    if found := misses(probe, proposal, settings):
        click.echo("\n没有读到：")
        for miss in found:
            click.echo(f"  {_clean(miss, 240)}")
    click.echo(f"\n{looked.path}：\n\n{looked.text}", nl=False)


def _table(proposal: Proposal) -> None:
    rows = list(_rows(proposal))
    if not rows:
        return
    click.echo(f"\n会提取（{len(rows)} 条，列出 {min(ROWS, len(rows))} 条）：")
    for row in (("标题", "时间", "账号", "开头"), *rows[:ROWS]):
        cells = (_padded(_clean(cell, 200), width) for cell, width in zip(row, WIDTHS, strict=True))
        click.echo("  " + "  ".join(cells).rstrip())


def _sample(proposal: Proposal) -> None:
    posting = max(proposal.postings, key=lambda posting: len(posting.body), default=None)
    if posting is None or not posting.body:
        return
    click.echo(f"\n样文：{_clean(posting.title, 80)}  {_clean(posting.url, 200)}")
    body = "\n  ".join(_clean(part, SAMPLE) for part in posting.body[:SAMPLE].split("\n"))
    click.echo(f"  {body}" + (f"……（共 {len(posting.body)} 字）" if len(posting.body) > SAMPLE else ""))


def _of_page(one: Read) -> str:
    reading, postings = one.reading, one.reading.postings
    if one.fetched.why in ("article",) and len(postings) == 1:
        return f"正文 {len(postings[0].body)} 字"
    if reading.layout in ("list", "script", "feed", "sitemap", "detail") and reading.items:
        names = {"published_at": "时间", "publisher": "账号"}
        shares = "，".join(f"{names[name]} {share:.0%}" for name, share in one.shares.items() if name in names)
        return f"{reading.items} 条{f'（{shares}）' if shares else ''}"
    return f"{len(postings)} 条，{len(reading.follow)} 个链接可跟" if postings or reading.follow else "没有读到内容"


def report(looked: Looked, settings: Settings, *, requests: int) -> dict[str, Any]:
    """The same as one JSON object."""
    probe, proposal = looked.probe, looked.proposal
    base: dict[str, Any] = {
        "ok": not looked.trouble, "why": looked.trouble, "requests": len(probe.got) if probe else 0, "requests_most": requests,
    }  # fmt: skip
    if proposal is None or probe is None or looked.trouble:
        return base
    return base | {
        "id": proposal.data["id"], "title": proposal.data["title"], "home": proposal.data["home"], "how": proposal.how,
        "template": proposal.template, "scripted": proposal.scripted, "pages": [_page_row(one) for one in proposal.pages],
        "postings": [
            {
                "title": posting.title, "url": posting.url, "publisher": posting.publisher, "body": posting.body[:SAMPLE],
                "characters": len(posting.body), "published_at": posting.published_at.isoformat() if posting.published_at else None,
            }
            for posting in proposal.postings[:50]
        ],
        "announced": len(proposal.announced), "missing": misses(probe, proposal, settings), "path": str(looked.path),
        "yaml": looked.text,
    }  # fmt: skip


def _page_row(one: Read) -> dict[str, Any]:
    fetched: Fetched = one.fetched
    return {
        "url": fetched.url, "why": fetched.why, "layout": one.reading.layout, "items": one.reading.items,
        "postings": len(one.reading.postings),
        "follow": len(one.reading.follow), "shares": {name: round(share, 3) for name, share in one.shares.items()},
    }  # fmt: skip


def _clean(text: str, most: int) -> str:
    text = _CONTROL.sub("", text)
    return text if len(text) <= most else f"{text[:most]}…"


def _width(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    """Cut or filled to so many columns of a terminal."""
    if _width(text) > width:
        while text and _width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * max(0, width - _width(text))
