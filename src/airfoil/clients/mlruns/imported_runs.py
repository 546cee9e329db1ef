"""A run of a file store as a run of a server: once, however often it is asked for, and never half.

A new run carries the id of the old one from its first moment, and a mark when everything of it is there. One without
the mark was cut off, and is begun anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from airfoil.clients.artifacts import ArtifactWriter
from airfoil.clients.exchange import API
from airfoil.clients.experiments import experiment_id
from airfoil.clients.log_buffer import json_number
from airfoil.clients.run_info import PARENT_TAG, RunInfo, tag_rows

if TYPE_CHECKING:
    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.clients.mlruns.file_store import LoggedModel, Point, StoredRun

OLD_ID_TAG = "airfoil.imported_run"
WHOLE_TAG = "airfoil.imported_whole"
_POINTS, _PARAMS, _TAGS = 1000, 100, 100
"""What MLflow takes in one request."""
_PARAM_CHARACTERS = 6000
T = TypeVar("T")


@dataclass(frozen=True)
class ImportedRun:
    """A run on the server, and whether it was there already."""

    info: RunInfo
    is_new: bool


class RunImport:
    """Brings runs to one server."""

    def __init__(self, http: MlflowHttp) -> None:
        """Keep the connection."""
        self._http = http
        self._files = ArtifactWriter(http)

    def bring(self, run: StoredRun, models: Sequence[LoggedModel], parent_id: str = "") -> ImportedRun:
        """Bring one run with its files and the models it has logged; `parent_id` is its parent on the server."""
        experiment = self._http.do(experiment_id(run.experiment))
        found = self._found(experiment, run.id)
        if found is not None and WHOLE_TAG in found.tags:
            return ImportedRun(found, is_new=False)
        if found is not None:
            self._http.post(f"{API}/runs/delete", {"run_id": found.id})
        made = self._made(experiment, run, parent_id)
        for batch in _batches(run.params().items(), _PARAMS):
            rows = [{"key": key, "value": value[:_PARAM_CHARACTERS]} for key, value in batch]
            self._log(made.id, "params", rows)
        for points in _batches(run.points(), _POINTS):
            self._log(made.id, "metrics", [_point(one) for one in points])
        if run.artifacts.is_dir():
            self._files.write_folder(made.artifact_uri, run.artifacts)
        for model in models:
            if model.files.is_dir():
                self._files.write_folder(f"{made.artifact_uri}/{model.name}", model.files)
        self._end(made, run)
        return ImportedRun(made, is_new=True)

    def _found(self, experiment: str, old_id: str) -> RunInfo | None:
        asked = {
            "experiment_ids": [experiment],
            "filter": f"tags.`{OLD_ID_TAG}` = '{old_id}'",
            "max_results": 1,
        }
        rows = self._http.post(f"{API}/runs/search", asked).get("runs", [])
        return RunInfo.read(rows[0]) if rows else None

    def _made(self, experiment: str, run: StoredRun, parent_id: str) -> RunInfo:
        tags = {**run.tags(), OLD_ID_TAG: run.id}
        tags.pop(PARENT_TAG, None)
        if parent_id:
            tags[PARENT_TAG] = parent_id
        rows = tag_rows(tags)
        marks = [row for row in rows if row["key"] in {OLD_ID_TAG, PARENT_TAG}]
        body = {
            "experiment_id": experiment,
            "start_time": run.started_ms,
            "run_name": run.name,
            "user_id": run.user,
            "tags": marks,
        }
        made = RunInfo.read(self._http.post(f"{API}/runs/create", body, repeatable=False)["run"])
        for batch in _batches((row for row in rows if row not in marks), _TAGS):
            self._log(made.id, "tags", batch)
        return made

    def _end(self, made: RunInfo, run: StoredRun) -> None:
        # A run that was RUNNING when the folder was last used is so no more.
        status = "KILLED" if run.status in {"RUNNING", "SCHEDULED"} else run.status
        ended = run.ended_ms or run.started_ms
        self._http.post(f"{API}/runs/update", {"run_id": made.id, "status": status, "end_time": ended})
        self._log(made.id, "tags", tag_rows({WHOLE_TAG: "yes"}))

    def _log(self, run_id: str, kind: str, rows: list[Any]) -> None:
        self._http.post(f"{API}/runs/log-batch", {"run_id": run_id, kind: rows})


def _point(one: Point) -> dict[str, Any]:
    return {
        "key": one.key,
        "value": json_number(one.value),
        "timestamp": one.timestamp_ms,
        "step": one.step,
    }


def _batches(rows: Iterable[T], most: int) -> Iterator[list[T]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, most)):
        yield batch
