"""Which registered model is tried, and where its files are."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from tests.backup_shop import MLFLOW, MODEL, make_database

from airfoil.stack.backup import models, sqlite_copies

pytestmark = pytest.mark.unit


@pytest.fixture
def database(tmp_path):
    make_database(
        tmp_path / "live.db",
        MLFLOW,
        model_versions=[
            ("wine", 2, 30, "models:/m-1", "", "READY"),
            ("copy", 1, 40, "models:/wine/1", "models:/wine/1", "READY"),
            ("gone", 1, 50, "mlflow-artifacts:/9/m", None, "READY"),
            ("failed", 1, 60, "models:/m-1", "", "FAILED"),
            ("run", 1, 5, "runs:/r1/model", None, "READY"),
        ],
    )
    sqlite_copies.copy(tmp_path / "live.db", tmp_path / "copy.db", "it")
    return tmp_path / "copy.db"


def test_the_champion_comes_first_and_then_the_newest_with_files(database):
    paths = {f"{MODEL}/MLmodel", "1/r1/artifacts/model/MLmodel"}
    shown = [one.shown for one in models.candidates(database, paths)]
    assert shown == ["wine version 1", "copy version 1", "wine version 2", "run version 1"]
    assert models.candidates(database, set()) == []


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("mlflow-artifacts:/1/a/b", "1/a/b"),
        ("mlflow-artifacts://host:5000/1/a", "1/a"),
        ("models:/m-1", MODEL),
        ("models:/m-9", ""),
        ("models:/wine/1", MODEL),
        ("runs:/r1/model", "1/r1/artifacts/model"),
        ("runs:/none/model", ""),
        ("s3://elsewhere/a", ""),
        ("", ""),
    ],
)
def test_an_address_leads_below_the_artifacts_or_elsewhere(database, address, folder):
    with closing(sqlite3.connect(database)) as opened:
        assert models.folder_of(opened, address) == folder


def test_versions_that_point_at_each_other_end(database):
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("insert into model_versions values ('a', 1, 0, 'models:/a/1', 'models:/a/1', 'READY')")
        assert models.folder_of(opened, "models:/a/1") == ""


def test_a_database_without_a_registry_has_none(tmp_path):
    make_database(tmp_path / "a.db", "create table t (n)")
    assert models.candidates(tmp_path / "a.db", {"x"}) == []
