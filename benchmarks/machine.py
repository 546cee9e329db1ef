"""What a result was measured on, and whether anything else was running meanwhile."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import psutil

QUIET_LOAD = 0.5
_LOOK_SECONDS = 2.0

Say = Callable[[str], None]


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def wait_for_quiet(patience_seconds: float, say: Say) -> float:
    """Let the load of what ran before fade; the load at the end, with a warning when the machine is not quiet."""
    deadline = time.monotonic() + patience_seconds
    while load() > QUIET_LOAD and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    found = load()
    say(f"load average {found:.2f}")
    if found > QUIET_LOAD:
        say(f"WARNING: the machine is not quiet (load {found:.2f} > {QUIET_LOAD}); the figures will be off")
    return found


def warm_files(*folders: Path) -> int:
    """Read every file once, so that nobody starts from a cold disk and the next one from a warm one; bytes read.

    Seen on virtual machines: the kernel drops three quarters of the libraries from memory within five minutes, and who
    is measured first pays for reading them again.
    """
    found = 0
    buffer = bytearray(1024 * 1024)
    for folder in folders:
        for path in folder.rglob("*"):
            with suppress(OSError):
                if path.is_file():
                    with path.open("rb", buffering=0) as file:
                        while count := file.readinto(buffer):
                            found += count
    return found


def versions(*distributions: str) -> dict[str, str]:
    """Of this Python and of what was compared."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in distributions}}


def describe() -> dict[str, str | int]:
    """The hardware, in words."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 1024**3),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
