"""The MLflow run of a task instance: opened before its work begins, closed with what came of it.

One parent run for each DAG run, below it one child for each task and map index, the same in every try. Which run that
is, is decided by a claim in MLflow (`clients.runs`); the id kept in Airflow's task state is a short cut and may be
missing or wrong. Errors of MLflow leave here as one sentence. Must not run the work itself.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.run_info import URL_TAG
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import REASON_TAG, Attempt, Runs
from airfoil.clients.task_run import MlflowRun
from airfoil.clients.tracking import Tracking
from airfoil.errors import AirfoilError
from airfoil.provider.fingerprints import fingerprint
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.links.mlflow_run import LINK_ATTRIBUTE, MlflowRunLink
from airfoil.provider.task_outcomes import KILLED, for_airflow, outcome_of

if TYPE_CHECKING:
    from airflow.sdk import Context

CACHE_KEY = "airfoil_mlflow_run"
"""Where the id of the run is kept in the task state."""
LAST_WORDS_SECONDS = 3.0
"""Airflow ends a process five seconds after it has asked it to stop."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """Which code a task runs, and a text for that code and everything it is given."""

    code: str
    fingerprint: str


class TaskRun:
    """The open MLflow run of a task, and how to end it from a signal handler."""

    def __init__(self, run: MlflowRun, server: MlflowServer) -> None:
        """Take an open run of this server."""
        self.run = run
        self.server = server
        self.closed = False

    def stop(self, reason: str) -> None:
        """Close the run as KILLED while the work is interrupted; never raises.

        Over a connection of its own: the interrupted code may hold the locks of the other one.
        """
        if self.closed:
            return
        patience = min(LAST_WORDS_SECONDS, self.server.timeout_seconds)
        try:
            with MlflowHttp(replace(self.server, tries=1, timeout_seconds=patience)) as http:
                http.do(Runs().finish(self.run.id, KILLED, {REASON_TAG: reason}))
        except AirfoilError as error:
            log.warning("MLflow run %s stays open: %s", self.run.id, error)


@contextmanager
def task_run(
    context: Context,
    *,
    mlflow_conn_id: str = MlflowHook.default_conn_name,
    experiment: str | None = None,
    code: str = "",
    given: Any = None,
    resuming: bool = False,
    tracking: Callable[[MlflowHttp], Tracking] = Tracking,
) -> Iterator[TaskRun]:
    """Open the run of the task instance in this context and close it with the outcome of the block.

    `code` and `given` (the version of the work, what it works on) decide whether a further try continues the same run.
    """
    with one_sentence(), MlflowHook(mlflow_conn_id).http() as http:
        work = Work(code, fingerprint(code, given))
        opened = TaskRun(_open(context, tracking(http), experiment, work, resuming=resuming), http.server)
        log.info("MLflow run: %s", opened.run.url)
        try:
            yield opened
        except BaseException as error:
            _close_after(error, opened)
            raise
        _close_finished(opened)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Let errors of ours reach Airflow as one sentence, without the tracebacks of the libraries below."""
    try:
        yield
    except AirfoilError as error:
        raise for_airflow(error).with_traceback(error.__traceback__) from None


def run_key(context: Context) -> RunKey:
    """Return the key of the task instance in this context."""
    ti = context["ti"]
    return RunKey(ti.dag_id, ti.run_id, ti.task_id, -1 if ti.map_index is None else ti.map_index)


def experiment_name(dag_id: str, given: str | None = None) -> str:
    """Return the experiment of a DAG's runs: the given one, else Airflow's `[airfoil] experiment`, else the DAG id."""
    from airflow.sdk.configuration import conf

    return given or str(conf.get("airfoil", "experiment", fallback="") or "").strip() or dag_id


def _open(
    context: Context, tracking: Tracking, experiment: str | None, work: Work, *, resuming: bool
) -> MlflowRun:
    key = run_key(context)
    # A task that was rescheduled goes on with the try it began.
    attempt = Attempt(context["ti"].try_number, resuming or bool(context.get("task_reschedule_count")))
    # Nothing can be remembered before the first try, and asking costs as much as a request.
    cached = _remembered(context) if attempt.number > 1 or attempt.resuming else None
    run = tracking.open_task(
        key,
        experiment=experiment_name(key.dag_id, experiment),
        fingerprint=work.fingerprint,
        tags={**_child_tags(context), "airflow.code_version": work.code},
        parent_tags=_parent_tags(context),
        attempt=attempt,
        cached=cached,
        on_superseded=lambda new: _announce(context, tracking.url_of(new), new.id, None),
    )
    _announce(context, run.url, run.id, cached)
    return run


def _announce(context: Context, url: str, run_id: str, cached: str | None) -> None:
    """Write down where the run is: the button of the task instance, and the id for the next try.

    Neither is needed for the work, so nothing that goes wrong here stops it.
    """
    try:
        setattr(context["task"], LINK_ATTRIBUTE, url)
        context["ti"].xcom_push(key=MlflowRunLink().xcom_key, value=url)
        store = context.get("task_state_store")
        if store is not None and run_id != cached:
            store.set(CACHE_KEY, run_id)
    except Exception as error:  # noqa: BLE001 - Airflow's server, a backend of the user's: any failure is one of a convenience
        log.warning("The address of the MLflow run could not be kept in Airflow: %s", error)


def _remembered(context: Context) -> str | None:
    store = context.get("task_state_store")
    if store is None:
        return None
    try:
        found = store.get(CACHE_KEY)
    except Exception as error:  # noqa: BLE001 - as in _announce
        log.warning("Airflow's task state cannot be read: %s", error)
        return None
    return found if isinstance(found, str) and found.isalnum() else None


def _close_finished(opened: TaskRun) -> None:
    """Send everything, or fail; the status alone is not worth doing the work again."""
    opened.run.flush()
    try:
        opened.run.close()
    except AirfoilError as error:
        log.warning("MLflow run %s stays open for now, although the work is done: %s", opened.run.id, error)
    opened.closed = True


def _close_after(error: BaseException, opened: TaskRun) -> None:
    """Close the run with what happened; a failure to do so is a line beside the error of the work."""
    outcome = outcome_of(error)
    try:
        if outcome is None:
            opened.run.flush()
        else:
            opened.run.close(outcome.status, error=outcome.error, reason=outcome.reason)
    except AirfoilError as failure:
        log.warning("MLflow run %s could not be brought up to date: %s", opened.run.id, failure)
    opened.closed = True


def _parent_tags(context: Context) -> Mapping[str, str]:
    ti = context["ti"]
    url = _dag_run_url(ti.dag_id, ti.run_id)
    return {
        URL_TAG: url,
        "mlflow.source.name": ti.dag_id,
        "mlflow.source.type": "JOB",
        "mlflow.user": _owner(context),
        "mlflow.note.content": f"DAG run [{ti.dag_id} {ti.run_id}]({url}) in Airflow",
    }


def _child_tags(context: Context) -> Mapping[str, str]:
    ti = context["ti"]
    place = f"/mapped/{ti.map_index}" if ti.map_index is not None and ti.map_index >= 0 else ""
    url = f"{_dag_run_url(ti.dag_id, ti.run_id)}/tasks/{quote(ti.task_id)}{place}"
    tags = {
        URL_TAG: url,
        "airflow.try_number": str(ti.try_number),
        "airflow.host": getattr(ti, "hostname", None) or socket.gethostname(),
        "airflow.owner": _owner(context),
        "mlflow.user": _owner(context),
        "mlflow.source.name": f"{ti.dag_id}.{ti.task_id}",
        "mlflow.source.type": "JOB",
        "mlflow.note.content": f"Task [{ti.dag_id}.{ti.task_id}]({url}) in Airflow",
    }
    # A bundle that is versioned is a git checkout; its version is the commit.
    version = getattr(getattr(ti, "bundle_instance", None), "version", None)
    return tags | ({"mlflow.source.git.commit": str(version)} if version else {})


def _dag_run_url(dag_id: str, run_id: str) -> str:
    from airflow.sdk.configuration import conf

    base = str(conf.get("api", "base_url", fallback="") or "http://localhost:8080")
    return f"{base.rstrip('/')}/dags/{quote(dag_id)}/runs/{quote(run_id)}"


def _owner(context: Context) -> str:
    return str(getattr(context["task"], "owner", "") or "airflow")
