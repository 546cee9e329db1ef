"""Units of systemd for one project: the bare embedded stack, and the Compose stack.

Text in, text out: the shipped units with the project's names and paths filled in, each quoted as systemd reads it.
"""

from __future__ import annotations

import pwd
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError
from airfoil.stack.backup import sources
from airfoil.stack.deploy import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

EMBEDDED, COMPOSE = "embedded", "compose"
_MARK = re.compile(r"@([A-Z]+)@")
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9:_.-]")
"""What a unit's name cannot hold."""


@dataclass(frozen=True)
class Owner:
    """The user that the stack runs as."""

    name: str
    home: Path

    @classmethod
    def of(cls, folder: Path) -> Owner:
        """Return whose folder it is."""
        user = folder.stat().st_uid
        try:
            found = pwd.getpwuid(user)
        except KeyError as error:
            raise ConfigurationError(
                f"{folder} belongs to user {user}, who has no name on this machine.",
                f"Hand the folder to a user: `sudo chown -R NAME '{folder}'`.",
            ) from error
        return cls(found.pw_name, Path(found.pw_dir))


def name_of(settings: Settings, stack: str) -> str:
    """Return the file name of a unit."""
    name = _unit_name(settings)
    return f"airfoil-{name}.service" if stack == EMBEDDED else f"airfoil-{name}-{stack}.service"


def embedded(
    project: Project, settings: Settings, owner: Owner, place: Path | None, python: str = sys.executable
) -> str:
    """Return the unit of the embedded stack; `place` is the folder of backups, unless they go to a bucket."""
    marks = {
        "NAME": _unit_name(settings),
        "USER": owner.name,
        "ROOT": _whole(project.root),
        "PIDFILE": _whole(project.manager_pid),
        "AIRFOIL": f"{_argument(python)} -m airfoil --project {_argument(str(project.root))}",
        "WRITABLE": _paths(_writable(project, settings, place)),
    }
    return _filled(EMBEDDED, marks)


def compose(settings: Settings, folder: Path, owner: Owner, docker: str) -> str:
    """Return the unit of the Compose stack whose files are in a folder."""
    marks = {
        "NAME": _unit_name(settings),
        "USER": owner.name,
        "ROOT": _whole(folder),
        "DOCKER": _argument(docker),
        # Docker's own folder in the home: logins of registries, caches of builds.
        "WRITABLE": _paths([owner.home / ".docker"]),
    }
    return _filled(COMPOSE, marks)


def _writable(project: Project, settings: Settings, place: Path | None) -> list[Path]:
    """Return the folders that the platform writes to: its own, and those that the settings name."""
    files = [one.file for one in sources.of(project, settings).databases if one.file is not None]
    wanted = [project.root, *(file.parent for file in files)]
    wanted += [folder for folder in (sources.artifacts_folder(project, settings), place) if folder]
    if project.locks():  # `up` installs what a lock names
        wanted.append(Path(sys.prefix))
    found: list[Path] = []
    for folder in wanted:
        if not any(folder.is_relative_to(known) for known in found):
            found.append(folder)
    return found


def _filled(stack: str, marks: Mapping[str, str]) -> str:
    text = (shipped.folder("systemd") / f"{stack}.service").read_text(encoding="utf-8")
    return _MARK.sub(lambda found: marks[found[1]], text)


def _unit_name(settings: Settings) -> str:
    return _UNNAMEABLE.sub("-", settings.project.name)


def _whole(path: Path) -> str:
    """Write a path that is a setting of its own: only % means something there."""
    return str(path).replace("%", "%%")


def _paths(folders: Iterable[Path]) -> str:
    """Write paths in a list; `-` lets one be missing."""
    return " ".join(_quoted(f"-{folder}") for folder in folders)


def _argument(text: str) -> str:
    """Write an argument of a command, where $ begins a variable."""
    return _quoted(text.replace("$", "$$"))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
