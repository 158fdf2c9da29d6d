"""Ad posters drawn from a seed, with what they say: clean ones in several faces, and hard ones as phones, shadows and filters make them."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from patrol.demo.poster import COLOURS, font_path

WIDTH, HEIGHT = 720, 960
PLACES = ("棠城", "澳门", "青棠", "凤山", "白芦", "临江", "云台", "海州", "石桥", "南浦")
NOUNS = ("养老公寓", "生态农庄", "影视项目", "新能源基地", "数字藏品", "茶叶仓储", "黄金托管", "供应链理财", "康养卡", "原始股权")
PROMISES = ("保本保息", "稳赚不赔", "到期返本", "按月付息", "随存随取", "政府扶持", "国企背书", "零风险", "银行托管", "合同兜底")
RETURNS = ("年化收益{a}%", "月息{b}分", "日息千分之{b}", "投{c}万返{d}万", "每月分红{c}000元", "首月返还{a}%", "三年翻{b}倍")
CALLS = (
    "咨询热线：1{p}",
    "加微信 wx{p}",
    "扫码入群领{c}元红包",
    "名额仅剩{a}个",
    "推荐好友奖励{a}%",
    "地址：{place}大道{a}号",
    "客服电话 0{q}",
)
FACES = ("sans", "sans-bold", "serif", "serif-bold", "sans-slanted", "serif-bold-outlined")
"""Four faces of two families, and two drawn from them: slanted by shear, and outlined. Not six families."""
NOTO = {
    "sans": ("NotoSansCJK-Regular.ttc", 2),
    "sans-bold": ("NotoSansCJK-Bold.ttc", 2),
    "serif": ("NotoSerifCJK-Regular.ttc", 2),
    "serif-bold": ("NotoSerifCJK-Bold.ttc", 2),
}
"""Face -> file beside the font that was found, and which of its fonts (2: simplified Chinese)."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One poster: its picture, what stands on it line by line, and what was done to it."""

    picture: Image.Image
    lines: tuple[str, ...]
    kind: str

    @property
    def text(self) -> str:
        return "".join("".join(line.split()) for line in self.lines)


def lines_of(chance: random.Random) -> tuple[str, ...]:
    """A headline and five to seven lines of an invented ad."""

    def filled(form: str) -> str:
        return form.format(
            a=chance.randint(6, 48), b=chance.randint(2, 9), c=chance.randint(1, 20), d=chance.randint(21, 60),
            p="".join(chance.choices("0123456789", k=10)), q=f"{chance.randint(310, 999)}-{chance.randint(1000000, 9999999)}",
            place=chance.choice(PLACES),
        )  # fmt: skip

    head = chance.choice(PLACES) + chance.choice(NOUNS)
    body = [" ".join(chance.sample(PROMISES, 2)), *map(filled, chance.sample(RETURNS, chance.randint(2, 3)))]
    return (head, *body, *map(filled, chance.sample(CALLS, chance.randint(2, 3))))


@lru_cache(maxsize=256)
def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels. Raises FontMissing where no Chinese font is installed."""
    name, index = NOTO[face.removesuffix("-slanted").removesuffix("-outlined")]
    beside = font_path().parent / name
    return ImageFont.truetype(str(beside if beside.is_file() else font_path()), size, index=index if beside.is_file() else 0)


def draw(lines: Sequence[str], *, face: str, style: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """The poster as RGB."""
    top, bottom, headline, plain, band = COLOURS[style]
    width, height = size
    share = np.linspace(0.0, 1.0, height)[:, None, None]
    ground = np.array(top) * (1 - share) + np.array(bottom) * share
    sheet = Image.fromarray(np.repeat(ground, width, axis=1).astype(np.uint8))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle([20, 20, width - 20, height - 20], outline=band, width=4)
    step = (height - 240) // max(1, len(lines) - 1)
    for number, line in enumerate(lines):
        limit = 64 if number == 0 else 44
        made = _line(
            line, face=face, size=_fitting(line, face=face, size=limit, width=width - 140), colour=headline if number == 0 else plain
        )
        middle = 110 if number == 0 else 110 + 70 + (number - 1) * step + step // 2
        sheet.paste(made, ((width - made.width) // 2, middle - made.height // 2), made)
    return sheet


def _fitting(line: str, *, face: str, size: int, width: int) -> int:
    while size > 18 and font(face, size).getlength(line) > width:
        size -= 2
    return size


def _line(text: str, *, face: str, size: int, colour: tuple[int, int, int]) -> Image.Image:
    """One line on a transparent ground."""
    chosen = font(face, size)
    left, top, right, bottom = chosen.getbbox(text)
    edge = size // 3
    made = Image.new("RGBA", (int(right - left) + 2 * edge, int(bottom - top) + 2 * edge), (*colour, 0))
    pen = ImageDraw.Draw(made)
    place = (edge - left, edge - top)
    if face.endswith("-outlined"):
        dark = (40, 20, 10) if sum(colour) > 380 else (255, 250, 235)
        pen.text(place, text, font=chosen, fill=colour, stroke_width=max(1, size // 18), stroke_fill=dark)
    else:
        pen.text(place, text, font=chosen, fill=colour)
    if face.endswith("-slanted"):
        lean = 0.22
        wide = made.width + int(lean * made.height)
        made = made.transform(
            (wide, made.height), Image.Transform.AFFINE, (1, lean, -lean * made.height, 0, 1, 0), Image.Resampling.BICUBIC
        )
    return made


def clean(number: int, *, face: str, seed: int) -> Drawn:
    """Poster `number` in a face, as its maker saved it."""
    chance = random.Random(f"{seed}/{face}/{number}")
    lines = lines_of(chance)
    return Drawn(draw(lines, face=face, style=sorted(COLOURS)[number % len(COLOURS)]), lines, face)


Change = Callable[[Image.Image, random.Random], Image.Image]


def _turned(degrees: int) -> Change:
    return lambda sheet, chance: sheet.rotate(degrees, expand=True)


def _skewed(sheet: Image.Image, chance: random.Random) -> Image.Image:
    angle = chance.choice([-1, 1]) * chance.uniform(4, 22)
    return sheet.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=(128, 128, 128))


def _photographed(sheet: Image.Image, chance: random.Random) -> Image.Image:
    """From the side, as a wall is photographed."""
    width, height = sheet.size
    a, b = chance.uniform(0.03, 0.12) * width, chance.uniform(0.03, 0.10) * height
    source = (-a, -b * chance.random(), -a * chance.random(), height + b, width + a, height, width + a * 0.2, -b)
    return sheet.transform(sheet.size, Image.Transform.QUAD, source, Image.Resampling.BICUBIC, fillcolor=(90, 90, 90))


def _shadowed(sheet: Image.Image, chance: random.Random) -> Image.Image:
    """A hard-edged shadow over half of it, and a light that falls off."""
    width, height = sheet.size
    y, x = np.mgrid[0:height, 0:width]
    angle = chance.uniform(0, 6.28)
    run = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    light = np.where(run > chance.uniform(-0.1, 0.1), 0.30, 1.0) * (1.0 - 0.5 * np.clip(run + 0.5, 0, 1))
    return Image.fromarray((np.asarray(sheet) * light[:, :, None]).astype(np.uint8))


def _faint(sheet: Image.Image, chance: random.Random) -> Image.Image:
    """A tenth of its contrast, with the grain of a sensor."""
    grey = ImageEnhance.Contrast(sheet).enhance(chance.uniform(0.09, 0.14))
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, 2.0, (sheet.height, sheet.width, 1))
    return Image.fromarray(np.clip(np.asarray(grey) + noise, 0, 255).astype(np.uint8))


def _squeezed(sheet: Image.Image, chance: random.Random) -> Image.Image:
    """Sent on and on: half its size, blurred, at a JPEG quality of 20 to 35."""
    small = sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(0.6))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=chance.randint(20, 35))
    return Image.open(out).convert("RGB")


def _wallpaper(sheet: Image.Image, chance: random.Random) -> Image.Image:
    """Printed half-transparent over a busy ground."""
    rng = np.random.default_rng(chance.randrange(2**32))
    coarse = Image.fromarray(rng.integers(60, 200, (sheet.height // 24, sheet.width // 24, 3), dtype=np.uint8))
    ground = np.asarray(coarse.resize(sheet.size, Image.Resampling.BICUBIC), dtype=np.float32)
    return Image.fromarray((0.6 * np.asarray(sheet) + 0.4 * ground).astype(np.uint8))


def _both(first: Change, second: Change) -> Change:
    return lambda sheet, chance: second(first(sheet, chance), chance)


HARD: dict[str, Change] = {
    "turned-90": _turned(90),
    "turned-180": _turned(180),
    "turned-270": _turned(270),
    "skewed": _skewed,
    "slanted-40": _turned(40),
    "photographed": _photographed,
    "shadowed": _shadowed,
    "faint": _faint,
    "squeezed": _squeezed,
    "wallpaper": _wallpaper,
    "shadowed-skewed": _both(_shadowed, _skewed),
    "shadowed-faint": _both(_shadowed, _faint),
    "faint-turned": _both(_faint, _turned(270)),
    "faint-squeezed": _both(_faint, _squeezed),
    "photographed-turned-squeezed": _both(_both(_photographed, _turned(90)), _squeezed),
}


def hard(number: int, *, kind: str, seed: int) -> Drawn:
    """Poster `number`, made hard to read in one way."""
    chance = random.Random(f"{seed}/{kind}/{number}")
    lines = lines_of(chance)
    sheet = draw(lines, face=FACES[number % len(FACES)], style=sorted(COLOURS)[chance.randrange(len(COLOURS))])
    return Drawn(HARD[kind](sheet, chance), lines, kind)


def vertical(number: int, *, seed: int) -> Drawn:
    """Columns of upright characters from the right, as banners and old-style leaflets have them."""
    chance = random.Random(f"{seed}/vertical/{number}")
    texts = tuple(chance.choice(PLACES) + chance.choice(NOUNS) + chance.choice(PROMISES) for _ in range(3))
    face = FACES[number % 4]
    sheet = Image.new("RGB", (90 * len(texts) + 60, 60 * max(map(len, texts)) + 80), COLOURS["gold"][0])
    pen = ImageDraw.Draw(sheet)
    for column, text in enumerate(texts):
        for row, character in enumerate(text):
            place = (sheet.width - 75 - 90 * column, 70 + 60 * row)
            pen.text(place, character, font=font(face, 50), fill=COLOURS["gold"][3], anchor="mm")
    return Drawn(sheet, texts, "vertical")
