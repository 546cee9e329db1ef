"""Ways of not asking twice: a file read again only when it changed, a slow answer kept for a while, news of a file.

Nothing here knows what is in the file or who gives the answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future
    from pathlib import Path

T = TypeVar("T")
logger = logging.getLogger(__name__)


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


class FileNews:
    """Whether one of some files changed since it was last marked as known; what is not there does not change."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._known = self._signature()

    def __bool__(self) -> bool:
        return self._signature() != self._known

    def mark(self) -> None:
        """Take what is there now as known."""
        self._known = self._signature()

    def _signature(self) -> tuple[tuple[int, int], ...]:
        found = []
        for path in self._paths:
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((stat.st_mtime_ns, stat.st_size))
        return tuple(found)


class Latest(Generic[T]):
    """The last answer of something slow. It is asked in a thread, by one caller at a time, when the answer is too old.

    Nobody waits longer than he wants: who runs out of patience gets the last answer while the next is on its way. It
    belongs to no event loop, so that a question may outlive the loop in which it was asked.
    """

    def __init__(self, first: T, executor: Executor, clock: Callable[[], float] = time.monotonic) -> None:
        self._value = first
        self._executor = executor
        self._clock = clock
        self._arrived_at: float | None = None
        self._pending: Future[T] | None = None

    @property
    def value(self) -> T:
        """The last answer, without asking."""
        self._collect()
        return self._value

    async def ask(self, fetch: Callable[[], T], patience_seconds: float, max_age_seconds: float) -> T:
        """Give an answer that is new enough, or the last one when the new one takes too long."""
        self._collect()
        old = self._arrived_at is None or self._clock() - self._arrived_at >= max_age_seconds
        if self._pending is None and old:
            self._pending = self._executor.submit(fetch)
        if self._pending is not None:
            await asyncio.wait({asyncio.wrap_future(self._pending)}, timeout=patience_seconds)
        return self.value

    def _collect(self) -> None:
        if self._pending is None or not self._pending.done():
            return
        answer, self._pending, self._arrived_at = self._pending, None, self._clock()
        if answer.cancelled():
            return
        error = answer.exception()
        if error is None:
            self._value = answer.result()
        else:
            logger.error("A question failed; the last answer stays.", exc_info=error)
