"""Events of files from the kernel (Linux' inotify), so that nobody has to look again and again.

By hand, over libc: the libraries for it start a thread, and what runs here forks. Where the system cannot watch,
`watch` gives None, and the caller looks now and then instead.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MODIFIED = 0x2
CLOSED_AFTER_WRITING = 0x8
MOVED = 0x40 | 0x80
CREATED = 0x100
DELETED = 0x200
ANY_CHANGE = MODIFIED | CLOSED_AFTER_WRITING | MOVED | CREATED | DELETED
_OVERFLOW = 0x4000
_HEADER = struct.Struct("iIII")
_MOST_BYTES = 64 * 1024


class FileEvents:
    """What happens to the files of some folders; readable (`fileno`) when something has."""

    def __init__(self, number: int, libc: ctypes.CDLL) -> None:
        self._number = number
        self._libc = libc
        self._folders: dict[int, Path] = {}

    def fileno(self) -> int:
        """For select() and poll()."""
        return self._number

    def add(self, folder: Path, mask: int = ANY_CHANGE) -> bool:
        """Watch the files directly in a folder; False when that is not possible."""
        watch = int(self._libc.inotify_add_watch(self._number, os.fsencode(folder), mask))
        if watch >= 0:
            self._folders[watch] = folder
        return watch >= 0

    def read(self) -> set[Path]:
        """Everything that changed since the last look; a lost event reads as a change of every folder."""
        changed: set[Path] = set()
        with suppress(BlockingIOError):
            while data := os.read(self._number, _MOST_BYTES):
                changed |= self._parse(data)
        return changed

    def close(self) -> None:
        """Watch no more."""
        os.close(self._number)

    def _parse(self, data: bytes) -> set[Path]:
        found: set[Path] = set()
        at = 0
        while at < len(data):
            watch, mask, _, length = _HEADER.unpack_from(data, at)
            at += _HEADER.size
            name = data[at : at + length].rstrip(b"\0")
            at += length
            if mask & _OVERFLOW:
                found.update(self._folders.values())
            elif watch in self._folders:
                found.add(self._folders[watch] / os.fsdecode(name) if name else self._folders[watch])
        return found


def watch(folders: Iterable[Path], mask: int = ANY_CHANGE) -> FileEvents | None:
    """Watch the files of these folders, or None when one of them cannot be."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    number = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if number < 0:
        return None
    events = FileEvents(number, libc)
    if all(events.add(folder, mask) for folder in folders):
        return events
    events.close()
    return None
