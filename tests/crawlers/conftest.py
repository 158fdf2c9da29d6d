"""A town of one server, and sweeps of it by the real spider in its own process."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from crawlers.monitors import outcome
from domain.model import Harvest, Posting

ROOT = Path(__file__).parents[2]
Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """Pages by path; a value is bytes (HTML), (status, headers, bytes), or a function that writes the answer itself."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append(self.path)
                answer = site.pages.get(self.path, site.pages.get(urlsplit(self.path).path, (404, {}, b"none")))
                if callable(answer):
                    answer(self)
                    return
                status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
                self.send_response(status)
                for name, value in {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.home = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Swept:
    """What one sweep gave."""

    code: int
    log: str
    harvests: list[Harvest] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def postings(self) -> list[Posting]:
        return [posting for harvest in self.harvests for posting in harvest.postings]

    @property
    def outcome(self) -> str:
        return outcome(self.stats)[0]

    def count(self, name: str) -> int:
        return int(self.stats.get(f"sweep/{name}", 0))


@pytest.fixture
def site() -> Iterator[Site]:
    place = Site()
    yield place
    place.close()


@pytest.fixture
def sweep(tmp_path: Path, site: Site) -> Callable[..., Swept]:
    """Sweeps `site` as `platform` says (merged into a gentle base) and gives what came of it."""

    def run(platform: dict[str, Any], *, visit: str | None = None, env: dict[str, str] | None = None, timeout_s: float = 60) -> Swept:
        base = {
            "id": "town",
            "title": "小城",
            "home": site.home,
            "kind": "portal",
            "allow_hosts": [f"127.0.0.1:{site.port}"],
            "pace": {"delay_s": 0, "concurrency": 8},
            "robots": {"ignore": "a test's own server"},
        }
        folder = tmp_path / "platforms"
        folder.mkdir(exist_ok=True)
        (folder / "town.yml").write_text(yaml.safe_dump({**base, **platform}, allow_unicode=True), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "scrapy",
            "crawl",
            "patrol",
            "-a",
            "platform=town",
            "-a",
            "sweep=7",
            "-s",
            'ITEM_PIPELINES={"tests.crawlers.collecting.CollectPipeline": 300}',
            "-s",
            f"COLLECT_INTO={tmp_path}",
        ]
        if visit is not None:
            (tmp_path / "visit.jsonl").write_text(visit, encoding="utf-8")
            command += ["-a", f"visit={tmp_path / 'visit.jsonl'}"]
        child = {**os.environ, "WANGXUN_DIR": str(tmp_path), "WANGXUN_PLATFORMS_DIR": str(folder), **(env or {})}
        # Thirty short processes: compiled modules are shared between them, whatever the machine's own habit is.
        child.pop("PYTHONDONTWRITEBYTECODE", None)
        child["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "wangxun-tests-pycache")
        done = subprocess.run(command, cwd=ROOT, env=child, capture_output=True, text=True, timeout=timeout_s, check=False)
        result = Swept(code=done.returncode, log=done.stderr)
        if (tmp_path / "stats.json").is_file():
            result.stats = json.loads((tmp_path / "stats.json").read_text(encoding="utf-8"))
        if (tmp_path / "harvests.pickle").is_file():
            with (tmp_path / "harvests.pickle").open("rb") as file:
                while True:
                    try:
                        result.harvests.append(pickle.load(file))
                    except EOFError:
                        break
        return result

    return run
