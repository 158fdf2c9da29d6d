"""A posting's video, kept by a sweep, is read in the job that reads pictures."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from classifiers import video
from classifiers.imagefile import Picture
from classifiers.images import ImageReading
from domain.identity import sha256
from domain.model import Image, Region
from pipelines.read import read_waiting
from store import captures, tables
from store.archive import Archive
from store.engine import Store
from tests.conftest import MakeHarvest
from tests.crawlers.clips import SIZE, clip

URL = "https://forum.example/files/1.mp4?token=a"


class Corners:
    """Reads a video's frames by how bright their corner is; no picture comes to it otherwise."""

    def read(self, data: bytes, *, picture: Picture | None = None) -> ImageReading:
        assert picture is None and video.is_video(data)
        return video.read_video(data, reader=self)  # type: ignore[arg-type]

    def read_picture(self, picture: Picture) -> ImageReading:
        text = "保本保息" if picture.pixels[:30, :30].mean() > 128 else "片头"
        region = Region(kind="text", start=0, end=len(text), box=(1, 2, 30, 40))
        return ImageReading(text=text, width=picture.width, height=picture.height, regions=(region,))


def test_a_videos_words_join_its_posting_with_their_second(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    page, file, body = make_harvest(1, postings=1), make_harvest(2, postings=0, url=URL, final_url=URL, mime="video/mp4"), clip()
    page = replace(page, postings=(replace(page.postings[0], images=(Image(url=URL),)),))
    file = replace(file, body=body, capture=replace(file.capture, sha256=sha256(body), size=len(body)))
    captures.keep(any_store, [page, file], sweep_id=sweep_id, archive=archive)
    assert read_waiting(any_store, now=fixed_now + timedelta(hours=1), worker="a", reader=Corners()) == 1
    with any_store.read() as connection:
        [image] = connection.execute(select(tables.postings.c.images)).scalar_one()
    assert (image["text"], image["sha256"], (image["width"], image["height"])) == ("片头\n保本保息", sha256(body), SIZE)
    assert [round(one.get("at_s", 0)) for one in image["regions"]] == [0, 1]
