"""Keeps Python from remembering compiled code of a file that was saved just now.

Python takes a `.pyc` file for current when the second and the size of the source are what they were. Two saves within
one second that only swap letters are the same to it, and the first one would run until the next edit: an import error
that was mended stays. So a file's compiled code is not written before its second is surely over.
"""

from __future__ import annotations

import os
import time
from importlib.machinery import SourceFileLoader
from typing import Any

YOUNG_SECONDS = 2.0
"""Python counts whole seconds; some file systems know only every other one."""
_MARK = "asks_for_age"


def keep_none_of_young_files() -> None:
    """From now on, in this process and those that it forks, write no compiled code of files that were just saved."""
    write = SourceFileLoader.set_data
    if getattr(write, _MARK, False):
        return  # it was put in already

    def set_data(self: SourceFileLoader, path: str, data: Any, **more: Any) -> None:
        if not is_young(self.path):
            write(self, path, data, **more)

    setattr(set_data, _MARK, True)
    setattr(SourceFileLoader, "set_data", set_data)  # noqa: B010 - mypy takes the plain way for a mistake


def is_young(path: str) -> bool:
    """Tell whether a file was saved less than two seconds ago, or in the future of a clock that differs."""
    try:
        return os.stat(path).st_mtime > time.time() - YOUNG_SECONDS  # noqa: PTH116 - runs at every import
    except OSError:
        return True
