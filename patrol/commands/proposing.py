"""wangxun platforms new URL: a home address becomes a platform file, shown first, written when told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from domain.settings import Settings, load
from patrol.cli import show_json

if TYPE_CHECKING:
    from crawlers.probe import Probe
    from crawlers.probe_proposal import Proposal

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
    probe, proposal, trouble = _proposed(asked, settings)
    path = _path(asked, settings, proposal)
    written, laid = False, []
    text = ""
    if proposal is not None and not trouble:
        from crawlers.probe_proposal import written as yaml_of

        text = yaml_of(proposal, command=f"wangxun platforms new {asked.url}")
        written, laid = _kept(asked, proposal, text, path)
    facts = {"probe": probe, "proposal": proposal, "trouble": trouble, "text": text, "path": path, "settings": settings, "asked": asked}
    if as_json:
        show_json(report(**facts) | {"written": written, "fixtures": [str(page) for page in laid]})
    else:
        show(**facts)
        _tell_written(asked, path, written=written, laid=laid, ok=not trouble)
    raise click.exceptions.Exit(1 if trouble else 0)


def _proposed(asked: Asked, settings: Settings) -> tuple[Probe | None, Proposal | None, str]:
    """What was found, and why there is no proposal (empty where there is one)."""
    from crawlers.probe_pages import Errand
    from crawlers.probe_proposal import id_of, propose
    from domain.errors import FetchFault, Refused
    from patrol.commands.proposing_shown import refusal, trouble_of
    from patrol.probing import address_of, look, owner_of

    try:
        addresses = address_of(asked.url)
    except ValueError:
        return None, None, f"{asked.url}：不是网址；写 https://域名/ 或域名"
    owner, platforms = owner_of(addresses[0], settings)
    name = asked.name or id_of(addresses[0])
    if owner is not None and owner.id != name and not asked.force:
        how = "" if owner.enabled else "（未启用：把它的文件复制到 DIR/platforms 里，改成 enabled: true）"
        return None, None, f"{asked.url}：平台 {owner.id}（{owner.title}）已经管这个网站{how}；仍要另写一个，加 --force"
    if asked.name is not None and (known := platforms.get(name)) is not None and owner is not known and not asked.force:
        return None, None, f"--id {name}：这个编号已由平台 {known.title}（{known.home}）使用；换一个，或加 --force 取代它"
    probe = None
    for url in addresses:
        errand = Errand(home=url, allow=asked.allow, requests=asked.requests, delay_s=asked.delay_s, browser=asked.browser)
        try:
            probe = look(errand, settings)
        except Refused as error:
            return None, None, refusal(url, str(error))
        except FetchFault as error:
            return None, None, f"{url}：试读没有完成；{error}"
        if probe.got[0].fault not in ("errors", "timed_out"):
            break
    assert probe is not None
    if trouble := trouble_of(probe):
        return probe, None, trouble
    proposal = propose(probe, name=name, kind=asked.kind, allow=asked.allow)
    return probe, proposal, _empty(proposal)


def _empty(proposal: Proposal) -> str:
    if proposal.scripted or proposal.postings or proposal.announced or any(one.reading.follow for one in proposal.pages):
        return ""
    return f"{proposal.data['home']}：读到了网页，但没有文字也没有链接；换一个栏目页的地址再试，或加 --browser 用浏览器再读"


def _path(asked: Asked, settings: Settings, proposal: Proposal | None) -> Path | None:
    from patrol.probing import folder_of

    return folder_of(settings) / f"{proposal.data['id']}.yml" if proposal is not None else None


def _kept(asked: Asked, proposal: Proposal, text: str, path: Path | None) -> tuple[bool, Sequence[Path]]:
    from patrol.probing import fixtures, keep

    if not asked.write or path is None:
        return False, []
    written = keep(text, path, force=asked.force)
    return written, fixtures(proposal, path.parent, force=asked.force) if asked.fixture else []


def _tell_written(asked: Asked, path: Path | None, *, written: bool, laid: Sequence[Path], ok: bool) -> None:
    if not ok or path is None:
        return
    if not asked.write:
        click.echo(f"\n还没有写。写入 {path}：加 --write（连同样页加 --fixture）")
        return
    click.echo(f"\n已写入 {path}" if written else f"\n{path} 已经是这样，没有改动")
    for page in laid:
        click.echo(f"样页 {page}")
    click.echo(f"接下来：wangxun platforms check && wangxun sweep {path.stem}")


def host_of(url: str) -> str:
    """Host and port, as `--allow-host` takes them."""
    return urlsplit(url).netloc
