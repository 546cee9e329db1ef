"""What the page learns besides state.json: answers of Airflow and MLflow, memory, and which processes live.

Plain frozen values, and the reading of foreign JSON into them. A neighbour's answer may hold anything: a missing or
odd field becomes empty, never an exception. No I/O here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

MAX_TEXT_CHARACTERS = 300
MILLISECONDS_FROM = 1e11
"""A number above this (year 5138 in seconds) is epoch milliseconds."""


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG."""

    dag_id: str
    run_id: str
    state: str
    run_type: str
    started_at: float | None
    ended_at: float | None
    url: str


@dataclass(frozen=True)
class ImportProblem:
    """A DAG file that Airflow cannot import."""

    file: str
    message: str


@dataclass(frozen=True)
class AirflowFacts:
    """The last answer of Airflow. When it stops answering the lists stay and `error` says why."""

    answered_at: float | None = None
    error: str = ""
    next_move: str = ""
    runs: tuple[DagRun, ...] = ()
    import_errors: tuple[ImportProblem, ...] = ()
    version: str = ""
    """Asked of a server that is not ours; of ours it is known."""


@dataclass(frozen=True)
class TrackedRun:
    """One MLflow run."""

    run_id: str
    name: str
    experiment: str
    status: str
    started_at: float | None
    ended_at: float | None
    url: str


@dataclass(frozen=True)
class ModelVersion:
    """One registered model version."""

    name: str
    version: str
    aliases: tuple[str, ...]
    created_at: float | None
    url: str


@dataclass(frozen=True)
class MlflowFacts:
    """The last answer of MLflow, kept like Airflow's."""

    answered_at: float | None = None
    error: str = ""
    next_move: str = ""
    runs: tuple[TrackedRun, ...] = ()
    models: tuple[ModelVersion, ...] = ()
    version: str = ""
    """As for Airflow."""


@dataclass(frozen=True)
class CheckedFault:
    """One fault that the rules found in a file of the project."""

    file: str
    line: int
    code: str
    severity: str
    message: str
    mend: str
    fixable: bool


@dataclass(frozen=True)
class CheckFacts:
    """What the rules say about the project's files as they are; `files` is None until they were looked at."""

    files: int | None = None
    errors: int = 0
    warnings: int = 0
    faults: tuple[CheckedFault, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything known at one moment besides state.json."""

    now: float
    manager_alive: bool = True
    dead: frozenset[str] = frozenset()
    """Services whose process is gone, whatever state.json says."""
    memory_mib: Mapping[str, float] = field(default_factory=dict)
    airflow: AirflowFacts = AirflowFacts()
    mlflow: MlflowFacts = MlflowFacts()
    checks: CheckFacts = CheckFacts()
    backup_at: float | None = None
    """When the project was last backed up, as far as it is known here."""


def dag_runs(rows: Sequence[Mapping[str, Any]], base_url: str) -> tuple[DagRun, ...]:
    """Read Airflow's dagRuns."""
    return tuple(
        DagRun(
            dag_id=text(row.get("dag_id")),
            run_id=text(row.get("dag_run_id")),
            state=text(row.get("state")) or "unknown",
            run_type=text(row.get("run_type")),
            started_at=moment(row.get("start_date")),
            ended_at=moment(row.get("end_date")),
            url=f"{base_url}/dags/{_segment(row.get('dag_id'))}/runs/{_segment(row.get('dag_run_id'))}",
        )
        for row in rows
    )


def import_problems(rows: Sequence[Mapping[str, Any]]) -> tuple[ImportProblem, ...]:
    """Read Airflow's importErrors; of a stack trace the last line says what is wrong."""
    found = []
    for row in rows:
        trace = row.get("stack_trace")
        lines = [line.strip() for line in str(trace or "").splitlines() if line.strip()]
        found.append(ImportProblem(text(row.get("filename")), text(lines[-1] if lines else "")))
    return tuple(found)


def checked_faults(rows: Sequence[object], clean: Callable[[str], str]) -> tuple[CheckedFault, ...]:
    """Read the rows of a record of checks; a row that is none is left out."""
    return tuple(
        CheckedFault(
            file=clean(text(row.get("file"))),
            line=row["line"],
            code=text(row.get("code")),
            severity="error" if row.get("severity") == "error" else "warning",
            message=clean(text(row.get("message"))),
            mend=clean(text(row.get("mend"))),
            fixable=row.get("fixable") is True,
        )
        for row in rows
        if isinstance(row, Mapping) and isinstance(row.get("line"), int)
    )


def tracked_runs(rows: Sequence[Mapping[str, Any]]) -> tuple[TrackedRun, ...]:
    """Read what MlflowRest.latest_runs gives."""
    return tuple(
        TrackedRun(
            run_id=text(row.get("run_id")),
            name=text(row.get("name")) or text(row.get("run_id")),
            experiment=text(row.get("experiment")),
            status=text(row.get("status")) or "UNKNOWN",
            started_at=moment(row.get("start_time")),
            ended_at=moment(row.get("end_time")),
            url=text(row.get("url")),
        )
        for row in rows
    )


def model_versions(rows: Sequence[Mapping[str, Any]]) -> tuple[ModelVersion, ...]:
    """Read what MlflowRest.model_versions gives."""
    return tuple(
        ModelVersion(
            name=text(row.get("name")),
            version=text(row.get("version")),
            aliases=tuple(text(alias) for alias in sequence(row.get("aliases"))),
            created_at=moment(row.get("created_at", row.get("creation_timestamp"))),
            url=text(row.get("url")),
        )
        for row in rows
    )


def moment(value: object) -> float | None:
    """Give epoch seconds for an ISO time, epoch seconds or epoch milliseconds; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str) and not value.isdecimal():
        try:
            return datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    return number / 1000 if number > MILLISECONDS_FROM else number


def text(value: object) -> str:
    """Give one line of bounded length, whatever came."""
    if value is None or isinstance(value, Mapping | list | tuple):
        return ""
    line = " ".join(str(value).split())
    return line if len(line) <= MAX_TEXT_CHARACTERS else line[: MAX_TEXT_CHARACTERS - 1] + "…"


def sequence(value: object) -> Sequence[Any]:
    """Give the list, or an empty one when it is none."""
    return value if isinstance(value, list | tuple) else ()


def _segment(value: object) -> str:
    return quote(str(value or ""), safe="")
