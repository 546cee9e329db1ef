"""What people count."""

from __future__ import annotations

import pytest
from tests.backup_shop import make_database

from airfoil.stack.backup import counts, sqlite_copies

pytestmark = pytest.mark.unit


def test_runs_versions_connections_and_the_ledger_are_counted(shop, tmp_path):
    copies = {}
    for part, path in {"airflow": shop.airflow_database, "mlflow": shop.mlflow_database}.items():
        copies[part] = tmp_path / f"{part}.db"
        sqlite_copies.copy(path, copies[part], part)
    assert counts.count(copies) == {
        "dag runs": 3,
        "task instances": 2,
        "connections": 2,
        "variables": 1,
        "experiments": 2,
        "runs": 3,
        "models": 1,
        "model versions": 1,
        "aliases": 1,
        "ledger entries": 2,
    }


def test_what_is_not_there_is_not_counted(tmp_path):
    make_database(tmp_path / "a.db", "create table dag_run (n integer)")
    sqlite_copies.copy(tmp_path / "a.db", tmp_path / "copy", "it")
    assert counts.count({"airflow": tmp_path / "copy", "feast_online": tmp_path / "copy"}) == {"dag runs": 0}
