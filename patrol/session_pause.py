"""A platform whose session is missing or has expired is paused, with an alarm, until a person enters it again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from crawlers.platform import PlatformFile
from crawlers.sessions import Vault
from crawlers.sessions_key import SessionFault
from domain.clock import for_people
from patrol.work import Work
from store import alarms

KIND = "session"
EXPIRED = "sweep/session_expired"
"""The count by which a sweep says so."""


def why_paused(work: Work, platform: PlatformFile) -> str:
    """In words for an officer, why nothing is asked of this platform; empty where it may be patrolled."""
    if platform.session is None:
        return ""
    name, vault = platform.session.name, Vault(work.settings)
    enter = f"wangxun sessions add {name} --platform {platform.id}"
    if name not in vault.names():
        return f"平台文件要求会话 {name}，尚未录入：由本单位人员执行 {enter}"
    try:
        entry = vault.open(name).entry
    except SessionFault as error:
        return f"会话 {name} 打不开：{error}"
    if entry.platform != platform.id:
        return f"会话 {name} 属于平台 {entry.platform}；一个平台一个会话，请另取名字"
    pause = vault.paused(name)
    if pause is None:
        return ""
    since = for_people(datetime.fromisoformat(pause.at))
    return f"会话 {name} 已失效（{since}，{pause.why}）：由本单位人员重新登录 {enter}；登录后从中断处继续"


def paused(work: Work) -> set[str]:
    """Platforms that nothing is asked of; each with its alarm."""
    found = {one.id for one in work.platforms.values() if one.session is not None and one.enabled and why_paused(work, one)}
    if found:
        with work.store.read() as connection:
            said = {row["subject"] for row in alarms.open_alarms(connection) if row["kind"] == KIND}
        silent = [name for name in sorted(found) if f"platform:{name}" not in said]
        if silent:
            with work.store.write() as connection:
                for name in silent:
                    held(work, connection, name)
    return found


def resuming(work: Work, known: set[str], *, busy: Collection[str] = ()) -> set[str]:
    """Platforms whose session was entered again and that have something left to go on with, each once an entry: `known` remembers."""
    found = set()
    for one in work.platforms.values():
        vault = Vault(work.settings)
        if one.session is None or not one.enabled or one.id in busy or not vault.waiting(one.id) or why_paused(work, one):
            continue
        entry = vault.known(one.session.name)
        if entry is not None and entry.serial not in known:
            known.add(entry.serial)
            found.add(one.id)
    return found


def held(work: Work, connection: Connection, name: str) -> bool:
    """Whether this platform is paused; its alarm is raised then, and cleared where it is not."""
    platform = work.platforms.get(name)
    why = why_paused(work, platform) if platform is not None else ""
    subject, now = f"platform:{name}", work.clock()
    if why:
        alarms.raise_alarm(connection, kind="session", subject=subject, text=f"{name} 暂停巡查。{why}", now=now)
    else:
        alarms.clear(connection, kind=KIND, subject=subject, by="machine:sweep", now=now)
    return bool(why)


def heeded_as(outcome: str, counts: Collection[str]) -> str:
    """What the schedule is told: an expired session is no wall to wait at, the platform goes on the moment that a person has come."""
    return "paused" if EXPIRED in counts and outcome == "walled" else outcome
