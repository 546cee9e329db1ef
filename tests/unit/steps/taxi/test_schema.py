"""The needed columns under all the names and types that they have had."""

import pyarrow as pa
import pytest

from airfoil.errors import TableError
from airfoil.steps.scans import Scan
from airfoil.steps.taxi.sample_months import VARIANTS
from airfoil.steps.taxi.schema import TripColumns, find_columns

pytestmark = pytest.mark.unit

TIME = pa.timestamp("us")
PLAIN = {
    "pickup_datetime": TIME,
    "dropOff_datetime": TIME,
    "PUlocationID": pa.int64(),
    "DOlocationID": pa.int64(),
}


def scan_of(**types):
    return Scan.of_table(pa.schema(list(types.items())).empty_table(), "trips")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_published_form_is_understood(variant):
    found = find_columns(Scan.of_table(VARIANTS[variant].schema.empty_table(), variant))
    times = VARIANTS[variant].times
    assert (found.pickup, found.dropoff) == tuple(f'"{name}"' for name in times)
    assert (found.pickup_zone, found.dropoff_zone) == ('"PULocationID"', '"DOLocationID"')
    assert found.distance == f'"{VARIANTS[variant].distance}"'


def test_names_are_compared_without_case_blanks_and_underscores():
    found = find_columns(
        scan_of(
            **{
                " Trip_Pickup_DateTime": TIME,
                "Lpep_dropoff_datetime ": TIME,
                "pu_location_id": pa.int8(),
                "DOLOCATIONID": pa.uint16(),
                "Trip Distance": pa.float64(),
            }
        )
    )
    assert found == TripColumns(
        '" Trip_Pickup_DateTime"',
        '"Lpep_dropoff_datetime "',
        '"pu_location_id"',
        '"DOLOCATIONID"',
        '"Trip Distance"',
    )


def test_without_miles_no_distance_is_needed():
    assert find_columns(scan_of(**PLAIN), with_distance=False).distance == "0::DOUBLE"
    with pytest.raises(TableError, match="no column for the distance"):
        find_columns(scan_of(**PLAIN))


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        (pa.float64(), 'TRY_CAST("PUlocationID" AS INTEGER)'),
        (pa.large_string(), 'TRY_CAST("PUlocationID" AS INTEGER)'),
        (pa.decimal128(5, 0), 'TRY_CAST("PUlocationID" AS INTEGER)'),
        (pa.dictionary(pa.int8(), pa.string()), 'TRY_CAST("PUlocationID" AS INTEGER)'),
        (pa.int16(), '"PUlocationID"'),
    ],
)
def test_another_type_is_made_the_one_that_is_needed(kind, sql):
    assert find_columns(scan_of(**PLAIN | {"PUlocationID": kind}), with_distance=False).pickup_zone == sql


def test_moments_of_a_zone_and_of_text_are_read_as_the_file_has_them():
    types = PLAIN | {
        "pickup_datetime": pa.timestamp("ns", "America/New_York"),
        "dropOff_datetime": pa.string(),
    }
    found = find_columns(scan_of(**types), with_distance=False)
    assert found.pickup == 'make_timestamp(epoch_ns("pickup_datetime") // 1000)'
    assert found.dropoff == 'TRY_CAST("dropOff_datetime" AS TIMESTAMP)'


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("PUlocationID", pa.null(), "holds no values"),
        ("PUlocationID", pa.bool_(), "is bool, and should be the number of a zone"),
        ("dropOff_datetime", pa.int64(), "is int64, and should be a time"),
        ("trip_miles", pa.list_(pa.float64()), "should be a distance"),
    ],
)
def test_a_type_that_cannot_be_it_is_told(name, kind, message):
    with pytest.raises(TableError, match=message):
        find_columns(scan_of(**PLAIN | {"trip_miles": pa.float64()} | {name: kind}))


def test_files_before_there_were_zones_are_told_apart():
    old = {"Trip_Pickup_DateTime": TIME, "Trip_Dropoff_DateTime": TIME, "Start_Lon": pa.float64()}
    with pytest.raises(TableError, match="until 2010 the city published coordinates") as caught:
        find_columns(scan_of(**old))
    assert "Start_Lon" in caught.value.next_move


def test_two_columns_for_the_same_are_too_many():
    with pytest.raises(TableError, match="more than one column for the pickup zone"):
        find_columns(scan_of(**PLAIN | {"PULocationID": pa.int64()}), with_distance=False)
