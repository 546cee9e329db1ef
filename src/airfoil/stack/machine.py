"""The machine as doctor sees it: disk, memory, clock, users, installed packages, processes, ports.

Every look at the outside is a field of `Machine`, so that a test can describe a machine that nobody has at hand. Must
not judge what it sees.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import psutil

from airfoil.stack import port_probe, process
from airfoil.stack.airflow_catalog import Catalog, read_catalog

_MIB = 2**20
_CONNECT_TIMEOUT_SECONDS = 2.0
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Disk:
    """The disk that a folder lies on."""

    free_mib: int
    read_only: bool = False
    free_files: int | None = None
    """How many more files fit; None where the file system does not count them."""
    kind: str = ""
    """The type of the file system, such as ext4 or nfs4."""


@dataclass(frozen=True)
class SeenProcess:
    """A process, as far as one may see it."""

    pid: int
    name: str
    has_terminal: bool


def look_at_disk(folder: Path) -> Disk:
    """Look at the disk of a folder (or of the nearest parent that exists)."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    seen = os.statvfs(folder)
    return Disk(
        free_mib=seen.f_bavail * seen.f_frsize // _MIB,
        read_only=bool(seen.f_flag & os.ST_RDONLY),
        free_files=seen.f_favail if seen.f_files else None,
        kind=_file_system(folder.resolve()),
    )


def _file_system(folder: Path) -> str:
    """Return the type of the mount that is nearest to the folder."""
    mounts: dict[str, str] = {}
    with suppress(OSError, psutil.Error):
        mounts = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    return next((mounts[str(part)] for part in (folder, *folder.parents) if str(part) in mounts), "")


def available_memory_mib(cgroup: Path = _CGROUP) -> float:
    """Return the memory that may still be used: the machine's, or less where a container is limited."""
    available = float(psutil.virtual_memory().available)
    for used, limit, statistics, cached_name in (
        ("memory.current", "memory.max", "memory.stat", "inactive_file"),
        # Control groups of version 1, as on older distributions and some container hosts.
        (
            "memory/memory.usage_in_bytes",
            "memory/memory.limit_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        with suppress(OSError, ValueError):  # "max" is no number: no limit
            left = int((cgroup / limit).read_text(encoding="ascii")) - int(
                (cgroup / used).read_text(encoding="ascii")
            )
            # Cached files count as used, and are given back on demand.
            text = (cgroup / statistics).read_text(encoding="ascii")
            cached = re.search(rf"^{cached_name} (\d+)$", text, re.MULTILINE)
            available = min(available, left + (int(cached[1]) if cached else 0))
    return max(available, 0.0) / _MIB


def total_memory_mib() -> float:
    """Return the memory that the system was given."""
    return psutil.virtual_memory().total / _MIB


def is_wsl(release: Path = Path("/proc/sys/kernel/osrelease")) -> bool:
    """Tell whether this Linux is the one inside Windows."""
    with suppress(OSError):
        return "microsoft" in release.read_text(encoding="utf-8", errors="replace").lower()
    return False


def hardware_clock(device: Path = Path("/sys/class/rtc/rtc0/since_epoch")) -> float | None:
    """Return what the machine's own clock says, where it can be read."""
    with suppress(OSError, ValueError):
        return float(device.read_text(encoding="ascii"))
    return None


def installed_version(distribution: str) -> str | None:
    """Return the installed version of a distribution, without importing it."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def own_requirements() -> list[str]:
    """Return what this release of Airfoil was tested with, as its metadata says; empty in a bare checkout."""
    try:
        return metadata.requires("airfoil") or []
    except metadata.PackageNotFoundError:
        return []


def see_process(pid: int) -> SeenProcess | None:
    """Return what one may see of a process; None when it is gone."""
    try:
        seen = psutil.Process(pid)
        return SeenProcess(pid, seen.name(), has_terminal=seen.terminal() is not None)
    except (psutil.Error, OSError):
        return None


def connection_problem(host: str, port: int) -> str:
    """Return why no connection to a server can be made; empty when one can."""
    try:
        socket.create_connection((host, port), timeout=_CONNECT_TIMEOUT_SECONDS).close()
    except (OSError, UnicodeError) as error:
        return str(getattr(error, "strerror", "") or error)
    return ""


@dataclass(frozen=True)
class Machine:
    """How to look at each part of the machine; the defaults look at the real one."""

    python: tuple[int, int] = field(default_factory=lambda: sys.version_info[:2])
    platform: str = sys.platform
    clock: Callable[[], float] = time.time
    user_id: Callable[[], int] = os.geteuid
    disk: Callable[[Path], Disk] = look_at_disk
    available_memory_mib: Callable[[], float] = available_memory_mib
    total_memory_mib: Callable[[], float] = total_memory_mib
    is_wsl: Callable[[], bool] = is_wsl
    hardware_clock: Callable[[], float | None] = hardware_clock
    installed: Callable[[str], str | None] = installed_version
    requirements: Callable[[], list[str]] = own_requirements
    airflow_catalog: Callable[[], Catalog] = read_catalog
    port_blocked: Callable[[str, int], OSError | None] = port_probe.blocked_by
    port_explained: Callable[[str, int], str] = port_probe.explain_taken
    port_owned_by: Callable[[int, str], bool] = port_probe.owned_by_stack
    connection_problem: Callable[[str, int], str] = connection_problem
    marked: Callable[[str], list[int]] = process.marked
    members: Callable[[int], list[int]] = process.members
    is_alive: Callable[[int | None, float | None], bool] = process.is_alive
    see_process: Callable[[int], SeenProcess | None] = see_process
