"""Where the next page of a list is: a link, or the next number in the address."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

from crawlers.page import Page
from crawlers.platform_parts import PageParam, Section
from crawlers.reading import Follow


def next_pages(page: Page, section: Section) -> list[Follow]:
    """The next page, or none."""
    if section.next is not None:
        found = [page.link(address) for address in page.values(section.next, default_attribute=("href",))[:1]]
    elif section.pages is not None:
        found = [numbered(page.url, section.pages)]
    else:
        return []
    return [Follow(url=address, role="list", onward=True) for address in found if address and address != page.url]


def numbered(url: str, pages: PageParam) -> str | None:
    """`url` with its page number moved on; None past the last."""
    if pages.template is not None:
        head, _, tail = pages.template.partition("{page}")
        middle = url[len(head) : len(url) - len(tail)] if url.startswith(head) and url.endswith(tail) else ""
        number = _whole(middle, pages.first) + pages.step
        return pages.template.replace("{page}", str(number)) if number <= pages.last else None
    assert pages.param is not None
    return with_param(url, pages.param, step=pages.step, first=pages.first, last=pages.last)


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def with_param(url: str, param: str, *, step: int, first: int, last: int) -> str | None:
    """`url` with the number in its query moved on by `step`; None past `last`."""
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if pair]
    now = next((pair.partition("=")[2] for pair in pairs if pair.partition("=")[0] == param), "")
    number = _whole(now, first) + step
    if number > last:
        return None
    # The other keys keep their spelling: many sites expect GBK percent codes.
    kept = [pair for pair in pairs if pair.partition("=")[0] != param]
    return urlunsplit(parts._replace(query="&".join([*kept, f"{param}={number}"]), fragment=""))


def with_value(url: str, param: str, value: str) -> str:
    """`url` with `param` in its query set to `value`."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] != param]
    return urlunsplit(parts._replace(query="&".join([*kept, f"{param}={quote(value, safe='')}"])))
