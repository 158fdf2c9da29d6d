"""How sites say no: a captcha, a login page, a refusal. Seen, counted, told; never worked around."""

from __future__ import annotations

import re
from typing import Literal

from crawlers.page import Page
from crawlers.platform import PlatformFile

Wall = tuple[Literal["captcha", "login", "refused"], str]
"""What kind, and by what it was seen."""

LITTLE = 1200
"""Shown characters under which the general words count: a long page only talks about captchas."""
_CAPTCHA = re.compile(
    r"(?:请|需要?)(?:先)?(?:输入|完成|进行|通过).{0,6}(?:验证码|安全验证|人机验证|滑块|验证)|访问(?:过于|太过?)?频繁|异常(?:访问|流量|请求)|人机验证|安全验证|"
    r"拖动(?:滑块|下方)|滑动验证|您的?访问(?:行为)?异常|Access Denied|verify (?:that )?you are (?:a )?human|unusual traffic|captcha",
    re.I,
)
_LOGIN = re.compile(
    r"请(?:您)?先?(?:登录|登陆)|(?:登录|登陆)(?:后|以后|之后|才).{0,8}(?:查看|浏览|访问|阅读|可见|继续)|需要(?:登录|登陆)|您?(?:尚未|还没有|没有)(?:登录|登陆)|"
    r"(?:您)?需要.{0,4}(?:登录|登陆)才"
)
_LOGIN_PATH = re.compile(r"/(?:passport|login|signin|sign_in|sso|accounts?/login)\b|passport\.|//login\.", re.I)
_CAPTCHA_PATH = re.compile(r"/(?:captcha|verify|antispider|punish|sorry)\b|wappass\.baidu\.com/static/captcha", re.I)


def wall_of(platform: PlatformFile, page: Page, *, status: int, asked: str, found: bool) -> Wall | None:
    """The wall that `page` is, or None.

    The platform's own marks always count. General ones count where nothing was read (`found` is false) and the page is short,
    or where the status itself refuses (401, 403, 412, 418, 429, 451, 503).
    """
    named = _named(platform, page)
    if named is not None:
        return named
    if status == 401:
        return "login", "status 401"
    if page.url != asked:
        for kind, pattern in (("login", _LOGIN_PATH), ("captcha", _CAPTCHA_PATH)):
            match = pattern.search(page.url)
            if match and not pattern.search(asked):
                return kind, f"sent to {match[0]}"  # type: ignore[return-value]  # the two literals above
    refuses = status in (403, 412, 418, 429, 451, 503)
    if status == 429:
        return "refused", "status 429"
    if (found and not refuses) or len(page.source) > 400_000:
        return None
    shown = page.shown
    if len(shown) > LITTLE:
        return None
    match = _CAPTCHA.search(shown)
    if match:
        return "captcha", match[0]
    match = _LOGIN.search(shown)
    if match and (refuses or len(shown) < 400):
        return "login", match[0]
    return None


def _named(platform: PlatformFile, page: Page) -> Wall | None:
    kinds: tuple[tuple[Literal["captcha", "login"], tuple[str, ...]], ...] = (
        ("captcha", platform.walls.captcha), ("login", platform.walls.login),
    )  # fmt: skip
    for kind, marks in kinds:
        for mark in marks:
            if mark.startswith("css:"):
                seen = page.tree.css_first(mark[4:].strip()) is not None
            elif mark.startswith("url:"):
                seen = mark[4:].strip() in page.url
            elif mark.startswith("source:"):
                seen = mark[7:].strip() in page.source
            else:
                # The source is asked first: building what is shown costs more than the rest of the page.
                seen = mark in page.source and mark in page.shown
            if seen:
                return kind, mark
    return None
