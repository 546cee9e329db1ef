"""The same tables in memory, in DuckDB and in Spark, and what must be equal between what is counted there."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from airfoil.steps.quality.contract import Contract
from airfoil.steps.warehouse.tables import WarehouseTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.records import QualityReport
    from airfoil.steps.drift.report import DriftReport

AT = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
CONTRACT = Contract.of(
    {
        "columns": {
            "id": {"type": "integer", "nullable": False, "unique": True},
            "fare": {"type": "float", "at_least": 0, "at_most": 200.5, "finite": True, "most_missing": 0.05},
            "distance": {"type": "float", "at_least": 0.0, "tolerance": 0.02},
            "seats": {"type": "integer", "at_least": 0.5, "at_most": 6, "one_of": [1, 2, 3, 4]},
            "zone": {"type": "text", "matches": "[A-Z][0-9]{1,2}", "one_of": ["A1", "B2", "C33"]},
            "note": {"type": "integer"},
            "paid": {"type": "boolean", "nullable": False},
            "price": {"type": "decimal", "at_least": 1.25},
            "day": {"type": "date", "at_least": "2026-01-05"},
            "at": {"type": "timestamp", "at_most": "2026-01-20T00:00:00+00:00"},
            "gone": {"required": True},
        },
        "other_columns": "refuse",
        "rows": {"at_least": 10, "at_most": 10_000_000},
        "keys": [["zone", "day"]],
        "most_duplicates": 0.0,
        "freshness": {"column": "at", "hours": 24},
        "foreign_keys": [{"columns": ["zone"], "table": "zones", "tolerance": 0.1}],
    }
)
ZONES = pa.table({"zone": ["A1", "B2", None, "B2"]})
HARD = pa.table(
    {
        "float": [math.nan, math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, None],
        "small": pa.array([math.nan, 0.1, 0.3, math.inf, -0.1, None, 1.5, 0.1], pa.float32()),
        "whole": [2**63 - 1, -(2**63), 2**53 + 1, 2**53, 0, 1, None, None],
        "tiny": pa.array([-128, 127, 0, 1, None, 2, 3, 4], pa.int8()),
        "price": pa.array(
            [Decimal(one) for one in ("1.234", "1.235", "-1", "0", "0", "9", "9", "9")], pa.decimal128(12, 3)
        ),
        "text": ["A1", "A1\n", "a1", "", None, "ß", "it's", r"back\slash"],
        "digits": [
            "9223372036854775807",
            "9223372036854775808",
            " 12\t",
            "1e3",
            "nan",
            "2024-02-30",
            "+7",
            None,
        ],
        "wall": pa.array(
            [dt.datetime.fromisoformat(one) for one in ("2026-03-29T02:30:00", "9999-12-31T23:59:59.999999")]
            * 4,
            pa.timestamp("us"),
        ),
        "at": pa.array(
            [dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)] * 4,
            pa.timestamp("us", "UTC"),
        ),
        "day": pa.array([dt.date(1582, 10, 4), dt.date(9999, 12, 31), None, dt.date(1970, 1, 1)] * 2),
        "gone": pa.array([None] * 8, pa.float64()),
        "odd name *.`": [True, False, None, True, True, True, True, True],
    }
)
HARD_CONTRACT = Contract.of(
    {
        "columns": {
            "float": {
                "finite": True,
                "at_least": -1,
                "most_missing": 0.1,
                "unique": True,
                "one_of": [0, 1e300],
            },
            "small": {"finite": True, "at_most": 0.3, "one_of": [0.5, 1.5], "unique": True},
            "whole": {"at_least": -(2**63), "at_most": 2**53, "one_of": [2**53 + 1, 2**70], "unique": True},
            "tiny": {"type": "int8", "at_least": 0.5, "at_most": 2**70},
            "price": {"at_least": 1.2345, "at_most": 8.99999},
            "text": {"matches": "[A-Z][0-9]|it's", "at_least": "A", "one_of": ["A1", "it's", r"back\slash"]},
            "digits": {"type": "integer"},
            "wall": {"type": "timestamp", "at_most": "2026-03-29T02:30:00"},
            "at": {"type": "timestamp", "at_least": "2026-03-29T01:00:00+00:00"},
            "day": {"at_least": "1582-10-05", "nullable": False},
            "gone": {"type": "float", "at_least": 0, "nullable": False},
            "odd name *.`": {"one_of": [True]},
        },
        "keys": [["float", "small"], ["day", "at"]],
        "freshness": {"column": "at", "hours": 24},
    }
)


def trips(rows: int, seed: int, shift: float = 0.0) -> pa.Table:
    """Rows with everything in them that is hard: NaN, infinities, nulls, repeats, values that stand often."""
    random = np.random.default_rng(seed)
    fare = random.gamma(2.0, 9.0 + shift, rows)
    fare[random.random(rows) < 0.01] = np.nan
    fare[random.random(rows) < 0.001] = np.inf
    distance = np.round(random.exponential(3.0 + shift / 4, rows), 2) - 0.02
    start = np.datetime64("2026-01-01T00:00:00", "us")
    at = start + random.integers(0, 30 * 86_400 * 10**6, rows).astype("timedelta64[us]")
    missing = random.random(rows) < 0.02
    cents = random.integers(100, 10_000, rows)
    ids = np.arange(rows)
    ids[: rows // 100] = 7
    words = np.array(["12", " 7", "x", "1.5", ""])
    return pa.table(
        {
            "id": ids,
            "fare": pa.array(fare, mask=missing),
            "distance": distance.astype(np.float32),
            "seats": pa.array(
                random.integers(0, 6 + int(shift), rows).astype(np.int32), mask=np.roll(missing, 1)
            ),
            "zone": pa.array(
                np.array(["A1", "B2", "C33", "d4", "ß"])[random.integers(0, 5, rows)],
                mask=np.roll(missing, 2),
            ),
            "note": words[random.integers(0, 5, rows)],
            "paid": pa.array(random.random(rows) < 0.5 + shift / 50, mask=np.roll(missing, 3)),
            "price": pa.array(cents).cast(pa.decimal128(21, 2)).cast(pa.decimal128(18, 2)),
            "day": at.astype("datetime64[D]"),
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "extra": random.normal(size=rows) * 1e-3,
        }
    )


@dataclass
class DuckTables:
    """Makes tables in one DuckDB."""

    connection: Any
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, table: pa.Table, name: str = "trips") -> WarehouseTable:
        called = f"t{next(self.numbers)}"
        # By DuckDB itself: creating a table out of Arrow's trips over the parser that Ibis 12 is installed with here.
        self.connection.con.register("given", table)
        self.connection.con.execute(f"CREATE TABLE {called} AS SELECT * FROM given")  # noqa: S608 - our own name
        self.connection.con.unregister("given")
        return WarehouseTable(name, self.connection.table(called))


def in_spark(question: Any) -> str:
    """What Spark would be asked, by Ibis's compiler alone: the rest of its backend needs pyspark."""
    import ibis
    from ibis.backends.sql.compilers.pyspark import PySparkCompiler
    from ibis.config import Config

    class Options(Config):  # of the backend, as they are unless somebody sets them
        treat_nan_as_null: bool = False

    if ibis.options.pyspark is None:
        ibis.options.pyspark = Options()
    compiler = PySparkCompiler()
    return str(compiler.to_sqlglot(question).sql(compiler.dialect))


def judged(report: QualityReport) -> dict[str, Any]:
    """The part of a quality record that says something: all but rounding of means, and which examples were found."""
    said = report.to_json()
    for check in said["checks"]:
        del check["examples"]
    for column in said["columns"]:
        for name in ("mean", "deviation"):
            column[name] = None if column[name] is None else float(f"{column[name]:.6g}")
    return said


def measured(report: DriftReport) -> dict[str, Any]:
    """What a drift record says exactly: counts, statistics and p-values of every column."""
    exact = ("name", "kind", "test", "statistic", "p_value", "p_adjusted", "effect", "detectable", "note")
    said = report.to_json()
    columns = []
    for column in said["columns"]:
        found = {name: column[name] for name in exact}
        found["categories"] = column["categories"]
        for side in ("reference", "current"):
            summary = column[side]
            found[side] = {
                name: summary[name]
                for name in ("rows", "missing", "infinite", "least", "largest", "different")
            }
        columns.append(found)
    return {
        "columns": columns,
        "left_out": said["left_out"],
        "rows": [said["reference_rows"], said["current_rows"]],
    }
