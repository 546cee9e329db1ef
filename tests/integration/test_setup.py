"""Setting Airflow's database up for real: new, again, killed half-way, older, damaged; on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.airflow_home import CONNECTIONS, AirflowHome

pytestmark = pytest.mark.integration

HALF_WAY = 78


@pytest.fixture
def copy(migrated_airflow: AirflowHome, tmp_path: Path) -> AirflowHome:
    """A set-up Airflow that a test may spoil."""
    return migrated_airflow.copied_to(tmp_path / "Zuhause ü 2")


def revision(home: AirflowHome) -> object:
    return home.rows("select version_num from alembic_version")[0][0]


def test_a_new_database_is_complete_private_and_filled(migrated_airflow):
    home = migrated_airflow
    assert home.leftovers() == []
    assert home.database.stat().st_mode & 0o777 == 0o600
    assert home.rows("select conn_id, conn_type, port from connection order by 1") == [
        ("feast_default", "feast", None),
        ("mlflow_default", "mlflow", 5000),
    ]
    assert [row[0] for row in home.rows("select key from variable order by 1")] == [
        "airfoil_managed",
        "airfoil_project",
    ]
    assert b"p%w" not in home.database.read_bytes(), "passwords are encrypted with the Fernet key"
    remembered = json.loads(home.applied.read_text())
    assert remembered["database"]["revision"] == revision(home)


def test_a_second_run_touches_nothing(copy):
    copy.run_well()  # a copied database is another one: the memory of the first does not count for it
    before = copy.database.stat().st_mtime_ns, copy.applied.stat().st_mtime_ns, copy.database.read_bytes()
    copy.run_well()
    assert (
        copy.database.stat().st_mtime_ns,
        copy.applied.stat().st_mtime_ns,
        copy.database.read_bytes(),
    ) == before


def test_a_connection_that_changed_in_the_settings_changes_and_a_users_variable_stays(copy):
    copy.rows("update connection set description = 'mine' where conn_id = 'feast_default'")
    copy.rows("update variable set val = 'mine', is_encrypted = 0 where key = 'airfoil_project'")
    copy.connections.write_text(
        json.dumps({"mlflow_default": {"conn_type": "mlflow", "host": "http://h", "port": 5001}})
    )
    copy.variables.write_text(json.dumps({"airfoil_project": "other"}))
    copy.run_well()
    assert copy.rows("select port from connection where conn_id = 'mlflow_default'") == [(5001,)]
    assert copy.rows("select description from connection where conn_id = 'feast_default'") == [("mine",)]
    assert copy.rows("select val from variable where key = 'airfoil_project'") == [("mine",)]


def test_a_persons_change_outlives_new_settings_and_deleting_it_gives_ours_back(copy):
    copy.rows("update connection set port = 7777 where conn_id = 'mlflow_default'")
    copy.run_well()
    port = "select port from connection where conn_id = 'mlflow_default'"
    assert copy.rows(port) == [(7777,)]
    assert json.loads(copy.applied.read_text()).get("kept") == [], "we would not have changed it"
    changed = {name: {**fields} for name, fields in CONNECTIONS.items()}
    changed["mlflow_default"]["port"] = 5001
    copy.connections.write_text(json.dumps(changed))
    copy.run_well()
    assert copy.rows(port) == [(7777,)]
    assert json.loads(copy.applied.read_text())["kept"] == ["mlflow_default"]
    copy.rows("delete from connection where conn_id = 'mlflow_default'")
    copy.run_well()
    assert copy.rows(port) == [(5001,)]
    assert json.loads(copy.applied.read_text())["kept"] == []


def test_another_migrated_database_gets_its_connections_and_keeps_its_own(copy, tmp_path):
    """The memory of what was written belongs to the database, not to the folder."""
    other = AirflowHome(tmp_path / "other")
    other.run_well()
    other.rows("delete from connection")
    other.rows("delete from variable")
    other.rows(
        "insert into connection (conn_id, conn_type, host, is_encrypted, is_extra_encrypted)"
        " values ('feast_default', 'feast', '/theirs', 0, 0)"
    )
    copy.url = f"sqlite:///{other.database}"
    copy.run_well()
    assert other.rows("select conn_id, host from connection order by 1") == [
        ("feast_default", "/theirs"),
        ("mlflow_default", "http://127.0.0.1"),
    ]
    assert len(copy.rows("select * from connection")) == 2, "the first one is as it was"


def test_a_database_of_another_key_is_for_a_person(copy):
    copy.rows(
        "update connection set password = 'gAAAAABno', is_encrypted = 1 where conn_id = 'mlflow_default'"
    )
    code, said = copy.run()
    assert code == HALF_WAY
    assert "that another key has encrypted" in said
    assert copy.rows("select password from connection where conn_id = 'mlflow_default'") == [("gAAAAABno",)]


def test_a_first_start_that_is_killed_half_way_leaves_nothing_half_built(tmp_path):
    home = AirflowHome(tmp_path / "home")
    home.kill_while_building()
    assert not home.database.exists()
    assert home.leftovers()
    home.run_well()
    assert home.leftovers() == []
    assert len(home.rows("select * from connection")) == 2


def test_a_database_that_was_moved_away_is_built_anew_with_its_connections(copy):
    copy.database.rename(copy.folder / "old.db")
    copy.run_well()
    assert len(copy.rows("select * from connection")) == 2


def test_a_half_migrated_database_is_left_alone_and_a_person_is_told_what_to_do(copy):
    copy.rows("drop table alembic_version")
    copy.rows("pragma wal_checkpoint(truncate)")
    before = copy.database.read_bytes()
    code, said = copy.run()
    assert code == HALF_WAY
    (sentence,) = [line for line in said.splitlines() if line.startswith("airfoil: ")]
    assert f"{copy.database} is half-migrated" in sentence
    assert "Move it away and run `airfoil up` again" in sentence
    assert copy.database.read_bytes() == before
    assert copy.leftovers() == []


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    home = AirflowHome(tmp_path / "home")
    home.database.write_bytes(b"my holiday photos" * 1000)
    code, said = home.run()
    assert code == HALF_WAY
    assert "airfoil: " in said
    assert "is not a usable SQLite database" in said
    assert home.database.read_bytes() == b"my holiday photos" * 1000


def test_an_older_database_is_upgraded_even_if_the_first_try_is_killed(copy):
    newest = revision(copy)
    copy.python(
        "import sys; sys.argv = ['airflow', 'db', 'downgrade', '--to-version', '3.2.0', '-y'];"
        "from airflow.__main__ import main; main()"
    )
    older = revision(copy)
    assert older != newest
    copy.rows("insert into log (dttm, event) values ('2026-01-01', 'mine')")
    copy.kill_while_building()
    assert (revision(copy), copy.rows("select event from log where event = 'mine'")) == (older, [("mine",)])
    copy.run_well()
    assert revision(copy) == newest
    assert copy.rows("select event from log where event = 'mine'") == [("mine",)]
    assert copy.leftovers() == []


def test_a_database_of_a_newer_airflow_is_refused_and_left_alone(copy):
    copy.rows("update alembic_version set version_num = 'fedcba987654'")
    copy.rows("pragma wal_checkpoint(truncate)")
    before = copy.database.read_bytes()
    code, said = copy.run()
    assert code == HALF_WAY
    assert "is at schema revision fedcba987654, which Airflow 3.3.2 does not know" in said
    assert copy.database.read_bytes() == before


# -- on a server


def test_on_postgres_it_is_set_up_once(postgres, tmp_path):
    home = AirflowHome(tmp_path / "home", postgres.new_database())
    home.run_well()
    name = home.url.rpartition("/")[2]
    (found,) = postgres.execute("select version_num from alembic_version", name)
    assert json.loads(home.applied.read_text())["database"]["revision"] == found[0]
    connections = "select conn_id from connection order by 1"
    assert postgres.execute(connections, name) == [("feast_default",), ("mlflow_default",)]
    before = home.applied.stat().st_mtime_ns
    assert "migration" not in home.run_well()
    assert home.applied.stat().st_mtime_ns == before
    assert not home.database.exists()
    # Another, empty database under the same settings gets everything again.
    home.url = postgres.new_database()
    home.run_well()
    assert len(postgres.execute(connections, home.url.rpartition("/")[2])) == 2


def test_a_server_that_refuses_us_is_said_in_one_sentence_without_the_password(postgres, tmp_path):
    wrong = postgres.url("postgres").replace(":p%40ss", ":wr0ng-p%40ss")
    code, said = AirflowHome(tmp_path / "home", wrong).run()
    assert code != 0
    (sentence,) = [line for line in said.splitlines() if line.startswith("airfoil: ")]
    assert "password authentication failed" in sentence
    assert "wr0ng" not in said
