"""Doctor's checks of the user's own code and packages: names that hide a library, locks that are not installed.

Each check gets the case and returns its findings. Must not install anything, nor import what it looks at.
"""

from __future__ import annotations

import sys
import sysconfig
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from airfoil.stack.findings import Finding, error, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.stack.doctor import Case
    from airfoil.stack.packages.manifest import Manifest
    from airfoil.stack.project import Project

_MOST_NAMED = 5


def check_code(case: Case) -> Iterator[Finding]:
    """Check that no module in src/, which comes first on the path, hides one that the platform needs."""
    if case.project is None:
        return
    ours = case.settings.project.name if case.settings else ""
    hiding = [(name, whose) for name in _modules(case.project) if (whose := _hidden(name, ours))]
    for name, whose in hiding:
        yield error(
            "code",
            f"src/{name} hides {whose} of the same name from every service and task.",
            f"Rename it, or move it into your package: src/NAME/{name}.",
        )
    if not hiding:
        yield ok("code", "Nothing in src/ hides a library.")


def check_packages(case: Case) -> Iterator[Finding]:
    """Check that what the locks say is installed."""
    project = case.project
    if project is None:
        return
    if not project.locks():
        yield ok("packages", "There is no lock: the project manages its packages by itself.")
        return
    from airfoil.stack.packages.manifest import Manifest

    manifest = Manifest.read(project.root)
    found = [*_beside(project, manifest), *_apart(project, manifest)]
    yield from found
    if not found:
        yield ok("packages", "What the locks say is installed.")


def _beside(project: Project, manifest: Manifest) -> Iterator[Finding]:
    from airfoil.stack.packages.lock import Installed, Lock

    lock = Lock.read(project.lock_file())
    if lock is None:
        return
    if not lock.fits(manifest, None):
        yield warn(
            "packages", "airfoil.lock was made from other packages or another Airfoil.", "`airfoil up`"
        )
    missing = [str(row) for row in lock.missing(Installed())]
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        yield warn(
            "packages",
            f"airfoil.lock says {', '.join(missing[:_MOST_NAMED])}{more}; that is not what is installed.",
            "`airfoil up`",
        )


def _apart(project: Project, manifest: Manifest) -> Iterator[Finding]:
    from airfoil.stack.packages.environments import is_complete
    from airfoil.stack.packages.lock import Lock

    for name in manifest.environments():
        lock = Lock.read(project.lock_file(name))
        if lock is None or not lock.fits(manifest, name) or not is_complete(project, name, lock):
            yield warn("packages", f"The environment {name} is not what pyproject.toml says.", "`airfoil up`")


def _modules(project: Project) -> list[str]:
    """What in src/ can be imported by its name alone."""
    if not project.sources.is_dir():
        return []
    return sorted(
        path.stem if path.suffix == ".py" else path.name
        for path in project.sources.iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    )


def _hidden(name: str, project_name: str) -> str:
    """Say what a module of this name would hide, or nothing; the project itself may be installed."""
    if name in sys.stdlib_module_names:
        return "the module of Python"
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    found = PathFinder.find_spec(name, sorted(folders))
    if found is None or found.origin is None or name == project_name:
        return ""
    return "the library"
