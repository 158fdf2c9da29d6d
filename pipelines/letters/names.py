"""Chinese names of schemes and authorities, from the rule pack in force."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rules.loader import load


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
