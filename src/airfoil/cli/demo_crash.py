"""The demo's crash: it kills a training in the middle, and looks at what MLflow holds afterwards."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.cli import follow
from airfoil.clients.model_registry import versions
from airfoil.clients.run_info import RUNNING
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import Runs
from airfoil.errors import NotFoundError
from airfoil.stack import process

if TYPE_CHECKING:
    from collections.abc import Callable

    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.clients.model_registry import ModelVersion
    from airfoil.clients.run_info import RunInfo
    from airfoil.stack.airflow_rest import AirflowRest

LOOK_SECONDS = 0.05
INTO_THE_WORK_SECONDS = 0.5
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Aftermath:
    """What MLflow holds of the task that was killed."""

    runs: tuple[RunInfo, ...]
    versions: tuple[ModelVersion, ...]
    """Of the model, those that this training made."""


@dataclass(frozen=True)
class Crash:
    """One task of one DAG run, on a platform of ours."""

    airflow: AirflowRest
    mlflow: MlflowHttp
    manager_pid: int
    key: RunKey
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def happen(self) -> int | None:
        """Wait until the task is in the middle of its work and kill its process; None when it was over before."""
        deadline = self.clock() + PATIENCE_SECONDS
        while self.clock() < deadline:
            tasks = self.airflow.task_instances(self.key.dag_id, self.key.run_id)
            task = next((one for one in tasks if one.get("task_id") == self.key.task_id), {})
            watched = [task] if task else tasks
            if watched and all(one.get("state") in follow.ENDED_TASK for one in watched):
                return None
            pid = task.get("pid")
            if task.get("state") == "running" and pid and self._has_begun():
                self.sleep(INTO_THE_WORK_SECONDS)
                if self._kill(int(pid)):
                    return int(pid)
            self.sleep(LOOK_SECONDS)
        return None

    def aftermath(self, model: str) -> Aftermath:
        """Look at the runs of the task, and at the versions that came of them."""
        runs = tuple(self._runs())
        ours = {run.id for run in runs}
        try:
            made = self.mlflow.do(versions(model))
        except NotFoundError:
            made = []
        return Aftermath(runs, tuple(one for one in made if one.run_id in ours))

    def _has_begun(self) -> bool:
        """Whether it has opened its run; what it logs to it is sent in batches."""
        return any(run.status == RUNNING for run in self._runs())

    def _runs(self) -> list[RunInfo]:
        parent = self.mlflow.do(Runs().find_parent(self.key.parent))
        found = self.mlflow.do(Runs().children(parent.id)) if parent else []
        return [run for run in found if run.tags.get("airflow.task_id") == self.key.task_id]

    def _kill(self, pid: int) -> bool:
        """Kill it if it is a process of this platform: the number that Airflow knows may be somebody else's by now."""
        born = process.birth(pid)
        if pid not in process.descendants(self.manager_pid):
            return False
        return process.signal_process(pid, born, signal.SIGKILL)
