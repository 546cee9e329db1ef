"""Brings this Python in line with airfoil.lock: what is missing is installed, what nobody names any more goes.

Only packages that we installed ourselves, which `record` remembers, are ever taken away.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from airfoil.stack.packages import constraints
from airfoil.stack.packages.lock import Installed, Lock, Row
from airfoil.stack.packages.record import Record

if TYPE_CHECKING:
    from airfoil.stack.packages.uv import Uv
    from airfoil.stack.project import Project

Doing = Callable[[str], AbstractContextManager[None]]
"""How a wait is shown: entered with what is being done."""
_REGISTERS = ("airflow", "apache_airflow", "mlflow")
"""Entry points of these groups are read when a server starts."""


@dataclass(frozen=True)
class Change:
    """What an installation did."""

    installed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    needs_restart: bool = False
    """A running platform goes on with what it has loaded until it is started anew."""

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.installed or self.removed)


def is_in_line(project: Project, lock: Lock) -> bool:
    """Tell whether there is nothing to do."""
    return not lock.missing(Installed()) and not _surplus(Record.read(project), lock)


def install(project: Project, lock: Lock, uv: Uv, doing: Doing) -> Change:
    """Install what the lock says and this Python lacks; take away what we installed and the lock no longer says."""
    record = Record.read(project)
    missing = lock.missing(Installed())
    surplus = _surplus(record, lock)
    if not missing and not surplus:
        return Change()
    new = tuple(row for row in missing if _version(row.name) is None)
    replaced = len(missing) - len(new)
    if missing:
        with doing(f"Installing {_names(str(row) for row in missing)}"):
            uv.install(project.lock_file(), sys.executable)
    if surplus:
        with doing(f"Removing {_names(surplus)}"):
            uv.uninstall(surplus, sys.executable)
    restart = bool(replaced or surplus) or any(_registers(row) for row in new)
    ours = (set(record.ours) | {row.name for row in new}) - set(surplus)
    replace(record, ours=tuple(sorted(ours)), generation=record.generation + restart).write(project)
    return Change(tuple(str(row) for row in missing), tuple(surplus), restart)


def _surplus(record: Record, lock: Lock) -> list[str]:
    """What we installed, is not locked any more, is no part of the platform, and nothing that stays needs."""
    kept = {row.name for row in lock.rows()} | constraints.pins().keys()
    candidates = {name for name in record.ours if name not in kept and _version(name) is not None}
    while candidates:
        needed = candidates & _needed_by_others(candidates)
        if not needed:
            break
        candidates -= needed
    return sorted(candidates)


def _needed_by_others(names: set[str]) -> set[str]:
    found: set[str] = set()
    for distribution in metadata.distributions():
        if canonicalize_name(distribution.name or "") in names:
            continue
        for line in distribution.requires or ():
            with contextlib.suppress(InvalidRequirement):
                requirement = Requirement(line)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    found.add(canonicalize_name(requirement.name))
    return found


def _registers(row: Row) -> bool:
    try:
        points = metadata.distribution(row.name).entry_points
    except metadata.PackageNotFoundError:
        return False
    return any(point.group.startswith(_REGISTERS) for point in points)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _names(found: Iterable[str]) -> str:
    names = list(found)
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"  # noqa: PLR2004 - fits on a line
