import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from airfoil.runtime.here import server

pytestmark = pytest.mark.unit


def instance(state, task_id="train", map_index=-1):
    return SimpleNamespace(task_id=task_id, map_index=map_index, state=state)


def test_a_sqlite_database_is_copied_a_missing_one_and_a_server_are_not(tmp_path):
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as found:
        found.execute("create table t (a)")
        found.commit()

    assert server.prepare_database(f"sqlite:///{tmp_path}/airflow.db", tmp_path / "copy.db")
    assert not server.prepare_database(f"sqlite:///{tmp_path}/gone.db", tmp_path / "copy2.db")
    assert not server.prepare_database("postgresql://u:p@nowhere/db", tmp_path / "copy3.db")


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (None, True),
        ("up_for_reschedule", True),
        ("deferred", True),
        ("success", False),
        ("upstream_failed", False),
    ],
)
def test_what_a_run_still_waits_for(state, is_open):
    assert server._is_open(instance(state)) is is_open


def test_states_travel_as_plain_values():
    assert server._states([instance("success"), instance(None, "many", 3)]) == [
        ("train", -1, "success"),
        ("many", 3, ""),
    ]


def test_only_a_sensor_that_asked_for_it_is_looked_at_later():
    assert server._is_due(instance("scheduled"), session=None)
