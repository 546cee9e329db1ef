from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from airfoil.records import LeftOutColumn
from airfoil.steps.drift.category_drift import category_drift
from airfoil.steps.drift.passes import run
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit


def measured(first, second, most=100):
    tables = tuple(
        Scan.of_table(pa.table({"a": pa.array(values, pa.string())})) for values in (first, second)
    )
    return run(tables, {"a": category_drift("a", most)}, memory=2**26)["a"]


def test_the_test_is_scipys_and_the_counts_are_there():
    first, second = ["a"] * 60 + ["b"] * 40, ["a"] * 30 + ["b"] * 60 + ["c"] * 10
    found = measured(first, second)
    expected = stats.chi2_contingency(np.array([[60, 40, 0], [30, 60, 10]]), correction=False)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert [(one.value, one.reference, one.current) for one in found.categories] == [
        ("b", 40, 60),
        ("a", 60, 30),
        ("c", 0, 10),
    ]
    assert found.others is None


def test_the_rare_ones_are_told_together():
    found = measured([f"v{number % 50}" for number in range(5000)], ["v1"] * 100)
    assert len(found.categories) == 30
    assert found.others.value == "20 others"
    assert sum(one.reference for one in found.categories) + found.others.reference == 5000


def test_identifiers_are_left_out_with_the_reason():
    found = measured([str(number) for number in range(200)], ["1"], most=100)
    assert isinstance(found, LeftOutColumn)
    assert "more than 100 different values" in found.reason


def test_a_side_without_values_has_no_test():
    found = measured(["a"], [None, None])
    assert found.p_value is None
    assert found.note == "Nothing to compare: the current table has only missing values"
