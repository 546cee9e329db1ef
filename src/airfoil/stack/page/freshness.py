"""Two ways of not asking twice: a file read again only when it changed, and a slow answer kept for a while.

Nothing here knows what is in the file or who gives the answer.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

T = TypeVar("T")


class WatchedFile(Generic[T]):
    """What a file says, read again only when its time, size or inode changed; `missing` while there is none."""

    def __init__(self, path: Path, read: Callable[[Path], T], missing: T) -> None:
        self._path = path
        self._read = read
        self._missing = missing
        self._seen: tuple[int, int, int] | None = None
        self._value = missing

    def value(self) -> T:
        """Give what it says now."""
        try:
            stat = self._path.stat()
        except OSError:
            self._seen, self._value = None, self._missing
            return self._missing
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen != self._seen:
            self._value = self._read(self._path)
            self._seen = seen
        return self._value


class Latest(Generic[T]):
    """The last answer of something slow. It is asked in a thread, by one caller at a time, when the answer is too old.

    Nobody waits longer than he wants: who runs out of patience gets the last answer while the next is on its way.
    """

    def __init__(self, first: T, executor: Executor, clock: Callable[[], float] = time.monotonic) -> None:
        self._value = first
        self._executor = executor
        self._clock = clock
        self._arrived_at: float | None = None
        self._pending: asyncio.Future[T] | None = None

    @property
    def value(self) -> T:
        """The last answer, without asking."""
        return self._value

    async def ask(self, fetch: Callable[[], T], patience_seconds: float, max_age_seconds: float) -> T:
        """Give an answer that is new enough, or the last one when the new one takes too long."""
        old = self._arrived_at is None or self._clock() - self._arrived_at >= max_age_seconds
        if self._pending is None and old:
            self._pending = asyncio.get_running_loop().run_in_executor(self._executor, fetch)
            self._pending.add_done_callback(self._arrived)
        if self._pending is not None:
            await asyncio.wait({self._pending}, timeout=patience_seconds)
        return self._value

    def _arrived(self, answer: asyncio.Future[T]) -> None:
        self._pending = None
        self._arrived_at = self._clock()
        if not answer.cancelled():
            self._value = answer.result()
