"""Finding the DAG a person named: waiting for a file that Airflow has not read yet, explaining one it cannot read.

The decisions are pure functions over what Airflow answered and what lies in the DAG folder.
"""

from __future__ import annotations

import difflib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from airfoil.cli.follow import epoch_seconds
from airfoil.errors import ConfigurationError, NotFoundError, ServiceAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airfoil.cli.watch import Patience

PARSE_PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 1.0
SHOWN_TRACE_LINES = 12
SHOWN_DAGS = 8


class Airflow(Protocol):
    """The part of AirflowRest that a search needs."""

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """Get a DAG."""

    def dags(self) -> list[dict[str, Any]]:
        """List all DAGs."""

    def import_errors(self) -> list[dict[str, Any]]:
        """List the files that do not import."""

    def parse_file(self, file_token: str) -> None:
        """Ask for a file to be read now."""


def find(
    airflow: Airflow,
    dag_id: str,
    folder: Path,
    platform_ready_at: float,
    patience: Patience,
    *,
    wall_clock: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Give the DAG as Airflow knows it, once its file is read as it is now; NotFoundError with the nearest ids."""
    began = wall_clock()
    newest_change = max((changed_at(file) for file in dag_files(folder)), default=0.0)
    # Whoever changed nothing for a minute waits for nothing: Airflow has read all there is.
    deadline = min(max(newest_change, platform_ready_at), began) + PARSE_PATIENCE_SECONDS
    told = False
    while True:
        dag = patience(lambda: airflow.dag(dag_id))
        errors = patience(airflow.import_errors)
        broken = blocking_error(dag_id, dag, errors, folder)
        if broken is not None:
            raise does_not_import(dag_id, broken)
        if dag is not None and not dag.get("is_stale") and is_current(dag, folder):
            return dag
        if wall_clock() >= deadline:
            if dag is not None and not dag.get("is_stale"):
                patience.notice(
                    f"{dag.get('relative_fileloc')} changed, and Airflow has not read it again yet."
                )
                return dag
            raise unknown(dag_id, [str(row["dag_id"]) for row in patience(airflow.dags)], errors)
        if not told:
            told = True
            patience.notice(_waiting_for(dag_id, dag))
            _ask_to_read_again(airflow, dag)
        patience.sleep(LOOK_SECONDS)


def blocking_error(
    dag_id: str, dag: Mapping[str, Any] | None, errors: Iterable[Mapping[str, Any]], folder: Path
) -> Mapping[str, Any] | None:
    """Find the import error that keeps this DAG from running, unless its file was changed since."""
    for error in errors:
        file = folder / str(error.get("filename", ""))
        stamp = epoch_seconds(error.get("timestamp"))
        if stamp is not None and changed_at(file) > stamp:
            continue
        if dag is not None and not dag.get("is_stale"):
            if dag.get("has_import_errors") and dag.get("relative_fileloc") == error.get("filename"):
                return error
        elif file.stem == dag_id or dag_id in _text(file):
            return error
    return None


def is_current(dag: Mapping[str, Any], folder: Path) -> bool:
    """Tell whether Airflow has read the DAG's file since it was last written."""
    parsed = epoch_seconds(dag.get("last_parsed_time"))
    return parsed is None or changed_at(folder / str(dag.get("relative_fileloc") or "")) <= parsed


def does_not_import(dag_id: str, error: Mapping[str, Any]) -> ConfigurationError:
    """Name the file and the error."""
    lines = [line for line in str(error.get("stack_trace", "")).splitlines() if line.strip()]
    reason = lines[-1].strip() if lines else "no reason given"
    return ConfigurationError(
        f"{dag_id} cannot run, because {error.get('filename')} does not import: {reason.rstrip('.')}.",
        f"Mend the file, then run again: `airfoil run {dag_id}`.",
        details=lines[-SHOWN_TRACE_LINES:],
    )


def unknown(dag_id: str, known: Sequence[str], errors: Sequence[Mapping[str, Any]]) -> NotFoundError:
    """Name what was probably meant."""
    near = difflib.get_close_matches(dag_id, known, n=3, cutoff=0.5)
    if near:
        move = f"Did you mean {' or '.join(near)}?"
    elif known:
        more = f" and {len(known) - SHOWN_DAGS} more" if len(known) > SHOWN_DAGS else ""
        move = f"Known DAGs: {', '.join(known[:SHOWN_DAGS])}{more}."
    else:
        move = "There is no DAG yet: put a file into the DAG folder."
    broken = sorted({str(error.get("filename")) for error in errors})
    if broken:
        move += f" These files do not import: {', '.join(broken)}; see `airfoil doctor`."
    return NotFoundError(f"There is no DAG {dag_id}.", move)


def dag_files(folder: Path) -> list[Path]:
    """List the files in which DAGs may stand."""
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        found.extend(Path(parent, name) for name in files if name.endswith((".py", ".zip")))
    return found


def changed_at(file: Path) -> float:
    """When the file was last written, 0 when there is none."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _waiting_for(dag_id: str, dag: Mapping[str, Any] | None) -> str:
    if dag is None or dag.get("is_stale"):
        return f"Waiting for Airflow to read a DAG {dag_id} ..."
    return f"{dag.get('relative_fileloc')} changed; waiting for Airflow to read it again ..."


def _ask_to_read_again(airflow: Airflow, dag: Mapping[str, Any] | None) -> None:
    token = dag.get("file_token") if dag else None
    if isinstance(token, str):
        try:
            airflow.parse_file(token)
        except ServiceAnswerError:
            return  # it reads the file a little later by itself


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
