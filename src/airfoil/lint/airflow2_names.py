"""Modules and names that Airflow 3 moved or removed, as they are imported.

ruff knows most of them where they are used, and mends many; what ruff says of a name replaces what is said here.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from airfoil.lint.fault import Edit, Fault, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source

# The longest name that fits decides.
GONE = {
    "airflow.api_connexion": "Use the REST API below /api/v2.",
    "airflow.contrib": "Use the provider that took it over.",
    "airflow.datasets": "Write `from airflow.sdk import Asset`.",
    "airflow.executors.debug_executor": "Use `dag.test()`.",
    "airflow.executors.sequential_executor": "Use LocalExecutor.",
    "airflow.hooks.base_hook": "Write `from airflow.sdk import BaseHook`.",
    "airflow.operators.bash_operator": "Write `from airflow.providers.standard.operators.bash import BashOperator`.",
    "airflow.operators.dagrun_operator": "Import from airflow.providers.standard.operators.trigger_dagrun.",
    "airflow.operators.dummy": "Write `from airflow.providers.standard.operators.empty import EmptyOperator`.",
    "airflow.operators.dummy_operator": "Write `from airflow.providers.standard.operators.empty import EmptyOperator`.",
    "airflow.operators.python_operator": "Import from airflow.providers.standard.operators.python.",
    "airflow.operators.subdag": "Use a task group: `from airflow.sdk import task_group`.",
    "airflow.operators.subdag_operator": "Use a task group: `from airflow.sdk import task_group`.",
    "airflow.utils.dates": "Give a fixed date: `datetime(2026, 1, 1, tzinfo=UTC)`.",
    "airflow.utils.log.secrets_masker": "Write `from airflow.sdk.log import mask_secret`.",
    "airflow.www": "Use the REST API below /api/v2, or a plugin.",
}
MOVED = {
    "airflow.DAG": "Write `from airflow.sdk import DAG`.",
    "airflow.decorators": "Write `from airflow.sdk import dag, task`.",
    "airflow.hooks.base": "Write `from airflow.sdk import BaseHook`.",
    "airflow.models.DAG": "Write `from airflow.sdk import DAG`.",
    "airflow.models.Variable": "Write `from airflow.sdk import Variable`.",
    "airflow.models.Connection": "Write `from airflow.sdk import Connection`.",
    "airflow.models.baseoperator": "Write `from airflow.sdk import BaseOperator`.",
    "airflow.models.dag": "Write `from airflow.sdk import DAG`.",
    "airflow.models.param": "Write `from airflow.sdk import Param`.",
    "airflow.models.variable": "Write `from airflow.sdk import Variable`.",
    "airflow.notifications.basenotifier": "Write `from airflow.sdk import BaseNotifier`.",
    "airflow.operators": "Import from airflow.providers.standard.operators.",
    "airflow.sensors": "Import from airflow.providers.standard.sensors.",
    "airflow.sensors.base": "Write `from airflow.sdk import BaseSensorOperator`.",
    "airflow.utils.task_group": "Write `from airflow.sdk import TaskGroup`.",
}
# Names whose new home offers the same under the same name: here the import is mended.
_STANDARD = "airflow.providers.standard"
NEW_HOMES = {
    "airflow.DAG": "airflow.sdk",
    "airflow.decorators.dag": "airflow.sdk",
    "airflow.decorators.setup": "airflow.sdk",
    "airflow.decorators.task": "airflow.sdk",
    "airflow.decorators.task_group": "airflow.sdk",
    "airflow.decorators.teardown": "airflow.sdk",
    "airflow.hooks.base.BaseHook": "airflow.sdk",
    "airflow.hooks.base_hook.BaseHook": "airflow.sdk",
    "airflow.models.DAG": "airflow.sdk",
    "airflow.models.baseoperator.BaseOperator": "airflow.sdk",
    "airflow.models.baseoperator.chain": "airflow.sdk",
    "airflow.models.dag.DAG": "airflow.sdk",
    "airflow.models.param.Param": "airflow.sdk",
    "airflow.operators.bash.BashOperator": f"{_STANDARD}.operators.bash",
    "airflow.operators.bash_operator.BashOperator": f"{_STANDARD}.operators.bash",
    "airflow.operators.empty.EmptyOperator": f"{_STANDARD}.operators.empty",
    "airflow.operators.python.BranchPythonOperator": f"{_STANDARD}.operators.python",
    "airflow.operators.python.PythonOperator": f"{_STANDARD}.operators.python",
    "airflow.operators.python.ShortCircuitOperator": f"{_STANDARD}.operators.python",
    "airflow.operators.python_operator.BranchPythonOperator": f"{_STANDARD}.operators.python",
    "airflow.operators.python_operator.PythonOperator": f"{_STANDARD}.operators.python",
    "airflow.operators.python_operator.ShortCircuitOperator": f"{_STANDARD}.operators.python",
    "airflow.operators.trigger_dagrun.TriggerDagRunOperator": f"{_STANDARD}.operators.trigger_dagrun",
    "airflow.sensors.base.BaseSensorOperator": "airflow.sdk",
    "airflow.sensors.external_task.ExternalTaskSensor": f"{_STANDARD}.sensors.external_task",
    "airflow.sensors.filesystem.FileSensor": f"{_STANDARD}.sensors.filesystem",
    "airflow.sensors.python.PythonSensor": f"{_STANDARD}.sensors.python",
    "airflow.utils.task_group.TaskGroup": "airflow.sdk",
}
ORM = {
    "airflow.settings.Session",
    "airflow.utils.db.create_session",
    "airflow.utils.db.provide_session",
    "airflow.utils.session.create_session",
    "airflow.utils.session.provide_session",
    "airflow.utils.session.NEW_SESSION",
}
ORM_MEND = "Ask the REST API, or read what the task's context holds: tasks have no access to the database."


def find_names(source: Source) -> Iterator[Fault]:
    """AF106 and AF107: imports of what is gone and of what has moved."""
    for line, name, statement in _imported(source):
        place = next((known for known in _homes(name) if known in GONE or known in MOVED), None)
        edit = _new_home(statement, source) if isinstance(statement, ast.ImportFrom) else None
        if place in GONE:
            message = f"`{name}` does not exist in Airflow 3."
            yield fault("AF106", source.name, line, message, GONE[place], subject=name, edit=edit)
        elif place is not None:
            message = f"`{name}` has moved; the old place works for now."
            yield fault("AF107", source.name, line, message, MOVED[place], subject=name, edit=edit)


def _new_home(statement: ast.ImportFrom, source: Source) -> Edit | None:
    """Give the edit of an import all of whose names moved to one place."""
    homes = {NEW_HOMES.get(f"{statement.module}.{alias.name}") for alias in statement.names}
    home = homes.pop()
    if home is None or homes:
        return None
    start = source.offset(statement.lineno, statement.col_offset)
    written = re.compile(rb"from[ \t]+" + re.escape((statement.module or "").encode())).match(
        source.content, start
    )
    return Edit(start, written.end(), f"from {home}".encode()) if written else None


def find_database_access(source: Source) -> Iterator[Fault]:
    """AF502: Airflow's own database session, which a task may not have."""
    for line, name, _ in _imported(source):
        if name in ORM:
            message = f"`{name}` opens Airflow's database, which Airflow 3 closes to tasks."
            yield fault("AF502", source.name, line, message, ORM_MEND, subject=name)
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and source.dotted(node) == "airflow.settings.Session":
            message = "`settings.Session` opens Airflow's database, which Airflow 3 closes to tasks."
            yield fault(
                "AF502", source.name, node.lineno, message, ORM_MEND, subject="airflow.settings.Session"
            )


def _imported(source: Source) -> Iterator[tuple[int, str, ast.stmt]]:
    """Give each imported name with its line and statement."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.lineno, alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((alias.lineno, f"{node.module}.{alias.name}", node) for alias in node.names)


def _homes(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
