"""Leaves endless page spaces: calendars, sort orders, links that nest into themselves."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

LONGEST_URL = 2000
BARREN = 12
"""Pages of one pattern in a row without a new posting or new words, after which its addresses are left out."""
_DIGITS = re.compile(r"\d+")
_SEGMENTS = re.compile(r"[^/]+")


def pattern_of(url: str) -> str:
    """What addresses of one kind share: host, path with its numbers as `#`, names of the query keys."""
    parts = urlsplit(url)
    keys = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    return f"{parts.netloc}{_DIGITS.sub('#', parts.path)}?{'&'.join(keys)}"


class Trap:
    """Learns from what pages gave which patterns of addresses lead nowhere."""

    def __init__(self) -> None:
        self._barren: dict[str, int] = {}
        self._words: set[bytes] = set()

    def shuns(self, url: str) -> bool:
        """Whether `url` is not worth a request: too long, a segment three times in its path, or of a barren pattern."""
        if len(url) > LONGEST_URL:
            return True
        segments = _SEGMENTS.findall(urlsplit(url).path)
        if len(segments) > 8 and any(segments.count(name) > 3 for name in set(segments)):
            return True
        return self._barren.get(pattern_of(url), 0) >= BARREN

    def learn(self, url: str, *, postings: list[str], shown: str) -> None:
        """Notes what the page at `url` gave: fingerprint texts of its postings, and what it shows.

        Numbers do not count as new words: each month of a calendar differs in nothing else.
        """
        new = False
        for text in postings or [shown]:
            digest = hashlib.blake2b(_DIGITS.sub("", text).encode("utf-8", "surrogatepass"), digest_size=12).digest()
            if digest not in self._words:
                self._words.add(digest)
                new = True
                break  # one is enough; the others are not worth their time
        pattern = pattern_of(url)
        self._barren[pattern] = 0 if new else self._barren.get(pattern, 0) + 1
