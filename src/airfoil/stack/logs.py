"""Service logs: the last lines of one, the line that tells why it ended, and keeping them small.

Services hold their log open for appending, so a log is rotated by copying its beginning and cutting that off. Where
the file system can do that in one step (ext4, XFS) no line is ever lost; elsewhere the log is copied to its end and
emptied, and a line written in the microseconds between may be.
"""

from __future__ import annotations

import ctypes
import io
import os
import sys
from pathlib import Path

_TAIL_BYTES = 64 * 1024
_COPY_BYTES = 1024 * 1024
OUR_WORD = "airfoil: "


def last_lines(path: str | Path, count: int) -> list[str]:
    """The last lines of a log, oldest first; empty when there is none."""
    try:
        with Path(path).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]


def evidence(path: str | Path, since_bytes: int = 0) -> str:
    """The line that best tells why a process ended: our own word, else an exception's last line."""
    try:
        if Path(path).stat().st_size <= since_bytes:
            return ""
    except OSError:
        return ""
    lines = last_lines(path, 40)
    for line in reversed(lines):
        if line.startswith(OUR_WORD):
            return line.removeprefix(OUR_WORD)
    for line in reversed(lines):
        name, colon, _ = line.partition(": ")
        if colon and " " not in name and name.endswith(("Error", "Exception", "Exit", "Interrupt")):
            return line[:300]
    return ""


def rotate(path: Path, max_bytes: int, backups: int) -> bool:
    """Cut a log that has grown too large, keeping so many older pieces; True when it was cut."""
    try:
        size = path.stat().st_size
    except OSError:
        return False
    if size <= max_bytes or max_bytes <= 0:
        return False
    for number in range(backups, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if number == backups:
            older.unlink(missing_ok=True)
        elif older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    with path.open("r+b", buffering=0) as log:
        if backups > 0:
            with path.with_name(f"{path.name}.1").open("wb") as kept:
                os.fchmod(kept.fileno(), 0o600)
                _move(log, kept, size)
        else:
            os.ftruncate(log.fileno(), 0)
    return True


def _move(log: io.FileIO, kept: io.BufferedWriter, size: int) -> None:
    """Carry the log over, but for the last block if the file system can cut off whole ones."""
    block = os.fstat(log.fileno()).st_blksize
    whole = (size - 1) // block * block
    kept.writelines(
        os.pread(log.fileno(), min(_COPY_BYTES, whole - start), start)
        for start in range(0, whole, _COPY_BYTES)
    )
    kept.flush()  # a full disk must say so before anything is cut off
    if whole and _cut_off(log.fileno(), whole):
        return
    log.seek(whole)
    while rest := log.read(_COPY_BYTES):
        kept.write(rest)
    kept.flush()
    os.ftruncate(log.fileno(), 0)


def _cut_off(descriptor: int, count: int) -> bool:
    """Take the first bytes away in one step, under the lock that appending takes too; False when that cannot be."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return False
    collapse_range = 0x08
    fallocate = ctypes.CDLL(None).fallocate
    return bool(fallocate(descriptor, collapse_range, ctypes.c_int64(0), ctypes.c_int64(count)) == 0)
