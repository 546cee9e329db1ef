"""Made-up months: the same for everybody, in the forms that were published."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.taxi.months import Month
from airfoil.steps.taxi.sample_months import VARIANTS, sample_month, variant_of

pytestmark = pytest.mark.unit

MARCH = Month(year=2024, number=3)


def made(rows=5000, **options):
    return pa.Table.from_batches(sample_month(MARCH, rows, **options))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_month_has_the_columns_and_types_of_its_form(variant):
    assert made(200, variant=variant).schema == variant_of(variant).schema


def test_forms_are_those_that_the_city_published():
    types = {name: dict(form.types) for name, form in VARIANTS.items()}
    assert types["yellow-2019"]["airport_fee"] == "null"
    assert types["yellow-2022"]["PULocationID"] == "int64"
    assert types["yellow-2024"]["PULocationID"] == "int32"
    assert "Airport_fee" in types["yellow-2024"]
    assert len(types["yellow-2024"]) == 19
    assert len(types["green-2024"]) == 20
    assert "cbd_congestion_fee" in types["yellow-2025"]


def test_the_same_seed_gives_the_same_trips_and_another_others():
    assert made().equals(made())
    assert not made().equals(made(seed=1))


def test_trips_begin_in_their_month_and_some_are_odd():
    table = made(20_000)
    begins = table["tpep_pickup_datetime"]
    assert {value.month for value in begins.to_pylist()} == {3}
    seconds = pc.divide(pc.subtract(table["tpep_dropoff_datetime"], begins).cast("int64"), 1_000_000)
    kept = pc.and_(pc.greater_equal(seconds, 60), pc.less_equal(seconds, 3600))
    assert 0.95 < pc.sum(kept).as_py() / 20_000 < 0.99
    assert table["passenger_count"].null_count > 100
    assert table["PULocationID"].null_count == 0


def test_rows_come_in_batches():
    assert [batch.num_rows for batch in sample_month(MARCH, 1050, batch_rows=500)] == [500, 500, 50]


def test_an_unknown_form_is_told():
    with pytest.raises(ConfigurationError, match="published as 'blue'"):
        made(variant="blue")
