"""Snapshots: complete or absent, private, the last few, and what pg_dump says."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from airfoil.errors import StorageError
from airfoil.stack import snapshots
from airfoil.stack.project import Project
from airfoil.stack.versions import Versions

pytestmark = pytest.mark.unit

OLD = Versions("0.1.0", "3.3.1", "3.17.1")
SERVERS = {"Airflow": "postgresql+psycopg2://air:pa%40ss@db.example:5433/air?sslmode=require"}


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project(tmp_path / "Läden 100%")
    made.airflow_home.mkdir(parents=True)
    made.secrets.write_text('{"fernet_key": "x"}')
    with closing(sqlite3.connect(made.airflow_database)) as database, database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table dag (id text)")
        database.execute("insert into dag values ('mine')")
    return made


def files(project: Project) -> dict[str, Path]:
    return {"airflow.db": project.airflow_database}


def test_a_snapshot_is_complete_and_private(project):
    made = snapshots.make(project, files(project), {}, OLD)
    assert made.folder.name.endswith("-from-airfoil-0.1.0-airflow-3.3.1-mlflow-3.17.1")
    names = {path.name for path in made.folder.iterdir()}
    assert {"airflow.db", "secrets.json", "versions.json", "snapshot.json", "restore.sh"} <= names
    assert {path.stat().st_mode & 0o777 for path in made.folder.iterdir()} == {0o600}
    assert made.folder.stat().st_mode & 0o777 == 0o700
    with closing(sqlite3.connect(made.folder / "airflow.db")) as database:
        assert database.execute("select id from dag").fetchall() == [("mine",)]
    assert snapshots.found_in(project) == [made]
    assert made.size_bytes > 4096
    assert json.loads((made.folder / "versions.json").read_text()) == OLD.known()


def test_rows_that_a_running_service_has_just_written_are_in_it(project):
    with closing(sqlite3.connect(project.airflow_database)) as live:
        live.execute("insert into dag values ('new')")
        live.commit()
        made = snapshots.make(project, files(project), {}, OLD)
    with closing(sqlite3.connect(made.folder / "airflow.db")) as database:
        assert database.execute("select count(*) from dag").fetchone() == (2,)


def test_a_damaged_database_is_copied_as_it_is(project):
    project.airflow_database.write_bytes(b"damaged" * 1000)
    made = snapshots.make(project, files(project), {}, OLD)
    assert (made.folder / "airflow.db").read_bytes() == b"damaged" * 1000


def test_the_last_few_are_kept_and_what_is_not_ours_stays(project):
    (project.snapshots / "my own copy").mkdir(parents=True)
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "snapshot.json").write_text('{"versions": {}}')
    (project.snapshots / "0-a-link").symlink_to(elsewhere)
    made = [snapshots.make(project, files(project), {}, OLD) for _ in range(snapshots.KEPT + 2)]
    assert snapshots.found_in(project) == made[-snapshots.KEPT :]
    assert (project.snapshots / "my own copy").is_dir()
    assert (elsewhere / "snapshot.json").exists()


def test_what_a_killed_attempt_left_is_no_snapshot_and_goes(project):
    partial = project.snapshots / ".partial-20260101T000000Z-1"
    partial.mkdir(parents=True)
    (partial / "snapshot.json").write_text('{"versions": {}}')
    assert snapshots.found_in(project) == []
    snapshots.make(project, files(project), {}, OLD)
    assert not partial.exists()


def test_a_file_that_vanishes_is_one_sentence_and_leaves_nothing(project):
    with pytest.raises(StorageError):
        snapshots.make(project, {"airflow.db": project.root / "absent" / "x.db"}, {}, OLD)
    assert list(project.snapshots.iterdir()) == []


# -- databases on servers


@pytest.fixture
def pg_dump(tmp_path, monkeypatch):
    """A pg_dump that writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def install(script: str) -> Path:
        tool = folder / "pg_dump"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o700)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return folder / "called"

    return install


def test_a_database_on_a_server_is_dumped_without_its_password_in_the_argument_list(project, pg_dump):
    called = pg_dump('echo "$PGPASSWORD|$*" > "$(dirname "$0")/called"; echo dump > "${3#--file=}"')
    made = snapshots.make(project, {}, SERVERS, OLD)
    password, words = called.read_text().strip().split("|")
    assert password == "pa@ss"
    assert "pa@ss" not in words
    assert "pa%40ss" not in words
    assert "--dbname=postgresql://air@db.example:5433/air?sslmode=require" in words
    assert (made.folder / "airflow.pgdump").read_text() == "dump\n"
    assert (made.folder / "airflow.pgdump").stat().st_mode & 0o777 == 0o600
    assert made.left_out == ()
    assert "pa%40ss" not in (made.folder / "restore.sh").read_text()


def test_a_dump_that_fails_is_said_with_what_to_do(project, pg_dump):
    pg_dump('echo half > "${3#--file=}"; echo "pg_dump: error: server version mismatch" >&2; exit 1')
    made = snapshots.make(project, {}, SERVERS, OLD)
    ((what, said),) = made.left_out
    assert "Airflow's database postgresql+psycopg2://air:***@db.example:5433/air" in what
    assert "server version mismatch. Make a copy yourself: `pg_dump --format=custom" in said
    assert "pa%40ss" not in what + said
    assert not (made.folder / "airflow.pgdump").exists()
    assert snapshots.found_in(project)[0].left_out == made.left_out


def test_without_pg_dump_it_is_said(project, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    ((_, said),) = snapshots.make(project, {}, SERVERS, OLD).left_out
    assert "`pg_dump` is not installed" in said


def test_two_within_a_second_have_names_of_their_own(project, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda *_: "20260101T000000Z")
    names = {snapshots.make(project, {}, {}, OLD).folder.name for _ in range(2)}
    assert len(names) == 2
