"""wangxun platforms new URL: a home address becomes a platform file, shown first, written when told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domain.settings import Settings, load
from patrol.cli import show_json

if TYPE_CHECKING:
    from crawlers.probe_proposal import Proposal
    from patrol.commands.proposing_shown import Looked

ID = re.compile(r"[a-z0-9][a-z0-9_.-]{1,63}$")
KINDS = ("portal", "forum", "classifieds", "microblog", "articles", "video", "search", "apps", "generic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says."""

    url: str
    name: str | None
    kind: str | None
    allow: tuple[str, ...]
    requests: int
    delay_s: float
    browser: bool
    write: bool
    fixture: bool
    force: bool


@click.command("new")
@click.argument("url")
@click.option("--id", "name", help="Id of the platform; without it, the site's host.")
@click.option("--kind", type=click.Choice(KINDS), help="Kind of site; without it, a guess.")
@click.option("--write", is_flag=True, help="Write the file into DIR/platforms.")
@click.option("--fixture", is_flag=True, help="With --write: also lay a list page and an article beside it as its first fixtures.")
@click.option("--force", is_flag=True, help="Take the place of a file that is there (kept as .bak), or of a platform that has the site.")
@click.option("--allow-host", "allow", multiple=True, metavar="HOST[:PORT]", help="Let a host through that is not on the public internet.")
@click.option("--requests", default=8, show_default=True, type=click.IntRange(1, 40), help="Pages at most, robots.txt not counted.")
@click.option("--delay", "delay_s", default=1.0, show_default=True, type=click.FloatRange(0, 60), help="Seconds between two of them.")
@click.option("--browser", is_flag=True, help="Ask for pages without text once more through the browser.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def new(as_json: bool, **given: Any) -> None:
    """Look at the site at URL, propose its platform file, and show what it would extract.

    A handful of requests at a gentle pace, under the patrol's own name; robots.txt is obeyed. Exit 1 where nothing can be proposed.
    """
    from patrol.commands.proposing_shown import report, show

    asked = Asked(**given)
    settings = load()
    if asked.fixture and not asked.write:
        raise click.UsageError("--fixture lays pages beside the written file; give --write too")
    looked = _looked(asked, settings)
    written, laid = _kept(asked, looked) if asked.write and not looked.trouble else (False, [])
    if as_json:
        show_json(report(looked, settings, requests=asked.requests) | {"written": written, "fixtures": [str(page) for page in laid]})
    else:
        show(looked, settings, requests=asked.requests, delay_s=asked.delay_s)
        _tell_written(asked, looked, written=written, laid=laid)
    raise click.exceptions.Exit(1 if looked.trouble else 0)


def _looked(asked: Asked, settings: Settings) -> Looked:
    from crawlers.probe_pages import Errand
    from crawlers.probe_proposal import id_of, propose, written
    from domain.errors import FetchFault, Refused
    from patrol.commands.proposing_shown import Looked, refusal, trouble_of
    from patrol.probing import address_of, folder_of, look

    try:
        addresses = address_of(asked.url)
    except ValueError:
        return Looked(trouble=f"{asked.url}：不是网址；写 https://域名/ 或域名")
    name = asked.name or id_of(addresses[0])
    if taken := _taken(asked, settings, addresses[0], name):
        return Looked(trouble=taken)
    probe = None
    for url in addresses:
        errand = Errand(home=url, allow=asked.allow, requests=asked.requests, delay_s=asked.delay_s, browser=asked.browser)
        try:
            probe = look(errand, settings)
        except Refused as error:
            return Looked(trouble=refusal(url, str(error)))
        except FetchFault as error:
            return Looked(trouble=f"{url}：试读没有完成；{error}")
        if probe.got[0].fault not in ("errors", "timed_out"):
            break
    assert probe is not None
    if trouble := trouble_of(probe):
        return Looked(trouble=trouble, probe=probe)
    proposal = propose(probe, name=name, kind=asked.kind, allow=asked.allow)
    text = written(proposal, command=f"wangxun platforms new {asked.url}")
    return Looked(trouble=_empty(proposal), probe=probe, proposal=proposal, text=text, path=folder_of(settings) / f"{name}.yml")


def _taken(asked: Asked, settings: Settings, url: str, name: str) -> str:
    """Whether a platform has the site, or the id, already; empty where none has."""
    from patrol.probing import owner_of

    if not ID.match(name):
        return f"--id {name}：编号用小写字母、数字、-、_、.，2 到 64 个字符，以字母或数字开头"
    owner, platforms = owner_of(url, settings)
    if asked.force or (owner is not None and owner.id == name):
        return ""
    if owner is not None:
        how = "" if owner.enabled else "（未启用：把它的文件复制到 DIR/platforms 里，改成 enabled: true）"
        return f"{asked.url}：平台 {owner.id}（{owner.title}）已经管这个网站{how}；仍要另写一个，加 --force"
    known = platforms.get(name)
    return f"编号 {name} 已由平台 {known.title}（{known.home}）使用；用 --id 换一个，或加 --force 取代它" if known is not None else ""


def _empty(proposal: Proposal) -> str:
    if proposal.scripted or proposal.postings or proposal.announced or any(one.reading.follow for one in proposal.pages):
        return ""
    return f"{proposal.data['home']}：读到了网页，但没有文字也没有链接；换一个栏目页的地址再试，或加 --browser 用浏览器再读"


def _kept(asked: Asked, looked: Looked) -> tuple[bool, Sequence[Path]]:
    from patrol.probing import fixtures, keep

    assert looked.proposal is not None and looked.path is not None
    written = keep(looked.text, looked.path, force=asked.force)
    return written, fixtures(looked.proposal, looked.path.parent, force=asked.force) if asked.fixture else []


def _tell_written(asked: Asked, looked: Looked, *, written: bool, laid: Sequence[Path]) -> None:
    path = looked.path
    if looked.trouble or path is None:
        return
    if not asked.write:
        click.echo(f"\n还没有写。写入 {path}：加 --write（连同样页加 --fixture）")
        return
    click.echo(f"\n已写入 {path}" if written else f"\n{path} 已经是这样，没有改动")
    for page in laid:
        click.echo(f"样页 {page}")
    click.echo(f"接下来：wangxun platforms check && wangxun sweep {path.stem}")
