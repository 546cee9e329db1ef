"""Log a model to a run: MLflow's "logged model", announced, uploaded, finalised and linked, over plain HTTP.

Saving the files is `model_files`'s business. Nothing is registered here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.clients.artifacts import ArtifactWriter
from airfoil.clients.exchange import API
from airfoil.clients.model_files import ModelIdentity
from airfoil.errors import AirfoilError
from airfoil.records import ModelRef

if TYPE_CHECKING:
    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.clients.runs import RunInfo


def log_model_files(
    http: MlflowHttp, run: RunInfo, name: str, save: Callable[[Path, ModelIdentity], None]
) -> ModelRef:
    """Store what `save` writes into a folder as a model of the run."""
    request = {"experiment_id": run.experiment_id, "name": name, "source_run_id": run.id}
    info = http.post(f"{API}/logged-models", request, repeatable=False)["model"]["info"]
    model_id: str = info["model_id"]
    try:
        with tempfile.TemporaryDirectory(prefix="airfoil-model-") as scratch:
            folder = Path(scratch) / "model"
            save(folder, ModelIdentity(model_id, run.id, info["artifact_uri"]))
            ArtifactWriter(http).write_folder(info["artifact_uri"], folder)
    except BaseException:
        # A half-written model must not look like one that is still on its way; the reason it is one matters more.
        with suppress(AirfoilError):
            _finalize(http, model_id, "LOGGED_MODEL_UPLOAD_FAILED")
        raise
    _finalize(http, model_id, "LOGGED_MODEL_READY")
    link_model(http, run.id, model_id)
    return ModelRef(name=name, uri=f"models:/{model_id}", run_id=run.id)


def link_model(http: MlflowHttp, run_id: str, model_id: str) -> None:
    """Name a logged model as an output of a run."""
    http.post(f"{API}/runs/outputs", {"run_id": run_id, "models": [{"model_id": model_id, "step": 0}]})


def _finalize(http: MlflowHttp, model_id: str, status: str) -> None:
    http.patch(f"{API}/logged-models/{model_id}", {"model_id": model_id, "status": status})
