from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from airfoil.steps.anomaly.features import Features
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit


def test_columns_become_numbers_with_nan_for_what_is_missing():
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    scan = Scan.of_table(
        pa.table(
            {
                "f": [1.5, None, float("nan"), float("inf")],
                "i": pa.array([1, None, 3, 4], pa.int16()),
                "t": pa.array([moment, None, moment, moment], pa.timestamp("ms", "UTC")),
                "d": pa.array([Decimal("1.25"), None, None, Decimal("0.01")], pa.decimal128(6, 2)),
                "k": pa.array([7, None, 7, 9]).dictionary_encode(),
                "s": ["a", "b", "c", "d"],
                "n": [[1]] * 4,
            }
        )
    )
    features = Features.of([scan, scan])
    (rows,) = features.batches(scan)
    seconds, nan = moment.timestamp(), np.nan
    expected = [
        [1.5, 1, seconds, 1.25, 7],
        [nan, nan, nan, nan, nan],
        [nan, 3, seconds, nan, 7],
        [np.inf, 4, seconds, 0.01, 9],
    ]
    np.testing.assert_allclose(rows, expected)
    assert [one.name for one in features.left_out] == ["s", "n"]
    assert features.left_out[0].reason == "is no number: string"


def test_a_column_that_one_table_lacks_is_left_out():
    first = Scan.of_table(pa.table({"a": [1]}), "old")
    second = Scan.of_table(pa.table({"a": [1], "b": [2]}), "new")
    features = Features.of([first, second])
    assert list(features.readings) == ["a"]
    assert features.left_out[0].reason == "is not in old"
    assert list(features.without({"a": "is empty"}).readings) == []
