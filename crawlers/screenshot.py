"""A copy of a screenshot with time, address and digest burnt in, on bands above and below: nothing of the page is covered.

The screenshot itself stays as it was taken and is the evidence; the copy names its digest, so that one is checked against the other.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from domain.clock import for_people

MOST_PIXELS = 120_000_000
"""Decoded, some 360 MB: a full screenshot of ours has 20 million."""
_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
)  # fmt: skip
_PAPER, _INK, _QUIET = (17, 24, 39), (255, 255, 255), (156, 163, 175)


class NoFont(Exception):
    """No font with Chinese characters on this machine; `apt-get install fonts-noto-cjk` brings one."""


def stamped(png: bytes, *, url: str, final_url: str, at: datetime, sha256: str, via: str, capture_id: int) -> bytes:
    """The copy as PNG. The same screenshot and words give the same bytes. Raises ValueError for what is no picture, NoFont."""
    try:
        with Image.open(io.BytesIO(png)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValueError(f"{opened.width} x {opened.height} pixels are more than a screenshot has")
            page = opened.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a picture: {error}") from error
    size = max(13, min(20, page.width // 46))
    head = [
        f"网巡取证副本 · 取证编号 {capture_id} · {via}",
        f"时间 {for_people(at, seconds=True)}（北京时间）",
        *_wrapped(f"网址 {url}", page.width, size),
    ]
    if final_url != url:
        head += _wrapped(f"实际到达 {final_url}", page.width, size)
    foot = ["原始截图（证据）SHA-256", *_wrapped(sha256, page.width, size), "本图为加注副本，仅供查看；以原始截图为准。"]
    above, below = _band(head, page.width, size), _band(foot, page.width, size)
    whole = Image.new("RGB", (page.width, above.height + page.height + below.height))
    for part, top in ((above, 0), (page, above.height), (below, above.height + page.height)):
        whole.paste(part, (0, top))
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Source", f"sha256:{sha256}")
    out = io.BytesIO()
    whole.save(out, format="PNG", pnginfo=info, compress_level=4)
    return out.getvalue()


def _band(lines: list[str], width: int, size: int) -> Image.Image:
    step = round(size * 1.55)
    band = Image.new("RGB", (width, step * len(lines) + size), _PAPER)
    pen = ImageDraw.Draw(band)
    for number, line in enumerate(lines):
        pen.text((size, size // 2 + number * step), line, font=_font(size), fill=_QUIET if number == 0 else _INK)
    return band


def _wrapped(text: str, width: int, size: int) -> list[str]:
    """Cut where the width ends; an address longer than six lines ends in its middle."""
    font, room = _font(size), width - 2 * size
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    lines: list[str] = []
    while text and len(lines) < 6:
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if font.getlength(text[:middle]) <= room else (low, middle - 1)
        lines.append(text[:low])
        text = text[low:]
    return lines if not text else [*lines[:-1], lines[-1][:-1] + "…"]


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_font_path()), size)


@lru_cache(maxsize=1)
def _font_path() -> Path:
    for name in _FONTS:
        if Path(name).is_file():
            return Path(name)
    if shutil.which("fc-list"):
        listed = subprocess.run(["fc-list", ":lang=zh", "file"], capture_output=True, text=True, timeout=20, check=False).stdout
        for line in sorted(listed.splitlines()):
            path = Path(line.strip().rstrip(":"))
            if path.suffix.lower() in (".ttc", ".ttf", ".otf") and path.is_file():
                return path
    raise NoFont("screenshots: no font with Chinese characters was found; apt-get install fonts-noto-cjk")
