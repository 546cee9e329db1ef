"""Put files where an MLflow server keeps artifacts.

Most servers hand artifacts on themselves (`mlflow-artifacts:` addresses): plain HTTP is enough. Any other address
(s3, gs, a shared folder) is written by MLflow's own code, which is imported only then. Nothing is read or listed here.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from airfoil.errors import ServiceAnswerError

if TYPE_CHECKING:
    from airfoil.clients.mlflow_http import MlflowHttp

SERVED_SCHEME = "mlflow-artifacts"
SERVED_ROOT = "api/2.0/mlflow-artifacts/artifacts"


class ArtifactWriter:
    """Writes below artifact addresses that an MLflow server gave out."""

    def __init__(self, http: MlflowHttp) -> None:
        """Keep the connection of the server that gave the addresses."""
        self._http = http

    def write_bytes(self, root_uri: str, name: str, content: bytes) -> None:
        """Store bytes as `name` (a relative path with slashes) below an artifact address."""
        if _is_served(root_uri):
            self._http.put(_served_path(root_uri, name), content)
            return
        with tempfile.TemporaryDirectory(prefix="airfoil-artifact-") as folder:
            file = Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            _write_folder_with_mlflow(root_uri, Path(folder))

    def write_file(self, root_uri: str, name: str, file: Path) -> None:
        """Store a file as `name` below an artifact address; it is not held in memory."""
        if _is_served(root_uri):
            self._http.put(_served_path(root_uri, name), file)
            return
        with tempfile.TemporaryDirectory(prefix="airfoil-artifact-") as folder:
            copy = Path(folder) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            _write_folder_with_mlflow(root_uri, Path(folder))

    def write_folder(self, root_uri: str, folder: Path) -> None:
        """Store all files of a folder below an artifact address."""
        if not _is_served(root_uri):
            _write_folder_with_mlflow(root_uri, folder)
            return
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self._http.put(_served_path(root_uri, file.relative_to(folder).as_posix()), file)


def _is_served(root_uri: str) -> bool:
    parts = urlsplit(root_uri)
    # An authority in the address names another server; MLflow's own code knows how to find it.
    return parts.scheme == SERVED_SCHEME and not parts.netloc


def _served_path(root_uri: str, name: str) -> str:
    root = urlsplit(root_uri).path.strip("/")
    return "/".join((SERVED_ROOT, quote(root), quote(name)))


def _write_folder_with_mlflow(root_uri: str, folder: Path) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    try:
        get_artifact_repository(root_uri).log_artifacts(str(folder))
    except Exception as error:
        # Each kind of store raises errors of its own library (boto3, azure, OSError); none has a common base.
        raise ServiceAnswerError(
            f"Artifacts could not be written to {root_uri}: {error}",
            "Check that this process may write there; the MLflow server does not hand these artifacts on.",
        ) from error
