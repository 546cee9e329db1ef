"""What a restored scheduler must not ask the broker about, and all that stays as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from tests.backup_shop import rows_of

from airfoil.stack.backup import queued_tasks, sqlite_copies

pytestmark = pytest.mark.unit

TASKS = [
    ("a", "queued", "m-1"),
    ("b", "success", "m-2"),
    ("c", "running", "m-3"),
    ("d", "scheduled", None),
    ("e", "restarting", "m-4"),
    ("f", "deferred", "m-5"),
    ("g", "queued", None),
    ("h", None, "m-6"),
]


@pytest.fixture
def copy(tmp_path):
    """A copy of Airflow's database, as it lies in a backup."""
    path = tmp_path / "airflow.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table task_instance (id, state, external_executor_id)")
        database.execute("create table dag_run (id)")
        database.executemany("insert into task_instance values (?, ?, ?)", TASKS)
    return path


def test_messages_of_tasks_under_way_are_forgotten_and_nothing_else(copy):
    before = sqlite_copies.facts(copy)
    assert queued_tasks.forget_messages(copy) == 3
    under_way = {"queued", "running", "restarting"}
    assert rows_of(copy, "select * from task_instance") == [
        (name, state, None if state in under_way else message) for name, state, message in TASKS
    ], "in the order of before"
    assert sqlite_copies.facts(copy)["dag_run"] == before["dag_run"]
    assert queued_tasks.forget_messages(copy) == 0


@pytest.mark.parametrize(
    "table", ["dag_run (id)", "task_instance (id, state)", "task_instance (id, external_executor_id)"]
)
def test_an_airflow_that_keeps_none_is_left_as_it_is(tmp_path, table):
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database, database:
        database.execute(f"create table {table}")
    assert queued_tasks.forget_messages(tmp_path / "airflow.db") == 0


def test_they_are_what_airflow_adopts_and_where_it_keeps_the_message():
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.state import State

    assert {str(state.value) for state in State.adoptable_states} == set(queued_tasks.UNDER_WAY)
    assert TaskInstance.__tablename__ == queued_tasks.TABLE
    assert {"state", queued_tasks.MESSAGE} <= set(TaskInstance.__table__.columns.keys())
