"""Where logged models are kept for people to look at: `data/model`, by the version of the source and the run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airfoil.clients.model_shelf import keep_model
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.work_area import data_folder, folder_name
from airfoil.records import ModelRef


def keep_logged_model(
    model: ModelRef,
    crawled: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    mlflow_conn_id: str = MlflowHook.default_conn_name,
) -> Path:
    """Copy a logged model to `data/model/SOURCE/VERSION/RUN`, with what is known about it."""
    source, version = str(crawled["source"]), str(crawled["version"])
    folder = data_folder("model") / folder_name(source) / folder_name(version) / folder_name(model.run_id)
    told = {"source": source, "source_version": version, "raw": crawled.get("raw"), **about}
    with MlflowHook(mlflow_conn_id).http() as http:
        return keep_model(http, model, folder, told)
