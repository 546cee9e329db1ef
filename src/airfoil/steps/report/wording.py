"""How numbers, moments and names read on the page. Pure words: whatever comes out is escaped by whoever builds HTML."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

from airfoil.markup import Markup, join, tag

NOTHING = "-"
MOST_CHARACTERS = 80
"""Of a name or a value; longer ones are cut in the middle, and whole in their tooltip."""
_JOINERS = frozenset("\u200c\u200d\ufe0f")  # they hold letters and emoji together
_THOUSAND, _MANY, _TINY = 1000, 1e12, 1e-4
_LEAST_PERCENT = 0.01
_SPANS = (("d", 86_400.0), ("h", 3600.0), ("min", 60.0))
_PLAUSIBLE_MOMENT = 10**8


def number(value: float | str | None) -> str:
    """Write a number as a person reads it: four digits tell enough."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < _MANY else f"{Decimal(value):.4g}"
    if not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < _MANY:
        return f"{int(value):,}"
    if abs(value) >= _MANY or abs(value) < _TINY:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= _THOUSAND else f"{value:.4g}"


def p_value(value: float | None) -> str:
    """Write a probability; very small ones differ by their exponent."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    return f"{value:.1e}" if value < _TINY else f"{value:.3f}"


def percent(share: float | None) -> str:
    """Write a share of 1 as per cent."""
    if share is None:
        return NOTHING
    if 0 < share * 100 < _LEAST_PERCENT:
        return f"< {_LEAST_PERCENT} %"
    return f"{share * 100:.3g} %" if share < 1 else f"{share * 100:.0f} %"


def moment(at: dt.datetime) -> str:
    """Write a moment in UTC, to the minute."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def instant(seconds: float) -> str:
    """Write seconds since 1970 as a date; what is no plausible date is a span of time."""
    if abs(seconds) < _PLAUSIBLE_MOMENT:
        return span(seconds)
    try:
        found = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.4g} s"
    return f"{found:%Y-%m-%d}" if found.time() == dt.time() else f"{found:%Y-%m-%d %H:%M}"


def span(seconds: float | None) -> str:
    """Write a length of time in its largest unit."""
    if seconds is None:
        return NOTHING
    unit, length = next(((unit, one) for unit, one in _SPANS if abs(seconds) >= one), ("s", 1.0))
    return f"{seconds / length:.4g} {unit}"


def visible(text: str) -> str:
    """Return a text on one line, in which what cannot be seen (line ends, marks of direction) is written out."""
    return "".join(
        one if one.isprintable() or one in _JOINERS else one.encode("unicode_escape").decode() for one in text
    )


def name(text: str, most: int = MOST_CHARACTERS) -> Markup:
    """Show a name or a value that people chose: it may hold anything, be very long, or be nothing at all."""
    whole = visible(text)
    if not whole.strip():
        return tag("i", "empty" if not whole else "blank", class_="muted")
    if len(whole) <= most:
        return tag("bdi", whole)
    half = (most - 1) // 2
    return tag("bdi", f"{whole[:half]}…{whole[-half:]}", title=whole[: 10 * MOST_CHARACTERS])


def names(texts: tuple[str, ...], most: int = 5) -> Markup:
    """Show several names, one after the other."""
    pieces: list[str | Markup | None] = []
    for place, text in enumerate(texts[:most]):
        pieces += [", " if place else None, name(text)]
    return join(*pieces, f" and {len(texts) - most} more" if len(texts) > most else None)
