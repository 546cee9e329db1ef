"""Doctor's checks of the machine: Python, user, clock, disk, memory, installed versions.

Each check gets the case and returns its findings. Must not change anything, and must not import what it checks.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from airfoil.stack.engine import AIRFLOW
from airfoil.stack.findings import Finding, error, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airfoil.stack.doctor import Case

OLDEST_PYTHON = (3, 11)
TOO_NEW_PYTHON = (3, 14)
# Below this, databases cannot even finish what they are writing.
_LAST_MIB = 100
_LAST_FILES = 1000
_DEFAULT_FREE_MIB = 500
_DEFAULT_MEMORY_MIB = 1024
_SANE_YEARS = range(2026, 2100)
_SKEW_SECONDS = 120.0
# SQLite's locks and shared memory are not reliable on these (https://sqlite.org/wal.html).
_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs3", "nfs4", "cifs", "smb3", "smbfs", "9p", "drvfs", "fuse.sshfs", "vboxsf", "afpfs", "webdav"}
)
_MAIN_PACKAGES = ("apache-airflow-core", "mlflow", "feast")
_INSTALL = "`pip install 'airfoil[stack]'`"


def check_python(case: Case) -> Iterator[Finding]:
    """Check that the libraries were tested with this Python and system."""
    version = ".".join(map(str, case.machine.python))
    if case.machine.python < OLDEST_PYTHON:
        yield error(
            "python", f"Python {version} is too old.", "Make an environment with Python 3.11, 3.12 or 3.13."
        )
    elif case.machine.python >= TOO_NEW_PYTHON:
        yield error(
            "python",
            f"Python {version} is newer than what Airflow and Feast were tested with.",
            "Make an environment with Python 3.11, 3.12 or 3.13.",
        )
    else:
        yield ok("python", f"Python {version}.")
    if case.machine.platform not in {"linux", "darwin"}:
        yield error("python", f"Airflow does not run on {case.machine.platform}.", "On Windows, use WSL2.")


def check_user(case: Case) -> Iterator[Finding]:
    """Check who we are: root would run other people's tasks with every right."""
    if case.machine.user_id() == 0:
        yield warn(
            "user",
            "You are root: every task may do anything on this machine, and files here will belong to root.",
            "Work as a normal user; in a container that is yours alone it does no harm.",
        )
    else:
        yield ok("user", "A normal user.")


def check_clock(case: Case) -> Iterator[Finding]:
    """Check that the time is sane: schedules, logins and heartbeats depend on it."""
    now = case.machine.clock()
    fix = "Set the clock: `sudo timedatectl set-ntp true`; on WSL2 `sudo hwclock -s`."
    try:
        said = dt.datetime.fromtimestamp(now, tz=dt.UTC)
    except (ValueError, OverflowError, OSError):
        yield error("clock", "The clock says a year that cannot be.", fix)
        return
    if said.year not in _SANE_YEARS:
        yield error("clock", f"The clock says {said:%Y-%m-%d}.", fix)
        return
    late = [path for path in _dated_files(case) if path.stat().st_mtime > now + _SKEW_SECONDS]
    if late:
        ahead_minutes = (max(path.stat().st_mtime for path in late) - now) / 60
        yield warn(
            "clock",
            f"{late[0].name} was written {ahead_minutes:.0f} minutes from now: the clock is behind, or was ahead.",
            fix,
        )
    else:
        yield ok("clock", f"{said:%Y-%m-%d %H:%M} UTC.")


def _dated_files(case: Case) -> list[Path]:
    """Return the files whose age says something about the clock."""
    if case.project is None:
        return []
    project = case.project
    files = (
        project.toml,
        project.secrets,
        project.state_file,
        project.airflow_database,
        project.mlflow_database,
    )
    return [path for path in files if os.path.isfile(path)]  # noqa: PTH113 - unlike Path, it never raises


def check_disk(case: Case) -> Iterator[Finding]:
    """Check that the disk can be written to, for a while yet, and is one for databases."""
    disk = case.machine.disk(case.folder)
    wanted_mib = case.settings.budgets.disk_free_mib if case.settings else _DEFAULT_FREE_MIB
    sound = True
    if disk.read_only:
        sound = False
        yield error(
            "disk",
            f"{case.folder} is on a read-only disk.",
            "Remount it writable, or move the project to another disk.",
        )
    if disk.free_mib < wanted_mib or (disk.free_files is not None and disk.free_files < _LAST_FILES):
        sound = False
        lack = f"{disk.free_mib} MiB" if disk.free_mib < wanted_mib else f"{disk.free_files} files"
        level = warn if disk.free_mib >= _LAST_MIB and disk.free_files != 0 else error
        yield level(
            "disk",
            f"Only {lack} are free on the disk of {case.folder} (wanted: {wanted_mib} MiB).",
            "Free some space: `du -sh .airfoil/*` shows what this project uses.",
        )
    if disk.kind in _NETWORK_FILE_SYSTEMS:
        sound = False
        yield warn(
            "disk",
            f"{case.folder} is on a {disk.kind} disk, where SQLite databases are slow and may be damaged.",
            "Move the project to a local disk (on WSL2: below your home, not /mnt/c), or set airflow.database and "
            "mlflow.database to a PostgreSQL server.",
        )
    if sound:
        yield ok("disk", f"{disk.free_mib} MiB free.")


def check_memory(case: Case) -> Iterator[Finding]:
    """Check that the platform fits into the memory that is free."""
    available_mib = case.machine.available_memory_mib()
    wanted_mib = case.settings.budgets.memory_mib if case.settings else _DEFAULT_MEMORY_MIB
    if case.state is not None:
        wanted_mib = _LAST_MIB  # the platform has its memory already; this is room for a task
    if available_mib >= wanted_mib:
        yield ok("memory", f"{available_mib:.0f} MiB free.")
        return
    level = error if available_mib < wanted_mib / 2 else warn
    yield level(
        "memory",
        f"Only {available_mib:.0f} MiB of memory are free; the platform wants {wanted_mib} MiB.",
        "Close other programs, give WSL2 or the container more memory, or set PostgreSQL and a smaller "
        "airflow.parallelism.",
    )


def check_versions(case: Case) -> Iterator[Finding]:
    """Check that the libraries are there, in versions that this release was tested with."""
    tested = {found.name: found for found in map(Requirement, case.machine.requirements())}
    sound = []
    for name in _MAIN_PACKAGES:
        version, requirement = case.machine.installed(name), tested.get(name)
        if version is None:
            yield error("versions", f"{name} is not installed.", _INSTALL)
        elif requirement and not requirement.specifier.contains(version, prereleases=True):
            is_airflow = name == AIRFLOW  # its components then run unmodified, which is slower and works
            level = warn if is_airflow else error
            yield level(
                "versions",
                f"{name} {version} is not what this release was tested with ({requirement.specifier})"
                f"{': its components run unmodified' if is_airflow else ''}.",
                f"`pip install '{name}{requirement.specifier}'`",
            )
        else:
            sound.append(f"{name} {version}")
    if not tested:
        yield warn("versions", "Airfoil itself is not installed, so versions cannot be compared.", _INSTALL)
    if sound:
        yield ok("versions", f"{', '.join(sound)}.")
    yield from _drivers(case)


def _drivers(case: Case) -> Iterator[Finding]:
    """Check that the drivers are there that the settings ask for."""
    if case.settings is None:
        return
    databases = (case.settings.airflow.database, case.settings.mlflow.database)
    drivers = ("psycopg2-binary", "psycopg2", "psycopg")
    if any(url.startswith("postgresql") for url in databases) and not any(
        map(case.machine.installed, drivers)
    ):
        yield error(
            "versions",
            "A PostgreSQL database is set, but no driver is installed.",
            "`pip install 'airfoil[postgres]'`",
        )
    if case.settings.mlflow.artifacts.startswith("s3://") and case.machine.installed("boto3") is None:
        yield error(
            "versions", "Artifacts go to S3, but boto3 is not installed.", "`pip install 'airfoil[s3]'`"
        )
