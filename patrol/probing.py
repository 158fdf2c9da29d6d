"""A look at an unknown site, by a spider process of its own, and the files that come of it: the platform's and its first fixtures."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from crawlers.extract import read
from crawlers.fixtures import Fixture, FixtureFile, unmet
from crawlers.guard import Guard
from crawlers.loader import PACKAGED, load_sound, platform_folders
from crawlers.platform import PlatformFile
from crawlers.probe import Probe
from crawlers.probe_pages import Errand, Robots, rows_in
from crawlers.probe_proposal import Proposal, Read
from domain.errors import FetchFault, PatrolError
from domain.settings import Settings
from patrol import process

SLACK_S = 30.0
"""Seconds that the process may take beyond its errand: to start, and to end."""


def address_of(text: str) -> tuple[str, ...]:
    """The addresses to try for what a person typed. Raises ValueError where it is none."""
    text = text.strip()
    given = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text)
    found = []
    for one in (text,) if given else (f"https://{text}", f"http://{text}"):
        parts = urlsplit(one)
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", text) or parts.username is not None:
            raise ValueError(text)
        _port = parts.port
        found.append(one if parts.path else f"{one}/")
    return tuple(found)


def look(errand: Errand, settings: Settings) -> Probe:
    """What a probe finds. Raises Refused where the guard refuses the address itself, FetchFault where the process brought nothing."""
    Guard(errand.allow).check(errand.home)
    with tempfile.TemporaryDirectory(prefix="wangxun-probe-") as name:
        folder = Path(name)
        errand.write(folder / "errand.json")
        words = [
            sys.executable,
            "-m",
            "scrapy",
            "crawl",
            "probe",
            "-a",
            f"errand={folder / 'errand.json'}",
            "-a",
            f"pages={folder / 'pages'}",
        ]
        bounded = settings.model_copy(update={"sweep_timeout_s": min(settings.sweep_timeout_s, errand.seconds + SLACK_S)})
        ended = process.run(words, settings=bounded, log_path=folder / "log", stop=threading.Event())
        probe = Probe(errand, folders=list(dict.fromkeys((PACKAGED, *platform_folders(settings)))))
        for row in rows_in(folder / "pages"):
            if isinstance(row, Robots):
                probe.robots = row
            else:
                probe.took(row)
        if not probe.got:
            raise FetchFault(f"{errand.home}: the probe ended ({ended.why or ended.code}) without a page; its log says:\n{ended.tail}")
    return probe


def owner_of(url: str, settings: Settings) -> tuple[PlatformFile | None, dict[str, PlatformFile]]:
    """The platform that has `url` already, and all of them by id."""
    platforms, _faults = load_sound(platform_folders(settings))
    owners = [one for one in platforms.values() if not one.adopt and "*" not in one.site and one.owns(url)]
    return (max(owners, key=lambda one: one.claim(url)) if owners else None), platforms


def folder_of(settings: Settings) -> Path:
    """Where files of the deployment's own platforms lie."""
    return settings.platforms_dir or settings.dir / "platforms"


def keep(text: str, path: Path, *, force: bool) -> bool:
    """Write the platform's file whole or not at all; False where it stands there already as it is.

    Raises PatrolError where another stands there and `force` is not given (with it, the old one is kept as .bak), or on a full disk.
    """
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        if before == text:
            return False
        if before is not None and not force:
            raise PatrolError(f"{path}：已经有这个文件，而且内容不同；要换掉它加 --force（旧的另存为 .bak），要另写一个加 --id")
        path.parent.mkdir(parents=True, exist_ok=True)
        if before is not None:
            _put(path.with_name(f"{path.name}.bak"), before)
        _put(path, text)
    except OSError as error:
        raise PatrolError(f"{path}：写不进去（{error.strerror or error}）；检查磁盘空间和权限") from error
    return True


def _put(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


# --- fixtures


def fixtures(proposal: Proposal, folder: Path, *, force: bool) -> list[Path]:
    """Lay a list page and an article beside the platform's file, with what must be found on them. Gives the pages that were laid.

    Raises PatrolError on a full disk. A fixture that is there already stays, unless `force`.
    """
    laid = []
    root = folder / "pages" / proposal.platform.id
    try:
        root.mkdir(parents=True, exist_ok=True)
        for name, one in _chosen(proposal.pages):
            suffix = {"feed": ".xml", "sitemap": ".xml"}.get(one.reading.layout, ".html")
            page, beside = root / f"{name}{suffix}", root / f"{name}.yml"
            if (page.exists() or beside.exists()) and not force:
                continue
            source, described = _described(proposal.platform, one)
            _put(page, source)
            _put(beside, yaml.safe_dump(described, allow_unicode=True, sort_keys=False, width=150))
            laid.append(page)
            if faults := unmet(
                Fixture(proposal.platform.id, beside, page, FixtureFile.model_validate(described)),
                {proposal.platform.id: proposal.platform},
            ):
                raise PatrolError(f"{beside}：{faults[0]}；按网页改这个文件")
    except OSError as error:
        raise PatrolError(f"{root}：写不进去（{error.strerror or error}）；检查磁盘空间和权限") from error
    return laid


def _chosen(pages: Sequence[Read]) -> list[tuple[str, Read]]:
    lists = [one for one in pages if one.fetched.why != "article" and (one.reading.items or one.reading.postings)]
    articles = [one for one in pages if one.fetched.why == "article" and one.reading.postings]
    return [*(("list", one) for one in lists[:1]), *(("article", one) for one in articles[:1])]


def _described(platform: PlatformFile, one: Read) -> tuple[str, dict[str, Any]]:
    """The page's source, and the YAML that says what is found on it."""
    page, at = one.fetched.page(), one.fetched.at.replace(microsecond=0)
    reading = read(platform, page, role=one.fetched.role, now=at)
    onward = [step.url for step in reading.follow if step.onward]
    behind = [step.url for step in reading.follow if not step.onward]
    expect: dict[str, Any] = {"layout": reading.layout, "count": len(reading.postings), "postings": []}
    for posting in reading.postings[:3]:
        told = {"title": posting.title, "url": posting.url, "publisher": posting.publisher, "published_at": posting.published_at}
        row = {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in told.items() if value}
        first = max(posting.body.split("\n"), key=len)[:40]
        expect["postings"].append(row | ({"body_has": [first]} if first else {}))
    expect |= {"next": onward[0] if onward else None, "follow": behind[:3], "follow_count": len(behind)}
    described = {"url": page.url, "role": one.fetched.role, "at": at.isoformat(), "status": one.fetched.status or 200}
    if one.fetched.asked != page.url:
        described["asked"] = one.fetched.asked
    if page.charset not in ("utf-8", "utf-16-le", "utf-16-be"):
        described["charset"] = page.charset
    return page.source, {**described, "expect": expect, "notes": "取自网站自己的网页，只在本机用，不入代码库"}
