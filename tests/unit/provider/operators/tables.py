"""Small tables of two kinds, usual ones and others, and where tasks of tests keep what they find."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "w"))
    return tmp_path / "w"


@pytest.fixture
def write(tmp_path):
    """How to write a table; its path."""

    def write(name, columns):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table(columns), path)
        return str(path)

    return write


def rides(seed: int, rows: int = 1000, dearer: float = 1.0):
    """Columns of made-up rides; the same seed gives the same."""
    random = np.random.default_rng(seed)
    return {
        "id": np.arange(rows),
        "fare": random.gamma(3, 5, rows) * dearer,
        "miles": random.gamma(2, 2, rows),
        "zone": random.choice(["a", "b", "c"], rows),
    }
