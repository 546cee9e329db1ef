"""Doctor's checks of a Linux inside Windows (WSL2): the disk, the memory, the clock.

Must not change anything.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.stack import upgrade
from airfoil.stack.findings import Finding, error, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.stack.doctor import Case

# Windows drives as WSL mounts them: /mnt/c and so on.
_WINDOWS_DRIVE = re.compile(r"^/mnt/[a-zA-Z](/|$)")
_SMALL_MIB = 3500.0
_DRIFT_SECONDS = 30.0


def check_wsl(case: Case) -> Iterator[Finding]:
    """Check what goes wrong in WSL and nowhere else."""
    if not case.machine.is_wsl():
        yield ok("wsl", "Not inside WSL2.")
        return
    found = [*_places(case), *_memory(case), *_clock(case)]
    yield from found
    if not found:
        yield ok("wsl", "WSL2: the project is on a Linux disk, memory and clock are fine.")


def _places(case: Case) -> Iterator[Finding]:
    if case.project is None:
        return
    root = case.project.root
    if _WINDOWS_DRIVE.match(str(root)):
        yield error(
            "wsl",
            f"The project is on a Windows drive ({root}): files are slow there, SQLite databases may be damaged, "
            "changes are not reported and modes do not hold.",
            f"Move it into Linux: `cp -r '{root}' ~/`, and start it there.",
        )
        return
    if case.settings is None:
        return
    for part, path in upgrade.sqlite_files(case.project, case.settings).items():
        if _WINDOWS_DRIVE.match(str(path)):
            yield error(
                "wsl",
                f"The database of {part} is on a Windows drive ({path}), where SQLite may be damaged.",
                f"Delete {part}.database in airfoil.toml, or name a file below {Path.home()}.",
            )


def _memory(case: Case) -> Iterator[Finding]:
    total_mib = case.machine.total_memory_mib()
    if total_mib < _SMALL_MIB:
        yield warn(
            "wsl",
            f"WSL2 has {total_mib:.0f} MiB of memory in all.",
            "Write `[wsl2]` and `memory=6GB` into %UserProfile%\\.wslconfig on Windows, then `wsl --shutdown` there.",
        )


def _clock(case: Case) -> Iterator[Finding]:
    hardware = case.machine.hardware_clock()
    if hardware is None:
        return
    drift = case.machine.clock() - hardware
    if abs(drift) > _DRIFT_SECONDS:
        word = "ahead of" if drift > 0 else "behind"
        yield warn(
            "wsl",
            f"The clock of WSL2 is {abs(drift):.0f} s {word} that of the machine, as after sleep.",
            "`sudo hwclock -s` sets it; schedules, logins and heartbeats depend on it.",
        )
