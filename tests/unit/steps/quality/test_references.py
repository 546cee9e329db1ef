"""Values that stand nowhere else are counted and shown."""

from __future__ import annotations

import pyarrow as pa
import pytest

from airfoil.errors import ConfigurationError
from airfoil.steps.duckdb_engine import duckdb_engine
from airfoil.steps.quality.contract import ForeignKey
from airfoil.steps.quality.references import find_strays
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit

TRIPS = Scan.of_table(pa.table({"zone": [1, 2, 2, 9, 9, 9, None, 8], "Zone": list("aabbbccc")}), "trips")
ZONES = Scan.of_table(pa.table({"id": [1, 1, 2, None], "letter": list("abcd")}), "zones")


def strays(key, **options):
    with duckdb_engine() as engine:
        return find_strays(TRIPS, ZONES, key, engine, **options)


def test_rows_that_refer_to_nothing_are_counted_and_the_commonest_shown():
    key = ForeignKey(columns=("zone",), table="zones", references=("id",))
    assert strays(key, examples=1) == (7, 4, ({"times": 3, "zone": 9},))
    assert strays(key)[2] == ({"times": 3, "zone": 9}, {"times": 1, "zone": 8})


def test_a_key_of_two_columns_is_compared_as_a_whole():
    key = ForeignKey(columns=("zone", "Zone"), table="zones", references=("id", "letter"))
    assert strays(key)[:2] == (7, 6)


def test_a_column_that_the_other_table_lacks_is_named():
    with pytest.raises(ConfigurationError, match="zones has no column 'zone'"):
        strays(ForeignKey(columns=("zone",), table="zones"))
