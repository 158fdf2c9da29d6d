"""The demo city brought up: websites, publishers' mail box, police receiver, settings and demo officers, in one data folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from domain.clock import utc_now
from domain.errors import PatrolError
from domain.settings import Settings, load
from patrol.demo.city import City
from patrol.demo.mailbox import Mailbox
from patrol.demo.police import Police
from patrol.work import create_if_new
from store import officers
from store.engine import open_store

MARK = ".wangxun-demo"
POLICE_TOKEN = "demo-city-police"  # noqa: S105 - of a receiver on this machine, in an invented city
PASSWORD = "demo-2026"  # noqa: S105 - of clearly marked demo accounts on 127.0.0.1
OFFICERS = (
    ("demo-chen", "陈晓（演示账号）", ("patroller", "reviewer")),
    ("demo-lin", "林涛（演示账号）", ("patroller", "reviewer")),
    ("demo-zhao", "赵敏（演示账号）", ("approver", "auditor", "admin")),
)
"""Two who prepare and one who approves: the smallest office in which every letter has its second person."""

TOML = """\
# Written by `wangxun demo`: an invented city on this machine.
office = "网巡演示"
office_name = "（演示）青棠市互联网信息办公室"
office_contact = "演示值班室，电话 0000-0000000，演示路 1 号"
user_agent = "WangxunDemo/0.1 (demo city on 127.0.0.1)"
platforms_dir = "{platforms}"
smtp_host = "127.0.0.1"
smtp_port = {smtp_port}
mail_from = "wangxun-demo@example.test"
police_url = "{police_url}"
police_token = "{token}"
recheck_hours = {recheck_hours}
backoff_s = 2.0
disk_min_mb = 100
places = "青棠,望河区,北塘,白芦县"
console_port = {console_port}
"""


class NotADemoFolder(PatrolError):
    """The folder holds something else: the demo never clears what it did not make."""


@dataclass(slots=True)
class Town:
    """A running city. Use as a context: it stops everything at the end."""

    folder: Path
    city: City
    mailbox: Mailbox
    police: Police
    settings: Settings

    def __enter__(self) -> Town:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.mailbox.stop()
        self.police.stop()
        self.city.stop()


def prepare(folder: Path, *, fresh: bool) -> None:
    """Make the demo's folder, emptied where `fresh`. Raises NotADemoFolder for a folder with other content."""
    mark = folder / MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise NotADemoFolder(f"{folder}: holds files that are not the demo's; give an empty folder with --dir")
    if fresh and folder.exists():
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text("made by wangxun demo; --fresh clears this folder\n", encoding="utf-8")
    except OSError as error:
        raise NotADemoFolder(f"{folder}: cannot be written ({error.strerror}); give another folder with --dir") from error


def open_town(folder: Path, *, fresh: bool, console_port: int = 8000, recheck_hours: float = 0.02, speed: float = 1.0) -> Town:
    """Start the city at `folder`. `speed` multiplies the city's own clock (arrivals, come-backs)."""
    prepare(folder, fresh=fresh)
    city = City(speed=speed)
    city.start(folder)
    mailbox = Mailbox(city)
    mailbox.start(folder)
    police = Police(token=POLICE_TOKEN)
    police.start(folder)
    platforms = folder / "platforms"
    city.platform_files(platforms)
    text = TOML.format(
        platforms=platforms.resolve(), smtp_port=mailbox.port, police_url=police.url, token=POLICE_TOKEN, recheck_hours=recheck_hours,
        console_port=console_port,
    )  # fmt: skip
    (folder / "wangxun.toml").write_text(text, encoding="utf-8")
    settings = load(dir=folder)
    create_if_new(settings)
    _officers(settings)
    return Town(folder=folder, city=city, mailbox=mailbox, police=police, settings=settings)


def _officers(settings: Settings) -> None:
    store = open_store(settings)
    try:
        with store.write() as connection:
            known = {row["name"] for row in officers.all_officers(connection)}
            for name, shown, roles in OFFICERS:
                if name not in known:
                    officers.add(connection, name=name, shown=shown, roles=roles, password=PASSWORD, demo=True, now=utc_now())
    finally:
        store.close()
