"""How the page says numbers and times to people: durations, distances in time, memory, lists of names.

Pure text. static/page.js repeats `duration` and `ago` so that times tick between two updates; keep them equal.
"""

from __future__ import annotations

from collections.abc import Sequence

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
JUST_NOW_SECONDS = 5


def duration(seconds: float) -> str:
    """Say a length of time with at most two units: `9.2 s`, `3 min 5 s`, `2 h 14 min`, `3 d 4 h`."""
    seconds = max(0.0, seconds)
    if seconds < 10:  # noqa: PLR2004 - only short ones deserve a decimal
        return f"{int(seconds * 10) / 10:.1f} s"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    for unit, name, smaller, smaller_name in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit} {name} {rest} {smaller_name}" if rest else f"{whole // unit} {name}"
    raise AssertionError


def ago(seconds: float) -> str:
    """Say how long ago something was, with one unit: `just now`, `12 s ago`, `3 min ago`, `2 h ago`."""
    whole = int(seconds)
    if whole < JUST_NOW_SECONDS:
        return "just now"
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if whole >= unit:
            return f"{whole // unit} {name} ago"
    return f"{whole} s ago"


def mib(value: float) -> str:
    """Say an amount of memory: `1,180 MiB`. One unit throughout, so that numbers can be compared."""
    return f"{round(value):,} MiB"


def count(number: int, one: str, many: str = "") -> str:
    """Say `1 thing` or `3 things`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def names(items: Sequence[str]) -> str:
    """Join names: `A`, `A and B`, `A, B and C`."""
    if len(items) < 2:  # noqa: PLR2004 - one or none has no "and"
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def sentence(text: str) -> str:
    """Close a text with a full stop, unless it ends as a sentence already."""
    text = text.strip()
    return text if not text or text[-1] in ".!?" else text + "."
