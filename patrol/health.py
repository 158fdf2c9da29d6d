"""Does a person need to look? `wangxun health --json` exits non-zero when one does."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime

from domain.clock import for_people
from domain.errors import PatrolError
from domain.settings import Settings
from store import alarms, views
from store.engine import Store, open_store

STALE_BEAT_S = 90
"""Six missed heartbeats: a busy machine misses one or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a person should look at, and what would do."""

    kind: str
    subject: str
    found: str
    remedy: str


REMEDIES = {
    "zero_postings": "用浏览器打开该平台核对列表页，再以 wangxun platforms check 核对选择器",
    "drift": "页面已改版：按 docs/platforms.md 更新平台文件",
    "wall": "不作绕过；请与平台沟通，或改用其公开接口",
    "session": "由本单位人员重新登录：wangxun sessions add 名称 --platform 平台；登录后从中断处继续",
    "dead_job": "查看 DIR/logs 下的日志；wangxun sweep 平台名 可单独重跑",
    "disk": "清理磁盘或扩容；wangxun db backup 后可缩短 spool_days",
    "lease": "wangxun health --json 列出编号；多数会在下一轮自行处理",
    "channel": "核对接收端地址与网络；wangxun outbox list 查看待发件",
    "rule_flood": "wangxun rules show 规则 核对是否误命中；确属涉嫌的 wangxun rules release 规则，误命中的加 --drop 并改规则",
    "model": "wangxun train status 看缺哪些文件并恢复；其间用此前的模型或仅以规则研判",
    "rules": "wangxun rules check 并按提示改正；其间原规则继续研判，改好后一分钟内自动采用",
    "starved": "提高 requests_per_hour 或 sweeps_at_once，或减少平台；wangxun schedule 列出入口",
    "missed_run": "机器过忙或曾停机；查看巡查日志 wangxun log",
    "dead_letter": "核对收件地址后 wangxun outbox settle 编号 resend",
    "delivery_uncertain": "向收件方核实后 wangxun outbox settle 编号 delivered 或 resend",
    "lead_overdue": "联系接收单位，在“文书”页登记反馈",
    "lead_returned": "在“文书”页转行政处理并办结",
    "lost_evidence": "wangxun db verify 查明缺损，由备份恢复",
}


def examine(settings: Settings, *, now: datetime, expect_daemon: bool = True) -> list[Finding]:
    """All findings, gravest first; empty when all is well. Never raises for a sick system: that is a finding too."""
    found: list[Finding] = []
    try:
        store = open_store(settings)
    except PatrolError as error:
        return [Finding(kind="store", subject=settings.database.rsplit("@")[-1], found=str(error), remedy="见上述提示；数据未被改动")]
    try:
        found += _disk(settings)
        if expect_daemon:
            found += _daemon(settings, now=now)
        found += _store(store, now=now)
    except Exception as error:
        found.append(Finding(kind="store", subject="database", found=f"{type(error).__name__}: {error}", remedy="wangxun db verify"))
    finally:
        store.close()
    return found


def _disk(settings: Settings) -> list[Finding]:
    free = shutil.disk_usage(settings.dir).free / 1e6
    if free >= settings.disk_min_mb:
        return []
    return [Finding(kind="disk", subject=str(settings.dir), found=f"磁盘仅余 {free:.0f} MB", remedy=REMEDIES["disk"])]


def _daemon(settings: Settings, *, now: datetime) -> list[Finding]:
    path = settings.dir / "daemon.json"
    start = "wangxun run（或检查 systemd 服务）"
    try:
        beat = json.loads(path.read_text(encoding="utf-8"))
        age = (now - datetime.fromisoformat(beat["at"])).total_seconds()
        alive = _alive(int(beat["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return [Finding(kind="daemon", subject="wangxun run", found="守护进程没有运行", remedy=start)]
    if not alive:
        return [Finding(kind="daemon", subject="wangxun run", found="守护进程已意外终止", remedy=start)]
    # A beat from the future means that the clock was set back: the process is there, so say what is odd, not that it is dead.
    if age < -STALE_BEAT_S:
        return [Finding(kind="clock", subject="wangxun run", found=f"系统时钟倒退了 {-age:.0f} 秒", remedy="核对 NTP")]
    if age > STALE_BEAT_S:
        return [Finding(kind="daemon", subject="wangxun run", found=f"守护进程 {age:.0f} 秒没有心跳", remedy=start)]
    return []


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _store(store: Store, *, now: datetime) -> list[Finding]:
    found = []
    with store.read() as connection:
        for row in alarms.open_alarms(connection):
            text = f"{row['text']}（自 {for_people(row['opened_at'])} 起 {row['times']} 次）"
            found.append(
                Finding(kind=row["kind"], subject=row["subject"], found=text, remedy=REMEDIES.get(row["kind"], "wangxun alarms list"))
            )
        overdue = views.overdue(connection, now=now)
    for name, count in overdue.items():
        if count:
            found.append(Finding(kind="overdue", subject=name, found=f"{name}逾期 {count} 件", remedy="在业务台“文书”页处理"))
    return found


def report(settings: Settings, *, now: datetime, expect_daemon: bool = True) -> dict[str, object]:
    """`{"ok": bool, "at": ..., "findings": [...]}` as the command prints it."""
    found = examine(settings, now=now, expect_daemon=expect_daemon)
    return {"ok": not found, "at": now.isoformat(timespec="seconds"), "findings": [asdict(one) for one in found]}


__all__ = ["Finding", "examine", "report"]
