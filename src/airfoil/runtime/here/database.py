"""The private database of one `--here`: a copy of the platform's, so that nothing is written to the real one.

Files and SQL only; must not import Airflow. Of SQLite the whole file is copied, in one consistent piece while the
platform goes on writing. Foreign keys are off in these connections, as SQLite has them by default.
"""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil import live_databases

if TYPE_CHECKING:
    from collections.abc import Sequence

SQLITE = "sqlite:///"
BUSY_SECONDS = 30
RUNS_LOOKED_AT = 20


@dataclass(frozen=True)
class EarlierRun:
    """A real run whose results a single task is given."""

    run_id: str
    logical_date: str | None


def sqlite_file(url: str) -> Path | None:
    """Give the file that a database address names, or None when it is no SQLite file."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def copy_database(source: Path, target: Path) -> bool:
    """Copy a database that others may be writing to; False when there is none yet."""
    if not source.exists() or source.stat().st_size == 0:
        return False
    with (
        closing(live_databases.opened(source, BUSY_SECONDS)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        new.execute("pragma journal_mode = wal")
    return True


def earlier_run(file: Path, dag_id: str, upstream: Sequence[str]) -> EarlierRun | None:
    """Find the newest run in which everything right before a task had succeeded."""
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute(
            "select run_id, logical_date from dag_run where dag_id = ? order by id desc limit ?",
            (dag_id, RUNS_LOOKED_AT),
        ).fetchall()
        for run_id, logical_date in rows:
            states: dict[str, set[str | None]] = {}
            for task_id, state in database.execute(
                "select task_id, state from task_instance where dag_id = ? and run_id = ?", (dag_id, run_id)
            ):
                states.setdefault(task_id, set()).add(state)
            if all(states.get(task_id) == {"success"} for task_id in upstream):
                return EarlierRun(run_id, logical_date)
    return None


def rename_run(file: Path, dag_id: str, old: str, new: str) -> None:
    """Give a copied run a name of its own everywhere: what a task writes elsewhere (MLflow) must not join the real run.

    What its tasks remember between tries is forgotten: they remember MLflow runs of the real one.
    """
    with closing(sqlite3.connect(file)) as database:
        for table in tables_with(database, "dag_id", "run_id"):
            if table == "task_state_store":
                database.execute(
                    "delete from task_state_store where dag_id = ? and run_id = ?", (dag_id, old)
                )
            else:
                database.execute(
                    f'update "{table}" set run_id = ? where dag_id = ? and run_id = ?',  # noqa: S608 - a name from the schema
                    (new, dag_id, old),
                )
        database.commit()


def forget_task(file: Path, dag_id: str, run_id: str, task_id: str) -> None:
    """Take back what a task did in a copied run: its results and its state."""
    key = (dag_id, run_id, task_id)
    where = "where dag_id = ? and run_id = ? and task_id = ?"
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"delete from xcom {where}", key)  # noqa: S608 - a constant
        database.execute(
            "update task_instance set state = null, try_number = 0, next_method = null, next_kwargs = null, "  # noqa: S608 - constants
            f"trigger_id = null, start_date = null, end_date = null {where}",
            key,
        )
        database.commit()


def free_date(file: Path, dag_id: str, logical_date: str) -> None:
    """Let a copied run give up its date: a DAG has one run per date, and ours wants it."""
    with closing(sqlite3.connect(file)) as database:
        database.execute(
            "update dag_run set logical_date = null where dag_id = ? and datetime(logical_date) = datetime(?)",
            (dag_id, logical_date),
        )
        database.commit()


def tables_with(database: sqlite3.Connection, *columns: str) -> list[str]:
    """List the tables that have all of these columns."""
    names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
    found = []
    for name in names:
        with contextlib.suppress(sqlite3.Error):
            held = {row[1] for row in database.execute(f'pragma table_info("{name}")')}
            if held.issuperset(columns):
                found.append(name)
    return found
