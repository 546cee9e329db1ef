"""What lies in a folder `mlruns`: experiments, runs, registered models, as values. Must not know a server.

A file that is damaged costs its run, with a sentence, and nothing else. Paths inside of the files may be those of
another machine: what they mean is found by the ids in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from airfoil.errors import ConfigurationError

META = "meta.yaml"
MODELS, TRASH, ARTIFACTS = "models", ".trash", "artifacts"
STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_RUN = re.compile(r"(?:^|/)([0-9a-f]{32})/artifacts(?:/(.*))?$")
_RUNS_URI = re.compile(r"runs:/+([0-9a-f]{32})/(.*)$")
_LOGGED = re.compile(r"(?<![\w-])(m-[0-9a-f]{32})(?![0-9a-z])")
_VERSION = re.compile(r"version-(\d+)")
_STEP_FIELDS = 3


class Point(NamedTuple):
    """One value of a metric."""

    key: str
    value: float
    timestamp_ms: int
    step: int


@dataclass(frozen=True)
class StoredRun:
    """A run, and the folder it lies in."""

    id: str
    experiment: str
    folder: Path
    name: str = ""
    user: str = ""
    status: str = "FINISHED"
    started_ms: int = 0
    ended_ms: int = 0

    @property
    def artifacts(self) -> Path:
        """The folder of its files."""
        return self.folder / ARTIFACTS

    def params(self) -> dict[str, str]:
        """Return its parameters."""
        return _texts(self.folder / "params")

    def tags(self) -> dict[str, str]:
        """Return its tags."""
        return _texts(self.folder / "tags")

    def points(self) -> Iterator[Point]:
        """Return every value of every metric, as it was logged."""
        for key, text in _texts(self.folder / "metrics").items():
            for line in text.splitlines():
                parts = line.split()
                if parts:
                    step = int(parts[2]) if len(parts) >= _STEP_FIELDS else 0
                    yield Point(key, float(parts[1]), int(parts[0]), step)


@dataclass(frozen=True)
class LoggedModel:
    """A model of MLflow 3, which lies beside the runs."""

    id: str
    name: str
    run_id: str
    files: Path


@dataclass(frozen=True)
class StoredVersion:
    """A version of a registered model: its run, and where below the run's artifacts its files are."""

    number: int
    stage: str
    run_id: str
    path: str | None
    source: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredModel:
    """A registered model."""

    name: str
    description: str
    tags: Mapping[str, str]
    aliases: Mapping[str, int]
    versions: tuple[StoredVersion, ...]


class FileStore:
    """One folder `mlruns`."""

    def __init__(self, root: Path) -> None:
        """Refuse what is no such folder."""
        self.root = root
        self.damaged: list[str] = []
        """What could not be read, each with a reason."""
        if not any(self._experiments()):
            raise ConfigurationError(
                f"{root} is no folder of MLflow runs: no experiment lies in it.",
                "Name the folder `mlruns` itself; a database is moved by `airfoil backup`, or used as it is by "
                "`database` under [mlflow].",
            )

    def runs(self) -> Iterator[StoredRun]:
        """Return all runs that nobody deleted."""
        for folder, meta in self._experiments():
            if meta.get("lifecycle_stage", "active") != "active":
                continue
            for found in sorted(folder.iterdir()):
                about = self._meta(found) if found.is_dir() and (found / META).is_file() else None
                if about is not None and "run_id" in about and _is_active(about):
                    yield _run(about, str(meta.get("name", folder.name)), found)

    def logged_models(self) -> dict[str, LoggedModel]:
        """Return the models that lie beside runs, by their id."""
        found = {}
        for experiment, _ in self._experiments():
            for folder in sorted((experiment / MODELS).glob("m-*")):
                about = self._meta(folder) or {}
                run_id = str(about.get("source_run_id") or "")
                name = str(about.get("name") or folder.name)
                found[folder.name] = LoggedModel(folder.name, name, run_id, folder / ARTIFACTS)
        return found

    def models(self) -> list[StoredModel]:
        """Return the registered models."""
        logged = self.logged_models()
        found = []
        for folder in sorted(path for path in (self.root / MODELS).glob("*") if (path / META).is_file()):
            meta = self._meta(folder) or {}
            aliases = {name: int(text) for name, text in _texts(folder / "aliases").items()}
            versions = sorted(self._versions(folder, logged), key=lambda one: one.number)
            description = str(meta.get("description") or "")
            name = str(meta.get("name") or folder.name)
            found.append(StoredModel(name, description, _texts(folder / "tags"), aliases, tuple(versions)))
        return found

    def _versions(self, model: Path, logged: Mapping[str, LoggedModel]) -> Iterator[StoredVersion]:
        for folder in model.iterdir():
            number = _VERSION.fullmatch(folder.name)
            meta = self._meta(folder) if number else None
            if not number or not meta or meta.get("current_stage") == "Deleted_Internal":
                continue
            source = str(meta.get("storage_location") or meta.get("source") or "")
            run_id, path = place_of(source, logged) or place_of(str(meta.get("source")), logged) or ("", None)
            yield StoredVersion(
                int(number[1]),
                str(meta.get("current_stage") or "None"),
                str(run_id or meta.get("run_id") or ""),
                path,
                source,
                str(meta.get("description") or ""),
                _texts(folder / "tags"),
            )

    def _experiments(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        if not self.root.is_dir():
            return
        for folder in sorted(self.root.iterdir()):
            if folder.name not in {MODELS, TRASH} and (folder / META).is_file():
                meta = self._meta(folder)
                if meta is not None and "experiment_id" in meta:
                    yield folder, meta

    def _meta(self, folder: Path) -> dict[str, Any] | None:
        try:
            found = yaml.safe_load((folder / META).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            self._note(f"{folder / META} cannot be read: {' '.join(str(error).split())[:200]}")
            return None
        return found if isinstance(found, dict) else None

    def _note(self, sentence: str) -> None:
        if sentence not in self.damaged:
            self.damaged.append(sentence)


def place_of(source: str, logged: Mapping[str, LoggedModel]) -> tuple[str, str] | None:
    """Return the run that an address means, and the path below its artifacts; None when no id stands in it."""
    model = _LOGGED.search(source)
    if model and model[1] in logged:
        return logged[model[1]].run_id, logged[model[1]].name
    found = _RUNS_URI.search(source) or _RUN.search(source)
    return (found[1], (found[2] or "").strip("/")) if found else None


def _run(meta: Mapping[str, Any], experiment: str, folder: Path) -> StoredRun:
    status = meta.get("status", 3)
    return StoredRun(
        id=str(meta["run_id"]),
        experiment=experiment,
        folder=folder,
        name=str(meta.get("run_name") or meta.get("name") or ""),
        user=str(meta.get("user_id") or ""),
        status=STATUSES.get(status, str(status)),
        started_ms=int(meta.get("start_time") or 0),
        ended_ms=int(meta.get("end_time") or 0),
    )


def _is_active(meta: Mapping[str, Any]) -> bool:
    return str(meta.get("lifecycle_stage", "active")) == "active"


def _texts(folder: Path) -> dict[str, str]:
    """Return the files of a folder by their path in it: a key may hold slashes."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8").rstrip("\n")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
