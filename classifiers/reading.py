"""One folded text while rules are matched against it: rates, contacts and quotations, each read once and only when asked for."""

from __future__ import annotations

import re

from domain import contacts, hints, rates
from domain.model import Contact
from domain.rates import Rate
from domain.text import Folded

Span = tuple[int, int]
"""Half-open, in characters of the folded text."""
_QUOTED = re.compile(r"[“「『‘《]([^“”「」『』‘’《》\n]{2,40})[”」』’》]")
_READ = 20_000
"""Characters of a text in which rates and contacts are looked for."""


class Reading:
    """One folded text and what was read in it so far. All offsets are in the folded text."""

    __slots__ = ("_contacts", "_quotes", "_rates", "_sums", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._rates: tuple[Rate, ...] | None = None
        self._contacts: tuple[Contact, ...] | None = None
        self._quotes: list[Span] | None = None
        self._sums: bool | None = None

    @property
    def rates(self) -> tuple[Rate, ...]:
        if self._rates is None:
            self._rates = rates.in_folded(_head(self.text))
        return self._rates

    @property
    def contacts(self) -> tuple[Contact, ...]:
        if self._contacts is None:
            self._contacts = contacts.in_folded(_head(self.text))
        return self._contacts

    @property
    def sums(self) -> bool:
        """Whether the text names a sum of money."""
        if self._sums is None:
            self._sums = hints.SUM.search(self.text) is not None
        return self._sums

    @property
    def quotes(self) -> list[Span]:
        """Insides of short quotations."""
        if self._quotes is None:
            self._quotes = [m.span(1) for m in _QUOTED.finditer(self.text)]
        return self._quotes


def _head(text: str) -> Folded:
    head = text[:_READ]
    return Folded(head, range(len(head)), range(1, len(head) + 1))
