"""Copies of logged models in a folder, for people who look there: the files as MLflow has them, and what is known.

MLflow stays the truth; a copy is whole or not there. Must not load a model.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.clients.artifact_folders import fetch_folder
from airfoil.clients.model_loading import artifact_address
from airfoil.errors import StorageError
from airfoil.records import ModelRef

if TYPE_CHECKING:
    from airfoil.clients.mlflow_http import MlflowHttp

ABOUT = "about.json"


def keep_model(http: MlflowHttp, model: ModelRef, folder: Path, about: Mapping[str, Any]) -> Path:
    """Bring a logged model into a folder, with `about.json` beside its files; one that is there is replaced."""
    address = http.do(artifact_address(model.uri))
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
    try:
        (unfinished / "model").mkdir(parents=True)
        fetch_folder(http, address, unfinished / "model")
        told = json.dumps({"model": model.to_json(), **about}, indent=1, default=str)
        (unfinished / ABOUT).write_text(told, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.replace(folder)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written: {error.strerror or error}",
            "Free space, or let [airfoil] work_area name a folder that tasks may write to.",
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder
