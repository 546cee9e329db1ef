"""`airfoil run DAG --here`: hands this terminal over to the process that runs the DAG in it.

Works whether or not the platform runs. That process replaces this one, so signals, the terminal and the exit code are
its own.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from airfoil.cli import console
from airfoil.cli.platform import require_platform_libraries

if TYPE_CHECKING:
    from airfoil.cli.context import Invocation

INSTANCE = re.compile(r"^(?P<name>.+)\[(?P<index>\d+)\]$")


def run_here(
    invocation: Invocation,
    dag_id: str,
    conf: dict[str, Any],
    date: str | None,
    task: str | None,
    *,
    pdb: bool,
) -> NoReturn:
    """Replace this process by the one that runs the DAG."""
    require_platform_libraries()
    project = invocation.project()
    settings = invocation.settings(project)
    environment = {**os.environ, **invocation.platform.environment(project, settings)}
    arguments = [
        *("--dag", dag_id),
        *("--folder", str(project.root / settings.airflow.dags)),
        *("--private", str(project.run)),
        *("--conf", json.dumps(conf)),
        *task_arguments(task),
        *(("--date", date) if date else ()),
        *(("--pdb",) if pdb else ()),
    ]
    console.out(f"Running {task_name(dag_id, task)} here; nothing is written to the platform's history.")
    if invocation.platform.current(project) is None:
        console.out("  The platform does not run: what a task asks of MLflow or another service fails.")
    sys.stdout.flush()
    os.chdir(project.root)  # where real tasks are
    command = [sys.executable, "-m", "airfoil.runtime.here", *arguments]
    os.execve(sys.executable, command, environment)  # noqa: S606 - our own module, no shell


def task_arguments(task: str | None) -> list[str]:
    """Name a task, or one instance of a mapped one: `train[3]`."""
    if not task:
        return []
    match = INSTANCE.match(task)
    return ["--task", match["name"], "--map-index", match["index"]] if match else ["--task", task]


def task_name(dag_id: str, task: str | None) -> str:
    """Say what is run."""
    return f"{dag_id}.{task}" if task else dag_id
