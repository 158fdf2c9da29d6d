"""`bench extract`: pages a second that the selectors read, and the general extractor, beside bare lxml.

The peer parses the same bytes with `lxml.html` and asks compiled XPaths for the same fields: of each field only the alternative that finds
something on that page, translated once before the clock runs. It cleans nothing, joins no address, reads no time and makes no Posting.
Pages come from the packaged fixtures, their own markup repeated as inert furniture up to `PAD` bytes, or from a WARC.
"""

from __future__ import annotations

import gc
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import lxml.html  # type: ignore[import-untyped]  # comes with parsel, without types
from cssselect import HTMLTranslator, SelectorError
from lxml import etree

from crawlers import general
from crawlers.extract import read
from crawlers.feeds import kind_of
from crawlers.fixtures import fixtures_in, page_of, role_of
from crawlers.gather import platform_for
from crawlers.loader import PACKAGED, load_platforms
from crawlers.page import Page
from crawlers.picks import Pick
from crawlers.platform import PlatformFile, Section
from crawlers.reading import Role
from domain.clock import utc_now
from patrol.bench import result
from patrol.bench.articles import pages_in

PAD = 50_000
"""Bytes of an ordinary page: the median of real list and article pages lies between 40,000 and 90,000."""
FURNITURE = (
    '<div class="zz-block"><h4>本页栏目</h4><ul class="zz-links">'
    + "".join(
        f'<li class="zz-row"><a class="zz-a" href="/zz/{n}.html">城市生活栏目第{n}条</a><span class="zz-n">{n}</span></li>'
        for n in range(12)
    )
    + "</ul><p class='zz-p'>本栏目由编辑部整理，内容每天更新，供读者参考。</p></div>"
)
"""What stands about the content of a page: boxes of links. No packaged selector fits it."""
_TRANSLATOR = HTMLTranslator()
_CHARSET = re.compile(r"(<meta[^>]{0,200}?charset\s*=\s*[\"']?)[\w-]+", re.I)
"""The fixtures are kept as UTF-8 whatever they say; lxml would believe them."""
_CLASS = re.compile(r"@class and contains\(concat\(' ', normalize-space\(@class\), ' '\), ' ([^']+) '\)")
"""How a class is asked for exactly; by hand people write the quicker contains(@class, 'x')."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One page, the platform that reads it, and what bare lxml is asked for."""

    platform: PlatformFile
    role: Role
    url: str
    body: bytes
    override: str | None
    item: Any
    """Compiled XPath of what repeats; None on a page of one piece."""
    fields: tuple[Any, ...]
    """Compiled XPaths, below each item or on the page."""

    def page(self) -> Page:
        return Page(self.body, url=self.url, override=self.override)


def bench_extract(*, pages: Path | None = None, rounds: int = 9) -> dict[str, Any]:
    """Medians over `rounds`; ours and the peer take turns page by page, in an order that turns about each round."""
    platforms = load_platforms([PACKAGED])
    samples, shares = _samples(pages, platforms)
    # What the peer cannot read is no measure: parts inside comments or scripts, encodings that it takes the page's word for.
    chosen = [one for one in samples if one.fields and any(any(row) for row in _bare(one))]
    if not chosen:
        raise click.ClickException(f"{pages}: no page in it that selectors read; give a WARC with pages of the packaged platforms")
    now = utc_now()

    def ours(one: Sample) -> None:
        read(one.platform, one.page(), role=one.role, now=now)

    def unguided(one: Sample) -> None:
        general.article(one.page(), now=now)

    rates, ratios = [], []
    generals = []
    for number in range(rounds + 1):  # the first warms caches and is not counted
        mine, theirs = _turns(chosen, ours, _bare, swapped=bool(number % 2))
        free = sum(_spent(unguided, one) for one in chosen)
        if number:
            rates.append(len(chosen) / mine)
            ratios.append(theirs / mine)
            generals.append(len(chosen) / free)
    figures = {
        "pages": len(chosen),
        "pages_left_out": len(samples) - len(chosen),
        "bytes_median": int(statistics.median(len(one.body) for one in chosen)),
        "rounds": rounds,
        "selector_pages_per_s": statistics.median(rates),
        "general_pages_per_s": statistics.median(generals),
        "bare_lxml_pages_per_s": statistics.median(rate / ratio for rate, ratio in zip(rates, ratios, strict=True)),
        **shares,
    }
    return result("extract", figures=figures, ratios={"to_bare_lxml": statistics.median(ratios)})


def _turns(
    samples: Sequence[Sample], ours: Callable[[Sample], Any], bare: Callable[[Sample], Any], *, swapped: bool
) -> tuple[float, float]:
    """Seconds of this thread's own work, of ours and of the peer, over all samples."""
    mine = theirs = 0.0
    gc.collect()
    for one in samples:
        if swapped:
            theirs += _spent(bare, one)
            mine += _spent(ours, one)
        else:
            mine += _spent(ours, one)
            theirs += _spent(bare, one)
    return mine, theirs


def _spent(run: Callable[[Sample], Any], one: Sample) -> float:
    began = time.thread_time()
    run(one)
    return time.thread_time() - began


def _bare(one: Sample) -> list[list[Any]]:
    tree = lxml.html.document_fromstring(one.body)
    rows = []
    for under in one.item(tree) if one.item is not None else (tree,):
        row = []
        for path in one.fields:
            found = path(under)
            first: Any = found[0] if found else None
            row.append(first.text_content() if hasattr(first, "text_content") else first)
        rows.append(row)
    return rows


# --- the pages


def _samples(warc: Path | None, platforms: dict[str, PlatformFile]) -> tuple[list[Sample], dict[str, float]]:
    """The pages that selectors read, and shares of pages and of fields for which the general extractor was asked."""
    found: list[Sample] = []
    whole = unguided = fields = filled = 0
    now = utc_now()
    for _name, platform, role, body, page in _pages(warc, platforms):
        if kind_of(page) is not None or page.source.lstrip()[:1] in ("{", "["):
            continue
        reading = read(platform, page, role=role, now=now)
        if not reading.items and not reading.postings:
            continue
        whole += 1
        asked = reading.layout == "general"
        unguided += asked
        section = None if asked else _section_of(platform, page, role, layout=reading.layout)
        for field in ("title", "body", "published_at", "publisher"):
            if reading.layout in ("detail", "general") and any(getattr(posting, field) for posting in reading.postings):
                fields += 1
                filled += asked or section is None or not _wins(page, getattr(section.fields, field) or getattr(platform.page, field))
        item, paths = _paths(page, platform, section) if section is not None else (None, ())
        found.append(Sample(platform, role, page.url, body, platform.charset, item, paths))
    return found, {"general_share": unguided / whole if whole else 0.0, "general_share_of_fields": filled / fields if fields else 0.0}


def _pages(warc: Path | None, platforms: dict[str, PlatformFile]) -> Iterator[tuple[str, PlatformFile, Role, bytes, Page]]:
    """Name, owner, role, bytes and page of each; bytes of fixtures are UTF-8 and say so."""
    if warc is not None:
        for url, body, _mime in pages_in(warc):
            page = Page(body, url=url)
            owner = platform_for(page, platforms)
            yield url, owner, "visit", body, Page(body, url=url, override=owner.charset) if owner.charset else page
        return
    for one in fixtures_in([PACKAGED])[0]:
        if one.platform in platforms and one.file.status < 400 and one.file.expect.wall is None:
            page = page_of(one, override=platforms[one.platform].charset)
            body = _padded(_CHARSET.sub(r"\1utf-8", page.source).encode("utf-8", "replace"))
            yield one.name, platforms[one.platform], role_of(one), body, Page(body, url=page.url)


def _section_of(platform: PlatformFile, page: Page, role: Role, *, layout: str) -> Section | None:
    """The section that read the page; None where it reads a script."""
    sections: tuple[Section, ...] = platform.detail if layout == "detail" else platform.list
    for section in sections:
        fits = section.match is None or section.regex.search(page.url) is not None
        if fits and section.script is None and (section.item is None or page.nodes(section.item)):
            return section
    return None


def _padded(body: bytes) -> bytes:
    """`body` with furniture before its end, up to PAD bytes."""
    block = FURNITURE.encode()
    head, tag, tail = body.rpartition(b"</body>")
    if not tag:
        head, tail = body, b""
    return head + block * max(0, (PAD - len(body)) // len(block)) + tag + tail


def _paths(page: Page, platform: PlatformFile, section: Section) -> tuple[Any, tuple[Any, ...]]:
    """The peer's XPaths; no fields where one of them has no XPath that lxml knows."""
    item = None
    under: Any = None
    try:
        if section.item is not None:
            repeats = next(pick for pick in section.item if page.nodes((pick,)))
            item, under = _compiled(repeats, within=False), page.nodes((repeats,))[0]
        wanted = [
            (section.fields.named, item is not None, under),
            (platform.page.named, False, None),
        ]  # fmt: skip
        fields = [
            _compiled(pick, within=inside)
            for named, inside, where in wanted for _name, picks in named
            if (pick := next((one for one in picks if one.kind in ("css", "xpath") and _wins(page, (one,), under=where)), None)) is not None
        ]  # fmt: skip
    except (SelectorError, etree.XPathError, StopIteration):
        return None, ()
    return item, tuple(fields)


def _compiled(pick: Pick, *, within: bool) -> Any:
    if pick.kind == "xpath":
        return etree.XPath(pick.query)
    query = pick.query.replace(":lexbor-contains(", ":contains(")
    path = _TRANSLATOR.css_to_xpath(query, prefix="descendant-or-self::" if not within else "descendant::")
    path = _CLASS.sub(r"contains(@class, '\1')", path)
    return etree.XPath(f"{path}/@{pick.attribute}" if pick.attribute else path)


def _wins(page: Page, picks: Sequence[Pick] | None, *, under: Any = None) -> bool:
    return bool(picks and (page.nodes(picks, under=under) or page.values(picks, under=under)))
