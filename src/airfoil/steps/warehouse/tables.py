"""A table of an engine that Ibis speaks to: what it is called, its columns and types, and how to ask for numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from airfoil.errors import AirfoilError, ConfigurationError, NeighbourError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

MICROSECONDS: Mapping[str, str] = {
    "duckdb": "epoch_us",
    "pyspark": "unix_micros",
}
"""The function of an engine that gives the microseconds since 1970 of a moment."""
COLUMNS_AT_A_TIME = 100
"""So many are asked about in one query."""
SPARK = "pyspark"
"""What Ibis calls Spark."""


@dataclass(frozen=True)
class WarehouseTable:
    """A table that stays where it is."""

    name: str
    """What the table is called in reports and errors."""
    table: ir.Table = field(repr=False)

    @cached_property
    def schema(self) -> pa.Schema:
        """Its columns as Arrow has them."""
        import pyarrow as pa

        try:
            schema = self.table.schema().to_pyarrow()
        except (NotImplementedError, TypeError, pa.ArrowInvalid) as error:
            raise ConfigurationError(
                f"The table {self.name} has columns that Arrow has no type for ({error})",
                "Leave them out: hand in a selection.",
            ) from error
        # Ibis has one type for Spark's moments, whether they stand in a zone or in none.
        zoned = self._zoned_in_spark() if self.engine == SPARK else frozenset()
        instant = pa.timestamp("us", "UTC")
        return pa.schema([one.with_type(instant) if one.name in zoned else one for one in schema])

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self.schema.names)

    @cached_property
    def types(self) -> Mapping[str, pa.DataType]:
        """The type of each column, in order."""
        return MappingProxyType({column.name: column.type for column in self.schema})

    @property
    def engine(self) -> str:
        """What the engine is called, as Ibis does."""
        return str(self.table.get_backend().name)

    def rows(self) -> int:
        """Have the engine count the rows."""
        return int(self.ask(self.table.aggregate(rows=self.table.count()))[0]["rows"])

    def ask(self, question: ir.Expr) -> list[dict[str, Any]]:
        """Have the engine compute a small table, and return its rows."""
        return list(self.fetch(question).to_pylist())

    def fetch(self, question: ir.Expr) -> pa.Table:
        """Have the engine compute a table, as Arrow's."""
        try:
            # Ibis brings what Spark has found by way of pandas, where an integer that may lack becomes a float.
            return self._in_spark(question).toArrow() if self.engine == SPARK else question.to_pyarrow()
        except AirfoilError:
            raise
        except Exception as error:  # every engine has errors of its own, and Ibis passes them on as they are
            raise self._failed(error) from error

    def _in_spark(self, question: ir.Expr) -> Any:
        """Return a question as a frame of Spark's, which has run nothing yet."""
        backend = self.table.get_backend()
        return backend.raw_sql(backend.compile(question))

    def _zoned_in_spark(self) -> frozenset[str]:
        """Return which columns hold moments of the whole world and not of some wall clock."""
        try:
            fields = self._in_spark(self.table).schema.fields
        except Exception as error:  # as in `fetch`
            raise self._failed(error) from error
        return frozenset(one.name for one in fields if one.dataType.typeName() == "timestamp")

    def _failed(self, error: Exception) -> NeighbourError:
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        return NeighbourError(
            f"{self.engine} could not count the table {self.name} ({type(error).__name__}: {said[:200]})",
            "Its own log tells more.",
        )


def microseconds(moment: ir.TimestampValue, engine: str) -> ir.IntegerValue:
    """Return the microseconds since 1970 of a moment, as an engine computes them."""
    import ibis
    import ibis.expr.datatypes as types

    if engine not in MICROSECONDS:
        raise ConfigurationError(
            f"How {engine} counts microseconds is not known here", "Leave columns of moments out."
        )

    def since_1970(moment: Any) -> Any:
        """Stand for the engine's own function."""

    since_1970.__name__ = MICROSECONDS[engine]
    if engine == SPARK:
        # The function wants a moment with a zone; that of a session of Ibis is UTC.
        moment = moment.cast(types.Timestamp(timezone="UTC"))
    known = ibis.udf.scalar.builtin(
        since_1970, signature=((types.Timestamp(timezone=moment.type().timezone),), types.int64)
    )
    return known(moment)


def exactly(number: float) -> ir.FloatingValue:
    """Return a number that every engine reads as the same 64 bits: out of text, not as a decimal of its own."""
    import ibis

    return ibis.literal(repr(float(number))).cast("float64")


def is_infinite(number: ir.FloatingValue) -> ir.BooleanValue:
    """Return whether a number is infinite; Ibis's own `isinf` is never true in Spark."""
    return number.cast("float64").abs() == exactly(math.inf)


def is_filled(column: ir.Column) -> ir.BooleanValue:
    """Return whether there is anything, NaN too; Ibis's own `notnull` takes NaN for nothing in Spark alone."""
    return column.notnull() | column.isnan() if column.type().is_floating() else column.notnull()


def beside(tables: Sequence[ir.Table]) -> ir.Table:
    """Return the rows of both tables, with a column `side`: 0 for the first."""
    import ibis

    return ibis.union(
        *(table.mutate(side=ibis.literal(number, "int8")) for number, table in enumerate(tables))
    )
