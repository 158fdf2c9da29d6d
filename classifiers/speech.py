"""The one door for speech: a command that the user supplies. No model comes with this program, and without a command nothing is heard.

The setting `speech_command` holds the command; it is given one more word, the path of a WAV file (16 kHz, one channel, 16 bits), and
prints what is said as UTF-8 text. It is run without a shell, ended after its time, and its words are cut to WORDS_MOST.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
import tempfile
import wave
from pathlib import Path

log = logging.getLogger(__name__)

RATE_HZ = 16_000
TIME_MOST_S = 120.0
WORDS_MOST = 10_000
"""Characters."""


def transcribe(samples: bytes, *, command: str, time_most_s: float = TIME_MOST_S) -> tuple[str, str]:
    """(what is said, why not) of mono samples of 16 bits at RATE_HZ; one of the two is empty."""
    words = shlex.split(command)
    if not words or not samples:
        return "", ""
    with tempfile.TemporaryDirectory(prefix="wangxun-speech-") as folder:
        path = Path(folder) / "speech.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(samples)
        return _run([*words, str(path)], out=Path(folder) / "said", time_most_s=time_most_s)


def _run(words: list[str], *, out: Path, time_most_s: float) -> tuple[str, str]:
    """Run it in a session of its own, so that what it started ends with it; its output goes to a file, so that it cannot fill memory."""
    try:
        with out.open("wb") as sink:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.DEVNULL, start_new_session=True)
    except (OSError, ValueError) as error:
        return "", f"speech: {words[0]} cannot be started ({error}); see WANGXUN_SPEECH_COMMAND"
    try:
        code = child.wait(time_most_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return "", f"speech: {words[0]} took more than {time_most_s:.0f} s and was ended"
    if code:
        return "", f"speech: {words[0]} ended with {code}"
    with out.open("rb") as file:
        return file.read(4 * WORDS_MOST).decode("utf-8", "ignore").strip()[:WORDS_MOST], ""
