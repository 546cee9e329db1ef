"""Small months of trips, written by hand or made up."""

import datetime as dt

import pyarrow as pa
import pytest

from airfoil.steps.scans import Scan
from airfoil.steps.taxi.months import Month
from airfoil.steps.taxi.sample_months import sample_month

BEGIN = dt.datetime(2024, 1, 5, 8)  # noqa: DTZ001 - the city's files have the time of its clocks, without a zone


@pytest.fixture
def trips():
    """A table of the trips given as (pickup zone, drop-off zone, minutes, miles)."""

    def make(*given, name="trips"):
        begins = pa.array([BEGIN] * len(given), pa.timestamp("us"))
        ends = pa.array([BEGIN + dt.timedelta(minutes=one[2]) for one in given], pa.timestamp("us"))
        return Scan.of_table(
            pa.table(
                {
                    "tpep_pickup_datetime": begins,
                    "tpep_dropoff_datetime": ends,
                    "PULocationID": pa.array([one[0] for one in given], pa.int32()),
                    "DOLocationID": pa.array([one[1] for one in given], pa.int32()),
                    "trip_distance": pa.array([one[3] for one in given], pa.float64()),
                }
            ),
            name,
        )

    return make


@pytest.fixture(scope="session")
def month():
    """A made-up month of 20,000 rows, in any published form."""

    def make(number=1, *, variant="yellow-2024", rows=20_000):
        batches = sample_month(Month(year=2024, number=number), rows, variant=variant)
        return Scan.of_table(pa.Table.from_batches(batches), f"{variant} of {number}")

    return make
