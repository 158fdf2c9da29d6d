"""The demo city (演示城市): a dozen web sites on 127.0.0.1, with invented names, that live on while they are patrolled.

Every site has its own port; `city.json` in the city's folder remembers the ports, the city's clock and who was warned, so
that a second run finds the same town as the first one left.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from domain.clock import utc_now
from domain.identity import canonical_url
from patrol.demo import sites
from patrol.demo.life import Life, Shown
from patrol.demo.postings import SITES, Post, Truth, all_posts
from patrol.demo.serving import Served, listen, port_of
from patrol.demo.sites import shop

PLATFORMS = Path(__file__).parent / "platforms"
SAVE_EVERY_S = 5.0
ADVANCE_S = 700.0
"""City seconds that a round of `advance_to_round` lies after the last one: longer than any arrival or return takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A posting that is publicly reachable now."""

    id: str
    site: str
    platform: str
    """Id of its platform file."""
    url: str
    """Canonical address."""
    kind: str
    title: str
    author: str
    truth: Truth
    scheme: str | None
    in_picture: bool
    """Whether a poster belongs to it."""
    reachable: bool = True


class City:
    """Start it on a folder, patrol it, warn its publishers, and hold what was found against its key.

    `speed` is city seconds a second. `reaction_s` and `return_s` are the city seconds after a warning at which a publisher
    acts on it, and at which one of the stubborn posts again. `wall` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        reaction_s: float = 0.0,
        return_s: float = 120.0,
        wall: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.speed = speed
        self._reaction_s, self._return_s, self._wall, self._now = reaction_s, return_s, wall, now
        self._lock = threading.RLock()
        self._served: Served | None = None
        self._closing = threading.Event()

    def start(self, folder: Path) -> None:
        """Serve all sites, and return when they answer. A remembered port that is busy is replaced by a free one."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        kept = self._kept()
        self._at_start_s, self._wall_start = float(kept.get("elapsed_s", 0.0)), self._wall()
        self.began_at = datetime.fromisoformat(kept["began_at"]) if "began_at" in kept else self._now()
        self._warned: dict[str, float] = dict(kept.get("warned", {}))
        self.life = Life(
            all_posts(), elapsed_s=lambda: self.elapsed_s, began_at=self.began_at, warned=self._warned,
            reaction_s=self._reaction_s, return_s=self._return_s,
        )  # fmt: skip
        sockets = {site: listen(kept.get("ports", {}).get(site)) for site in SITES}
        self.ports = {site: port_of(sock) for site, sock in sockets.items()}
        apps = {self.ports[site]: app for site, app in sites.applications(self).items()}
        self._served = Served(_by_port(apps), list(sockets.values()), name="demo-city")
        self._served.start()
        self._save()
        self._closing.clear()
        threading.Thread(target=self._save_often, name="demo-city-clock", daemon=True).start()

    def stop(self) -> None:
        """Close all sites; the city's clock stands still until the next start."""
        self._closing.set()
        if self._served is not None:
            self._served.stop()
            self._served = None
            self._save()

    def __enter__(self) -> City:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def elapsed_s(self) -> float:
        """City seconds since the city first stood."""
        return self._at_start_s + (self._wall() - self._wall_start) * self.speed

    def advance(self, seconds: float) -> None:
        """Let city time pass at once: arrivals arrive, publishers react."""
        with self._lock:
            self._at_start_s += seconds
        self._save()

    def advance_to_round(self, number: int) -> None:
        """Let city time pass to patrol round `number` (the first is 1), where it has not come so far yet."""
        self.advance(max(0.0, (number - 1) * ADVANCE_S - self.elapsed_s))

    def address(self, site: str) -> str:
        """`http://127.0.0.1:PORT`, without a slash at its end."""
        return f"http://127.0.0.1:{self.ports[site]}"

    def sites(self) -> list[tuple[str, str]]:
        """(name, address) of every site, for people."""
        return [(name, f"{self.address(site)}/") for site, name in SITES.items()]

    def url(self, item: Shown) -> str:
        """The canonical address of a posting."""
        page, mark, floor = sites.path_of(item).partition("#")
        return canonical_url(self.address(item.site) + page) + mark + floor

    def reported(self) -> dict[str, Post]:
        """Pages that cloak, as citizens saw them on their phones and reported them: address -> what stands there for a victim."""
        found = (self.life.find(key) for key in shop.REPORTED)
        return {self.url(item): item.post for item in found if item is not None}

    def snapshot(self) -> tuple[Open, ...]:
        """Every posting that is publicly reachable right now."""
        with self._lock:
            return tuple(
                Open(
                    id=item.id, site=item.site, platform=platform_id(item.site), url=self.url(item), kind=item.post.kind, title=item.title,
                    author=item.author, truth=item.truth, scheme=item.scheme, in_picture=item.image is not None,
                )
                for item in self.life.shown()
            )  # fmt: skip

    def key_of(self, url_or_id: str) -> str | None:
        """The id of the posting at this address (whether public now or not), or of this id; None for what is no posting."""
        if self.life.post(url_or_id):
            return url_or_id
        parts = urlsplit(url_or_id)
        site = next((site for site, port in self.ports.items() if parts.hostname == "127.0.0.1" and parts.port == port), None)
        if site is None:
            return None
        pid = parse_qs(parts.query).get("pid", [""])[0] if site == "forum" else ""
        pid = parts.fragment.removeprefix("post_") if site == "bbs" else pid
        found = re.search(r"/(?:thread-)?[a-z]?(\d{4,})(?:-\d+-\d+)?(?:\.html|\.json)?$", parts.path)
        number = pid or (found[1] if found else "")
        return next((letter + number for letter in sites.LETTERS[site] if self.life.post(letter + number)), None)

    def truth(self, url_or_id: str) -> Literal["promo", "lookalike", "ordinary", "unknown"]:
        """The city's own key: what a careful person would find at this address, as it stands there now or stood there last."""
        key = self.key_of(url_or_id)
        if key is None:
            return "unknown"
        shown, post = self.life.find(key), self.life.post(key)
        assert post is not None
        return shown.truth if shown else post.truth

    def scheme(self, url_or_id: str) -> str | None:
        """The scheme of a promo, a slug of rules/schemes.yml; None for all else."""
        key = self.key_of(url_or_id)
        post = self.life.post(key) if key else None
        return post.scheme if post else None

    def on_warning(self, url: str) -> str | None:
        """A notice about this address has reached its publisher. Returns the posting's id, None for no posting of ours."""
        with self._lock:
            key = self.key_of(url)
            told = key is not None and self.life.warn(key)
        if told:
            self._save()
        return key

    def platform_files(self, folder: Path) -> list[Path]:
        """Write the platform files of all sites to `folder`/platforms (to `folder` where that is its name); their paths."""
        target = folder if folder.name == "platforms" else folder / "platforms"
        target.mkdir(parents=True, exist_ok=True)
        written = []
        for site in SITES:
            text = (PLATFORMS / f"{site}.yml").read_text(encoding="utf-8")
            for other, port in self.ports.items():  # a file may name another site's port: LANDING_PORT
                text = text.replace(f"{other.upper()}_PORT", str(port))
            text = text.replace("PORT", str(self.ports[site]))
            path = target / f"{platform_id(site)}.yml"
            path.write_text(text, encoding="utf-8")
            written.append(path)
        return written

    def _kept(self) -> dict[str, Any]:
        path = self._folder / "city.json"
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # a first run, or a file cut short by a power cut: begin anew
            return {}
        return kept if isinstance(kept, dict) else {}

    def _save(self) -> None:
        with self._lock:
            began, elapsed = self.began_at.isoformat(), round(self.elapsed_s, 3)
            kept = {"ports": self.ports, "began_at": began, "elapsed_s": elapsed, "warned": self._warned}
            path = self._folder / "city.json"
            path.with_suffix(".new").write_text(json.dumps(kept, indent=1), encoding="utf-8")
            path.with_suffix(".new").replace(path)

    def _save_often(self) -> None:
        while not self._closing.wait(SAVE_EVERY_S):
            self._save()


def platform_id(site: str) -> str:
    return f"demo-{site}"


def _by_port(apps: dict[int, ASGIApp]) -> ASGIApp:
    """One server for all sites: the port that was asked tells the site."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await apps[scope["server"][1]](scope, receive, send)

    return answer
