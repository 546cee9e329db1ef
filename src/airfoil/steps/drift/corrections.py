"""Corrections of p-values for many tests at once: of a hundred columns that did not change, five are below 0.05.

Plain functions of p-values; the order of the result is that of the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Correction = Literal["benjamini-hochberg", "holm", "none"]


def adjust(p_values: Sequence[float], correction: Correction) -> list[float]:
    """Return p-values that may be compared with the level directly."""
    if correction == "holm":
        return holm(p_values)
    return benjamini_hochberg(p_values) if correction == "benjamini-hochberg" else list(p_values)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Bound the expected share of false alarms among all alarms."""
    tests = len(p_values)
    found = [0.0] * tests
    least = 1.0
    # From the largest down, so that no smaller p-value gets a larger adjusted one.
    for rank, place in sorted(enumerate(_ascending(p_values), start=1), reverse=True):
        least = min(least, p_values[place] * (tests / rank))
        found[place] = least
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Bound the probability of any false alarm."""
    tests = len(p_values)
    found = [0.0] * tests
    most = 0.0
    for passed, place in enumerate(_ascending(p_values)):
        most = max(most, min(1.0, p_values[place] * (tests - passed)))
        found[place] = most
    return found


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=lambda place: p_values[place])
