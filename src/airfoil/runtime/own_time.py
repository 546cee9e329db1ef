"""A clock that stands still while we wait for a processor that others are using.

A parse that takes half a second by itself takes two on a machine that also runs a test suite; that is nobody's fault.
Sleeping and waiting for a disk do count.
"""

from __future__ import annotations

import time
from pathlib import Path

_SCHEDULING = Path("/proc/self/schedstat")
"""Nanoseconds on a processor, nanoseconds waiting for one, turns; of the main thread (Linux)."""


_LOOKS = 5


def own_seconds(source: Path = _SCHEDULING) -> float:
    """Return seconds since some moment, without those that went by waiting for a processor where that is known."""
    try:
        for _ in range(_LOOKS):
            before, now, after = _waited(source), time.monotonic(), _waited(source)
            if before == after:  # else we were made to wait just between the two clocks
                break
    except (OSError, ValueError, IndexError):
        return time.monotonic()
    return now - after / 1e9


def _waited(source: Path) -> int:
    return int(source.read_bytes().split()[1])
