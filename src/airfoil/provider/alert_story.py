"""What happened, out of the context that Airflow gives a callback: of a task, of a DAG run, of a missed deadline.

Each of the three is another one: a task's has the exception; a DAG run's has the instance that failed last and a word;
a deadline's has the run as the REST API shows it. What is missing is left out; nothing here may fail an alert. Must
not send anything.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airfoil.errors import AirfoilError, redact
from airfoil.provider.links.mlflow_run import LINK_ATTRIBUTE, MlflowRunLink
from airfoil.steps.alerts import Alert, AlertKind, AlertLink

if TYPE_CHECKING:
    from airflow.sdk import Context

FAILURE_KEY = "airfoil_failure"
"""The XCom in which a task that fails leaves its reason, for the alert of its DAG run."""
REPORT_KEY = "airfoil_report"
"""The XCom in which a task may leave the address of the page that shows what it found."""
NO_REASON = "It left no reason behind; its log may tell."
REASON_CHARACTERS = 600

_KINDS: Mapping[str, AlertKind] = {
    "failed": "failed",
    "up_for_retry": "retried",
    "skipped": "skipped",
    "success": "succeeded",
}
_RUN_REASONS = {
    "all_tasks_deadlocked": "No task of it can go on any more.",
    "timed_out": "It took longer than its dagrun_timeout.",
}
log = logging.getLogger(__name__)


def alert_of(context: Context | Mapping[str, Any], text: str = "") -> Alert:
    """Return what happened; `text` is what the author of the DAG adds."""
    if "deadline" in context:
        return _of_deadline(context, text)
    if "reason" in context:
        return _of_dag_run(context, text)
    return _of_task(context, text)


def began(context: Context | Mapping[str, Any]) -> str:
    """Return when this attempt at the run began; a run that is cleared begins again."""
    moment = _moment(_field(context.get("dag_run"), "start_date"))
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S}" if moment else "unknown"


def sentence_of(error: object) -> str:
    """Return what an exception says, on one line; ours and Airflow's own say it all, others with their type."""
    if isinstance(error, AirfoilError):
        return error.message
    said = next((line.strip() for line in redact(str(error)).splitlines() if line.strip()), "")
    name = type(error).__name__
    if isinstance(error, BaseException) and not name.startswith("Airflow"):
        said = f"{name}: {said}" if said else name
    return (said or name)[:REASON_CHARACTERS]


def _of_task(context: Mapping[str, Any], text: str) -> Alert:
    ti = context["ti"]
    error = context.get("exception")
    kind = _KINDS.get(str(_plain(_field(ti, "state"))), "failed")
    links = [
        _run_link(ti.dag_id, ti.run_id),
        AlertLink(title="Log", url=_task_url(ti.dag_id, ti.run_id, ti.task_id, _map_index(ti))),
        *_link("MLflow run", getattr(context.get("task"), LINK_ATTRIBUTE, "")),
        *_link("Report", _xcom(ti, ti.task_id, REPORT_KEY, _map_index(ti))),
    ]
    return Alert(
        kind=kind,
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=_named(ti.task_id, _map_index(ti)),
        reason=sentence_of(error) if error and kind != "succeeded" else "",
        text=text,
        links=tuple(links),
    )


def _of_dag_run(context: Mapping[str, Any], text: str) -> Alert:
    run, ti = context.get("dag_run"), context.get("ti")
    dag_id = str(_field(run, "dag_id") or _field(context.get("dag"), "dag_id") or "")
    run_id = str(context.get("run_id") or _field(run, "run_id") or "")
    word = str(context["reason"])
    links = [_run_link(dag_id, run_id)]
    if word == "success" or ti is None or word in _RUN_REASONS:
        kind: AlertKind = "succeeded" if word == "success" else "failed"
        reason = _RUN_REASONS.get(word, "")
        return Alert(kind=kind, dag_id=dag_id, run_id=run_id, reason=reason, text=text, links=tuple(links))
    failed = _failed_tasks(ti, context.get("dag"))
    task_id, index = failed[0]
    left = _xcom(ti, task_id, FAILURE_KEY, index)
    links += [
        AlertLink(title="Log", url=_task_url(dag_id, run_id, task_id, index)),
        *_link("MLflow run", _xcom(ti, task_id, MlflowRunLink().xcom_key, index)),
        *_link("Report", _xcom(ti, task_id, REPORT_KEY, index)),
    ]
    return Alert(
        kind="failed",
        dag_id=dag_id,
        run_id=run_id,
        task_id=_named(task_id, index),
        also=tuple(_named(*other) for other in failed[1:]),
        reason=left if isinstance(left, str) and left else NO_REASON,
        text=text,
        links=tuple(links),
    )


def _of_deadline(context: Mapping[str, Any], text: str) -> Alert:
    run = context.get("dag_run")
    dag_id = str(_field(run, "dag_id") or "")
    run_id = str(_field(run, "dag_run_id") or _field(run, "run_id") or "")
    state = str(_plain(_field(run, "state")) or "")
    due = _moment(_field(context["deadline"], "deadline_time"))
    when = f" at {due.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if due else ""
    now = {"queued": "it has not even begun", "failed": "it has failed", "success": "it was done later"}
    return Alert(
        kind="failed" if state == "failed" else "late",
        dag_id=dag_id,
        run_id=run_id,
        reason=f"It was to be done{when}, and {now.get(state, 'it still runs')}.",
        text=text,
        links=(_run_link(dag_id, run_id),),
    )


def _failed_tasks(ti: Any, dag: Any) -> list[tuple[str, int]]:
    """Return the tasks that failed themselves, with their map index; first the one that Airflow names.

    Airflow names the one that ended last, which may be one that never ran because another had failed.
    """
    named = (str(ti.task_id), _map_index(ti))
    try:
        states: Mapping[str, Any] = ti.get_task_states(ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    except Exception as error:  # noqa: BLE001 - Airflow's server: an alert without the others is better than none
        log.info("The states of the tasks are not known: %s", error)
        return [named]
    failed = [
        _task_and_index(name, dag) for name, state in sorted(states.items()) if str(_plain(state)) == "failed"
    ]
    if named in failed or not failed:
        return [named, *(one for one in failed if one != named)]
    return failed


def _task_and_index(name: str, dag: Any) -> tuple[str, int]:
    """Take apart Airflow's name for an instance: `train`, or `train_3` for the fourth of a mapped task."""
    task_id, _, index = name.rpartition("_")
    known = getattr(dag, "task_ids", ())
    return (task_id, int(index)) if name not in known and task_id and index.isdecimal() else (name, -1)


def _xcom(ti: Any, task_id: str, key: str, map_index: int) -> Any:
    """Return what a task left under a key; None when nothing did, or nobody answers."""
    try:
        return ti.xcom_pull(task_ids=task_id, key=key, map_indexes=map_index)
    except Exception as error:  # noqa: BLE001 - as above
        log.info("What %s left under %s cannot be read: %s", task_id, key, error)
        return None


def _link(title: str, url: object) -> list[AlertLink]:
    return [AlertLink(title=title, url=url)] if isinstance(url, str) and url else []


def _run_link(dag_id: str, run_id: str) -> AlertLink:
    return AlertLink(title="Airflow", url=_run_url(dag_id, run_id))


def _run_url(dag_id: str, run_id: str) -> str:
    from airflow.sdk.configuration import conf

    base = str(conf.get("api", "base_url", fallback="") or "http://localhost:8080")
    return f"{base.rstrip('/')}/dags/{quote(dag_id)}/runs/{quote(run_id)}"


def _task_url(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    place = f"/mapped/{map_index}" if map_index >= 0 else ""
    return f"{_run_url(dag_id, run_id)}/tasks/{quote(task_id)}{place}"


def _named(task_id: str, map_index: int) -> str:
    return f"{task_id}[{map_index}]" if map_index >= 0 else task_id


def _map_index(ti: Any) -> int:
    index = _field(ti, "map_index")
    return index if isinstance(index, int) else -1


def _field(thing: Any, name: str) -> Any:
    """Return a field of a mapping or an object; both stand for a run."""
    if isinstance(thing, Mapping):
        return thing.get(name)
    return getattr(thing, name, None)


def _plain(state: Any) -> Any:
    return getattr(state, "value", state)


def _moment(given: Any) -> datetime | None:
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            return None
    if not isinstance(given, datetime):
        return None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
