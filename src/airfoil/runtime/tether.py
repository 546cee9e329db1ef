"""Ties forked processes to their parent, so that a killed parent leaves nobody working behind it.

A scheduler killed with -9 cannot end its workers, nor they their tasks, and a task that goes on while its successor
starts is the worst that can happen to a run. On Linux the kernel does it: every process forked after `install` asks
to be killed when its parent dies. A killed task may still leave something behind that nobody would find, the grandchild
of a Bash task with an environment of its own. So a worker of the scheduler asks for a signal instead, and ends all that
lives below it while it can still be found, itself last. Installed inside one service; never in a process that starts
other services.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.runtime import waking_select

if TYPE_CHECKING:
    from types import FrameType

_PR_SET_PDEATHSIG = 1
_TIED_GENERATIONS = 2
"""Service -> worker -> task."""
_WORKER = 1
_MOST_LOOKS = 20
"""At what a worker's family consists of; each may find what was forked before its parent stood still."""
_depth = 0
_parent = 0
_with_family = False
_from_main_thread = True
"""The kernel ties to the forking *thread*, which may end early unless it is the first one."""


def install(*, with_family: bool = False) -> None:
    """From now on children of this process, and theirs, die with their parent.

    `with_family`: a child does not just die; it first ends everything below itself, to the last generation.
    """
    global _parent, _with_family  # noqa: PLW0603 - a fork hook has no other place to keep it
    _parent = os.getpid()
    _with_family = with_family
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
    waking_select.install()


def _before_fork() -> None:
    global _from_main_thread  # noqa: PLW0603 - as above
    _from_main_thread = threading.get_native_id() == os.getpid()


def _after_fork() -> None:
    global _depth, _parent  # noqa: PLW0603 - as above
    _depth += 1
    parent, _parent = _parent, os.getpid()
    if _depth > _TIED_GENERATIONS:
        # Forked by the user's own code. The shell of a Bash task is; nothing else would find it when its environment
        # was replaced and the manager died as well. What it forks in turn is its own affair (a daemon, say).
        if _depth == _TIED_GENERATIONS + 1 and _from_main_thread:
            _tie_to(parent, signal.SIGKILL)
        return
    if _with_family and sys.platform == "linux":
        # The task, which inherits the worker's handler, runs the user's code and gets the default back.
        signal.signal(signal.SIGRTMAX, _end_family if _depth == _WORKER else signal.SIG_DFL)
    _tie_to(parent, signal.SIGRTMAX if _with_family and _depth == _WORKER else signal.SIGKILL)
    _reseed()
    # A worker waits in select() for its task; the task itself, which runs the user's code, gets the default back.
    signal.signal(signal.SIGCHLD, waking_select.wake if _depth < _TIED_GENERATIONS else signal.SIG_DFL)


def _tie_to(parent: int, number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)


def _end_family(_number: int, _frame: FrameType | None) -> None:
    """End everything below this process, then this process: what stands still cannot fork or be orphaned unseen."""
    frozen: list[int] = []
    for _ in range(_MOST_LOOKS):
        fresh = [pid for pid in descendants(os.getpid()) if pid not in frozen]
        if not fresh:
            break
        for pid in fresh:
            _send(pid, signal.SIGSTOP)
        frozen += fresh
    for pid in reversed(frozen):
        _send(pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def descendants(ancestor: int) -> list[int]:
    """All that lives below a process, children before grandchildren. Zombies may be among them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = list(children.get(ancestor, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def _reseed() -> None:
    """Give this process its own random numbers: numpy, unlike random, hands its parent's state to every fork."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
