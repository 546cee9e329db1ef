"""Reading service logs: the last lines of a file, and what is added to it, through rotation and truncation.

The stack rotates by copying the beginning of `x.log` to `x.log.1` and cutting it off; other tools rename. Both are
followed without losing or repeating a line.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BLOCK_BYTES = 64 * 1024


def last_lines(path: Path, count: int, end: int | None = None) -> list[str]:
    """Give the last lines of a file (up to byte `end`), oldest first, reading no more of it than needed."""
    if count <= 0:
        return []
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            position = size if end is None else min(end, size)
            tail = b""
            while position > 0 and tail.count(b"\n") <= count:
                step = min(BLOCK_BYTES, position)
                position = file.seek(position - step)
                tail = file.read(step) + tail
    except FileNotFoundError:
        return []
    return _text(tail).splitlines()[-count:]


class LogFollower:
    """Gives the lines that are added to one file after it was opened for following."""

    def __init__(self, path: Path) -> None:
        """Start behind the last whole line; a file that does not exist yet is read from its beginning."""
        self._path = path
        self._file: BinaryIO | None = None
        self._half_line = b""
        file = self._open()
        self._start = 0 if file is None else file.seek(_end_of_last_line(file))

    def last_lines(self, count: int) -> list[str]:
        """Give the lines before the place where following starts: none is missed between the two, none repeated."""
        return last_lines(self._path, count, self._start)

    def close(self) -> None:
        """Stop following."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def new_lines(self) -> list[str]:
        """Give the whole lines that were added since the last call."""
        file = self._file or self._open()
        if file is None:
            return []
        added = b""
        if _was_cut(file):
            position = file.tell()
            added, copied = self._rest_of_copy(position)
            seen = max(0, position - copied)
            file.seek(seen if seen <= os.fstat(file.fileno()).st_size else 0)
        added += file.read()
        if self._was_replaced(file):
            self.close()
            successor = self._open()
            added += successor.read() if successor is not None else b""
        whole, newline, rest = (self._half_line + added).rpartition(b"\n")
        self._half_line = rest
        return _text(whole).splitlines() if newline else []

    def _open(self) -> BinaryIO | None:
        with contextlib.suppress(FileNotFoundError):
            self._file = self._path.open("rb")
        return self._file

    def _was_replaced(self, file: BinaryIO) -> bool:
        """Tell whether the path now names another file than the one we read."""
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(file.fileno())
        return (mine.st_dev, mine.st_ino) != (now.st_dev, now.st_ino)

    def _rest_of_copy(self, position: int) -> tuple[bytes, int]:
        """Read what was cut off before we had seen it, from the copy that was made, and how long that copy is."""
        try:
            with self._path.with_name(f"{self._path.name}.1").open("rb") as copy:
                copied = copy.seek(0, os.SEEK_END)
                copy.seek(position)
                return copy.read(), copied
        except OSError:
            return b"", position


def _was_cut(file: BinaryIO) -> bool:
    return os.fstat(file.fileno()).st_size < file.tell()


def _end_of_last_line(file: BinaryIO) -> int:
    position = file.seek(0, os.SEEK_END)
    while position > 0:
        step = min(BLOCK_BYTES, position)
        position = file.seek(position - step)
        newline = file.read(step).rfind(b"\n")
        if newline >= 0:
            return position + newline + 1
    return 0


def width_of(names: Iterable[str]) -> int:
    """How wide the column of names before interleaved lines must be."""
    return max((len(name) for name in names), default=0)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
