"""Sums by pair of zones, both ways: they agree on every published form, and on rows that are no trips."""

import numpy as np
import pyarrow as pa
import pytest

from airfoil.steps.scans import Scan
from airfoil.steps.taxi.pair_sums import DENSE_ZONES, dense_sums, grouped_sums, joined
from airfoil.steps.taxi.sample_months import VARIANTS

pytestmark = pytest.mark.unit

NAMES = ("tpep_pickup_datetime", "tpep_dropoff_datetime", "PULocationID", "DOLocationID", "trip_distance")
MINUTE_NS = 60 * 10**9


def grouped(scan, *, with_distance=True):
    return grouped_sums(scan, with_distance=with_distance, folder=None, memory_mib=100, threads=1)


def assert_equal(dense, other):
    order = np.argsort(other.pairs)
    for name in ("pairs", "trips", "microseconds"):
        assert getattr(dense, name).tolist() == getattr(other, name)[order].tolist(), name
    assert dense.distance == pytest.approx(other.distance[order], rel=1e-12)
    for name in ("squared_minutes", "squared_distance", "minutes_by_distance"):
        assert getattr(dense, name) == pytest.approx(getattr(other, name), rel=1e-12), name


def table(*rows, unit="us"):
    """Trips as (pickup zone, drop-off zone, minutes, miles), any of them missing."""
    begin = MINUTE_NS * 28_000_000
    ends = [None if row[2] is None else begin + round(row[2] * MINUTE_NS) for row in rows]
    columns = [
        pa.array([begin] * len(rows), pa.timestamp("ns")).cast(pa.timestamp(unit)),
        pa.array(ends, pa.timestamp("ns")).cast(pa.timestamp(unit)),
        pa.array([row[0] for row in rows], pa.int32()),
        pa.array([row[1] for row in rows], pa.int32()),
        pa.array([row[3] for row in rows], pa.float64()),
    ]
    return Scan.of_table(pa.table(columns, names=NAMES))


@pytest.mark.parametrize("with_distance", [True, False])
@pytest.mark.parametrize("variant", VARIANTS)
def test_both_ways_agree_on_every_published_form(month, variant, with_distance):
    scan = month(variant=variant)
    assert_equal(dense_sums(scan, with_distance=with_distance), grouped(scan, with_distance=with_distance))


def test_what_must_be_converted_first_is_left_to_the_other_way():
    text = pa.table([pa.array(["1"]) for _ in NAMES], names=NAMES)
    assert dense_sums(Scan.of_table(text), with_distance=True) is None


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_moments_of_any_unit_are_microseconds(unit):
    scan = table((1, 2, 10, 1.5), (1, 2, 1.5, 1.0), unit=unit)
    found = dense_sums(scan, with_distance=True)
    assert found.microseconds.tolist() == [690e6]
    assert_equal(found, grouped(scan))


def test_a_row_that_is_no_trip_is_in_no_sum():
    odd = float("nan"), float("inf"), None
    nones = [(1, 2, 0.99, 1.0), (1, 2, 60.01, 1.0), (1, 2, -5, 1.0), (1, 2, None, 1.0), (None, 2, 9, 1.0)]
    scan = table(
        (1, 2, 10, 1.5), *nones, (1, None, 9, 1.0), *((1, 2, 9, miles) for miles in odd), (3, 1, 60, 0)
    )
    found = dense_sums(scan, with_distance=True)
    assert found.trips.tolist() == [1, 1]
    assert_equal(found, grouped(scan))
    assert dense_sums(scan, with_distance=False).trips.tolist() == [4, 1]


@pytest.mark.parametrize("zone", [-1, DENSE_ZONES, 9_999, 2**31 - 1])
def test_a_zone_without_a_place_is_left_to_the_other_way(zone):
    assert dense_sums(table((1, 2, 10, 1.5), (zone, 2, 10, 1.5)), with_distance=True) is None
    assert dense_sums(table((DENSE_ZONES - 1, 0, 10, 1.5)), with_distance=True).trips.tolist() == [1]


def test_sums_of_months_are_those_of_one():
    first, second = [(1, 2, 10, 1.5), (3, 1, 5, 1.0)], [(1, 2, 20, 2.5), (0, 9, 4, 0.5)]
    parts = joined([dense_sums(table(*rows), with_distance=True) for rows in (first, second)])
    assert_equal(parts, dense_sums(table(*first, *second), with_distance=True))
