import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from airfoil.runtime.here import database

pytestmark = pytest.mark.unit

SCHEMA = """
create table dag_run (id integer primary key, dag_id text, run_id text, logical_date text, unique (dag_id, run_id));
create table task_instance (
  dag_id text, run_id text, task_id text, map_index integer default -1, state text, try_number integer,
  next_method text, next_kwargs text, trigger_id integer, start_date text, end_date text,
  foreign key (dag_id, run_id) references dag_run (dag_id, run_id) on delete cascade);
create table xcom (dag_id text, run_id text, task_id text, value text);
create table task_state_store (dag_id text, run_id text, task_id text, key text);
create table connection (conn_id text);
"""


@pytest.fixture
def file(tmp_path):
    """Two runs of `shop`: in the newer one, the task before the last has failed."""
    path = tmp_path / "größe 1.db"
    with closing(sqlite3.connect(path)) as found:
        found.executescript(SCHEMA)
        found.execute("insert into dag_run values (1, 'shop', 'old', '2026-10-01 00:00:00.000000')")
        found.execute("insert into dag_run values (2, 'shop', 'new', '2026-10-02 00:00:00.000000')")
        found.execute("insert into dag_run values (3, 'other', 'old', '2026-10-01 00:00:00.000000')")
        states = [("old", "load", "success"), ("old", "train", "failed"), ("new", "load", "success")]
        for run_id, task_id, state in [*states, ("new", "train", "failed")]:
            found.execute(
                "insert into task_instance (dag_id, run_id, task_id, state, try_number) values ('shop', ?, ?, ?, 2)",
                (run_id, task_id, state),
            )
            found.execute("insert into xcom values ('shop', ?, ?, '1')", (run_id, task_id))
        found.execute("insert into task_state_store values ('shop', 'new', 'train', 'mlflow_run')")
        found.execute("insert into task_state_store values ('shop', 'old', 'train', 'mlflow_run')")
        found.commit()
    return path


def rows(file, statement):
    with closing(sqlite3.connect(file)) as found:
        return found.execute(statement).fetchall()


def test_a_copy_is_whole_while_another_writes_and_the_original_stays(file, tmp_path):
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("insert into connection values ('written')")
        writer.commit()
        writer.execute("insert into connection values ('not yet written')")

        assert database.copy_database(file, tmp_path / "copy.db")

        assert rows(tmp_path / "copy.db", "select * from connection") == [("written",)]
        database.forget_task(tmp_path / "copy.db", "shop", "new", "load")
        assert len(rows(file, "select * from xcom")) == 4


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.touch()])
def test_there_is_nothing_to_copy_yet(tmp_path, make):
    make(tmp_path / "airflow.db")

    assert not database.copy_database(tmp_path / "airflow.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_which_file_an_address_names():
    assert database.sqlite_file("sqlite:////srv/a b/airflow.db") == Path("/srv/a b/airflow.db")
    assert database.sqlite_file("postgresql://u:p@h/db") is None


@pytest.mark.parametrize(
    ("upstream", "run_id"),
    [(["load"], "new"), ([], "new"), (["train"], None), (["load", "gone"], None)],
)
def test_the_newest_run_in_which_all_before_the_task_succeeded(file, upstream, run_id):
    found = database.earlier_run(file, "shop", upstream)

    assert (found.run_id if found else None) == run_id


def test_one_failed_instance_of_a_mapped_task_is_no_success(file):
    with closing(sqlite3.connect(file)) as found:
        found.execute(
            "insert into task_instance (dag_id, run_id, task_id, map_index, state)"
            " values ('shop', 'new', 'load', 1, 'failed')"
        )
        found.commit()

    assert database.earlier_run(file, "shop", ["load"]).run_id == "old"


def test_a_renamed_run_is_renamed_everywhere_and_remembers_no_mlflow_run(file):
    database.rename_run(file, "shop", "new", "here__1")

    assert rows(file, "select run_id from dag_run where dag_id = 'shop' order by id") == [
        ("old",),
        ("here__1",),
    ]
    assert rows(file, "select distinct run_id from task_instance order by 1") == [("here__1",), ("old",)]
    assert rows(file, "select distinct run_id from xcom order by 1") == [("here__1",), ("old",)]
    assert rows(file, "select run_id from task_state_store") == [("old",)]


def test_a_task_is_forgotten_and_its_neighbours_are_not(file):
    database.forget_task(file, "shop", "new", "train")

    assert rows(file, "select task_id from xcom where run_id = 'new'") == [("load",)]
    assert rows(
        file, "select state, try_number from task_instance where run_id = 'new' order by task_id"
    ) == [
        ("success", 2),
        (None, 0),
    ]


def test_a_date_is_given_up_by_the_run_that_has_it(file):
    database.free_date(file, "shop", "2026-10-02T00:00:00+00:00")

    assert rows(file, "select run_id from dag_run where logical_date is null") == [("new",)]
