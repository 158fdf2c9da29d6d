"""Posters of the demo city: Chinese text and a QR code drawn into a PNG, so that only reading the picture tells what it says."""

from __future__ import annotations

import io
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from patrol.demo.postings import Poster

FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
)
REMEDY = "install one, on Debian and Ubuntu: apt-get install fonts-noto-cjk"

COLOURS = {
    # style: top, bottom, headline, text, band
    "red": ((178, 24, 32), (226, 74, 52), (255, 224, 130), (255, 248, 235), (132, 12, 22)),
    "gold": ((250, 240, 214), (232, 205, 146), (134, 62, 20), (70, 44, 22), (196, 150, 70)),
    "green": ((226, 240, 224), (176, 214, 178), (24, 92, 58), (28, 60, 44), (88, 150, 104)),
    "dark": ((22, 28, 52), (52, 36, 92), (255, 206, 96), (236, 236, 250), (96, 72, 168)),
}
WIDTH, HEIGHT = 720, 1000


class FontMissing(RuntimeError):
    """No font with Chinese characters on this machine."""


@lru_cache(maxsize=1)
def font_path() -> Path:
    """A font with Chinese characters. Raises FontMissing with the command that would install one."""
    for name in FONTS:
        if Path(name).is_file():
            return Path(name)
    if shutil.which("fc-match"):
        listed = subprocess.run(["fc-list", ":lang=zh", "file"], capture_output=True, text=True, timeout=20, check=False).stdout
        for line in sorted(listed.splitlines()):
            path = Path(line.strip().rstrip(":"))
            if path.suffix.lower() in (".ttc", ".ttf", ".otf") and path.is_file():
                return path
    raise FontMissing(f"posters: no font with Chinese characters was found; {REMEDY}")


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_path()), size)


def _fitting(draw: ImageDraw.ImageDraw, text: str, *, size: int, width: int) -> ImageFont.FreeTypeFont:
    while size > 20 and draw.textlength(text, font=_font(size)) > width:
        size -= 2
    return _font(size)


@lru_cache(maxsize=64)
def draw(poster: Poster) -> bytes:
    """The poster as PNG, 720 by 1000 pixels: headline, lines, QR code at the foot. The same poster gives the same bytes."""
    top, bottom, headline, plain, band = COLOURS.get(poster.style, COLOURS["red"])
    image = Image.new("RGB", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(image)
    for y in range(HEIGHT):
        share = y / HEIGHT
        pen.line([(0, y), (WIDTH, y)], fill=tuple(round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True)))
    pen.rectangle([24, 24, WIDTH - 24, HEIGHT - 24], outline=band, width=4)
    title, *lines = poster.lines
    font = _fitting(pen, title, size=68, width=WIDTH - 120)
    pen.text((WIDTH / 2, 120), title, font=font, fill=headline, anchor="mm")
    pen.rectangle([WIDTH / 2 - 60, 182, WIDTH / 2 + 60, 188], fill=headline)
    step = min(92, 460 // max(1, len(lines)))
    for index, line in enumerate(lines):
        font = _fitting(pen, line, size=50, width=WIDTH - 130)
        pen.text((WIDTH / 2, 256 + index * step), line, font=font, fill=plain, anchor="mm")
    code = io.BytesIO()
    segno.make(poster.qr, error="m", micro=False).save(code, kind="png", scale=8, border=3)
    square = Image.open(code).convert("RGB").resize((230, 230), Image.Resampling.NEAREST)
    image.paste(square, ((WIDTH - 230) // 2, HEIGHT - 306))
    pen.text((WIDTH / 2, HEIGHT - 52), "长按识别二维码", font=_font(26), fill=plain, anchor="mm")
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True)
    return out.getvalue()
