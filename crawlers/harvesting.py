"""An answer of a site -> Harvest: the Capture with its evidence, and the Postings cut from it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from scrapy.http import Response

from crawlers.answers import headers_of, is_video, mime_of
from crawlers.page import Page
from domain.model import Capture, Harvest, Posting


def page_harvest(response: Response, page: Page, postings: Sequence[Posting], *, now: datetime) -> Harvest:
    """Of a page: its bytes as they came, the postings, and the browser's picture where there is one."""
    shot: bytes | None = response.meta.get("screenshot")
    capture = Capture(
        url=response.meta["asked"], final_url=page.url, fetched_at=now, status=response.status,
        sha256=hashlib.sha256(response.body).hexdigest(), size=len(response.body),
        mime=mime_of(response) or "text/html", charset=page.charset,
        via=response.meta.get("view") or response.meta.get("session") or ("browser" if response.meta.get("browser") else "http"),
        screenshot_sha256=hashlib.sha256(shot).hexdigest() if shot else None,
    )  # fmt: skip
    return Harvest(
        capture=capture, body=response.body, postings=tuple(postings), request_headers=headers_of(response.request),
        response_headers=headers_of(response), screenshot=shot,
    )  # fmt: skip


def picture_harvest(response: Response, *, url: str, now: datetime) -> Harvest:
    """Of a posting's picture or video: a Capture without postings. `url` is the address that it came from in the end."""
    mime = mime_of(response) or "image/png"
    if is_video(response) and not mime.startswith("video/"):
        mime = "video/mp4"  # the reader looks for videos by it, and at their bytes then
    capture = Capture(
        url=response.meta["asked"], final_url=url, fetched_at=now, status=response.status,
        sha256=hashlib.sha256(response.body).hexdigest(), size=len(response.body), mime=mime,
        via=response.meta.get("session") or "http",
    )  # fmt: skip
    return Harvest(capture=capture, body=response.body, request_headers=headers_of(response.request), response_headers=headers_of(response))
