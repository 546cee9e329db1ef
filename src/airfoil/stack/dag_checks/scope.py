"""Which files are checked, how they are called in front of people, and what the project wishes of the check.

The wishes stand in the project's pyproject.toml, below [tool.airfoil.check]. Must not read what a Python file holds.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError
from airfoil.stack import profiles
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

PYPROJECT = "pyproject.toml"
PARSE_SECONDS = 1.0
SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages"}
MOST_FILES = 5000
SOURCES = "src"
SERVERS = {"database", "secrets", "logging", "celery", "kubernetes_executor"}


@dataclass(frozen=True)
class Wishes:
    """What a project asks for: the ids of its DAGs, codes it does not want to hear, seconds a parse may take."""

    dag_ids: frozenset[str] | None = None
    dag_ids_line: int = 1
    ignore: frozenset[str] = frozenset()
    parse_seconds: float = PARSE_SECONDS


@dataclass(frozen=True)
class Scope:
    """What one check looks at."""

    base: Path
    """Names of files are relative to this folder."""
    files: tuple[Path, ...]
    dags: Path
    plugins: Path | None = None
    sources: tuple[Path, ...] = ()
    """Folders on PYTHONPATH."""
    is_whole: bool = True
    """Whether this is all of the project, so that a missing DAG is missing."""
    is_named: bool = False
    """Whether a person named these files as DAG files, wherever they lie."""
    wishes: Wishes = Wishes()
    options: tuple[tuple[str, str], ...] = ()
    """Airflow's options that decide how a DAG file is read, as environment variables."""

    def name(self, path: Path) -> str:
        """Give a file's name for people: relative where it lies below, else whole."""
        try:
            return path.relative_to(self.base).as_posix()
        except ValueError:
            return str(path)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that hold the user's own code."""
        return (self.dags, *self.sources)


def project_scope(project: Project, settings: Settings, path: Path | None, base: Path) -> Scope:
    """Look at all of a project, or at one file or folder of it."""
    dags, sources = settings.airflow.dags, project.root / SOURCES
    wanted = [path] if path is not None else [dags, sources]
    return Scope(
        base=base,
        files=tuple(
            sorted({file for one in wanted for file in python_files(one, is_named=path is not None)})
        ),
        dags=dags,
        plugins=settings.airflow.plugins,
        sources=(sources,) if sources.is_dir() else (),
        is_whole=path is None,
        is_named=path is not None and not path.is_dir(),
        wishes=read_wishes(project.root),
        options=tuple(_options(project, settings)),
    )


def _options(project: Project, settings: Settings) -> Iterator[tuple[str, str]]:
    """Give the user's own Airflow options, but none that lead to a server, and his profiles."""
    for section, table in settings.airflow_options.items():
        if section not in SERVERS:
            yield from ((f"AIRFLOW__{section.upper()}__{key.upper()}", value) for key, value in table.items())
    yield "AIRFLOW__AIRFOIL__PROFILES", profiles.tables_json(settings, project)


def loose_scope(path: Path, base: Path) -> Scope:
    """Look at a file or folder that belongs to no project."""
    folder = path if path.is_dir() else path.parent
    return Scope(
        base=base,
        files=tuple(sorted(python_files(path, is_named=True))),
        dags=folder,
        is_whole=False,
        is_named=True,
    )


def python_files(path: Path, *, is_named: bool) -> Iterator[Path]:
    """Give the Python files at or below a path; a path that somebody named must exist."""
    if not os.path.lexists(path):
        if is_named:
            raise ConfigurationError(
                f"{path} does not exist.", "Name a file or folder: `airfoil check dags`."
            )
        return
    if not path.is_dir():
        yield path.absolute()
        return
    seen: set[Path] = set()
    ignored = _Ignored()
    count = 0
    for here, below, names in os.walk(path.absolute(), followlinks=True, onerror=_refuse):
        folder = Path(here)
        real = folder.resolve()
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        ignored.read(folder)
        below[:] = [
            name for name in below if _counts(name) and not ignored.holds(folder / name, is_folder=True)
        ]
        for name in names:
            if name.endswith(".py") and _counts(name) and not ignored.holds(folder / name):
                count += 1
                yield folder / name
        if count > MOST_FILES:
            raise ConfigurationError(
                f"There are more than {MOST_FILES} Python files below {path}.", "Name a smaller folder."
            )


def _counts(name: str) -> bool:
    return not name.startswith(".") and name not in SKIPPED_FOLDERS


class _Ignored:
    """What .airflowignore files leave out; Airflow reads them like git reads .gitignore."""

    def __init__(self) -> None:
        self._specs: dict[Path, Any] = {}

    def read(self, folder: Path) -> None:
        """Read the file of one folder, if there is one."""
        path = folder / ".airflowignore"
        if not path.is_file():
            return
        from pathspec import GitIgnoreSpec

        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            self._specs[folder] = GitIgnoreSpec.from_lines(re.sub(r"\s*#.*", "", line) for line in lines)
        except OSError as error:
            raise storage_error(path, error) from error
        except ValueError as error:
            raise ConfigurationError(
                f"{path} holds a pattern that is none: {error}.", "Correct it."
            ) from error

    def holds(self, path: Path, *, is_folder: bool = False) -> bool:
        """Tell whether a file or folder is left out."""
        end = "/" if is_folder else ""
        return any(
            spec.match_file(path.relative_to(folder).as_posix() + end)
            for folder, spec in self._specs.items()
            if path.is_relative_to(folder)
        )


def _refuse(error: OSError) -> None:
    raise storage_error(Path(str(error.filename)), error) from error


def read_wishes(root: Path) -> Wishes:
    """Read [tool.airfoil.check]; without one, nothing is wished."""
    path = root / PYPROJECT
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text).get("tool", {}).get("airfoil", {}).get("check", {})
    except FileNotFoundError:
        return Wishes()
    except OSError as error:
        raise storage_error(path, error) from error
    except (ValueError, AttributeError) as error:  # not TOML, not UTF-8, or [tool] is no table
        raise ConfigurationError(
            f"{path} cannot be read: {error}.", "Correct it, then check again."
        ) from error
    return _wishes(path, found, text)


def _wishes(path: Path, found: Any, text: str) -> Wishes:
    known = {"dag_ids", "ignore", "parse_seconds"}
    for key in found if isinstance(found, dict) else ["check"]:
        if key not in known:
            raise _wrong(path, key, f"is unknown; there are {', '.join(sorted(known))}")
    for key in ("dag_ids", "ignore"):
        value = found.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _wrong(path, key, "is no list of texts")
    seconds = found.get("parse_seconds", PARSE_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise _wrong(path, "parse_seconds", "is no number above 0")
    line = next(
        (number for number, one in enumerate(text.splitlines(), 1) if re.match(r"\s*dag_ids\s*=", one)), 1
    )
    return Wishes(
        dag_ids=frozenset(found["dag_ids"]) if "dag_ids" in found else None,
        dag_ids_line=line,
        ignore=frozenset(found.get("ignore", [])),
        parse_seconds=float(seconds),
    )


def _wrong(path: Path, key: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"In {path}, [tool.airfoil.check] {key} {what}.", "Correct it; `docs/check.md` lists what can be set."
    )
