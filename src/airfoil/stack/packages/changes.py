"""What `airfoil add` and `airfoil up` do about packages: name, lock, install; all of it, or nothing of the first two.

pyproject.toml and the lock are written only when the whole resolved. One call works at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from airfoil.errors import ConfigurationError, NotFoundError, ServiceUnreachableError
from airfoil.stack.packages import environments, installation
from airfoil.stack.packages.installation import Change, Doing
from airfoil.stack.packages.lock import Lock
from airfoil.stack.packages.manifest import OURSELVES, Manifest, check_environment_name, parse
from airfoil.stack.packages.uv import Uv
from airfoil.stack.storage import write_shared

if TYPE_CHECKING:
    from airfoil.stack.project import Project


@dataclass(frozen=True)
class Wish:
    """What a person asked for."""

    packages: tuple[str, ...] = ()
    environment: str | None = None
    remove: bool = False
    upgrade: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of it: the packages asked for with their versions, and what was installed or removed."""

    found: tuple[str, ...]
    change: Change


def carry_out(project: Project, wish: Wish, project_name: str, doing: Doing) -> Outcome:
    """Change pyproject.toml and the lock as wished, then install."""
    names = _refuse_nonsense(wish)
    project.prepare()
    with _one_at_a_time(project):
        uv = Uv.find(project.root)
        before = Manifest.read(project.root, project_name)
        after = before
        if wish.remove:
            after = before.without(wish.packages, wish.environment)
        elif wish.packages:
            after = before.with_requirements(wish.packages, wish.environment)
        if wish.environment and not after.requirements(wish.environment):
            if not wish.remove:
                raise NotFoundError(
                    f"pyproject.toml names no package for the environment {wish.environment}.",
                    f"`airfoil add --environment {wish.environment} PACKAGE`",
                )
            after.write()
            environments.remove(project, wish.environment)
            return Outcome((), Change(removed=names))
        resolved = _resolve(project, after, wish.environment, uv, doing, upgrade=wish.upgrade)
        after = after.with_floors(Lock(resolved).versions(), names, wish.environment)
        lock = Lock.of(resolved, after, wish.environment)
        if after != before or not after.path.exists():
            after.write()
        write_shared(project.lock_file(wish.environment), lock.text)
        change = _install(project, lock, wish.environment, uv, doing)
    versions = lock.versions()
    found = tuple(f"{name} {versions[name]}" for name in names if name in versions and not wish.remove)
    return Outcome(found, change)


def bring_up_to_date(project: Project, doing: Doing) -> tuple[Change, str]:
    """Install what the locks say, after locking anew what was edited; what was done, and what could not be.

    A project without a lock manages its packages by itself. When the network is missing, the platform can still start:
    the second value says so.
    """
    if not project.locks():
        return Change(), ""
    manifest = Manifest.read(project.root)
    named: list[str | None] = [*([None] if project.lock_file().exists() else []), *manifest.environments()]
    if all(_is_in_line(project, manifest, environment) for environment in named):
        return Change(), ""
    installed: list[str] = []
    removed: list[str] = []
    restart = False
    with _one_at_a_time(project):
        uv = Uv.find(project.root)
        for environment in named:
            try:
                change = _follow(project, manifest, environment, uv, doing)
            except ServiceUnreachableError as error:
                what = f"the environment {environment}" if environment else project.lock_file().name
                return (
                    Change(tuple(installed), tuple(removed), restart),
                    f"{error} What {what} adds is not installed; `airfoil up` tries again.",
                )
            installed += change.installed
            removed += change.removed
            restart |= change.needs_restart
    return Change(tuple(installed), tuple(removed), restart), ""


def _is_in_line(project: Project, manifest: Manifest, environment: str | None) -> bool:
    lock = Lock.read(project.lock_file(environment))
    if lock is None or not lock.fits(manifest, environment):
        return False
    if environment is not None:
        return environments.is_complete(project, environment, lock)
    return installation.is_in_line(project, lock)


def _follow(project: Project, manifest: Manifest, environment: str | None, uv: Uv, doing: Doing) -> Change:
    """Lock anew when pyproject.toml or the platform changed, then install."""
    lock = Lock.read(project.lock_file(environment))
    if lock is None or not lock.fits(manifest, environment):
        resolved = _resolve(project, manifest, environment, uv, doing)
        lock = Lock.of(resolved, manifest, environment)
        write_shared(project.lock_file(environment), lock.text)
    return _install(project, lock, environment, uv, doing)


def _resolve(
    project: Project,
    manifest: Manifest,
    environment: str | None,
    uv: Uv,
    doing: Doing,
    *,
    upgrade: bool = False,
) -> str:
    requirements = manifest.requirements(environment)
    known = None if upgrade else Lock.read(project.lock_file(environment))
    count = f"{len(requirements)} package{'' if len(requirements) == 1 else 's'}"
    beside = "apart from the platform" if environment else "against the platform's versions"
    with doing(f"Locking {count} {beside}"):
        return uv.lock(
            requirements,
            oldest_python=manifest.oldest_python,
            beside_platform=environment is None,
            known=known.preferences() if known else "",
        )


def _install(project: Project, lock: Lock, environment: str | None, uv: Uv, doing: Doing) -> Change:
    if environment is None:
        return installation.install(project, lock, uv, doing)
    made = environments.make(project, environment, lock, uv, doing)
    return Change(installed=(f"environment {environment}",) if made else ())


def _refuse_nonsense(wish: Wish) -> tuple[str, ...]:
    if wish.environment:
        check_environment_name(wish.environment)
    names = tuple(canonicalize_name(parse(text).name) for text in wish.packages)
    if OURSELVES in names and wish.environment is None:
        raise ConfigurationError(
            "Airfoil itself is not locked by a project.",
            "Install it with pip: `pip install 'airfoil[stack]'`.",
        )
    if wish.remove and not names:
        raise ConfigurationError("--remove needs the name of a package.", "`airfoil add --remove PACKAGE`")
    return names


@contextlib.contextmanager
def _one_at_a_time(project: Project) -> Iterator[None]:
    project.prepare()
    with (project.run / "packages.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
