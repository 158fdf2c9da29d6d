"""What the keyword layer is measured against."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def plain_automaton(terms: Sequence[str]) -> Callable[[str], object]:
    """A pass of the fastest plain automaton over `terms`, overlapping ones too: it folds nothing and decides nothing."""
    import ahocorasick_rs

    known = ahocorasick_rs.AhoCorasick(list(terms), implementation=ahocorasick_rs.Implementation.DFA)
    return lambda text: known.find_matches_as_indexes(text, overlapping=True)
