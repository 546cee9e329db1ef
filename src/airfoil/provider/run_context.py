"""Gives runs that a task's own code begins with `mlflow.start_run()` their place below the DAG run's, and its names.

MLflow loads this wherever it is imported, in notebooks as well, through its entry point `mlflow.run_context_provider`:
it must be light and silent outside a task, and never be the reason why somebody's run does not start.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airfoil.clients.run_context import Parents

log = logging.getLogger(__name__)

PARENT_TAG = "mlflow.parentRunId"
URL_TAG = "airflow.url"
_TASK_RUNNER = "airflow.sdk.execution_time.task_runner"


class AirflowRunContext:
    """The tags of runs begun inside an Airflow task; MLflow asks it before each run. What the user sets wins."""

    def __init__(self, parents: Parents | None = None) -> None:
        """Ask nobody yet."""
        self._parents = parents
        self._complained = False

    def in_context(self) -> bool:
        """Whether this process runs a task."""
        return hasattr(sys.modules.get(_TASK_RUNNER), "SUPERVISOR_COMMS")

    def tags(self) -> dict[str, str]:
        """Return the tags of a new run."""
        found: dict[str, str] = {}
        try:
            from airflow.sdk import get_current_context

            context = get_current_context()
        except Exception:  # noqa: BLE001 - a task process that executes no task: at parse, or in a callback
            return found
        try:
            self._collect(found, context)
        except Exception as error:  # noqa: BLE001 - the user's run comes first; it goes without what is missing
            if not self._complained:
                log.warning("This MLflow run is not placed below the run of its DAG run: %s", error)
            self._complained = True
        return found

    def _collect(self, found: dict[str, str], context: Any) -> None:
        """Add the tags one after the other, the sure ones first."""
        from airfoil.clients.run_context import Parents
        from airfoil.clients.run_keys import RunKey

        ti = context["ti"]
        index = -1 if ti.map_index is None else ti.map_index
        key = RunKey(ti.dag_id, ti.run_id, ti.task_id, index)
        found |= key.tags()
        found["airflow.try_number"] = str(ti.try_number)
        found[URL_TAG] = str(ti.log_url)
        if self._parents is None:
            self._parents = Parents()
        parent = self._parents.find(key, {URL_TAG: found[URL_TAG].partition("/tasks/")[0]})
        if parent:
            found[PARENT_TAG] = parent
