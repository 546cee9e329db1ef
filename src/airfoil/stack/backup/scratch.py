"""Private folders for copies on their way; what a killed process left is removed by the next one.

Each is locked as long as somebody works in it, so that two backups of one project do not disturb each other.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.stack.storage import make_private_folder, storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = ".backup-"


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """Give an empty folder for as long as the block runs."""
    make_private_folder(parent)
    for left in parent.glob(f"{_PREFIX}*"):
        with ExitStack() as held:
            if _lock(left, held):
                shutil.rmtree(left, ignore_errors=True)
    try:
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    except OSError as error:
        raise storage_error(parent, error) from error
    with ExitStack() as held:
        _lock(made, held)
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _lock(path: Path, held: ExitStack) -> bool:
    """Lock a folder until the stack unwinds; False when somebody else works in it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
