"""MLflow's database before MLflow sees it. MLflow's own part is a stand-in."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from airfoil.runtime import mlflow_database

pytestmark = pytest.mark.unit

OLD, NEW = "aaa111", "bbb222"


class Mlflow:
    """Builds and upgrades databases of one table and a revision."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.fails: BaseException | None = None
        self.heads: list[str] | None = [NEW]
        self.store = ModuleType("mlflow.store.tracking.sqlalchemy_store")
        self.store.SqlAlchemyStore = self.build  # type: ignore[attr-defined]
        for name in ("mlflow", "mlflow.store", "mlflow.store.tracking"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setitem(sys.modules, self.store.__name__, self.store)
        monkeypatch.setattr(mlflow_database, "run_upgrade", self.upgrade)
        monkeypatch.setattr(mlflow_database, "_heads_above", lambda _revision: self.heads)
        monkeypatch.setattr(mlflow_database, "_release", lambda: "3.17.2")

    def build(self, url: str, _root: str) -> Any:
        self.calls.append("build")
        return SimpleNamespace(engine=SimpleNamespace(dispose=lambda: self.write(url)))

    def upgrade(self, url: str) -> None:
        self.calls.append("upgrade")
        self.write(url)

    def write(self, url: str) -> None:
        make(Path(url.removeprefix("sqlite:///")), revision=NEW)
        if self.fails:
            raise self.fails


def make(path: Path, *, revision: str | None, rows: int = 0) -> None:
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("create table if not exists runs (id text)")
        made.executemany("insert into runs values (?)", [(str(number),) for number in range(rows)])
        if revision:
            made.execute("create table if not exists alembic_version (version_num text)")
            made.execute("delete from alembic_version")
            made.execute("insert into alembic_version values (?)", (revision,))


def rows_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("select count(*) from runs").fetchone()[0])


@pytest.fixture
def mlflow(monkeypatch) -> Mlflow:
    return Mlflow(monkeypatch)


@pytest.fixture
def database(tmp_path) -> Path:
    (tmp_path / "MLflow ü").mkdir()
    return tmp_path / "MLflow ü" / "mlflow.db"


def make_ready(database: Path) -> None:
    mlflow_database.make_ready(f"sqlite:///{database}", database.with_name("applied.json"))


def refused(database: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    with pytest.raises(SystemExit) as end:
        make_ready(database)
    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("airfoil: ")]
    assert isinstance(end.value.code, int)
    return said, end.value.code


def files(database: Path) -> list[str]:
    return sorted(path.name for path in database.parent.iterdir() if not path.name.endswith(("-shm", "-wal")))


# -- a new one


@pytest.mark.parametrize("exists", [False, True])
def test_a_new_database_is_built_aside_and_moved_into_place(mlflow, database, exists):
    if exists:
        database.touch()
    make_ready(database)
    assert files(database) == ["applied.json", "mlflow.db"]
    assert database.stat().st_mode & 0o777 == 0o600
    assert mlflow.calls == ["build"]
    assert json.loads(database.with_name("applied.json").read_text())["database"] == {
        "release": "3.17.2",
        "revision": NEW,
    }


def test_a_build_that_was_killed_is_begun_again(mlflow, database):
    mlflow.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        make_ready(database)
    assert not database.exists()
    mlflow.fails = None
    make_ready(database)
    assert files(database) == ["applied.json", "mlflow.db"]


def test_a_database_as_it_was_left_costs_nothing(mlflow, database, monkeypatch):
    make_ready(database)
    monkeypatch.setattr(mlflow_database, "_heads_above", lambda _: pytest.fail("not looked at"))
    make_ready(database)
    assert mlflow.calls == ["build"]


# -- an older one


def test_an_older_database_is_upgraded_as_a_copy(mlflow, database):
    make(database, revision=OLD, rows=7)
    make_ready(database)
    assert mlflow.calls == ["upgrade"]
    assert mlflow_database.prove(f"sqlite:///{database}") == NEW
    assert rows_of(database) == 7
    assert files(database) == ["applied.json", "mlflow.db"]


def test_an_upgrade_that_fails_leaves_the_old_one(mlflow, database):
    make(database, revision=OLD, rows=7)
    mlflow.fails = RuntimeError("no")
    with pytest.raises(RuntimeError):
        make_ready(database)
    assert mlflow_database.prove(f"sqlite:///{database}") == OLD
    assert rows_of(database) == 7
    assert files(database) == ["mlflow.db"]


def test_another_release_with_the_same_schema_changes_nothing(mlflow, database):
    make(database, revision=NEW)
    before = database.read_bytes()
    make_ready(database)
    assert mlflow.calls == []
    assert database.read_bytes() == before


def test_a_newer_one_is_refused_and_left_alone(mlflow, database, capsys):
    make(database, revision="ccc333", rows=2)
    before, mlflow.heads = database.read_bytes(), None
    said, code = refused(database, capsys)
    assert "is at schema revision ccc333, which MLflow 3.17.2 does not know" in said
    assert (code, database.read_bytes()) == (mlflow_database.EXIT_CONFIGURATION, before)


# -- what only a person can mend


def test_a_half_migrated_database_is_for_a_person(mlflow, database, capsys):
    make(database, revision=None)
    said, code = refused(database, capsys)
    assert "half-migrated" in said
    assert (code, mlflow.calls) == (mlflow_database.EXIT_CONFIGURATION, [])


def test_a_file_that_is_no_database_is_for_a_person(mlflow, database, capsys):
    database.write_bytes(b"hello " * 1000)
    said, code = refused(database, capsys)
    assert f"{database} is not a usable SQLite database (file is not a database)" in said
    assert (code, mlflow.calls) == (mlflow_database.EXIT_CONFIGURATION, [])


def test_a_server_that_does_not_answer_is_said_without_its_password_and_may_be_tried_again(capsys):
    pytest.importorskip("psycopg")
    with pytest.raises(SystemExit) as end:
        mlflow_database.prove("postgresql+psycopg://mlflow:pa55word@127.0.0.1:1/mlflow")
    said = capsys.readouterr().err
    assert "MLflow's database postgresql+psycopg://mlflow:***@127.0.0.1:1/mlflow cannot be used" in said
    assert "pa55word" not in said
    assert end.value.code == mlflow_database.EXIT_UNAVAILABLE


# -- as a program


def test_it_becomes_mlflows_own_command(mlflow, database, monkeypatch):
    became: list[Any] = []
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", f"sqlite:///{database}")
    monkeypatch.setattr(os, "execv", lambda *given: became.append(given))
    applied = str(database.with_name("applied.json"))
    monkeypatch.setattr(sys, "argv", ["x", "--applied", applied, "server", "--port", "5", "--workers", "1"])
    mlflow_database.main()
    assert mlflow.calls == ["build"]
    words = [sys.executable, "-m", "mlflow", "server", "--port", "5", "--workers", "1"]
    assert became == [(sys.executable, words)]
