"""Doctor on databases: half-migrated, damaged, busy, absent; and never a trace of the visit."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from airfoil.stack import checks_databases
from airfoil.stack.checks_databases import check_databases, examine_sqlite

pytestmark = pytest.mark.unit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "mein Projekt ä ?#%20"
    folder.mkdir()
    return folder / "airflow.db"


def made(path: Path, *statements: str, wal: bool = False) -> None:
    with closing(sqlite3.connect(path)) as database:
        if wal:
            database.execute("PRAGMA journal_mode=wal")
        for statement in statements:
            database.execute(statement)
        database.commit()


MIGRATED = (
    "CREATE TABLE alembic_version (version_num TEXT)",
    "INSERT INTO alembic_version VALUES ('a1b2c3')",
    "CREATE TABLE dag (id INTEGER PRIMARY KEY, name TEXT)",
    "INSERT INTO dag (name) VALUES ('x')",
)


def traces(folder: Path) -> dict[str, float]:
    """Return what lies in a folder and when it changed; the -shm index is shared memory that readers use too."""
    return {
        found.name: 0 if found.name.endswith("-shm") else found.stat().st_mtime_ns
        for found in folder.iterdir()
    }


def examined(path: Path, in_use: bool = False) -> list[tuple[str, str]]:
    """Examine, and prove that the visit left no trace."""
    before = traces(path.parent)
    findings = list(examine_sqlite("Airflow", path, in_use=in_use))
    assert traces(path.parent) == before
    assert all(finding.fix for finding in findings if finding.level != "ok")
    return [(finding.level, finding.message.replace(str(path), "FILE")) for finding in findings]


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("in_use", [False, True])
def test_a_migrated_database(path, wal, in_use):
    made(path, *MIGRATED, wal=wal)
    assert examined(path, in_use) == [("ok", "Airflow's database is at revision a1b2c3.")]


def test_a_database_that_is_not_there_is_not_made(path):
    assert examined(path) == [("ok", "Airflow has no database yet; the first `airfoil up` makes it.")]


def test_an_empty_file(path):
    path.touch()
    assert examined(path) == [("warn", "Airflow's database is empty: the first start was cut off.")]


def test_no_tables(path):
    made(path, "CREATE TABLE x (a)", "DROP TABLE x")
    assert examined(path) == [("warn", "Airflow's database has no tables: the first start was cut off.")]


@pytest.mark.parametrize("wal", [False, True])
def test_tables_without_a_revision(path, wal):
    made(path, *MIGRATED[2:], wal=wal)
    assert examined(path) == [("error", "FILE is half-migrated: it has 1 tables and no revision.")]


def test_an_empty_table_of_revisions(path):
    made(path, MIGRATED[0], *MIGRATED[2:])
    assert examined(path) == [("error", "FILE is half-migrated: it has 2 tables and no revision.")]


def test_a_table_that_a_cut_off_migration_left(path):
    made(path, *MIGRATED, "CREATE TABLE _alembic_tmp_dag (id INTEGER)")
    assert examined(path) == [
        ("error", "FILE is half-migrated: _alembic_tmp_dag was left by a cut-off migration.")
    ]


@pytest.mark.parametrize("content", [b"hello", b"\x00" * 4096, os.urandom(4096), b"SQLite format 2\x00" * 9])
def test_what_is_no_database(path, content):
    path.write_bytes(content)
    assert examined(path) == [("error", "FILE is not an SQLite database.")]


def test_a_truncated_database(path):
    made(path, *MIGRATED, "CREATE TABLE big AS SELECT hex(randomblob(20000)) AS a")
    os.truncate(path, path.stat().st_size // 2)
    ((level, message),) = [found for found in examined(path) if found[0] != "ok"]
    assert level == "error"
    assert message.startswith("FILE is damaged: ")


def test_only_a_header_is_left(path):
    made(path, *MIGRATED)
    os.truncate(path, 100)
    assert [level for level, _ in examined(path)] == ["error"]


def test_a_damaged_page_is_seen_at_rest_and_left_to_the_services_at_work(path):
    made(
        path,
        "PRAGMA page_size=512",
        *MIGRATED,
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (hex(randomblob(3000)))",
    )
    with path.open("r+b") as stream:
        stream.seek(-512 * 4, os.SEEK_END)
        stream.write(b"\xff" * 512)
    assert [level for level, _ in examined(path)] == ["ok", "error"]
    assert [level for level, _ in examined(path, in_use=True)] == ["ok"]


def test_a_database_at_work_is_read_without_disturbing_it(path):
    made(path, *MIGRATED, wal=True)
    with closing(sqlite3.connect(path)) as service:
        service.execute("INSERT INTO dag (name) VALUES ('y')")  # an open transaction holds the write lock
        findings = list(examine_sqlite("Airflow", path, in_use=True))
        service.commit()
    assert [finding.level for finding in findings] == ["ok"]


def test_a_locked_database_is_said_to_be_busy(path, monkeypatch):
    monkeypatch.setattr(checks_databases, "_BUSY_SECONDS", 0.01)
    made(path, *MIGRATED)
    with closing(sqlite3.connect(path)) as service:
        service.execute("BEGIN EXCLUSIVE")
        ((level, message),) = [
            (found.level, found.message) for found in examine_sqlite("Airflow", path, in_use=True)
        ]
    assert level == "warn"
    assert "database is locked" in message


def crashed_writer(path: Path, statement: str) -> None:
    code = f"import os, sqlite3; d = sqlite3.connect({str(path)!r}); d.execute({statement!r}); d.commit(); os._exit(0)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_changes_of_a_killed_service_are_read_from_its_log(path):
    made(path, *MIGRATED, wal=True)
    crashed_writer(path, "UPDATE alembic_version SET version_num = 'd4e5f6'")
    assert examined(path) == [("ok", "Airflow's database is at revision d4e5f6.")]


def test_a_log_without_its_index_is_left_to_the_next_start(path):
    made(path, *MIGRATED, wal=True)
    crashed_writer(path, "UPDATE alembic_version SET version_num = 'd4e5f6'")
    path.with_name("airflow.db-shm").unlink()
    ((level, message),) = examined(path)
    assert level == "warn"
    assert "-wal" in message


def test_a_folder_in_place_of_the_file(path):
    path.mkdir()
    assert examined(path) == [("error", "FILE is a folder where Airflow's database should be.")]


def test_a_large_database_is_not_checked_for_ever(path, monkeypatch):
    monkeypatch.setattr(checks_databases, "_QUICK_CHECK_SECONDS", -1.0)
    made(
        path,
        *MIGRATED,
        "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 30000) SELECT i FROM n",
    )
    assert ("ok", "Airflow's database is large and was not checked to its end.") in examined(path)


def test_a_huge_database_is_not_walked_at_all(path, monkeypatch):
    monkeypatch.setattr(checks_databases, "_QUICK_CHECK_BYTES", 1000)
    made(path, *MIGRATED)
    assert ("ok", "Airflow's database is large and was not checked to its end.") in examined(path)


def test_both_databases_of_a_project_are_examined(world):
    made(world.project.airflow_database, *MIGRATED)
    made(world.project.mlflow_database, *MIGRATED[2:])
    assert [(found.level, found.message.split()[0]) for found in check_databases(world.case)] == [
        ("ok", "Airflow's"),
        ("error", str(world.project.mlflow_database).split()[0]),
    ]


def test_a_database_file_that_the_settings_name(world):
    world.settings("[airflow]\ndatabase = 'sqlite:///daten/a b.db?timeout=5'\n")
    (world.project.root / "daten").mkdir()
    made(world.project.root / "daten" / "a b.db", *MIGRATED)
    assert next(iter(check_databases(world.case))).message == "Airflow's database is at revision a1b2c3."


def test_a_database_server(world):
    world.settings(
        "[airflow]\ndatabase = 'postgresql://u:geheim@db.lan/x'\n"
        "[mlflow]\ndatabase = 'postgresql://u:geheim@db.lan:5433/x'\n"
    )
    world.change(
        connection_problem=lambda host, port: "Connection refused" if (host, port) == ("db.lan", 5433) else ""
    )
    assert [(found.level, found.message) for found in check_databases(world.case)] == [
        ("ok", "Airflow's database server db.lan:5432 answers."),
        ("error", "MLflow's database server db.lan:5433 does not answer: Connection refused."),
    ]


def test_a_database_server_behind_a_unix_socket(world):
    world.settings("[airflow]\ndatabase = 'postgresql:///x?host=/run/pg&password=geheim'\n")
    found = next(iter(check_databases(world.case)))
    assert found.level == "ok"
    assert "geheim" not in found.message
