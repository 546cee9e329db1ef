"""What a family of processes takes: memory (PSS), CPU time, ports, and who is left after a stop.

A family is everything that came from the commands of one contender: found by a mark in the environment, by descent and
by session, and remembered once seen, because a title (setproctitle) may overwrite the environment in /proc and an
orphan loses its parent. It measures the contenders from outside and so must not use any of their code. Linux only.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK = "BENCHMARK_CONTENDER"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_SCAN_ROUNDS = 20
_LISTENS = "0A"


class Being(NamedTuple):
    """One process for its whole life: a pid alone may belong to somebody else tomorrow."""

    pid: int
    born_ticks: int


class Row(NamedTuple):
    """What /proc/PID/stat says of a process."""

    being: Being
    parent: int
    session: int
    state: str
    cpu_ticks: int
    """Its own time and that of the children it has collected."""

    @property
    def is_zombie(self) -> bool:
        """Ended, and only waiting to be collected."""
        return self.state in {"Z", "X"}


class Share(NamedTuple):
    """The memory of one process."""

    title: str
    pss_mib: float


def read_row(pid: int, proc: Path = _PROC) -> Row | None:
    """The row of one process, or None when it is gone."""
    try:
        # "pid (command) state parent group session ...": the command may hold spaces and brackets itself
        fields = Path(proc, str(pid), "stat").read_text(errors="replace").rpartition(")")[2].split()
        return Row(
            Being(pid, int(fields[19])),
            int(fields[1]),
            int(fields[3]),
            fields[0],
            sum(int(field) for field in fields[11:15]),
        )
    except (OSError, IndexError, ValueError):
        return None


def read_table(proc: Path = _PROC) -> dict[int, Row]:
    """Every process of the machine."""
    with os.scandir(proc) as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdecimal()]
    return {pid: row for pid in pids if (row := read_row(pid, proc)) is not None}


def family(table: Mapping[int, Row], known: Iterable[Being], marked: Iterable[int]) -> set[Being]:
    """All who belong: known or marked ones, their descendants, and the sessions they lead or led."""
    known = set(known)
    sessions = {being.pid for being in known}
    chosen = {pid for pid, row in table.items() if row.being in known}
    chosen.update(pid for pid in marked if pid in table)
    grew = True
    while grew:
        sessions |= chosen
        more = {
            pid
            for pid, row in table.items()
            if pid not in chosen and (row.parent in chosen or row.session in sessions)
        }
        chosen |= more
        grew = bool(more)
    return {table[pid].being for pid in chosen}


class Meter:
    """Follows one family from its first process until the last has ended."""

    def __init__(self, mark: str, proc: Path = _PROC) -> None:
        self._mark = f"{MARK}={mark}".encode()
        self._proc = proc
        self._known: set[Being] = set()

    def add(self, pid: int) -> None:
        """Name a process that was just started; the rest of the family is found from it."""
        if (row := read_row(pid, self._proc)) is not None:
            self._known.add(row.being)

    def look(self) -> list[Row]:
        """The family as it is now, zombies included."""
        table = read_table(self._proc)
        found = family(table, self._known, (pid for pid in table if self._is_marked(pid)))
        self._known |= found
        return sorted(row for row in table.values() if row.being in found)

    def living(self) -> list[Being]:
        """Those that really run."""
        return [row.being for row in self.look() if not row.is_zombie]

    def memory(self) -> list[Share]:
        """The memory of each, largest first; proportional sizes add up, shared pages are counted once."""
        shares = [
            Share(title(being.pid, self._proc), pss)
            for being in self.living()
            if (pss := pss_mib(being.pid, self._proc)) is not None
        ]
        return sorted(shares, key=lambda share: -share.pss_mib)

    def cpu_seconds(self) -> float:
        """CPU time of the family so far: only differences mean something."""
        return sum(row.cpu_ticks for row in self.look()) / TICKS_PER_SECOND

    def listening(self) -> dict[str, int]:
        """The family's listening TCP sockets: inode to port."""
        sockets = listening(self._proc)
        own = {inode for being in self.living() for inode in _sockets_of(being.pid, self._proc)}
        return {inode: port for inode, port in sockets.items() if inode in own}

    def end(self, grace_seconds: float = 0.0) -> list[str]:
        """Wait, then kill who is left, by pid; the titles of those that had to be killed."""
        deadline = time.monotonic() + grace_seconds
        while self.living() and time.monotonic() < deadline:
            time.sleep(0.1)
        killed: dict[Being, str] = {}
        for _ in range(_SCAN_ROUNDS):  # a process may fork between the look and the kill
            left = self.living()
            if not left:
                break
            for being in left:
                killed.setdefault(being, title(being.pid, self._proc))
                kill(being)
            time.sleep(0.05)
        return list(killed.values())

    def _is_marked(self, pid: int) -> bool:
        with suppress(OSError):
            return self._mark in Path(self._proc, str(pid), "environ").read_bytes().split(b"\0")
        return False


def listening(proc: Path = _PROC) -> dict[str, int]:
    """Every listening TCP socket, inode to port: a port alone may by now be somebody else's."""
    found = {}
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(proc, "net", name).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS:
                    found[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    return found


def _sockets_of(pid: int, proc: Path) -> set[str]:
    found = set()
    with suppress(OSError):
        for link in Path(proc, str(pid), "fd").iterdir():
            with suppress(OSError):
                found.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))  # noqa: PTH115 - no path
    return found


def pss_mib(pid: int, proc: Path = _PROC) -> float | None:
    """Proportional set size, swapped part included; None for a process without memory of its own."""
    found = {}
    try:
        for line in Path(proc, str(pid), "smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in {"Pss", "SwapPss"}:
                found[name] = int(rest.split()[0]) / 1024
    except (OSError, ValueError, IndexError):
        return None
    return sum(found.values()) if "Pss" in found else None


def title(pid: int, proc: Path = _PROC) -> str:
    """What a person would call the process: its command line without the interpreter, shortened."""
    with suppress(OSError):
        raw = Path(proc, str(pid), "cmdline").read_bytes()
        words = [
            Path(word).name if "/" in word else word for word in raw.decode(errors="replace").split("\0")
        ]
        words = " ".join(words).split()
        if words and words[0].startswith("python"):
            words = words[1:]
        return " ".join(words)[:60]
    return "?"


def kill(being: Being) -> None:
    """SIGKILL exactly this process, never one that inherited its pid."""
    try:
        handle = os.pidfd_open(being.pid)
    except OSError:
        return
    try:
        row = read_row(being.pid)
        if row is not None and row.being == being:
            with suppress(OSError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def machine_busy_seconds(proc: Path = _PROC) -> float:
    """CPU time all processes of this machine have used since it started."""
    fields = [int(field) for field in Path(proc, "stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, _steal = fields
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND
