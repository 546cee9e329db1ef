"""A Feast repository on disk: opened the same wherever the process stands, and its definitions applied.

Feast reads a relative SQLite registry from the current folder, and everything else from the repository; here all of it
is read from the repository, so that a feature_store.yaml holds no path of one machine. Must not look into views.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError, ServiceUnreachableError

SETTINGS = "feature_store.yaml"
_SQLITE = "sqlite:///"
_NOT_FOUND_HERE = "FEAST_FS_YAML_FILE_PATH"
"""A variable that leads Feast's command to another repository than the one it stands in."""
_GONE = ("OperationalError", "ConnectionError", "ConnectionRefusedError", "TimeoutError")
_LAST_LINES = 20


def open_repository(folder: Path) -> Any:
    """Open a folder with feature_store.yaml as Feast's FeatureStore; the registry is asked when it is needed."""
    folder = folder.absolute()
    settings = _settings_of(folder)
    try:
        import feast
        from feast.repo_config import load_repo_config
    except ImportError as error:
        raise ConfigurationError(
            f"Feast cannot be imported: {error}", "Install it: `pip install 'airfoil[features]'`."
        ) from error
    try:
        config = load_repo_config(folder, settings)
        config.registry.path = beside(folder, config.registry.path)
        return feast.FeatureStore(repo_path=str(folder), config=config)
    except Exception as error:  # Feast raises whatever its parsers and importers raise
        raise ConfigurationError(
            f"The feature store in {folder} cannot be opened: {first_line(error)}",
            "Correct its feature_store.yaml.",
        ) from error


def beside(folder: Path, registry: str) -> str:
    """Return where a registry is; a SQLite file without a whole path lies where the repository says."""
    path = registry.removeprefix(_SQLITE)
    if path == registry or not path or path.startswith(("/", ":memory:")):
        return registry
    return f"{_SQLITE}{os.path.normpath(folder / path)}"


def apply_definitions(folder: Path) -> str:
    """Bring the registry up to what the repository's Python files define, as `feast apply` does; what it said.

    In a process of its own: Feast imports the files by the current folder, and leaves them imported.
    """
    folder = folder.absolute()
    _settings_of(folder)
    done = subprocess.run(
        [sys.executable, "-m", "feast.cli.cli", "apply"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != _NOT_FOUND_HERE},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return done.stdout.strip()
    raise _refusal(folder, [line for line in (done.stderr or done.stdout).splitlines() if line.strip()])


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or what it is when it says nothing."""
    said = str(error).strip()
    return said.splitlines()[0][:300] if said else type(error).__name__


def _refusal(folder: Path, lines: list[str]) -> AirfoilError:
    last = lines[-1].strip()[:300] if lines else "it said nothing"
    details = lines[-_LAST_LINES:]
    if any(name in line for line in lines for name in _GONE):
        return ServiceUnreachableError(
            f"The definitions in {folder} cannot be applied, since the registry or a store does not answer: {last}",
            "Start it, or correct feature_store.yaml.",
            details=details,
        )
    return ConfigurationError(
        f"The definitions in {folder} cannot be applied: {last}",
        "Run `airfoil feast apply` to see all that Feast says.",
        details=details,
    )


def _settings_of(folder: Path) -> Path:
    settings = folder / SETTINGS
    if not folder.is_dir():
        raise NotFoundError(
            f"There is no feature repository at {folder}",
            "Make one (`airfoil feast init`), or correct the folder in the Airflow connection.",
        )
    if not settings.is_file():
        raise NotFoundError(f"The feature repository {folder} has no {SETTINGS}", "Write one.")
    return settings
