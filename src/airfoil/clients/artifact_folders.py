"""Fetch a folder of artifacts from where an MLflow server keeps it.

The counterpart of `artifacts`: plain HTTP where the server hands artifacts on, MLflow's own code for any other store.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from airfoil.clients.artifacts import SERVED_ROOT, SERVED_SCHEME
from airfoil.clients.exchange import Exchange, download, get
from airfoil.errors import NotFoundError, ServiceAnswerError

if TYPE_CHECKING:
    from airfoil.clients.mlflow_http import MlflowHttp


def fetch_folder(http: MlflowHttp, root_uri: str, folder: Path) -> None:
    """Write all files below an artifact address into a folder; an address that holds nothing is an error."""
    parts = urlsplit(root_uri)
    if parts.scheme == SERVED_SCHEME and not parts.netloc:
        http.do(_fetch(parts.path.strip("/"), folder))
    else:
        _fetch_with_mlflow(root_uri, folder)
    if not any(folder.iterdir()):
        raise NotFoundError(
            f"There are no files at {root_uri}", "The model's artifacts were removed, or never written."
        )


def _fetch(path: str, folder: Path) -> Exchange[None]:
    answer = yield from get(SERVED_ROOT, path=path)
    for row in answer.get("files", []):
        name = PurePosixPath(row["path"]).name
        if name in {"", ".."}:
            continue  # a server does not choose where on this machine a file lies
        below = f"{path}/{name}"
        if row.get("is_dir"):
            (folder / name).mkdir()
            yield from _fetch(below, folder / name)
        else:
            yield from download(f"{SERVED_ROOT}/{quote(below)}", folder / name)


def _fetch_with_mlflow(root_uri: str, folder: Path) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    try:
        get_artifact_repository(root_uri).download_artifacts("", dst_path=str(folder))
    except Exception as error:
        # Each kind of store raises errors of its own library (boto3, azure, OSError); none has a common base.
        raise ServiceAnswerError(
            f"Artifacts could not be read from {root_uri}: {error}",
            "Check that this process may read there; the MLflow server does not hand these artifacts on.",
        ) from error
