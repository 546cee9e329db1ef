"""What people count in a backup: runs, versions, connections. Read from the SQLite files that databases became.

The tables are Airflow's and MLflow's; one that is not there counts as nothing.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from airfoil.stack.backup import sqlite_copies

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LEDGER_EXPERIMENT = "airfoil-ledger"
_LEDGER = "select count(*) from runs join experiments using (experiment_id) where experiments.name = ?"
_OF = {
    "airflow": {
        "dag runs": "dag_run",
        "task instances": "task_instance",
        "connections": "connection",
        "variables": "variable",
    },
    "mlflow": {
        "experiments": "experiments",
        "runs": "runs",
        "models": "registered_models",
        "model versions": "model_versions",
        "aliases": "registered_model_aliases",
    },
}
LEDGER = "ledger entries"


def count(databases: Mapping[str, Path]) -> dict[str, int]:
    """Count in the databases that there are, by part."""
    found: dict[str, int] = {}
    for part, path in databases.items():
        with closing(sqlite_copies.opened(path)) as database:
            there = sqlite_copies.tables(database)
            for what, table in _OF.get(part, {}).items():
                if table in there:
                    statement = f"select count(*) from {sqlite_copies.quoted(table)}"  # noqa: S608 - our own names
                    found[what] = _number(database, statement)
            if part == "mlflow" and {"runs", "experiments"} <= there:
                found[LEDGER] = _number(database, _LEDGER, LEDGER_EXPERIMENT)
    return found


def _number(database: sqlite3.Connection, statement: str, *values: str) -> int:
    (number,) = database.execute(statement, values).fetchone()
    return int(number)
