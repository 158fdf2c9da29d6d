"""Boxes over a posting's pictures: where they stand, what they say and to whom; what is known of an imported photo."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime

import pytest
from PIL import Image, ImageDraw
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select, update

from domain.identity import sha256
from domain.model import Capture, Harvest
from store import captures, tables
from store.archive import Archive
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer
from tests.crawlers.clips import clip

LINES = ("保本保息 年化18%", "咨询电话 13800001234")
PAYLOAD = "https://pay.example/c?x=<b>1</b>"


def poster() -> bytes:
    image = Image.new("RGB", (600, 900), "#fff4dc")
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 60, 560, 140), fill="#c0392b")
    draw.rectangle((40, 200, 480, 260), fill="#444444")
    draw.rectangle((200, 600, 400, 800), fill="black")
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


def with_poster(store: Store, hit: int, *, boxes: dict[str, list[int]] | None = None) -> str:
    """Gives the hit's posting a poster that was read, its first line evidence: the poster's hash."""
    data = poster()
    digest = Archive(store.settings.archive_dir).put_blob(data, ".png")
    text = "\n".join(LINES)
    spots = {"first": [40, 60, 560, 140], "second": [40, 200, 480, 260], "code": [200, 600, 400, 800]} | (boxes or {})
    first, second = len(LINES[0]), len(text)
    regions = [
        {"kind": "text", "start": 0, "end": first, "box": spots["first"]},
        {"kind": "text", "start": first + 1, "end": second, "box": spots["second"]},
        {"kind": "qr", "start": 0, "end": 1, "box": spots["code"]},
    ]
    image = {"url": "https://a.example/p.png", "sha256": digest, "text": text, "qr": [PAYLOAD], "width": 600, "height": 900}
    with store.write() as conn:
        row = conn.execute(select(tables.postings).join(tables.hits, tables.hits.c.posting_id == tables.postings.c.id)).one()
        at = len(row.title) + 1 + len(row.body) + 1
        match = {"rule": "illegal_fundraising.guaranteed_return", "start": at, "end": at + 4, "weight": 2.0, "text": "保本保息", "fold": ""}
        conn.execute(update(tables.postings).where(tables.postings.c.id == row.id).values(images=[image | {"regions": regions}]))
        conn.execute(update(tables.assessments).where(tables.assessments.c.posting_id == row.id).values(matches=[match]))
    return digest


@pytest.fixture
def hit(staffed: Store, clock: Hand) -> int:
    return seed.add_hit(staffed, now=clock(), sample=seed.Sample("海报一张", "详见海报", "wealth_mgmt", "alert", "高危", ()))


def boxes_of(page: str) -> list[tuple[str, str]]:
    return [(node.attributes["class"] or "", node.text().strip()) for node in LexborHTMLParser(page).css(".seen svg rect")]


def test_lines_and_codes_are_boxed_with_what_they_say(officer: Callable[[str], Officer], staffed: Store, hit: int) -> None:
    digest = with_poster(staffed, hit)
    page = officer("chen").get(f"/hits/{hit}").text
    tree = LexborHTMLParser(page)
    assert tree.css_first(".seen svg").attributes["viewBox"] == "0 0 600 900"
    first = tree.css_first(".seen rect").attributes
    assert [first[name] for name in ("x", "y", "width", "height")] == ["40", "60", "520", "80"]
    (kind, said), (plain, phone), (code, payload) = boxes_of(page)
    assert (kind, plain, code) == ("text hit", "text", "qr")
    assert said.startswith(LINES[0]) and "（" in said  # with the rule's title
    assert "13800001234" not in phone and phone.startswith("咨询电话 13")
    assert payload == "二维码（未访问）" and "pay.example" not in page
    assert tree.css_first(".seen img").attributes["src"] == f"/hits/{hit}/pictures/{digest}"


def test_contacts_in_boxes_are_shown_on_asking_and_escaped(officer: Callable[[str], Officer], staffed: Store, hit: int) -> None:
    with_poster(staffed, hit)
    page = officer("chen").post(f"/hits/{hit}/contacts").text
    assert boxes_of(page)[1][1] == LINES[1]
    assert boxes_of(page)[2][1] == f"二维码（未访问）：{PAYLOAD}"
    assert "<b>1</b>" not in page


def test_a_role_that_sees_no_pictures_sees_no_boxes(officer: Callable[[str], Officer], staffed: Store, hit: int) -> None:
    with_poster(staffed, hit)
    assert boxes_of(officer("wu").get(f"/hits/{hit}").text) == []


def test_boxes_outside_of_the_picture_are_cut_or_left_out(officer: Callable[[str], Officer], staffed: Store, hit: int) -> None:
    with_poster(staffed, hit, boxes={"first": [-50, -9, 99999, 140], "second": [700, 10, 800, 20], "code": [300, 300, 200, 200]})
    tree = LexborHTMLParser(officer("chen").get(f"/hits/{hit}").text)
    (only,) = tree.css(".seen svg rect")
    assert [only.attributes[name] for name in ("x", "y", "width", "height")] == ["0", "0", "600", "140"]


def test_an_imported_photo_tells_where_and_by_whom(officer: Callable[[str], Officer], staffed: Store, hit: int, clock: Hand) -> None:
    imported(staffed, hit, now=clock())
    page = LexborHTMLParser(officer("chen").get(f"/hits/{hit}").text)
    told = {dt.text(): dt.next.text().strip() for dt in page.css("dl.facts dt") if dt.next is not None}
    assert told["拍摄地点"] == "海棠小区三号楼" and told["采集人"] == "周采集"
    assert told["取证时间"].endswith("字节") and "导入照片" in told["取证时间"] and "HTTP" not in told["取证时间"]
    assert "线下（照片、扫描件）" in page.css_first(".by").text()


def test_a_photo_whose_record_is_damaged_shows_its_page_all_the_same(
    officer: Callable[[str], Officer], staffed: Store, hit: int, clock: Hand
) -> None:
    warc = imported(staffed, hit, now=clock())
    path = Archive(staffed.settings.archive_dir).path(warc)
    path.write_bytes(b"\x00" * path.stat().st_size)
    answer = officer("chen").get(f"/hits/{hit}")
    assert answer.status_code == 200 and "周采集" not in answer.text


def test_a_videos_lines_stand_beside_it_with_their_second(officer: Callable[[str], Officer], staffed: Store, hit: int) -> None:
    digest = Archive(staffed.settings.archive_dir).put_blob(clip(), ".mp4")
    text = "保本保息\n电话 13800001234"
    regions = [
        {"kind": "text", "start": 0, "end": 4, "box": [1, 1, 90, 30]},
        {"kind": "text", "start": 5, "end": len(text), "box": [1, 1, 90, 30], "at_s": 61.5},
    ]
    image = {"url": "https://a.example/v.mp4", "sha256": digest, "text": text, "qr": [], "width": 160, "height": 120, "regions": regions}
    with staffed.write() as conn:
        conn.execute(update(tables.postings).values(images=[image]))
    chen = officer("chen")
    page = LexborHTMLParser(chen.get(f"/hits/{hit}").text)
    path = page.css_first(".pictures video").attributes["src"]
    assert [node.text().split() for node in page.css(".moments li")] == [["0:00", "保本保息"], ["1:01", "电话", "13*********"]]
    answer = chen.get(path or "")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "video/mp4", clip())


def imported(store: Store, hit: int, *, now: datetime) -> str:
    """Makes the hit's page an imported photo: the archive's file that it lies in."""
    data = poster()
    url = f"photo:{sha256(data)}"
    capture = Capture(
        url=url, final_url=url, fetched_at=now, status=0, sha256=sha256(data), size=len(data), mime="image/png", charset=None, via="photos"
    )
    told = (("Wangxun-Photo-Place", "海棠小区三号楼"), ("Wangxun-Photo-Officer", "周采集"))
    archive = Archive(store.settings.archive_dir)
    with store.write() as conn:
        sweep = captures.begin_sweep(conn, platform="photos", purpose="import", at=now, pid=None)
    captures.keep(store, [Harvest(capture=capture, body=data, response_headers=told)], sweep_id=sweep, archive=archive)
    archive.close()
    with store.write() as conn:
        row = conn.execute(select(tables.captures).where(tables.captures.c.url == url)).one()
        conn.execute(update(tables.postings).values(platform="offline", first_capture_id=row.id))
    return str(row.warc)
