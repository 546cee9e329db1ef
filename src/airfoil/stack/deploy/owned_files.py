"""Files and folders of a server: containers read them whatever the umask is, and root's belong to whose the folder is.

Knows paths, modes and owners alone; what is in the files is not its concern.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airfoil.stack.storage import storage_error, write_private, write_shared

if TYPE_CHECKING:
    from pathlib import Path

_READ, _RUN = 0o644, 0o755
_SCRIPT = ".sh"


def make_folder(folder: Path) -> None:
    """Make a folder, and those around it, into which everybody may look; one that is there is left as it is."""
    try:
        for one in (*reversed(folder.parents), folder):
            if not one.is_dir():
                owner = _owner(one)
                one.mkdir()
                one.chmod(_RUN)
                _give(one, owner)
    except OSError as error:
        raise storage_error(folder, error) from error


def open_folder(folder: Path) -> None:
    """Let everybody look into a folder that containers mount."""
    try:
        mode = folder.stat().st_mode & 0o7777
        if mode | _RUN != mode:
            folder.chmod(mode | _RUN)
    except OSError as error:
        raise storage_error(folder, error) from error


def put_shared(path: Path, text: str) -> None:
    """Write a file that everybody may read, and run if it is a script."""
    try:
        owner = _owner(path)
        write_shared(path, text)
        path.chmod(_RUN if path.suffix == _SCRIPT else _READ)
        _give(path, owner)
    except OSError as error:
        raise storage_error(path, error) from error


def put_private(path: Path, text: str, reader: int | None = None) -> None:
    """Write a file for its owner alone; `reader` is another one, to whom only root can give it."""
    try:
        owner = _owner(path)
        write_private(path, text)
        _give(path, owner if reader is None else (reader, -1))
    except OSError as error:
        raise storage_error(path, error) from error


def _owner(path: Path) -> tuple[int, int]:
    """Return to whom a file is to belong: to whom it does, or else to whom its folder does."""
    found = (path if path.exists() else path.parent).stat()
    return found.st_uid, found.st_gid


def _give(path: Path, owner: tuple[int, int]) -> None:
    if os.geteuid() == 0:
        found = path.stat()
        if owner not in {(found.st_uid, found.st_gid), (found.st_uid, -1)}:
            os.chown(path, *owner)
