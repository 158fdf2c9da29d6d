"""What a sweep is set to, and what its failures are called."""

from __future__ import annotations

from typing import Any

from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, DownloadCancelledError, DownloadTimeoutError, IgnoreRequest

from crawlers.middlewares import OutsideInternet, TooBig
from crawlers.platform import PlatformFile, Robots
from domain.settings import Settings


def failure_of(error: BaseException) -> tuple[str, str]:
    """The count that a request without an answer falls under, and its reason for the log."""
    if isinstance(error, OutsideInternet):
        name = "refused"
    elif isinstance(error, TooBig | DownloadCancelledError):
        name = "too_big"
    elif isinstance(error, DownloadTimeoutError | TimeoutError):
        name = "timed_out"
    elif isinstance(error, IgnoreRequest) and "robots" in str(error):
        name = "robots"
    else:
        name = "errors"
    return name, "no such host" if isinstance(error, CannotResolveHostError) else str(error)[:300] or type(error).__name__


def configure(crawler: Crawler, platform: PlatformFile, settings: Settings) -> None:
    """What the platform's file and the deployment decide, as Scrapy settings of this sweep."""
    obey = settings.obey_robots if platform.robots is None else not isinstance(platform.robots, Robots)
    pace = platform.pace
    given: dict[str, Any] = {
        "USER_AGENT": settings.user_agent, "LOG_LEVEL": settings.log_level, "ROBOTSTXT_OBEY": obey,
        "DOWNLOAD_DELAY": pace.delay_s, "DOWNLOAD_DELAY_JITTER": 0.5 if pace.jitter else 0.0,
        "CONCURRENT_REQUESTS": max(8, pace.concurrency),
        "CONCURRENT_REQUESTS_PER_DOMAIN": pace.concurrency, "AUTOTHROTTLE_ENABLED": pace.delay_s > 0,
        "AUTOTHROTTLE_START_DELAY": pace.delay_s, "AUTOTHROTTLE_TARGET_CONCURRENCY": float(pace.concurrency),
        "DOWNLOAD_MAXSIZE": settings.max_body_mb * 1024 * 1024, "MEMUSAGE_LIMIT_MB": settings.sweep_memory_mb,
        "DOWNLOAD_TIMEOUT": platform.answer_s,
    }  # fmt: skip
    if platform.fetch == "browser":
        given["DOWNLOAD_HANDLERS"] = {"http": "crawlers.browser.BrowserHandler", "https": "crawlers.browser.BrowserHandler"}
    for name, value in given.items():
        crawler.settings.set(name, value, priority="spider")
