"""Removes what the platform wrote, and nothing else: the files of `reset` and of `down --purge`.

What will go is listed first, with sizes. No link is followed, no other disk is entered, nothing outside `.airfoil` is
touched. Must not ask anybody: the command line does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError, InternalError, NeighbourError, redact
from airfoil.stack import process, services, versions
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Item:
    """One file or folder that will go."""

    path: Path
    size_bytes: int


@dataclass(frozen=True)
class Removal:
    """What will go, in this order, and what stays although one might think of it."""

    items: tuple[Item, ...]
    stays: tuple[str, ...]
    """Whole sentences."""
    keep_models: bool = False

    @property
    def size_bytes(self) -> int:
        """All together."""
        return sum(item.size_bytes for item in self.items)


def plan_reset(project: Project, settings: Settings, *, keep_models: bool = False) -> Removal:
    """Plan a new beginning: databases, logs and work go; secrets, ports and snapshots stay."""
    _refuse_link(project)
    keep_run = {project.ports_file, project.up_lock, project.manager_lock}
    gone = [project.airflow_home, project.logs, project.work, *([] if keep_models else [project.mlflow_home])]
    with contextlib.suppress(OSError):
        gone += [path for path in sorted(project.run.iterdir()) if path not in keep_run]
    stays = ["Secrets, ports and snapshots stay: logins and addresses are the same afterwards."]
    if keep_models:
        stays.append(f"MLflow's database and artifacts stay: {project.mlflow_home}.")
    return Removal(_items(gone), (*stays, *_elsewhere(project, settings)), keep_models)


def plan_purge(project: Project, settings: Settings | None) -> Removal:
    """Plan the end: everything in `.airfoil`; secrets last, so that what is cut off can still be read."""
    _refuse_link(project)
    last = (project.secrets, project.run)
    gone: list[Path] = []
    with contextlib.suppress(FileNotFoundError):
        gone = sorted(path for path in project.state.iterdir() if path not in last)
    gone += last
    stays = [f"The project itself stays: {project.root} without .airfoil."]
    if settings is not None:
        stays += _elsewhere(project, settings)
    return Removal(_items(gone), tuple(stays))


def _items(paths: list[Path]) -> tuple[Item, ...]:
    return tuple(Item(path, _size(path)) for path in paths if os.path.lexists(path))


def _size(path: Path) -> int:
    """How much disk goes with it; links count for themselves."""
    total = path.lstat().st_size if path.is_symlink() or not path.is_dir() else 0
    if path.is_dir() and not path.is_symlink():
        for folder, _, names in os.walk(path):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - many thousand files
    return total


def _refuse_link(project: Project) -> None:
    if project.state.is_symlink():
        raise ConfigurationError(
            f"{project.state} is a link to {project.state.resolve()}, and what is behind a link is not removed.",
            f"Remove it yourself, after looking: `ls -la '{project.state.resolve()}'`.",
        )


def _elsewhere(project: Project, settings: Settings) -> list[str]:
    """Say what lies outside `.airfoil`: it was there by your own choice, and is never removed."""
    found = []
    for title, url in {"Airflow": settings.airflow.database, "MLflow": settings.mlflow.database}.items():
        if url and not url.startswith(_SQLITE):
            found.append(
                f"{title}'s database on a server stays: {redact(url)}. Drop it there if you want it gone."
            )
        elif url and not _inside(Path(url.removeprefix(_SQLITE).partition("?")[0]), project):
            found.append(f"{title}'s database stays, it is outside .airfoil: {url.removeprefix(_SQLITE)}.")
    artifacts = settings.mlflow.artifacts
    if "://" in artifacts:
        found.append(f"MLflow's artifacts in the object store stay: {redact(artifacts)}.")
    elif artifacts and not _inside(Path(artifacts), project):
        found.append(f"MLflow's artifacts stay, they are outside .airfoil: {artifacts}.")
    return found


def _inside(path: Path, project: Project) -> bool:
    return path.is_relative_to(project.state)


def carry_out(project: Project, removal: Removal) -> None:
    """Remove the items; what cannot be removed is named at the end, after everything else is gone."""
    _refuse_link(project)
    with _nobody_else(project):
        _refuse_living(project)
        failures: list[OSError] = []
        device = project.state.lstat().st_dev if project.state.exists() else 0
        for item in removal.items:
            if not item.path.is_relative_to(project.state) or item.path == project.state:
                raise InternalError(f"{item.path} was planned for removal and is not inside .airfoil.")
            _remove(item.path, device, failures)
        if removal.keep_models:
            versions.forget_airflow(project)
        else:
            project.versions.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        project.state.rmdir()  # only when it is empty, as after a purge
    if failures:
        place = Path(str(failures[0].filename or project.state))
        raise storage_error(place, failures[0]) from failures[0]


@contextlib.contextmanager
def _nobody_else(project: Project) -> Iterator[None]:
    """Hold the project's start, so that no `airfoil up` begins meanwhile."""
    try:
        descriptor = os.open(project.up_lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:  # nothing was ever started here
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise NeighbourError(
            "Another `airfoil up` is at work here; nothing was removed.", "Wait for it, or stop it."
        ) from error
    finally:
        os.close(descriptor)


def _refuse_living(project: Project) -> None:
    living = process.marked(services.stack_id(project))
    if living:
        raise NeighbourError(
            f"Processes of the platform still run ({', '.join(map(str, living[:5]))}); nothing was removed.",
            "Stop it first: `airfoil down`.",
        )


def _remove(path: Path, device: int, failures: list[OSError]) -> None:
    if path.is_symlink() or not path.is_dir():
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            failures.append(error)
        return
    other = next((folder for folder, _, _ in os.walk(path) if os.lstat(folder).st_dev != device), None)
    if other is not None:
        failures.append(OSError(0, "another disk is mounted there, which is never removed", other))
        return
    shutil.rmtree(path, onerror=_opener(failures))


def _opener(failures: list[OSError]) -> Callable[[Callable[..., Any], str, Any], None]:
    """Open a read-only folder of ours and try once more; what still refuses is noted."""

    def on_error(function: Callable[..., Any], name: str, caught: Any) -> None:
        error = caught[1] if isinstance(caught, tuple) else caught
        try:
            parent = os.path.dirname(name)  # noqa: PTH120 - the name may be of any kind
            os.chmod(parent, stat.S_IRWXU)  # noqa: PTH101 - as above
            if os.path.isdir(name) and not os.path.islink(name):  # noqa: PTH112, PTH114 - as above
                os.chmod(name, stat.S_IRWXU)  # noqa: PTH101 - as above
                shutil.rmtree(name)
            else:
                function(name)
        except OSError:
            if isinstance(error, OSError):
                failures.append(error)

    return on_error
