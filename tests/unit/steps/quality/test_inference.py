"""A contract read off a good table passes that table, and tables like it."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.steps.quality.contract import Contract
from airfoil.steps.quality.inference import infer_contract
from airfoil.steps.quality.measuring import measure
from airfoil.steps.quality.verdict import judge
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
REFERENCE = pa.table(
    {
        "trip_id": list(range(100)),
        "zone_id": [number % 7 for number in range(100)],
        "distance": [number / 10 for number in range(100)],
        "tip": [None if number % 10 else 1.5 for number in range(100)],
        "kind": ["card" if number % 3 else "cash" for number in range(100)],
        "note": [f"note {number}" for number in range(100)],
        "at": pa.array([NOW] * 100, pa.timestamp("ns", tz="UTC")),
        "nothing": pa.array([None] * 100),
    }
)


def test_what_a_table_keeps_becomes_its_contract():
    found = infer_contract(Scan.of_table(REFERENCE))
    assert found.rows.at_least == 10
    said = {name: rule.model_dump(exclude_defaults=True) for name, rule in found.columns.items()}
    assert said == {
        "trip_id": {"type": "integer", "nullable": False, "unique": True},
        "zone_id": {"type": "integer", "nullable": False},
        "distance": {"type": "float", "nullable": False, "finite": True, "at_least": 0.0, "at_most": 14.9},
        "tip": {"type": "float", "most_missing": 1.0, "finite": True, "at_least": 0.75, "at_most": 2.25},
        "kind": {"type": "text", "nullable": False, "one_of": ("card", "cash")},
        "note": {"type": "text", "nullable": False},
        "at": {"type": "timestamp", "nullable": False},
        "nothing": {},
    }
    assert Contract.of_yaml(found.to_yaml()) == found


VALUES = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), st.floats(width=64)), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), st.dates()), min_size=1, max_size=40),
)


@settings(max_examples=25, deadline=None)
@given(values=VALUES, name=st.sampled_from(["x", "x_id", "^x$", "*"]))
def test_a_table_passes_its_own_contract(values, name):
    scan = Scan.of_table(pa.table({name: values}))
    contract = infer_contract(scan)
    report = judge(contract, measure(scan, contract), NOW)
    assert report.passed, report.reason


def test_no_rows_give_a_contract_of_types_alone():
    found = infer_contract(Scan.of_table(REFERENCE.slice(0, 0)))
    assert {tuple(rule.model_dump(exclude_defaults=True)) for rule in found.columns.values()} == {
        ("type",),
        (),
    }
