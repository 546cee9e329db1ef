"""What a table of an engine is, and what becomes of an engine that fails."""

from __future__ import annotations

import math
from types import SimpleNamespace

import ibis
import pyarrow as pa
import pytest
from tests.warehouse_tables import in_spark

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.steps.warehouse.tables import (
    WarehouseTable,
    beside,
    exactly,
    is_filled,
    is_infinite,
    microseconds,
)

pytestmark = pytest.mark.unit


def test_columns_and_types_are_those_of_arrow(duck):
    table = duck(pa.table({"a": [1], "b": ["x"], "c": pa.array([1.5], pa.float32())}))
    assert table.columns == ("a", "b", "c")
    assert [str(one) for one in table.types.values()] == ["int64", "string", "float"]
    assert table.engine == "duckdb"


def test_an_engine_that_fails_is_one_sentence(duck):
    table = duck(pa.table({"a": [1]}), "orders")
    duck.connection.con.execute(f"DROP TABLE {table.table.get_name()}")
    with pytest.raises(NeighbourError, match="duckdb could not count the table orders"):
        table.ask(table.table.aggregate(n=table.table.count()))


@pytest.mark.parametrize(
    "number", [0.1, 0.1 + 0.2, 1e-300, 5e-324, 1.7976931348623157e308, -0.0, 2**53 + 1.0]
)
def test_a_number_arrives_with_all_its_bits(duck, number):
    found = duck.connection.execute(exactly(number))
    assert (found, math.copysign(1, found)) == (number, math.copysign(1, number))


def test_moments_are_counted_by_the_engine(duck):
    table = duck(pa.table({"a": pa.array([-1, 10**15 + 1], pa.timestamp("us"))}))
    found = table.ask(table.table.select(us=microseconds(table.table["a"], "duckdb")))
    assert sorted(row["us"] for row in found) == [-1, 10**15 + 1]
    with pytest.raises(ConfigurationError, match="oracle"):
        microseconds(table.table["a"], "oracle")


def test_two_tables_become_one_with_sides(duck):
    tables = [duck(pa.table({"a": values})).table for values in ([1], [2, 2])]
    found = beside(tables)
    rows = sorted((row["a"], row["side"]) for row in found.to_pyarrow().to_pylist())
    assert rows == [(1, 0), (2, 1), (2, 1)]


def test_nan_is_something_and_not_infinite(duck):
    given = [1.0, math.nan, math.inf, -math.inf, None]
    for kind in (pa.float64(), pa.float32()):
        table = duck(pa.table({"a": pa.array(given, kind)}))
        marks = table.table.select(
            filled=is_filled(table.table["a"]).fill_null(False), infinite=is_infinite(table.table["a"])
        )
        assert [row["filled"] for row in table.ask(marks)] == [True, True, True, True, False]
        assert [row["infinite"] for row in table.ask(marks)] == [False, False, True, True, None]


def test_spark_is_asked_for_infinities_and_nulls_in_words_that_it_means():
    numbers = ibis.table({"a": "float64", "b": "int64"}, name="t")
    assert "FALSE" not in in_spark(numbers.filter(is_infinite(numbers["a"])))
    assert "'inf'" in in_spark(numbers.filter(is_infinite(numbers["a"])))
    assert " OR ISNAN(" in in_spark(numbers.filter(is_filled(numbers["a"])))
    assert "ISNAN" not in in_spark(numbers.filter(is_filled(numbers["b"])))


def test_spark_counts_the_microseconds_of_a_moment_with_a_zone():
    moments = ibis.table({"a": "timestamp"}, name="t")
    said = in_spark(moments.select(us=microseconds(moments["a"], "pyspark")))
    assert "UNIX_MICROS(CAST(`t0`.`a` AS TIMESTAMP))" in said


class FakeSpark:
    """As much of Ibis's Spark as a table asks for: what was compiled, a lazy frame, its types and its rows."""

    name = "pyspark"

    def __init__(self, rows, kinds=()):
        self.rows = rows
        self.fields = [
            SimpleNamespace(name=name, dataType=SimpleNamespace(typeName=lambda kind=kind: kind))
            for name, kind in kinds
        ]

    def compile(self, question):
        return question

    def raw_sql(self, _question):
        if self.rows is None:
            message = "[TABLE_OR_VIEW_NOT_FOUND] there is no such table\nand more"
            raise ValueError(message)
        return SimpleNamespace(schema=SimpleNamespace(fields=self.fields), toArrow=lambda: self.rows)


def spark_table(backend, **columns):
    """A table that looks like one of Ibis's."""
    table = SimpleNamespace(schema=lambda: ibis.schema(columns), get_backend=lambda: backend)
    return WarehouseTable("trips", table)


def test_a_moment_of_spark_has_the_zone_that_spark_gives_it():
    backend = FakeSpark(pa.table({}), [("a", "timestamp"), ("b", "timestamp_ntz"), ("c", "long")])
    table = spark_table(backend, a="timestamp", b="timestamp", c="int64")
    assert [str(one) for one in table.types.values()] == ["timestamp[us, tz=UTC]", "timestamp[us]", "int64"]


def test_what_spark_found_comes_as_it_is():
    found = pa.table({"n": pa.array([2**53 + 1, None], pa.int64()), "v": [float("nan"), None]})
    rows = spark_table(FakeSpark(found), n="int64").ask("a question")
    assert (rows[0]["n"], rows[1]["n"], rows[1]["v"]) == (2**53 + 1, None, None)
    assert math.isnan(rows[0]["v"])


@pytest.mark.parametrize("asked", [lambda table: table.types, lambda table: table.ask("a question")])
def test_a_spark_that_fails_is_one_sentence(asked):
    with pytest.raises(NeighbourError, match=r"pyspark could not count the table trips .*no such table\)"):
        asked(spark_table(FakeSpark(None), a="int64"))
