"""A contract counted by DuckDB through Ibis gives the report that the scan of local tables gives."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from tests.sizes import FULL
from tests.warehouse_tables import AT, CONTRACT, HARD, HARD_CONTRACT, ZONES, judged, trips

from airfoil.errors import ConfigurationError
from airfoil.steps.quality.contract import Contract
from airfoil.steps.quality.measuring import measure
from airfoil.steps.quality.verdict import judge
from airfoil.steps.scans import Scan
from airfoil.steps.warehouse.quality import measure_in_warehouse

pytestmark = pytest.mark.unit


def both(duck, table, contract, others=None):
    """The reports of both ways."""
    local = {name: Scan.of_table(one, name) for name, one in (others or {}).items()}
    there = {name: duck(one, name) for name, one in (others or {}).items()}
    here = judge(contract, measure(Scan.of_table(table, "trips"), contract, local), AT)
    return here, judge(contract, measure_in_warehouse(duck(table), contract, there), AT)


def test_a_table_with_everything_that_is_hard(duck):
    here, there = both(duck, trips(3000, 1), CONTRACT, {"zones": ZONES})
    assert judged(there) == judged(here)
    assert len(here.failures) > 8


@pytest.mark.parametrize("rows", [8, 0])
def test_values_that_engines_take_for_different_things(duck, rows):
    here, there = both(duck, HARD.slice(0, rows), HARD_CONTRACT)
    assert judged(there) == judged(here)


def test_examples_tell_how_often_a_value_stands_there(duck):
    _, there = both(duck, trips(3000, 1), CONTRACT, {"zones": ZONES})
    by_check = {(check.check, check.columns): check.examples for check in there.checks}
    assert by_check["set", ("zone",)][0]["zone"] in {"d4", "ß"}
    assert by_check["key", ("id",)] == ({"times": 30, "id": 7},)
    assert {row["zone"] for row in by_check["foreign_key", ("zone",)]} == {"C33", "d4", "ß"}


@pytest.mark.parametrize(
    "columns",
    [
        {"a": pa.array([], pa.float64())},
        {"a": pa.array([None, None], pa.float64()), "b": pa.array([None, None], pa.string())},
        {"a": [1.5]},
        {"a": [float("nan"), float("inf"), float("-inf"), None]},
        {"odd name *": [1, 2], "^a$": ["x", "y"], "rows": [1, 1]},
    ],
)
def test_little_tables(duck, columns):
    contract = Contract.of(
        {"rows": {"at_least": 0}, "columns": {name: {"nullable": False} for name in columns}}
    )
    here, there = both(duck, pa.table(columns), contract)
    assert judged(there) == judged(here)


_FLOATS = some.lists(some.none() | some.floats() | some.sampled_from([0.0, -0.0, 0.1, 0.3, 1.0]), min_size=1)


@settings(
    max_examples=15 if FULL else 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=_FLOATS, bound=some.floats(allow_nan=False, allow_infinity=False, width=32))
def test_any_numbers_and_any_bound(duck, values, bound):
    table = pa.table({"a": pa.array(values, pa.float64())})
    rules = {"at_least": bound, "finite": True, "most_missing": 0.3, "one_of": [0.1, bound], "unique": True}
    here, there = both(duck, table, Contract.of({"columns": {"a": rules}}))
    assert [(one.outcome, one.checked, one.failed, one.reason) for one in there.checks] == [
        (one.outcome, one.checked, one.failed, one.reason) for one in here.checks
    ]


@settings(
    max_examples=15 if FULL else 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=some.lists(some.none() | some.integers(-(2**63), 2**63 - 1), min_size=1),
    bound=some.floats(-1e30, 1e30) | some.integers(-(2**70), 2**70),
)
def test_any_integers_and_any_bound(duck, values, bound):
    table = pa.table({"a": pa.array(values, pa.int64())})
    contract = Contract.of({"columns": {"a": {"at_most": bound, "one_of": [0, 1.5, 2**62], "unique": True}}})
    here, there = both(duck, table, contract)
    assert [(one.outcome, one.failed) for one in there.checks] == [
        (one.outcome, one.failed) for one in here.checks
    ]


def test_a_table_that_is_referred_to_and_not_handed_in(duck):
    with pytest.raises(ConfigurationError, match="zones"):
        measure_in_warehouse(duck(trips(10, 1)), CONTRACT)


def test_the_schema_alone_needs_no_other_table(duck):
    found = measure_in_warehouse(duck(trips(10, 1)), CONTRACT, part="schema")
    assert found.duplicate_rows is None
    assert {question.check for question in found.questions} == {"column", "other_columns", "type", "missing"}


def test_nested_columns_are_not_compared(duck):
    found = measure_in_warehouse(duck(pa.table({"a": [[1], [1]]})), Contract.of({"columns": {"a": {}}}))
    assert (found.rows, found.duplicate_rows) == (2, None)
