"""`video: read`: short videos on a platform's own hosts are fetched and kept as pictures are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from crawlers.platform import PlatformFile
from tests.crawlers.clips import clip

PAGE = """<html><head><title>{title}</title>{head}</head><body><h1>{title}</h1>
<div class="body">银发公寓预存一万元。</div>{tail}</body></html>"""
PLATFORM: dict[str, Any] = {
    "kind": "video",
    "list": {"item": "li"},
    "detail": {"match": r"/v/\d+", "fields": {"title": "h1", "body": ".body"}},
    "images": "read",
    "video": "read",
}
MP4 = (200, {"Content-Type": "application/octet-stream"}, clip())


def page(title: str, *, head: str = "", tail: str = "") -> bytes:
    return PAGE.format(title=title, head=head, tail=tail).encode()


def test_a_pages_video_is_kept_beside_it(site: Any, sweep: Any) -> None:
    site.pages |= {
        "/": "".join(f'<li><a href="/v/{number}">视频{number}</a></li>' for number in range(1, 7)).encode(),
        "/v/1": page("播放器", head='<meta property="og:video" content="/no.mp4">', tail='<video src="/files/1.mp4?token=a"></video>'),
        "/v/2": page("标签", head='<meta property="og:video" content="/files/2.mp4">'),
        "/v/3": page("播放页", head='<meta property="og:video:type" content="text/html"><meta property="og:video" content="/player/3">'),
        "/v/4": page("清单", tail='<video><source src="/files/4.m3u8"></video>'),
        "/v/5": page("别处", tail='<video src="http://127.0.0.1:1/files/5.mp4"></video>'),
        "/v/6": page("并非视频", tail='<video src="/files/6.mp4"></video>'),
        "/files/1.mp4": MP4,
        "/files/2.mp4": MP4,
        "/files/6.mp4": (200, {"Content-Type": "video/mp4"}, b"<html>no such video</html>"),
    }
    found = sweep(PLATFORM)
    assert found.outcome == "ok", found.log
    named = {posting.title: [image.url.removeprefix(site.home) for image in posting.images] for posting in found.postings}
    assert named == {
        "播放器": ["files/1.mp4?token=a"],
        "标签": ["files/2.mp4"],
        "播放页": [],
        "清单": [],
        "别处": [],
        "并非视频": ["files/6.mp4"],
    }
    assert not {"/no.mp4", "/player/3", "/files/4.m3u8"} & set(site.asked)
    kept = [harvest for harvest in found.harvests if harvest.capture.mime == "video/mp4"]
    assert sorted(harvest.capture.url.removeprefix(site.home) for harvest in kept) == ["files/1.mp4?token=a", "files/2.mp4"]
    assert all(harvest.body == MP4[2] and not harvest.postings for harvest in kept)
    assert (found.count("videos"), found.count("errors"), found.count("images")) == (2, 1, 0)


def test_a_video_too_big_is_left_and_the_posting_stays(site: Any, sweep: Any) -> None:
    site.pages |= {
        "/": '<li><a href="/v/1">视频</a></li>'.encode(),
        "/v/1": page("大", tail='<video src="/big.mp4"></video>'),
        "/big.mp4": (200, {"Content-Type": "video/mp4"}, MP4[2] + bytes(1_100_000)),
    }
    found = sweep(PLATFORM, env={"WANGXUN_MAX_BODY_MB": "1"})
    assert ([posting.title for posting in found.postings], found.count("videos"), found.count("too_big")) == (["大"], 0, 1), found.log


def test_an_answers_field_names_its_video_and_the_fingerprint_does_not_hang_on_its_token(site: Any, sweep: Any) -> None:
    api = {"items": "data", "fields": {"title": "title", "link": "url", "video": "play"}}
    prints = []
    for token in ("a", "b"):
        items = [{"title": "短视频", "url": "/v/1", "play": f"/files/1.mp4?sign={token}"}]
        site.pages |= {
            "/": (200, {"Content-Type": "application/json"}, json.dumps({"data": items}).encode()),
            "/files/1.mp4": MP4,
        }
        found = sweep({"kind": "video", "api": api, "images": "read", "video": "read"})
        assert found.count("videos") == 1, found.log
        prints.append([(posting.fingerprint, posting.images[0].url.removeprefix(site.home)) for posting in found.postings])
    assert [url for ((_, url),) in prints] == ["files/1.mp4?sign=a", "files/1.mp4?sign=b"]
    assert prints[0][0][0] == prints[1][0][0]


def test_videos_are_skipped_where_the_file_does_not_ask_for_them(site: Any, sweep: Any) -> None:
    site.pages |= {
        "/": '<li><a href="/v/1">视频</a></li>'.encode(),
        "/v/1": page("一", tail='<video src="/files/1.mp4"></video>'),
    }
    found = sweep({**PLATFORM, "video": "skip"})
    assert [posting.images for posting in found.postings] == [()] and "/files/1.mp4" not in site.asked


def test_videos_without_pictures_are_a_fault_of_the_file() -> None:
    with pytest.raises(ValidationError, match="video: read without images: read"):
        PlatformFile(id="town", title="小城", home="http://a.example/", kind="video", video="read")
