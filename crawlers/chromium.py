"""Finds the machine's Chromium: the system's first, since Playwright's own download may be impossible."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from domain.settings import Settings

NAMES = (
    "chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome",
    "microsoft-edge-stable",
)  # fmt: skip
"""In the order of their measured speed: the headless shell wins every pair."""


def find_browser(settings: Settings) -> Path | None:
    """The browser to use; None where there is none. A path that the settings name wins, and nothing else is tried then."""
    if settings.browser_path is not None:
        return settings.browser_path if _runs(settings.browser_path) else None
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    inside = sorted(cache.glob("chromium*/chrome-*/*")) if cache.is_dir() else []
    wanted = ("headless_shell", "chrome", "chrome-headless-shell")
    return next((path for path in reversed(inside) if path.name in wanted and _runs(path)), None)


def missing_browser(settings: Settings, *, platform: str) -> str:
    """What to tell where no browser is found: which platform is not patrolled, and the command that would help."""
    looked = str(settings.browser_path) if settings.browser_path else ", ".join(NAMES)
    return (
        f"{platform}: no browser ({looked}), so this platform is not patrolled; install one (apt-get install chromium-headless-shell, "
        f"or playwright install chromium-headless-shell) or set WANGXUN_BROWSER_PATH"
    )


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
