"""Processes of this machine: who is still the process we started, and how to end them all.

A pid alone proves nothing: it may belong to somebody else by now. So a process is always named by its pid and its
birth (ticks since boot on Linux, which no clock change moves). Every process of a stack carries AIRFOIL_STACK_ID in
its environment, and every service leads a session of its own; these two marks find what a dead parent left behind.
Nothing here knows what a service is for.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

STACK_MARK = "AIRFOIL_STACK_ID"
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_ON_LINUX = sys.platform == "linux"


def birth(pid: int) -> float | None:
    """When the process was born (seconds since boot on Linux, since the epoch elsewhere), or None if it is gone.

    A zombie counts as gone: it does nothing any more and only waits to be collected.
    """
    if _ON_LINUX:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        if fields[0] in {"Z", "X"}:
            return None
        return int(fields[19]) / _TICKS_PER_SECOND
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def is_alive(pid: int | None, pid_started: float | None) -> bool:
    """Tell whether this very process, not a later one with the same pid, is still running."""
    if pid is None or pid_started is None:
        return False
    born = birth(pid)
    return born is not None and abs(born - pid_started) < 0.02  # noqa: PLR2004 - two clock ticks


def started_at_epoch(pid: int) -> float | None:
    """The wall-clock time at which the process began, for comparing with heartbeats."""
    with suppress(psutil.Error):
        return psutil.Process(pid).create_time()
    return None


def signal_process(pid: int, pid_started: float | None, number: int) -> bool:
    """Send a signal to exactly this process; False when it is gone."""
    held = _hold(pid)
    try:
        if not is_alive(pid, pid_started):
            return False
        if held is None:
            os.kill(pid, number)
        else:
            signal.pidfd_send_signal(held, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        if held is not None:
            os.close(held)
    return True


def _hold(pid: int) -> int | None:
    """A descriptor of the process (Linux): its pid cannot become another's between our look and our signal."""
    with suppress(OSError, AttributeError):
        return os.pidfd_open(pid)
    return None


def marked(stack_id: str) -> list[int]:
    """Every living process that carries this stack's mark in the environment it was started with."""
    wanted = f"{STACK_MARK}={stack_id}".encode()
    found = []
    for pid in psutil.pids():
        if pid == os.getpid():
            continue
        if _ON_LINUX:
            try:
                environ = Path(f"/proc/{pid}/environ").read_bytes()
            except OSError:
                continue
            if wanted in environ.split(b"\0") and birth(pid) is not None:
                found.append(pid)
        else:
            with suppress(psutil.Error, OSError):
                if psutil.Process(pid).environ().get(STACK_MARK) == stack_id:
                    found.append(pid)
    return found


def members(*leaders: int) -> list[int]:
    """The living processes of services: their sessions and everything that descends from them, leaders included."""
    found = set(leaders)
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) in leaders:
                found.add(pid)
    return sorted(pid for pid in (*found, *descendants(*found)) if birth(pid) is not None)


def descendants(*ancestors: int) -> set[int]:
    """Everything forked below these processes that still has them above it; they themselves are not among it."""
    parents: dict[int, int] = {}
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            parents[pid] = _parent(pid)
    known = set(ancestors)
    grew = True
    while grew:
        below = {pid for pid, parent in parents.items() if parent in known and pid not in known}
        known |= below
        grew = bool(below)
    return known - set(ancestors)


def _parent(pid: int) -> int:
    if _ON_LINUX:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return psutil.Process(pid).ppid()


def births() -> dict[int, float]:
    """When each living process was born."""
    return {pid: born for pid in psutil.pids() if (born := birth(pid)) is not None}


def kill_all(born: Mapping[int, float]) -> int:
    """SIGKILL each process (pid -> birth); how many were still there."""
    return sum(signal_process(pid, started, signal.SIGKILL) for pid, started in born.items())


def sweep(
    stack_id: str,
    spare: Iterable[int] = (),
    *,
    owned: Callable[[], Iterable[int]] = tuple,
    below: Iterable[int] = (),
) -> list[int]:
    """Kill every marked process except those to spare, until none is left; the pids that were ended.

    `below` names processes whose descendants are swept as well: an orphan of a service is its manager's child, even
    when it was given an environment of its own and so carries no mark. Several rounds, because a process may fork
    between the look and the kill. `owned` is asked after each look: what a living service forks meanwhile is spared.
    """
    keep = set(spare)
    ended: list[int] = []
    for _ in range(20):
        born = births()  # before the look: whoever gets a pid after it is not the one that was seen
        left = {*marked(stack_id), *(pid for pid in descendants(*below) if birth(pid) is not None)} - keep
        if left:
            left -= set(owned())
        if not left:
            break
        kill_all({pid: born[pid] for pid in left if pid in born})
        ended += left
        time.sleep(0.02)
    return sorted(set(ended))


def reap(on_exit: Callable[[int, int], None]) -> None:
    """Collect every child that has ended and report (pid, exit code); a signal reads as minus its number."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        on_exit(pid, os.waitstatus_to_exitcode(status))


def adopt_orphans() -> bool:
    """Become the parent of descendants whose parent dies (Linux), so that their exit codes reach us."""
    if not _ON_LINUX:
        return False
    import ctypes

    set_child_subreaper = 36
    return bool(ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0) == 0)
