"""Which rows are trips, whatever file they come from."""

import datetime as dt

import pyarrow as pa
import pytest

from airfoil.errors import TableError
from airfoil.steps.scans import Scan
from airfoil.steps.taxi.sample_months import VARIANTS
from airfoil.steps.taxi.trips import no_trips, open_trips

pytestmark = pytest.mark.unit


def rows_of(*scans, **options):
    with open_trips(scans, **options) as found:
        return found.order("ALL").fetchall()


def test_trips_last_from_one_to_sixty_minutes_both_included(trips):
    minutes = [0, 59 / 60, 1, 30, 60, 60 + 1 / 60, -5, 1440]
    found = rows_of(trips(*[(1, 2, one, 1.0) for one in minutes]))
    assert [row[3] / 60e6 for row in found] == [1, 30, 60]
    assert {row[4] for row in found} == {8}


def test_what_does_not_say_where_or_how_far_is_no_trip(trips):
    scan = trips(
        (None, 2, 5, 1.0),
        (1, None, 5, 1.0),
        (1, 2, 5, None),
        (1, 2, 5, float("nan")),
        (-1, 2, 5, 1.0),
        (1, 2, 5, 3.0),
    )
    assert [row[2] for row in rows_of(scan)] == [3.0]
    assert len(rows_of(scan, with_distance=False)) == 3


@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"yellow-2024"}))
def test_the_same_trips_are_read_from_every_published_form(variant, month):
    assert rows_of(month(variant=variant, rows=2000)) == rows_of(month(rows=2000))


def test_months_of_different_forms_are_read_as_one(month):
    first, second = month(1, rows=1500), month(2, variant="green-2019", rows=1500)
    assert rows_of(first, second) == sorted(rows_of(first) + rows_of(second))


def test_text_numbers_and_moments_of_a_zone_are_understood():
    begin = dt.datetime(2024, 7, 1, 23, 30, tzinfo=dt.UTC)
    table = pa.table(
        {
            "pickup_datetime": pa.array([begin, begin], pa.timestamp("ns", "UTC")),
            "dropoff_datetime": ["2024-07-01 23:45:00", "soon"],
            "PULocationID": [132.0, 1.0],
            "DOLocationID": ["7", "x"],
            "trip_miles": pa.array([2.5, 1.0], pa.float32()),
            "airport_fee": [1.0, 1.0],
            "Airport_fee": [1.0, 1.0],
        }
    )
    assert rows_of(Scan.of_table(table)) == [(132, 7, 2.5, 15 * 60_000_000, 23)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_of_every_unit_are_understood(unit, zone, trips):
    table = trips((1, 2, 12, 1.0)).backing.table
    for place in (0, 1):
        table = table.set_column(
            place,
            table.column_names[place],
            table[place].cast(pa.timestamp(unit)).cast(pa.timestamp(unit, zone)),
        )
    assert rows_of(Scan.of_table(table)) == [(1, 2, 1.0, 12 * 60_000_000, 8)]


def test_an_empty_month_and_no_month_are_told(trips):
    assert "no trip of 1 to 60 minutes in january, which has 1 rows" in str(
        no_trips([trips((1, 2, 90, 1), name="january")])
    )
    with pytest.raises(TableError, match="no table was named"), open_trips([]):
        pass
