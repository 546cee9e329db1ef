"""Task logs for `airfoil logs DAG.TASK`: of the last run that has the task, followed while it runs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airfoil.cli import console, follow, task_target

if TYPE_CHECKING:
    from airfoil.cli.watch import Patience
    from airfoil.stack.airflow_rest import AirflowRest

RUNS_LOOKED_AT = 20
FOLLOW_SECONDS = 1.0
NOT_STARTED = frozenset({"", "scheduled", "queued"})


class TaskLogs:
    """Finds and prints the logs of one task."""

    def __init__(self, airflow: AirflowRest, patience: Patience) -> None:
        self._airflow = airflow
        self._patience = patience

    def show(self, target: str, services: list[str], count: int | None, *, keep_following: bool) -> None:
        """Print the end of the log of each instance, then what is added."""
        dag_id, run_id, wanted = self._locate(target, services)
        shown: dict[tuple[str, int, int], int] = {}
        while True:
            tasks = self._instances(dag_id, run_id, wanted)
            several = len(tasks) > 1
            for task in tasks:
                self._show_one(dag_id, run_id, task, shown, count, with_title=several)
            if not keep_following or all(task.state in follow.ENDED_TASK for task in tasks):
                break
            count = None
            self._patience.sleep(FOLLOW_SECONDS)
        if not shown:
            console.note(f"{target} has not begun yet.")

    def _locate(self, target: str, services: list[str]) -> tuple[str, str, task_target.TaskTarget]:
        dag_ids = [str(dag["dag_id"]) for dag in self._patience(self._airflow.dags)]
        candidates = task_target.possible_dags(target, dag_ids)
        if not candidates:
            raise task_target.unknown(target, services, dag_ids)
        seen: list[str] = []
        for dag_id in candidates:
            for run in self._runs(dag_id):
                run_id = str(run["dag_run_id"])
                task_ids = self._task_ids(dag_id, run_id)
                found = task_target.task_in(target, dag_id, task_ids)
                if found is not None:
                    return dag_id, run_id, found
                seen = seen or task_ids
        if not seen:
            from airfoil.errors import NotFoundError

            raise NotFoundError(
                f"{candidates[0]} has not run yet.", f"Run it: `airfoil run {candidates[0]}`."
            )
        raise task_target.no_task(target, candidates[0], seen)

    def _runs(self, dag_id: str) -> list[dict[str, Any]]:
        return self._patience(lambda: self._airflow.recent_runs(RUNS_LOOKED_AT, dag_id))

    def _task_ids(self, dag_id: str, run_id: str) -> list[str]:
        rows = self._patience(lambda: self._airflow.task_instances(dag_id, run_id))
        return list(dict.fromkeys(str(row.get("task_id")) for row in rows))

    def _instances(self, dag_id: str, run_id: str, wanted: task_target.TaskTarget) -> list[follow.TaskView]:
        rows = self._patience(lambda: self._airflow.task_instances(dag_id, run_id))
        view = follow.look({}, rows, time.time())
        return [
            task
            for task in view.tasks
            if task.task_id == wanted.task_id and wanted.map_index in {None, task.map_index}
        ]

    def _show_one(
        self,
        dag_id: str,
        run_id: str,
        task: follow.TaskView,
        shown: dict[tuple[str, int, int], int],
        count: int | None,
        *,
        with_title: bool,
    ) -> None:
        if task.state in NOT_STARTED:
            return
        earlier = [
            key for key in shown if key[:2] == (task.task_id, task.map_index) and key[2] < task.try_number
        ]
        for _, _, number in earlier[-1:]:
            # What the last try wrote between our last look at it and its end.
            self._print_new(dag_id, run_id, replace(task, try_number=number), shown, None, title="")
        first = (task.task_id, task.map_index, task.try_number) not in shown
        titled = first and (with_title or task.try_number > 1 or bool(shown))
        title = f"--- {dag_id}.{task.label}, try {task.try_number} ({task.state})" if titled else ""
        self._print_new(dag_id, run_id, task, shown, count, title=title)

    def _print_new(
        self,
        dag_id: str,
        run_id: str,
        task: follow.TaskView,
        shown: dict[tuple[str, int, int], int],
        count: int | None,
        *,
        title: str,
    ) -> None:
        key = (task.task_id, task.map_index, task.try_number)
        lines = self._patience(
            lambda: self._airflow.task_log(dag_id, run_id, task.task_id, task.try_number, task.map_index)
        ).splitlines()
        start = shown.get(key, 0)
        if key not in shown and count is not None:
            start = max(len(lines) - count, 0)
        shown[key] = len(lines)
        if title:
            console.out(console.styled(title, "bold"))
        for line in lines[start:]:
            console.out(line)
