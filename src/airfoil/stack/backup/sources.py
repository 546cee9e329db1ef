"""What only this project has: its databases, its artifacts, its own files, its secrets; and what is somebody else's.

Read from the settings and from feature_store.yaml. Must not open a database.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from airfoil.errors import redact
from airfoil.stack import mlflow_login
from airfoil.stack.airflow_environment import database_url
from airfoil.stack.backup.trees import CACHES, FolderFiles
from airfoil.stack.services import mlflow_database_url

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project

SQLITE = "sqlite:///"
POSTGRES = "postgresql"
AIRFLOW, MLFLOW, MLFLOW_AUTH = "airflow", "mlflow", "mlflow_auth"
FEAST_REGISTRY, FEAST_ONLINE = "feast_registry", "feast_online"
ARTIFACTS, PROJECT = "artifacts", "project"
TITLES = {
    AIRFLOW: "Airflow's database",
    MLFLOW: "MLflow's database",
    MLFLOW_AUTH: "MLflow's logins",
    FEAST_REGISTRY: "Feast's registry",
    FEAST_ONLINE: "Feast's online store",
    ARTIFACTS: "MLflow's artifacts",
    PROJECT: "the project's files",
}
"""What people call each part, in the order in which they are copied: what refers to another comes before it."""


@dataclass(frozen=True)
class Database:
    """A database and where it is."""

    part: str
    url: str

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a database on a server."""
        return file_of(self.url)

    @property
    def exists(self) -> bool:
        """Whether there is anything to copy; a server is always asked."""
        return self.file is None or (self.file.is_file() and self.file.stat().st_size > 0)


@dataclass(frozen=True)
class Sources:
    """Everything that belongs to a project."""

    databases: tuple[Database, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    """What is not ours to copy, and what to do about it."""

    def database(self, part: str) -> Database | None:
        """Return one database."""
        return next((one for one in self.databases if one.part == part), None)


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite address."""
    return Path(url.removeprefix(SQLITE).partition("?")[0]) if url.startswith(SQLITE) else None


def of(project: Project, settings: Settings) -> Sources:
    """Say what belongs to a project, whether it is there yet or not."""
    databases: list[Database] = []
    left_out: list[tuple[str, str]] = []
    if settings.airflow.url:
        left_out.append(
            ("Airflow", f"It is not ours ({redact(settings.airflow.url)}); back it up where it runs.")
        )
    else:
        databases.append(Database(AIRFLOW, database_url(settings, project)))
    if settings.mlflow.url:
        left_out.append(
            ("MLflow", f"It is not ours ({redact(settings.mlflow.url)}); back it up where it runs.")
        )
    else:
        databases.append(Database(MLFLOW, mlflow_database_url(settings, project)))
        databases.append(Database(MLFLOW_AUTH, mlflow_login.database_url(settings, project)))
    _add_features(project, settings, databases, left_out)
    return Sources(tuple(databases), tuple(left_out))


def artifacts_folder(project: Project, settings: Settings) -> Path | None:
    """Return where artifacts are; None when they are in an object store, or not ours."""
    if settings.mlflow.url or "://" in settings.mlflow.artifacts:
        return None
    return Path(settings.mlflow.artifacts) if settings.mlflow.artifacts else project.artifacts


def artifacts_bucket(settings: Settings) -> str:
    """Return the address of the object store that artifacts are in; empty when they are in a folder, or not ours."""
    return settings.mlflow.artifacts if not settings.mlflow.url and "://" in settings.mlflow.artifacts else ""


def project_files(project: Project, settings: Settings) -> FolderFiles:
    """Return the files that a person wrote; airfoil.toml is not among them, it may hold secrets."""
    folders = [settings.airflow.dags, settings.airflow.plugins, settings.feast.repo, project.sources]
    inside = [
        path.relative_to(project.root).as_posix() for path in folders if path.is_relative_to(project.root)
    ]
    files = ["pyproject.toml", "uv.lock", *(path.name for path in project.locks())]
    return FolderFiles(project.root, [*dict.fromkeys(inside), "tests", *files], without=CACHES)


def secret_files(project: Project) -> dict[str, Path]:
    """Return the files that nobody else may read, by their path in the project."""
    paths = (project.toml, project.secrets, project.passwords, project.state / "logins.json")
    return {path.relative_to(project.root).as_posix(): path for path in paths if path.is_file()}


def _add_features(
    project: Project, settings: Settings, databases: list[Database], left_out: list[tuple[str, str]]
) -> None:
    """Add Feast's stores as far as they are databases; a feature that was lost online is brought there again."""
    repository = project.root / settings.feast.repo
    described = _read(repository / "feature_store.yaml")
    registry, online = described.get("registry"), described.get("online_store")
    known = {one.url for one in databases}
    path = str(registry.get("path", "")) if isinstance(registry, dict) else ""
    url = _beside(repository, path)
    if url.startswith((SQLITE, POSTGRES)):
        if url not in known:  # in the same database as another part, it is copied with that
            databases.append(Database(FEAST_REGISTRY, url))
    elif described:
        left_out.append(
            (
                "Feast's registry",
                "It is no SQL database; `airfoil feast apply` makes it again from features/.",
            )
        )
    if isinstance(online, dict) and online.get("type") == "sqlite":
        file = repository / str(online.get("path", "data/online_store.db"))
        databases.append(Database(FEAST_ONLINE, f"{SQLITE}{os.path.normpath(file)}"))
    elif described:
        left_out.append(
            (
                "Feast's online store",
                "It is filled again from its sources: run feast_feature_materialization.",
            )
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(os.path.expandvars(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _beside(folder: Path, url: str) -> str:
    """Return an SQLite address with a whole path; others as they are."""
    path = url.removeprefix(SQLITE)
    return url if path == url or path.startswith("/") else f"{SQLITE}{os.path.normpath(folder / path)}"
