"""Which versions work on a project's state: those installed, those that last ran it, and the schemas they know.

The versions that last ran are remembered in `versions.json` beside the databases. Schemas are compared by reading the
migration files of the installed libraries as text. Must not import a library it looks at, nor change a database.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, fields, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from airfoil import live_databases
from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airfoil.stack.project import Project

DISTRIBUTIONS = {"airfoil": "airfoil", "airflow": "apache-airflow-core", "mlflow": "mlflow"}
_MIGRATIONS = {
    "airflow": ("airflow", "migrations/versions"),
    "mlflow": ("mlflow", "store/db_migrations/versions"),
}
_REVISION = re.compile(r"^revision\b[^=\n]*=\s*[\"'](\w+)[\"']", re.MULTILINE)
_DOWN_REVISION = re.compile(r"^down_revision\b[^=\n]*=\s*(\([^)]*\)|[^\n]*)", re.MULTILINE)
_QUOTED = re.compile(r"[\"'](\w+)[\"']")
_BUSY_SECONDS = 10.0


@dataclass(frozen=True)
class Versions:
    """One version of each part that writes databases; an empty one is not known."""

    airfoil: str = ""
    airflow: str = ""
    mlflow: str = ""

    def __str__(self) -> str:
        """Return the known ones as one word that can name a folder."""
        known = [f"{name}-{version}" for name, version in self.known().items()]
        return "-".join(re.sub(r"[^\w.+-]", "_", word) for word in known) or "unknown"

    def known(self) -> dict[str, str]:
        """Return the parts whose version is known."""
        return {field.name: version for field in fields(self) if (version := str(getattr(self, field.name)))}

    def newer_than(self, other: Versions) -> dict[str, tuple[str, str]]:
        """Return the parts that are newer here than there: (here, there)."""
        theirs = other.known()
        return {
            name: (ours, theirs[name])
            for name, ours in self.known().items()
            if name in theirs and _order(ours) > _order(theirs[name])
        }


def _order(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")


def installed() -> Versions:
    """Return what is installed beside this Python."""
    return Versions(**{name: _installed(distribution) for name, distribution in DISTRIBUTIONS.items()})


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def last_run(project: Project) -> Versions:
    """Return what last ran this project; projects of before this file have Airflow's own note at least."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        found = json.loads(project.versions.read_text(encoding="utf-8"))
        return Versions(**{name: str(found.get(name) or "") for name in DISTRIBUTIONS})
    with suppress(OSError, ValueError, TypeError, KeyError):
        applied = json.loads((project.airflow_home / "applied.json").read_text(encoding="utf-8"))
        return Versions(airflow=str(applied["database"]["release"]))
    return Versions()


def remember(project: Project, versions: Versions) -> None:
    """Write down what runs the project from now on."""
    write_private(project.versions, json.dumps(versions.known(), indent=1) + "\n")


def forget_airflow(project: Project) -> None:
    """Airflow's database is gone; what wrote MLflow's stays known."""
    left = replace(last_run(project), airflow="")
    if project.versions.exists():
        remember(project, left)


def untested(distribution: str, requirements: Iterable[str]) -> str:
    """Return what this release was tested with, when the installed version is another; empty when all is well."""
    version = _installed(distribution)
    for requirement in map(Requirement, requirements):
        if version and requirement.name == distribution:
            fits = requirement.specifier.contains(version, prereleases=True)
            return "" if fits else str(requirement.specifier)
    return ""


@dataclass(frozen=True)
class Schema:
    """The revisions that an installed library knows; none when it cannot be told."""

    revisions: frozenset[str] = frozenset()
    heads: frozenset[str] = frozenset()

    def is_unknown(self, revision: str) -> bool:
        """Tell whether a database with this revision was written by a newer release."""
        return bool(revision and self.revisions) and revision not in self.revisions

    def is_behind(self, revision: str) -> bool:
        """Tell whether a database with this revision will be migrated."""
        return bool(revision) and revision in self.revisions - self.heads


def schema_of(part: str) -> Schema:
    """Return the schema revisions of the installed Airflow or MLflow, read from its migration files."""
    package, folder = _MIGRATIONS[part]
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return Schema()
    places = list(spec.submodule_search_locations or ()) if spec else []
    return next(
        (found for place in places if (found := read_schema(Path(place, folder))).revisions), Schema()
    )


def read_schema(folder: Path) -> Schema:
    """Return the revisions of a folder of alembic migrations."""
    revisions, replaced = set(), set()
    with suppress(OSError):
        for path in folder.glob("*.py"):
            text = path.read_text(encoding="utf-8", errors="replace")
            revisions.update(_REVISION.findall(text))
            for before in _DOWN_REVISION.findall(text):
                replaced.update(_QUOTED.findall(before))
    return Schema(frozenset(revisions), frozenset(revisions - replaced))


def may_have_a_schema(path: Path) -> bool:
    """Tell whether an SQLite file may hold a migrated schema; in doubt (damaged, locked) it may."""
    if not path.is_file():
        return False
    try:
        return bool(_read_revision(path))
    except sqlite3.DatabaseError as error:
        return not str(error).startswith(("file is not a database", "no such table"))


def revision_of(path: Path) -> str:
    """Return the schema revision that an SQLite file says it has; empty when there is none or it cannot be read."""
    if not path.is_file():
        return ""
    with suppress(sqlite3.Error):
        return _read_revision(path)
    return ""


def _read_revision(path: Path) -> str:
    with closing(live_databases.opened(path, _BUSY_SECONDS)) as database:
        row = database.execute("select version_num from alembic_version").fetchone()
        return str(row[0]) if row else ""
