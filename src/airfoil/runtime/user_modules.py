"""Keeps the modules of the user's package out of what forked processes inherit; must not import any of them itself.

Tasks and parses run in forks of long-lived processes. A module that such a process has imported would be inherited as
it was then, and an edit would not count before a restart. Nothing of ours imports user code there, but a plugin, a
secrets backend or a timetable of the user's may. So right before a fork the parent forgets those modules: whoever holds
one goes on using it, and the child imports what is saved now.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


def forget_before_forks(source_folders: str) -> None:
    """From now on, forget the user's modules before this process, or one that it forked, forks.

    The folders stand in Airflow's option [airfoil] source_folders, separated like those of a PATH.
    """
    places = tuple(os.path.realpath(folder) for folder in source_folders.split(os.pathsep) if folder)
    if places:
        os.register_at_fork(before=lambda: forget(places))


def forget(folders: Sequence[str]) -> list[str]:
    """Take the modules that lie in these folders out of `sys.modules`; their names.

    Looks up names instead of looking at all modules: touching those would copy the memory that forks share.
    """
    tops = {
        name for folder in folders for name in _names_in(folder) if _lies_in(sys.modules.get(name), folder)
    }
    if not tops:
        return []
    found = [name for name in list(sys.modules) if name.partition(".")[0] in tops]
    for name in found:
        sys.modules.pop(name, None)
    return found


def _names_in(folder: str) -> list[str]:
    """What could be imported from a folder: the stems of its files and the names of its folders."""
    try:
        return [entry.partition(".")[0] for entry in os.listdir(folder)]  # noqa: PTH208 - runs at every fork
    except OSError:
        return []


def _lies_in(module: ModuleType | None, folder: str) -> bool:
    """Tell whether a module was loaded from a folder; a package without an __init__ has several places."""
    if module is None:
        return False
    places = [module.__dict__.get("__file__"), *(module.__dict__.get("__path__") or ())]
    return any(
        isinstance(place, str) and os.path.realpath(place).startswith(folder + os.sep) for place in places
    )
