"""Tables and numbers as both pages of figures write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_THREE_DIGITS = 1000


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown, all but its first column to the right."""
    lines = [header, ["---", *(["---:"] * (len(header) - 1))], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def number(value: float, figure: dict[str, Any]) -> str:
    """A figure with the digits and the unit that it has."""
    return f"{value:,.{figure['digits']}f}{_unit(figure['unit'])}"


def amount(value: float, unit: str) -> str:
    """Three digits, but never a rounded-off whole number."""
    return (f"{value:.3g}" if value < _THREE_DIGITS else f"{value:,.0f}") + _unit(unit)


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
