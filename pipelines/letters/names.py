"""Chinese names of schemes, authorities and platforms, from the rule pack and the platform files in force."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from crawlers.loader import load_platforms, platform_folders
from domain.errors import PlatformFault
from domain.settings import Settings
from rules.loader import load

CONTACTS = {
    "phone": "电话", "wechat": "微信", "qq": "QQ", "group": "群号", "link": "链接", "domain": "域名", "email": "邮箱", "icp": "备案号",
    "account": "收款账户", "crypto": "虚拟货币地址",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    schemes: dict[str, str]
    authorities: dict[str, str]

    def scheme_line(self, slugs: list[str]) -> str:
        return "、".join(self.schemes.get(slug, slug) for slug in slugs) or "未归类"


@lru_cache(maxsize=4)
def names(rules_dir: Path | None) -> Names:
    """Raises RuleFault where the pack cannot be read."""
    pack = load(rules_dir)
    return Names(
        schemes={slug: scheme.name for slug, scheme in pack.schemes.items()},
        authorities={slug: body.name for slug, body in pack.authorities.items()},
    )


def platform_name(settings: Settings, platform: str, *, url: str) -> str:
    """`某论坛（forum.example）`: a platform's title and the host; the host alone where no platform file names it."""
    host = urlsplit(url).hostname or platform
    try:
        known = load_platforms(platform_folders(settings)).get(platform)
    except PlatformFault:  # a broken file of another platform must not stop a letter
        known = None
    return f"{known.title}（{host}）" if known else host
