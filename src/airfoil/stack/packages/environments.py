"""Virtualenvs apart from the platform, for packages that cannot live beside it.

Each is `.airfoil/environments/NAME`, made from `airfoil.NAME.lock` and holding that and nothing else; a copy of the
lock inside tells that it is complete. Tasks run in one by its interpreter, `bin/python`.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from airfoil.stack.storage import make_private_folder, storage_error, write_private

if TYPE_CHECKING:
    from airfoil.stack.packages.installation import Doing
    from airfoil.stack.packages.lock import Lock
    from airfoil.stack.packages.uv import Uv
    from airfoil.stack.project import Project

_COMPLETE = "airfoil.lock"


def is_complete(project: Project, name: str, lock: Lock) -> bool:
    """Tell whether the virtualenv holds what the lock says, and its Python still exists."""
    try:
        made_from = (project.environments / name / _COMPLETE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return made_from == lock.text and os.access(project.environment_python(name), os.X_OK)


def make(project: Project, name: str, lock: Lock, uv: Uv, doing: Doing) -> bool:
    """Make the virtualenv, or bring it up to date; False when there was nothing to do."""
    if is_complete(project, name, lock):
        return False
    folder = project.environments / name
    make_private_folder(project.environments)
    with doing(f"Making the environment {name} ({len(lock.rows())} packages)"):
        if not os.access(project.environment_python(name), os.X_OK):
            uv.make_environment(folder)
        uv.synchronise(project.lock_file(name), str(project.environment_python(name)))
    write_private(folder / _COMPLETE, lock.text)
    return True


def remove(project: Project, name: str) -> None:
    """Remove the virtualenv and its lock."""
    try:
        project.lock_file(name).unlink(missing_ok=True)
        if (project.environments / name).exists():
            shutil.rmtree(project.environments / name)
    except OSError as error:
        raise storage_error(project.environments / name, error) from error
