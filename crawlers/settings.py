"""Scrapy's settings for every sweep. What a platform decides (pace, robots, browser) is set by the spider from its file."""

from __future__ import annotations

BOT_NAME = "wangxun"
SPIDER_MODULES = ["crawlers.spiders"]
NEWSPIDER_MODULE = "crawlers.spiders"

TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
ASYNCIO_EVENT_LOOP = "uvloop.Loop"
TWISTED_DNS_RESOLVER = "crawlers.guard.GuardedResolver"

ITEM_PIPELINES = {"pipelines.intake.IntakePipeline": 300}

# The bases are replaced whole: each middleware that is left out is time on every page. Cookies are off, since public pages need
# none; proxies of the environment are not taken, since the guard could not answer for them.
DOWNLOADER_MIDDLEWARES_BASE = {
    "crawlers.sessions_middlewares.MaskMiddleware": 30,
    "crawlers.middlewares.GuardMiddleware": 40,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": 100,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "crawlers.browsing_need.NeedMiddleware": 540,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": 550,
    "crawlers.middlewares.PatienceMiddleware": 560,
    "crawlers.middlewares.UnpackMiddleware": 590,
    "crawlers.middlewares.RedirectQuietlyMiddleware": 600,
    "crawlers.sessions_middlewares.CookieMiddleware": 700,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,
}
SPIDER_MIDDLEWARES_BASE = {
    "crawlers.sessions_middlewares.SessionMiddleware": 50,
    "crawlers.sources.SourceMiddleware": 100,
    "crawlers.views.ViewMiddleware": 200,
}
EXTENSIONS_BASE = {
    "scrapy.extensions.corestats.CoreStats": 0,
    "crawlers.memory.ResidentMemory": 0,
    "scrapy.extensions.throttle.AutoThrottle": 0,
    "crawlers.monitors.SweepMonitor": 0,
}
DOWNLOAD_HANDLERS_BASE = {"http": "crawlers.browser.BrowserHandler", "https": "crawlers.browser.BrowserHandler"}

COOKIES_ENABLED = False
TELNETCONSOLE_ENABLED = False
LOG_LEVEL = "INFO"
LOGSTATS_INTERVAL = 0
STATS_DUMP = False
WARN_ON_GENERATOR_RETURN_VALUE = False

DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9",
}

# A retry is for a slip of the network; a site that says no is not asked again (429 and Retry-After: PatienceMiddleware).
RETRY_TIMES = 1
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]
REDIRECT_MAX_TIMES = 8
DOWNLOAD_FAIL_ON_DATALOSS = False
"""A body cut short is kept as far as it came, and counted as sweep/cut_short."""
DOWNLOAD_WARNSIZE = 0
AUTOTHROTTLE_MAX_DELAY = 60
CONCURRENT_REQUESTS = 32
# A page gives one item and a few requests; Scrapy's 100 tasks a page would cost more than reading it.
CONCURRENT_ITEMS = 4
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 40_000_000
