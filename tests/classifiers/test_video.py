"""Short videos made for it: slides, no key frames, broken, hours long; and the one door for speech."""

from __future__ import annotations

import io
import shlex
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from classifiers import speech
from classifiers.imagefile import Picture
from classifiers.images import ImageReader, ImageReading
from classifiers.video import Limits, is_video, read_video
from domain.model import Region

SIZE = (320, 240)


class Greys:
    """Stands in for the reader: says how bright a frame's left half is, so that the stage is tested by itself."""

    def __init__(self) -> None:
        self.count = 0

    def read_picture(self, picture: Picture) -> ImageReading:
        self.count += 1
        text = f"亮度{round(float(picture.pixels[:, :100].mean()) / 40)}"
        return ImageReading(text=text, qr=("javascript:x",), regions=(Region(kind="text", start=0, end=len(text), box=(1, 2, 3, 4)),
            Region(kind="qr", start=0, end=1, box=(5, 6, 7, 8))), width=picture.width, height=picture.height)  # fmt: skip


def slide(number: int) -> np.ndarray:  # type: ignore[type-arg]
    """A slide with a pattern of its own on a grey of its own."""
    sheet = Image.new("RGB", SIZE, (40 * number,) * 3)
    pen, chance = ImageDraw.Draw(sheet), np.random.default_rng(number)
    for x, y, w, h in chance.integers(10, 110, (6, 4)):
        pen.rectangle([110 + int(x), int(y), 110 + int(x + w), int(y + h)], fill=(250, 250, 250))
    return np.asarray(sheet)


def video(*, seconds: int = 8, rate: int = 4, slides: int = 4, gop: int = 12, sound: bool = False) -> bytes:
    """An MP4 that shows `slides` slides one after the other."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *SIZE, "yuv420p", gop
        voice = container.add_stream("aac", rate=16_000) if sound else None
        shown = [slide(number) for number in range(1, slides + 1)]
        for at in range(seconds * rate):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown[at * slides // (seconds * rate)], format="rgb24")))
        container.mux(stream.encode())
        if voice is not None:
            tone = (np.sin(np.arange(32_000) / 20) * 9000).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            frame.sample_rate = 16_000
            container.mux(voice.encode(frame))
            container.mux(voice.encode())
    return out.getvalue()


def test_each_different_frame_is_read_once_with_its_second() -> None:
    reader = Greys()
    reading = read_video(video(), reader=reader)  # type: ignore[arg-type]
    assert reading.text.splitlines() == ["亮度1", "亮度2", "亮度3", "亮度4"]
    assert reader.count == 4
    assert [one.at_s for one in reading.regions if one.kind == "text"] == pytest.approx([0, 2, 4, 6], abs=0.6)
    assert (reading.qr, reading.width, reading.height) == (("javascript:x",), *SIZE)
    for one in reading.regions:
        assert one.kind == "qr" or reading.text[one.start : one.end].startswith("亮度")


def test_a_video_of_two_hours_costs_no_more_than_its_frames() -> None:
    reader = Greys()
    data = video(seconds=7200, rate=1, slides=6, gop=60)
    reading = read_video(data, reader=reader, limits=Limits(frames=6))  # type: ignore[arg-type]
    assert reader.count <= 6
    assert max(one.at_s for one in reading.regions) > 5000


def test_a_video_without_key_frames_is_read_from_its_beginning() -> None:
    reading = read_video(video(seconds=60, rate=2, gop=10_000), reader=Greys(), limits=Limits(frames=8))  # type: ignore[arg-type]
    assert reading.text.splitlines() == ["亮度1", "亮度2", "亮度3", "亮度4"]


def test_time_is_bounded() -> None:
    reader = Greys()
    read_video(video(), reader=reader, limits=Limits(seconds=0.0))  # type: ignore[arg-type]
    assert reader.count <= 1


WHOLE = video(seconds=2)


@pytest.mark.parametrize(
    "data",
    [WHOLE[:32], WHOLE[: len(WHOLE) // 2], b"\x00\x00\x00\x18ftypisom" + bytes(3000), b"\x1a\x45\xdf\xa3" + bytes(50),
     b"\x00\x00\x00\x18ftypisom#EXTM3U\nfile:///etc/hostname\n"],
    ids=["head", "cut", "zeros", "matroska-head", "playlist"],
)  # fmt: skip
def test_what_is_no_video_says_so(data: bytes) -> None:
    assert is_video(data)
    reading = read_video(data, reader=Greys())  # type: ignore[arg-type]
    assert reading.fault.startswith("no readable video")
    assert (reading.text, reading.qr) == ("", ())


def test_a_playlist_opens_nothing(tmp_path: Path) -> None:
    """An .m3u8 or a concat list would read other files and fetch addresses."""
    (tmp_path / "inner.mp4").write_bytes(WHOLE)
    for text in ("#EXTM3U\n#EXTINF:1,\ninner.mp4\n", "ffconcat version 1.0\nfile inner.mp4\n"):
        path = tmp_path / "list.mp4"
        path.write_text(text)
        assert read_video(path, reader=Greys()).fault  # type: ignore[arg-type]


def test_damage_in_the_middle_loses_only_what_it_hits() -> None:
    data = bytearray(video())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    assert "亮度1" in read_video(bytes(data), reader=Greys()).text  # type: ignore[arg-type]


def test_pictures_are_no_videos() -> None:
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "AVIF"):
        out = io.BytesIO()
        Image.new("RGB", (20, 20)).save(out, kind)
        assert not is_video(out.getvalue()), kind


def test_a_video_is_read_by_the_real_reader() -> None:
    out = io.BytesIO()
    sheet = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(sheet).text((20, 80), "CALL 13800138000", fill="black", font_size=30)
    with av.open(out, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=2)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(sheet), format="rgb24")))
        container.mux(stream.encode())
    assert "13800138000" in read_video(out.getvalue(), reader=ImageReader()).text


def listener(tmp_path: Path, body: str) -> str:
    """A command that is given a WAV file."""
    script = tmp_path / "listen.py"
    script.write_text(f"import sys, wave\nsound = wave.open(sys.argv[1])\n{body}\n", encoding="utf-8")
    return shlex.join([sys.executable, str(script)])


def test_speech_is_heard_by_the_users_command(tmp_path: Path) -> None:
    said = "print('保本保息', sound.getframerate(), sound.getnchannels(), sound.getnframes() > 16000)"
    reading = read_video(video(sound=True), reader=Greys(), listener=listener(tmp_path, said))  # type: ignore[arg-type]
    (place,) = [one for one in reading.regions if one.kind == "speech"]
    assert reading.text[place.start : place.end] == "保本保息 16000 1 True"


def test_without_a_command_nothing_is_heard() -> None:
    reading = read_video(video(sound=True), reader=Greys())  # type: ignore[arg-type]
    assert not [one for one in reading.regions if one.kind == "speech"]


@pytest.mark.parametrize("body", ["sys.exit(3)", "print('x' * 10_000_000)", "import os; os.kill(os.getpid(), 9)"])
def test_a_command_that_misbehaves_costs_its_words_alone(tmp_path: Path, body: str) -> None:
    reading = read_video(video(sound=True), reader=Greys(), listener=listener(tmp_path, body))  # type: ignore[arg-type]
    assert reading.text.startswith("亮度1")
    assert len(reading.text) < 2 * speech.WORDS_MOST


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    command = listener(tmp_path, "import subprocess\nsubprocess.run(['sleep', '600'])")
    said, why = speech.transcribe(bytes(3200), command=command, time_most_s=1.0)
    assert said == ""
    assert "took more than 1 s" in why


def test_a_command_that_is_not_there_is_named() -> None:
    assert "cannot be started" in speech.transcribe(bytes(3200), command="/no/such/listener")[1]
