"""wangxun sessions: an office's own accounts, entered once by a person, encrypted, never shown."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domain.clock import for_people, utc_now
from domain.settings import Settings, load
from patrol.cli import show_json

if TYPE_CHECKING:
    from crawlers.platform import PlatformFile
    from crawlers.sessions import Entry, Vault
    from store.engine import Store

OFFICER = click.option("--officer", required=True, help="Who does it; goes into the audit log.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
NOTICE = "只可用本单位合法持有的账号；一个平台一个账号；遇到验证码由登录人本人完成，程序不代为处理，也不绕过平台的任何限制。"


@click.group()
def sessions() -> None:
    """Sessions (会话): lawful accounts of the office's own, for platforms whose file says session: NAME."""


@contextmanager
def _opened() -> Iterator[tuple[Settings, Store, Vault]]:
    from crawlers.sessions import Vault
    from store.engine import open_store

    settings = load()
    store = open_store(settings)
    try:
        yield settings, store, Vault(settings)
    finally:
        store.close()


def _platform(settings: Settings, name: str) -> PlatformFile:
    from crawlers.loader import load_sound, platform_folders

    found, _faults = load_sound(platform_folders(settings))
    if name not in found:
        raise click.UsageError(f"no such platform: {name}; wangxun platforms list shows them")
    return found[name]


@sessions.command()
@click.argument("name")
@click.option("--platform", "platform_id", required=True, help="The platform whose file says session: NAME.")
@click.option("--from", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A storage_state made elsewhere.")
@OFFICER
@JSON
def add(name: str, platform_id: str, source: Path | None, officer: str, as_json: bool) -> None:
    """Enter session NAME: log in in the browser that opens, then press Enter here, or close it. Again for one that expired."""
    with _opened() as (settings, store, vault):
        platform = _platform(settings, platform_id)
        vault.may_add(name, platform=platform)
        before = vault.known(name)
        click.echo(NOTICE, err=True)
        state = _from_file(source) if source else _by_hand(settings, platform)
        entry = kept(store, vault, name, state, platform=platform, by=officer, origin="file" if source else "browser", before=before)
    if as_json:
        show_json(_row(entry) | {"renewed": before is not None})
        return
    click.echo(f"会话 {name} 已加密保存（平台 {platform_id}，Cookie {entry.cookies} 个，{_ends(entry)}）")
    click.echo(f"下一轮巡查即用；若曾中断，从中断处继续。可立即执行 wangxun sweep {platform_id}")


def kept(
    store: Store, vault: Vault, name: str, state: Any, *, platform: PlatformFile, by: str, origin: str, before: Entry | None
) -> Entry:  # fmt: skip
    """Keep it with its audit row; the alarm of the platform is cleared and its wait ended. Raises SessionFault."""
    from store import alarms, audit, sources

    now = utc_now()
    with vault.turn(), store.write() as connection:
        entry = vault.put(name, state, platform=platform, by=by, at=now, origin=origin, seen=before.serial if before else None)
        detail = {"platform": platform.id, "serial": entry.serial, "origin": origin, "cookies": entry.cookies, "hosts": list(entry.hosts)}
        action = "session.renew" if before else "session.add"
        audit.append(connection, actor=by, action=action, subject=f"session:{name}", at=now, detail=detail)
        alarms.clear(connection, kind="session", subject=f"platform:{platform.id}", by=by, now=now)
        if platform.id in sources.manners(connection):
            sources.keep_manners(connection, platform.id, blocked_until=None, why="", walls=0)
    return entry


def _from_file(path: Path) -> Any:
    import json

    from crawlers.sessions import MOST_BYTES
    from crawlers.sessions_key import SessionFault

    if path.stat().st_size > 2 * MOST_BYTES:
        raise SessionFault(f"{path}: {path.stat().st_size} bytes are more than a storage_state has; log in with a fresh browser")
    try:
        state = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise SessionFault(f"{path}: not JSON; make it with Playwright's context.storage_state(path=...)") from None
    click.echo(f"注意：{path} 里仍是明文 Cookie，本命令没有动它。请自行安全删除（shred -u {path}），也不要留在邮件和聊天记录里。", err=True)
    if path.stat().st_mode & 0o077:
        click.echo(f"注意：{path} 其他用户可读。", err=True)
    return state


def _by_hand(settings: Settings, platform: PlatformFile) -> Any:
    from crawlers.sessions_entry import enter, find_window

    assert platform.session is not None
    browser = find_window(settings)
    address = platform.session.login or platform.home
    click.echo(f"正在打开浏览器：{address}\n请在其中登录；完成后回到这里按回车，或直接关闭浏览器窗口。", err=True)
    return enter(address, browser=browser, done=pressed(sys.stdin))


def pressed(stream: Any) -> Callable[[], bool]:
    """Whether a line came, without waiting for one; never, where nobody can type."""

    def done() -> bool:
        if not stream.isatty():
            return False
        return bool(select.select([stream], [], [], 0)[0]) and bool(stream.readline())

    return done


@sessions.command("list")
@JSON
def list_(as_json: bool) -> None:
    """Every session: platform, hosts, who entered it and when, when its cookies end, whether it is paused. Values are never shown."""
    with _opened() as (_settings, _store, vault):
        rows = [_row(one) | _pause(vault, one.name) for one in vault.entries()]
        broken = [name for name in vault.names() if name not in {row["name"] for row in rows}]
    if as_json:
        show_json({"sessions": rows, "broken": broken})
        return
    for row in rows:
        state = f"已暂停：{row['paused']}" if row["paused"] else "在用"
        click.echo(f"{row['name']:<16} {row['platform']:<20} {row['entered_by']} {row['entered_at']}  {row['ends']}  {state}")
        click.echo(f"    主机 {', '.join(row['hosts'])}；Cookie {row['cookies']} 个")
    for name in broken:
        click.echo(f"{name:<16} 文件已损坏：wangxun sessions check {name}")
    click.echo(f"会话 {len(rows)} 个" if rows else "没有会话：平台文件写 session: 名称 后，用 wangxun sessions add 录入")


@sessions.command()
@click.argument("name", nargs=-1)
@click.option("--officer", default="cli", help="Who looks; goes into the audit log.")
@JSON
def check(name: tuple[str, ...], officer: str, as_json: bool) -> None:
    """Whether each session opens, is nobody else's to read, still lasts and was entered through here. Exit 1 on any fault."""
    from store import audit

    with _opened() as (settings, store, vault):
        unknown = [one for one in name if one not in vault.names()]
        if unknown:
            raise click.UsageError(f"no such session: {', '.join(unknown)}; wangxun sessions list shows them")
        rows = [{"name": one, "faults": _faults(settings, store, vault, one)} for one in name or vault.names()]
        now = utc_now()
        with store.write() as connection:
            for row in rows:
                detail = {"faults": len(row["faults"])}
                audit.append(connection, actor=officer, action="session.check", subject=f"session:{row['name']}", at=now, detail=detail)
    if as_json:
        show_json({"ok": not any(row["faults"] for row in rows), "sessions": rows})
    else:
        for row in rows:
            click.echo(f"{row['name']}: " + ("；".join(row["faults"]) if row["faults"] else "正常"))
        click.echo(f"会话 {len(rows)} 个")
    raise click.exceptions.Exit(1 if any(row["faults"] for row in rows) else 0)


def _faults(settings: Settings, store: Store, vault: Vault, name: str) -> list[str]:
    from crawlers.loader import load_sound, platform_folders
    from crawlers.sessions_key import SessionFault
    from store.sessions import entered

    found = [f"{path}：其他用户可读写，chmod {mode:o}" for path, mode in vault.exposed(name)]
    try:
        entry = vault.open(name).entry
    except SessionFault as error:
        return [*found, str(error)]
    if (pause := vault.paused(name)) is not None:
        found.append(f"已失效（{pause.why}）：wangxun sessions add {name} --platform {entry.platform}")
    elif entry.lasting == entry.cookies and (entry.last_end or 0) <= time.time():
        found.append("全部 Cookie 已到期，请重新录入")
    platforms, _ = load_sound(platform_folders(settings))
    platform = platforms.get(entry.platform)
    if platform is None or platform.session is None or platform.session.name != name:
        found.append(f"没有平台使用：平台 {entry.platform} 的文件没有写 session: {name}；不再需要就 wangxun sessions remove {name}")
    elif set(platform.site) != set(entry.hosts):
        found.append(f"平台的主机已改为 {', '.join(platform.site)}，录入时为 {', '.join(entry.hosts)}；请重新录入")
    with store.read() as connection:
        serials = entered(connection, name)
    if entry.serial not in serials:
        found.append("审计日志里没有这次录入：不是经本命令写入，或写入时中断；请重新录入")
    return found


@sessions.command()
@click.argument("name")
@OFFICER
@JSON
def remove(name: str, officer: str, as_json: bool) -> None:
    """Delete session NAME. The site still knows it until it is logged out there."""
    from store import audit

    with _opened() as (_settings, store, vault), vault.turn(), store.write() as connection:
        entry = vault.known(name)
        there = vault.remove(name)
        if there:
            detail = {"platform": entry.platform, "serial": entry.serial} if entry else {}
            audit.append(connection, actor=officer, action="session.remove", subject=f"session:{name}", at=utc_now(), detail=detail)
    if not there:
        raise click.UsageError(f"no such session: {name}; wangxun sessions list shows them")
    if as_json:
        show_json({"removed": name})
    else:
        click.echo(f"会话 {name} 已删除。请同时在平台上退出登录，平台侧的会话才会作废。")


@sessions.command()
@OFFICER
@JSON
def rotate(officer: str, as_json: bool) -> None:
    """Encrypt all sessions with a new key; broken off at any instant, it goes on the next time."""
    from store import audit

    with _opened() as (_settings, store, vault), vault.turn(), store.write() as connection:
        changed = vault.change_key()
        audit.append(connection, actor=officer, action="session.rotate", subject="session:*", at=utc_now(), detail={"changed": changed})
    if as_json:
        show_json({"changed": changed})
    else:
        click.echo(f"已换新密钥，重新加密会话 {changed} 个" if changed else "没有会话要重新加密；密钥由环境给出时，先写 新,旧 再执行")


def _row(entry: Entry) -> dict[str, Any]:
    from dataclasses import asdict

    at = for_people(datetime.fromisoformat(entry.entered_at))
    return {**asdict(entry), "entered_at": at, "ends": _ends(entry), "hosts": list(entry.hosts)}


def _pause(vault: Vault, name: str) -> dict[str, Any]:
    pause = vault.paused(name)
    return {"paused": pause.why if pause else ""}


def _ends(entry: Entry) -> str:
    if entry.first_end is None or entry.last_end is None:
        return "Cookie 未标明期限"
    first, last = (for_people(datetime.fromtimestamp(min(one, 4e9), UTC)) for one in (entry.first_end, entry.last_end))
    return f"Cookie 期限 {first} 至 {last}"
