"""The object that a task logs with: `mlflow_run`, one open MLflow run seen from one try of the task.

Parameters, metrics and tags wait in a buffer and are sent in few requests; files are sent at once. When MLflow is away
for a while the rows wait longer. When the run cannot take what is logged (a parameter has another value from an earlier
try, a person has deleted the run) it is superseded: a new run takes the key over, and gets what this try has logged.
Which run belongs to a task is decided in `runs.py`.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airfoil.clients.datasets import dataset_input
from airfoil.clients.exchange import API
from airfoil.clients.log_buffer import (
    MAX_ROWS,
    LogBuffer,
    checked_name,
    cut,
    metric_row,
    param_text,
    tag_text,
)
from airfoil.clients.logged_models import log_model_files
from airfoil.clients.metric_curves import metric_points
from airfoil.clients.model_files import ModelIdentity, save_model
from airfoil.clients.run_files import RunFiles, figure_bytes, json_bytes
from airfoil.clients.runs import ERROR_TAG, REASON_TAG
from airfoil.clients.tries import (
    FINISHED,
    TRIES_TAG,
    MetricPoint,
    end_try,
    mark_points,
    read_tries,
    step_to_resume_from,
    write_tries,
)
from airfoil.clients.try_log import TryLog, log_inputs
from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    NeighbourError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)
from airfoil.records import DataRef, ModelRef

if TYPE_CHECKING:
    import pandas as pd

    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.clients.run_keys import RunKey
    from airfoil.clients.runs import RunInfo, Runs

FLUSH_SECONDS = 2.0
RETRY_SECONDS = 10.0  # how often a flush of its own accord is tried while MLflow is away
PATIENCE_SECONDS = 60.0  # how long a flush that was asked for waits for MLflow to come back
SHORT_PATIENCE_SECONDS = 10.0  # when the task has failed anyway, or is being killed
PAUSE_SECONDS = 1.0
MAX_SUPERSEDED = 5  # of one try; more would be somebody else who writes into our runs
MAX_WAITING_ROWS = 200_000
MAX_ERROR_CHARACTERS = 500
DURATION_TAG = "airfoil.duration_seconds"

T = TypeVar("T")

log = logging.getLogger(__name__)


class MlflowRun:
    """One open MLflow run. Give what you measure to the `log_...` methods; the run is closed for you."""

    def __init__(
        self,
        http: MlflowHttp,
        runs: Runs,
        key: RunKey,
        info: RunInfo,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        on_superseded: Callable[[RunInfo], None] | None = None,
    ) -> None:
        """Take an open run; `on_superseded` is told the run that took over, once it holds everything."""
        self._http = http
        self._runs = runs
        self._key = key
        self._info = info
        self._clock = clock
        self._pause = pause
        self._on_superseded = on_superseded
        self._files = RunFiles(http)
        self._buffer = LogBuffer()
        self._due_at: float | None = None
        self._is_away = False
        self._superseded = 0
        self._own = TryLog()
        self._closed = False
        tries = read_tries(info.tags.get(TRIES_TAG))
        self._began_ms = tries[-1].started_ms if tries else self._now_ms()

    # -- what it is

    @property
    def id(self) -> str:
        """MLflow's id of the run. It changes when the run is superseded: read it when you need it."""
        return self._info.id

    @property
    def experiment_id(self) -> str:
        """MLflow's id of the experiment."""
        return self._info.experiment_id

    @property
    def parent_id(self) -> str:
        """The id of the DAG run's own run; empty when this is it."""
        return self._info.parent_id

    @property
    def info(self) -> RunInfo:
        """What the server said when the run was opened."""
        return self._info

    @property
    def key(self) -> RunKey:
        """Which DAG run and task this is."""
        return self._key

    @property
    def url(self) -> str:
        """The page of this run, for people."""
        return self._info.url_at(self._http.server.page)

    # -- what waits in the buffer

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record inputs, texts of at most 6000 characters.

        When an earlier try has given one of them another value, a new run supersedes this one.
        """
        rows = {checked_name(key, "parameter"): param_text(value) for key, value in params.items()}
        for key, value in rows.items():
            if self._own.params.get(key, value) != value:
                raise ConfigurationError(
                    f"The parameter '{key}' is logged twice, as {self._own.params[key]!r:.80} and as {value!r:.80}",
                    "Parameters are written once; log what changes as a metric, or under another name.",
                )
        self._own.params |= rows
        if any(self._info.params.get(key, value) != value for key, value in rows.items()):
            self._supersede()
        else:
            known = self._info.params
            self._buffer.params |= {key: value for key, value in rows.items() if key not in known}
        self._after_logging()

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Record measured numbers, NaN and infinity too."""
        # A worker whose clock is behind must not write into the time of an earlier try.
        now_ms = max(self._now_ms(), self._began_ms)
        rows = [metric_row(key, value, step, now_ms) for key, value in metrics.items()]
        self._buffer.metrics.extend(rows)
        for row in rows:
            key, place = row["key"], row["step"]
            self._own.steps[key] = max(place, self._own.steps.get(key, place))
        self._after_logging()

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags, texts of at most 8000 characters; the last value counts."""
        rows = {checked_name(key, "tag"): tag_text(value) for key, value in tags.items()}
        self._buffer.tags |= rows
        self._own.tags |= rows
        self._after_logging()

    def flush(self) -> None:
        """Send what waits; when MLflow is away, wait a minute for it. Do it before you save a checkpoint."""
        self._patiently(self._flush)

    # -- what is sent at once

    def log_figure(self, figure: Any, name: str) -> None:
        """Store a matplotlib figure ('x.png', 'x.svg', 'x.pdf') or a plotly figure ('x.html')."""
        self._store(name, figure_bytes(figure, name))

    def log_text(self, text: str, name: str) -> None:
        """Store a text as a file ('notes.md')."""
        self._store(name, text.encode("utf-8", "replace"))

    def log_json(self, value: Any, name: str) -> None:
        """Store plain values or a record as a JSON file ('report.json')."""
        self._store(name, json_bytes(value, name))

    def log_artifact(self, path: Path | str, name: str = "") -> None:
        """Store a file or a folder, under its own name or another."""
        self._patiently(lambda: self._files.store_path(self._info.artifact_uri, Path(path), name))

    def log_dataset(self, name: str, ref: DataRef | str, context: str = "training") -> None:
        """Say which data was used: a `DataRef`, or an address."""
        row = dataset_input(name, ref, context)
        self._own.inputs.append(row)
        try:
            self._patiently(lambda: log_inputs(self._http, self.id, [row]))
        except ConfigurationError as refusal:
            self._supersede_because(refusal)

    def log_model(
        self,
        estimator: Any,
        *,
        name: str,
        example: pd.DataFrame,
        packages: Sequence[str] = (),
        trusted_types: Sequence[str] = (),
    ) -> ModelRef:
        """Store a scikit-learn or XGBoost estimator as a model of this run; its packages are pinned as installed."""

        def save(folder: Path, identity: ModelIdentity) -> None:
            save_model(
                estimator,
                folder,
                example=example,
                identity=identity,
                packages=packages,
                trusted_types=trusted_types,
            )

        model = self._patiently(lambda: log_model_files(self._http, self._info, name, save))
        self._own.models.append(model.uri.removeprefix("models:/"))
        return model

    # -- what earlier tries have left

    def metric_history(self, metric: str) -> list[MetricPoint]:
        """Return all points of a metric, of this and of earlier tries; those that a later try went over are marked."""
        self.flush()
        points = self._http.do(metric_points(self.id, metric))
        return mark_points(points, read_tries(self._info.tags.get(TRIES_TAG)))

    def last_step(self, metric: str) -> int | None:
        """Return the last step of a metric that killed tries have left, to go on after it; None to begin anew."""
        tries = read_tries(self._info.tags.get(TRIES_TAG))
        if len(tries) <= 1:
            return self._own.steps.get(metric)
        self.flush()
        return step_to_resume_from(self._http.do(metric_points(self.id, metric)), tries)

    # -- the end

    def close(
        self,
        status: str = FINISHED,
        *,
        error: BaseException | str | None = None,
        reason: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Send what waits and close the run as FINISHED, FAILED (with the error) or KILLED (with a reason)."""
        if self._closed:
            return
        now_ms = self._now_ms()
        tries = end_try(
            read_tries(self._info.tags.get(TRIES_TAG)),
            now_ms,
            status,
            max(self._own.steps.values(), default=None),
        )
        last = {**(tags or {}), DURATION_TAG: f"{(now_ms - self._began_ms) / 1000:.3f}"}
        if tries:
            last[TRIES_TAG] = write_tries(tries)
        if error is not None:
            last[ERROR_TAG] = _short(error)
        if reason:
            last[REASON_TAG] = reason[:MAX_ERROR_CHARACTERS]
        self._buffer.tags |= {key: tag_text(value) for key, value in last.items()}
        patience = PATIENCE_SECONDS if status == FINISHED else SHORT_PATIENCE_SECONDS
        self._patiently(self._flush, patience)
        if not self._patiently(lambda: self._http.do(self._runs.finish(self.id, status)), patience):
            self._supersede(is_deleted=True)  # by a person, in this very moment
            self._buffer.tags |= {key: tag_text(value) for key, value in last.items()}
            self._patiently(self._flush, patience)
            self._patiently(lambda: self._http.do(self._runs.finish(self.id, status)), patience)
        self._closed = True
        self._files.close()

    def leave_open(self) -> None:
        """Send what waits and let the run go on RUNNING: the task is deferred, another process takes it up."""
        self._patiently(self._flush)
        self._closed = True
        self._files.close()

    def __enter__(self) -> Self:
        """Use the run for the length of a block."""
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Close it with the outcome of the block; a stop from outside (a signal, say) is not a failure of the body."""
        if error is None:
            self.close()
            return
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        try:
            self.close(status, error=error)
        except AirfoilError as failure:
            # The body's error is the one to report; that the run stays open is worth a line beside it.
            error.add_note(f"MLflow run {self.id} could not be closed as {status}: {failure}")

    # -- sending

    def _after_logging(self) -> None:
        """Send when there is enough, or when the oldest row has waited long; a server may be away for a while."""
        if not len(self._buffer):
            return
        now = self._clock()
        if self._due_at is None:
            self._due_at = now + FLUSH_SECONDS
        is_full = len(self._buffer) >= MAX_ROWS and not self._is_away
        if now < self._due_at and not is_full:
            return
        try:
            self._flush()
        except ServiceRefusedError:
            raise  # waiting does not help against a wrong password
        except NeighbourError as error:
            if len(self._buffer) >= MAX_WAITING_ROWS:
                raise
            log.warning("%d rows wait for MLflow: %s", len(self._buffer), error)
            self._is_away, self._due_at = True, self._clock() + RETRY_SECONDS

    def _flush(self) -> None:
        while len(self._buffer):
            request = self._buffer.next_request()
            try:
                self._http.post(f"{API}/runs/log-batch", {"run_id": self.id, **request})
            except ConfigurationError as refusal:
                self._supersede_because(refusal)
            else:
                self._buffer.sent(request)
        self._is_away, self._due_at = False, None

    def _patiently(self, act: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
        """Do something that needs MLflow; when it is away, wait for it."""
        waited, until = 0.0, self._clock() + seconds
        while True:
            try:
                return act()
            except (ServiceUnreachableError, ServiceAnswerError) as error:
                if waited >= seconds or self._clock() >= until:
                    raise
                log.warning("Waiting for MLflow: %s", error)
                self._pause(PAUSE_SECONDS)
                waited += PAUSE_SECONDS

    def _store(self, name: str, content: bytes) -> None:
        self._patiently(lambda: self._files.store(self._info.artifact_uri, name, content))

    # -- when the run cannot take it

    def _supersede_because(self, refusal: ConfigurationError) -> None:
        """Find out why MLflow refused rows; give the key to a new run when this one cannot take them."""
        try:
            info = self._http.do(self._runs.get(self.id))
        except NotFoundError:
            info = replace(self._info, deleted=True)
        conflict = any(info.params.get(key, value) != value for key, value in self._own.params.items())
        if self._superseded == MAX_SUPERSEDED or not (info.deleted or conflict):
            raise refusal
        self._supersede(is_deleted=info.deleted)

    def _supersede(self, *, is_deleted: bool = False) -> None:
        """Let a new run take the key over, and give it what this try has logged so far."""
        old = replace(self._info, deleted=is_deleted)
        self._superseded += 1
        self._info = self._http.do(self._runs.supersede(self._key, old))
        log.info("MLflow run %s is superseded by %s", old.id, self.url)
        self._buffer.params = dict(self._own.params)
        self._buffer.tags = {**self._own.tags, **self._buffer.tags}
        self._own.repeat(self._http, old.id, self.id, self._began_ms)
        gone = self._files.store_again(self._info.artifact_uri)
        if gone:
            log.warning("Not stored with the new run, for they are gone: %s", ", ".join(gone))
        if self._on_superseded is not None:
            self._on_superseded(self._info)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _short(error: BaseException | str) -> str:
    """Return the last line of an error, as Python prints it."""
    text = error if isinstance(error, str) else "".join(traceback.format_exception_only(error))
    return cut(" ".join(text.split()), MAX_ERROR_CHARACTERS)
