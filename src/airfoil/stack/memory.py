"""How much memory each service of a stack really takes.

Forked services share most of their pages, so resident size (RSS) counts the same page many times. Linux gives the
proportional size (PSS) in smaps_rollup: a page shared by three processes counts a third for each, and sums are true.
Elsewhere RSS is the best there is. This module only measures; it must not compare with budgets.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from airfoil.stack import process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.stack.state import StackState

MIB = 1024 * 1024
MANAGER = "manager"
"""The name under which the manager's own process is counted."""
_PROC = Path("/proc")
_ON_LINUX = sys.platform == "linux"


def tree_memory_mib(pid: int, proc: Path = _PROC) -> float:
    """Memory of a process with its whole session and everything that descends from it."""
    return owned_memory_mib({"tree": pid}, proc)["tree"]


def stack_memory(state: StackState, proc: Path = _PROC) -> dict[str, float]:
    """MiB by service name (only those that run), plus the manager.

    A forked service lives below the pre-loaded parent, which lives below the manager: each process is counted once,
    for the nearest of them above it. A pid that belongs to somebody else by now is left out.
    """
    known = [(service.name, service.pid, service.pid_started) for service in state.services]
    known.append((MANAGER, state.manager_pid, state.manager_started))
    owners = {name: pid for name, pid, born in known if pid is not None and process.is_alive(pid, born)}
    found = owned_memory_mib(owners, proc)
    return {name: mib for name, mib in found.items() if mib > 0}


def owned_memory_mib(owners: Mapping[str, int], proc: Path = _PROC) -> dict[str, float]:
    """MiB of each owner's processes: nearest owner up the family tree, else the owner that leads the session."""
    relatives = _relatives(proc)
    names = {pid: name for name, pid in owners.items()}
    totals = dict.fromkeys(owners, 0.0)
    for pid in relatives:
        name = _owner(pid, relatives, names)
        if name is not None:
            totals[name] += _memory_mib(pid, proc)
    return totals


def _owner(pid: int, relatives: Mapping[int, tuple[int, int]], names: Mapping[int, str]) -> str | None:
    seen: set[int] = set()
    current = pid
    while current in relatives and current not in seen:
        if current in names:
            return names[current]
        seen.add(current)  # the table is read while it changes: a reused pid must not make a circle
        current = relatives[current][0]
    return names.get(relatives[pid][1])


def _relatives(proc: Path) -> dict[int, tuple[int, int]]:
    """Parent and session of every process."""
    if not _ON_LINUX:
        return _relatives_elsewhere()
    found = {}
    with os.scandir(proc) as entries:
        pids = [entry.name for entry in entries if entry.name.isdecimal()]
    for pid in pids:
        with suppress(OSError):  # it ended between the listing and the look
            # "pid (command) state parent group session ...": the command may hold spaces and brackets itself
            fields = Path(proc, pid, "stat").read_text(errors="replace").rpartition(")")[2].split()
            found[int(pid)] = (int(fields[1]), int(fields[3]))
    return found


def _relatives_elsewhere() -> dict[int, tuple[int, int]]:
    found = {}
    for one in psutil.process_iter(["ppid"]):
        with suppress(OSError):
            found[one.pid] = (one.info["ppid"] or 0, os.getsid(one.pid))
    return found


def _memory_mib(pid: int, proc: Path) -> float:
    if not _ON_LINUX:
        with suppress(psutil.Error):
            return float(psutil.Process(pid).memory_info().rss) / MIB
        return 0.0
    folder = proc / str(pid)
    with suppress(OSError):
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    with suppress(
        OSError, ValueError, IndexError
    ):  # another user's process, or a kernel without smaps_rollup
        return int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    return 0.0
