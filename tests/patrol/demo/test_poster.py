"""Posters: what is drawn can be read by a machine, and a machine without a font is told what to install."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from classifiers.images import ImageReader
from patrol.demo import poster
from patrol.demo.city import City
from patrol.demo.postings import Post


def test_poster_is_served_and_carries_text_and_code(city: City, client: httpx.Client, posts: tuple[Post, ...]) -> None:
    post = next(post for post in posts if post.image and post.truth == "promo" and not post.appears_s)
    assert post.image is not None
    answer = client.get(f"{city.address('article')}/poster/{post.number}.png")
    assert answer.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.size == (poster.WIDTH, poster.HEIGHT)
    found = ImageReader().read(answer.content)
    assert found.qr == (post.image.qr,)
    assert post.image.lines[0].replace(" ", "") in found.text.replace(" ", "").replace("\n", "")


def test_what_the_poster_says_is_nowhere_on_the_page(city: City, client: httpx.Client, posts: tuple[Post, ...]) -> None:
    for item in city.life.shown("article"):
        if item.image and item.truth == "promo":
            page = client.get(city.url(item)).text
            assert f"/poster/{item.number}.png" in page
            assert not any(line in page for line in item.image.lines)


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(poster, "FONTS", ())
    monkeypatch.setattr("shutil.which", lambda _name: None)
    poster.font_path.cache_clear()
    poster.draw.cache_clear()
    yield
    poster.font_path.cache_clear()


@pytest.mark.usefixtures("no_fonts")
def test_missing_font_names_its_remedy(posts: tuple[Post, ...]) -> None:
    image = next(post.image for post in posts if post.image)
    with pytest.raises(poster.FontMissing, match="apt-get install fonts-noto-cjk"):
        poster.draw(image)
