"""The folder in which a task keeps its data: `[airfoil] work_area`, then one folder for each DAG run, then each task.

One folder for each DAG run, so that a run's data is removed by removing one folder. Files are complete or absent. Must
not read or write data itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from airfoil.clients.object_store import FolderStore
from airfoil.clients.run_folders import SHARED, folder_name
from airfoil.errors import ConfigurationError
from airfoil.records import DataRef

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as pads
    from airflow.sdk import Context

__all__ = ["WorkArea", "data_folder", "folder_name", "run_folder", "shared_folder", "work_area_of"]


class WorkArea:
    """The data of one task: `ref = work.write("train", frame)`, and in a later task `work.read(ref)`."""

    def __init__(self, root: Path) -> None:
        """Name the task's folder; it is made when something is written."""
        self.root = root
        self._store = FolderStore(root)

    def __repr__(self) -> str:
        return f"WorkArea({str(self.root)!r})"

    def write(self, name: str, frame: Any) -> DataRef:
        """Write a polars, pandas or pyarrow table as Parquet and return what a later task reads it by."""
        return self._store.write(name, frame)

    def write_text(self, name: str, text: str) -> DataRef:
        """Write a text, such as a record as JSON, under its whole name ("verdict.json")."""
        return self._store.write_text(name, text)

    def path(self, name: str) -> Path:
        """Return a path for a file of one's own; its folder exists."""
        return self._store.path(name)

    def open(self, ref: DataRef) -> pads.Dataset:
        """Return a table as an Arrow dataset, read when it is used."""
        return self._store.open(ref)

    def read(self, ref: DataRef) -> pa.Table:
        """Return a whole table in memory, as an Arrow table."""
        return self._store.read(ref)


def work_area_of(context: Context) -> WorkArea:
    """Return the work area of the task instance that runs in this context."""
    ti = context["ti"]
    folder = run_folder(ti.dag_id, ti.run_id) / folder_name(ti.task_id)
    map_index = -1 if ti.map_index is None else ti.map_index
    return WorkArea(folder / str(map_index) if map_index >= 0 else folder)


def run_folder(dag_id: str, run_id: str) -> Path:
    """Return the folder of everything one DAG run keeps."""
    return _root() / folder_name(dag_id) / folder_name(run_id)


def shared_folder(name: str) -> Path:
    """Return a folder beside those of the DAG runs, for what outlives them: files that were fetched, say."""
    return _root() / f".{name}"


def data_folder(kind: Literal["raw", "processed", "model"]) -> Path:
    """Return the folder of versioned results that people look at: `data/raw`, `data/processed`, `data/model`."""
    return _root() / SHARED / kind


def _root() -> Path:
    from airflow.sdk.configuration import conf

    given = str(conf.get("airfoil", "work_area", fallback="") or "").strip()
    if not given:
        # As Airflow finds its home: without it there is no configuration either.
        return Path(os.environ.get("AIRFLOW_HOME") or "~/airflow").expanduser() / "work"
    if "://" in given:
        raise ConfigurationError(
            f"[airfoil] work_area is '{given}', and this version keeps data in folders only",
            "Give a folder; one that all workers share when tasks run on several machines.",
        )
    return Path(given).expanduser().absolute()
