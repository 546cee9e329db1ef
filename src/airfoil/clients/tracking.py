"""Log runs to MLflow: parameters, metrics, charts and models, each under one run that a retry finds again.

A run is found by its key (a tag), so a task that is tried again continues the run it began instead of leaving one more
behind. Calls go over plain HTTP with ids passed explicitly; no active run, no environment variable, no global state.
"""

from __future__ import annotations

import hashlib
import io
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from airfoil.clients.artifacts import ArtifactWriter
from airfoil.clients.model_files import ModelIdentity, save_sklearn_model
from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError
from airfoil.records import ModelRef

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from airfoil.clients.mlflow_http import MlflowHttp

API = "api/2.0/mlflow"
KEY_TAG = "airfoil.run_key"
# What one log-batch request may hold (MLflow's own limits).
MAX_PARAMS_PER_CALL = 100
MAX_METRICS_PER_CALL = 1000
MAX_TAG_CHARACTERS = 8000


class Tracking:
    """Experiments and runs of one MLflow server."""

    def __init__(self, http: MlflowHttp, *, clock: Callable[[], float] = time.time) -> None:
        """Keep the connection; nothing is sent yet."""
        self._http = http
        self._clock = clock

    def __enter__(self) -> Self:
        """Use the connection for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def uri(self) -> str:
        """The server's address."""
        return self._http.server.uri

    def close(self) -> None:
        """Close pooled connections."""
        self._http.close()

    def check(self) -> None:
        """Ask for something that needs a working server, an accepted login and an allowed host; raise if not."""
        self._http.post(f"{API}/experiments/search", {"max_results": 1})

    def experiment_id(self, name: str) -> str:
        """Return the id of an experiment, which is created when it does not exist."""
        try:
            return self._experiment_id(name)
        except NotFoundError:
            pass
        try:
            return str(self._http.post(f"{API}/experiments/create", {"name": name})["experiment_id"])
        except ConfigurationError:
            # Somebody else created it in between, or the name is not allowed: the second look tells which.
            try:
                return self._experiment_id(name)
            except NotFoundError:
                pass
            raise

    @contextmanager
    def run(
        self, *, experiment: str, name: str, key: str, tags: Mapping[str, str] | None = None
    ) -> Iterator[TrackedRun]:
        """Open the run with this key, creating it the first time, and close it with the outcome of the block."""
        run = self._open(self.experiment_id(experiment), name, key, tags or {})
        try:
            yield run
        except BaseException as error:
            # A stop from outside (a signal, a task that was cleared) is not a failure of the body.
            self._close_after(error, run, "FAILED" if isinstance(error, Exception) else "KILLED")
            raise
        self._set_status(run.id, "FINISHED")

    def _experiment_id(self, name: str) -> str:
        found = self._http.get(f"{API}/experiments/get-by-name", experiment_name=name)["experiment"]
        if found.get("lifecycle_stage") == "deleted":
            raise ConfigurationError(
                f"The MLflow experiment '{name}' is deleted, and its name is still taken",
                f"Restore it (`mlflow experiments restore -x {found['experiment_id']}`), or use another name.",
            )
        return str(found["experiment_id"])

    def _open(self, experiment_id: str, name: str, key: str, tags: Mapping[str, str]) -> TrackedRun:
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        query = {
            "experiment_ids": [experiment_id],
            "filter": f"tags.`{KEY_TAG}` = '{digest}'",
            "order_by": ["attributes.start_time ASC"],
            "max_results": 1,
        }
        found = self._http.post(f"{API}/runs/search", query).get("runs", [])
        if found:
            self._set_status(found[0]["info"]["run_id"], "RUNNING")
            return TrackedRun(self._http, found[0]["info"], clock=self._clock)
        given = {**tags, KEY_TAG: digest, "mlflow.runName": name}
        request = {
            "experiment_id": experiment_id,
            "run_name": name,
            "start_time": self._now_ms(),
            "tags": [{"key": tag, "value": value[:MAX_TAG_CHARACTERS]} for tag, value in given.items()],
        }
        created = self._http.post(f"{API}/runs/create", request, repeatable=False)
        return TrackedRun(self._http, created["run"]["info"], clock=self._clock)

    def _close_after(self, error: BaseException, run: TrackedRun, status: str) -> None:
        try:
            self._set_status(run.id, status)
        except AirfoilError as failure:
            # The body's error is the one to report; that the run stays open is worth a line beside it.
            error.add_note(f"MLflow run {run.id} could not be closed as {status}: {failure}")

    def _set_status(self, run_id: str, status: str) -> None:
        ended = {} if status == "RUNNING" else {"end_time": self._now_ms()}
        self._http.post(f"{API}/runs/update", {"run_id": run_id, "status": status, **ended})

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


class TrackedRun:
    """One open MLflow run."""

    def __init__(self, http: MlflowHttp, info: Mapping[str, Any], *, clock: Callable[[], float]) -> None:
        """Take what the server said about the run."""
        self._http = http
        self._clock = clock
        self._artifacts = ArtifactWriter(http)
        self.id: str = info["run_id"]
        self.experiment_id: str = info["experiment_id"]
        self._artifact_uri: str = info["artifact_uri"]

    @property
    def url(self) -> str:
        """The page of this run, for people."""
        return f"{self._http.server.uri}/#/experiments/{self.experiment_id}/runs/{self.id}"

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record inputs. MLflow keeps the first value of a parameter and refuses a different one."""
        rows = [{"key": key, "value": str(value)} for key, value in params.items()]
        for start in range(0, len(rows), MAX_PARAMS_PER_CALL):
            self._log_batch(params=rows[start : start + MAX_PARAMS_PER_CALL])

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Record measured numbers."""
        now_ms = int(self._clock() * 1000)
        rows = [
            {"key": key, "value": _json_number(value), "timestamp": now_ms, "step": step}
            for key, value in metrics.items()
        ]
        for start in range(0, len(rows), MAX_METRICS_PER_CALL):
            self._log_batch(metrics=rows[start : start + MAX_METRICS_PER_CALL])

    def log_figure(self, figure: Figure, name: str) -> None:
        """Store a matplotlib figure as a PNG file."""
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=120)
        self._artifacts.write_bytes(self._artifact_uri, name, picture.getvalue())

    def log_model(
        self,
        estimator: Any,
        *,
        name: str,
        example: pd.DataFrame,
        packages: Sequence[str] = (),
        trusted_types: Sequence[str] = (),
    ) -> ModelRef:
        """Store a scikit-learn estimator as a model of this run; the packages it needs are pinned as installed."""
        request = {"experiment_id": self.experiment_id, "name": name, "source_run_id": self.id}
        info = self._http.post(f"{API}/logged-models", request, repeatable=False)["model"]["info"]
        model_id: str = info["model_id"]
        try:
            with tempfile.TemporaryDirectory(prefix="airfoil-model-") as scratch:
                folder = Path(scratch) / "model"
                save_sklearn_model(
                    estimator,
                    folder,
                    example=example,
                    identity=ModelIdentity(model_id, self.id, info["artifact_uri"]),
                    packages=packages,
                    trusted_types=trusted_types,
                )
                self._artifacts.write_folder(info["artifact_uri"], folder)
        except BaseException:
            # A half-written model must not look like one that is still on its way.
            self._finalize(model_id, "LOGGED_MODEL_UPLOAD_FAILED")
            raise
        self._finalize(model_id, "LOGGED_MODEL_READY")
        outputs = {"run_id": self.id, "models": [{"model_id": model_id, "step": 0}]}
        self._http.post(f"{API}/runs/outputs", outputs)
        return ModelRef(name=name, uri=f"models:/{model_id}", run_id=self.id)

    def _finalize(self, model_id: str, status: str) -> None:
        self._http.patch(f"{API}/logged-models/{model_id}", {"model_id": model_id, "status": status})

    def _log_batch(self, **rows: list[dict[str, Any]]) -> None:
        self._http.post(f"{API}/runs/log-batch", {"run_id": self.id, **rows})


def _json_number(value: float) -> float | str:
    """Return a number as MLflow takes it: JSON has no NaN and no infinity, so those travel as words."""
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
