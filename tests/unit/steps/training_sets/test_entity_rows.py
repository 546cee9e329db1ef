"""Rows of tomorrow, and none at all, are refused before anything is joined."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from airfoil.errors import TableError
from airfoil.steps.scans import Scan
from airfoil.steps.training_sets.entity_rows import require_past_rows

pytestmark = pytest.mark.unit
NOW = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


def rows(moments, kind=None):
    return Scan.of_table(pa.table({"at": pa.array(moments, kind)}), "orders")


@pytest.mark.parametrize(
    "kind",
    [
        pa.timestamp("s"),
        pa.timestamp("ms", "UTC"),
        pa.timestamp("us", "Asia/Tokyo"),
        pa.timestamp("ns", "UTC"),
        pa.date32(),
    ],
)
def test_past_rows_are_counted_whatever_the_unit(kind):
    past = [NOW - dt.timedelta(days=1), NOW - dt.timedelta(days=900), None]
    moments = [one and (one if kind != pa.date32() else one.date()) for one in past]
    table = pa.array([one.replace(tzinfo=None) if isinstance(one, dt.datetime) else one for one in moments])
    assert require_past_rows(rows(table.cast(kind)), "at", NOW) == 3


@pytest.mark.parametrize("kind", [pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC"), pa.timestamp("ms")])
def test_rows_of_tomorrow_are_told_with_the_latest(kind):
    moments = [NOW, NOW + dt.timedelta(days=1), NOW + dt.timedelta(days=400)]
    plain = pa.array([one.replace(tzinfo=None) for one in moments]).cast(kind)
    with pytest.raises(
        TableError, match=r"2 of 3 entity rows in orders lie in the future \(the latest at 2027-02-09"
    ):
        require_past_rows(rows(plain), "at", NOW)


def test_a_clock_may_be_a_little_ahead():
    assert require_past_rows(rows([NOW + dt.timedelta(minutes=4)]), "at", NOW) == 1


@pytest.mark.parametrize(
    ("scan", "message"),
    [
        (rows([], pa.timestamp("us")), "no entity rows in orders"),
        (rows(["monday"]), "holds String, not moments"),
        (Scan.of_table(pa.table({"x": [1]}), "orders"), "orders have no column 'at'"),
    ],
)
def test_what_cannot_be_looked_at_is_said(scan, message):
    with pytest.raises(TableError, match=message):
        require_past_rows(scan, "at", NOW)


def test_moments_that_are_all_unknown_are_not_of_tomorrow():
    assert require_past_rows(rows([None, None]), "at", NOW) == 2
