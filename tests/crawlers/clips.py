"""Tiny videos, really encoded."""

from __future__ import annotations

import io

import av
import numpy as np

SIZE = (160, 120)


def clip(*, seconds: int = 2) -> bytes:
    """An MP4 of `seconds` seconds: one pattern with a dark corner, and from the middle on another with a bright one."""
    blocks = np.random.default_rng(7).integers(0, 2, (2, 6, 8), np.uint8) * 255
    blocks[0, :2, :2], blocks[1, :2, :2] = 0, 255
    slides = [np.repeat(np.kron(one, np.ones((20, 20), np.uint8))[:, :, None], 3, axis=2) for one in blocks]
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for at in range(seconds * 4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(slides[at >= seconds * 2], format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()
