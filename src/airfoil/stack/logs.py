"""Service logs: the last lines of one, the line that tells why it ended, and keeping them small.

Services hold their log open for appending, so a log is rotated by copying it and cutting it to nothing; what was
written between the two steps is carried over.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_TAIL_BYTES = 64 * 1024
_OUR_WORD = "airfoil: "


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
        if line.startswith(_OUR_WORD):
            return line.removeprefix(_OUR_WORD)
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
        else:
            if older.exists():
                older.replace(path.with_name(f"{path.name}.{number + 1}"))
    if backups > 0:
        first = path.with_name(f"{path.name}.1")
        with path.open("rb") as source, first.open("wb") as target:
            os.fchmod(target.fileno(), 0o600)
            shutil.copyfileobj(source, target)
            while rest := source.read():
                target.write(rest)
            os.truncate(path, 0)
    else:
        os.truncate(path, 0)
    return True
