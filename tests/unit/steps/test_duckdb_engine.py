"""An engine within its limit that leaves nothing behind."""

from __future__ import annotations

import duckdb
import pytest

from airfoil.steps.duckdb_engine import duckdb_engine, quoted

pytestmark = pytest.mark.unit


def test_it_spills_where_it_is_told_and_leaves_nothing(tmp_path):
    with duckdb_engine(tmp_path, memory_mib=50) as engine:
        assert engine.execute("SELECT 6 * 7").fetchall() == [(42,)]
        setting = engine.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
        assert setting == "50.0 MiB"
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_goes_to_disk(tmp_path):
    with duckdb_engine(tmp_path, memory_mib=60) as engine:
        engine.execute("SET threads=1")
        rows = engine.execute(
            "SELECT count(*) FROM (SELECT DISTINCT hash(i) AS h, hash(h) AS g FROM range(1_500_000) t(i))"
        ).fetchall()
    assert rows == [(1_500_000,)]


def test_a_name_is_quoted_whatever_is_in_it():
    name = 'a "b" c'
    with duckdb.connect() as engine:
        assert engine.sql(f"SELECT 1 AS {quoted(name)}").columns == [name]
