"""What to count, as polars expressions: the statistics of a column, and the rows that break a rule. Runs nothing.

Columns are addressed under plain names (`c0`, `c1`), because polars reads some names of columns as patterns.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from airfoil.errors import ConfigurationError
from airfoil.steps.quality.column_types import NUMBERS, kind_of, moment_of, wanted_kind

if TYPE_CHECKING:
    import pyarrow as pa

    from airfoil.steps.quality.questions import Question

SHOWN_CHARACTERS = 100
# polars counts in milliseconds where Arrow counts in seconds.
_PER_SECOND = {"s": 10**3, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MOST_PLACES = 20


def statistics(alias: str, arrow_type: pa.DataType) -> dict[str, pl.Expr]:
    """Return what is measured of a column, by the name that a profile gives it."""
    kind, column = kind_of(arrow_type), pl.col(alias)
    found = {"missing": column.null_count()}
    if kind == "float":
        column = pl.when(column.is_finite()).then(column)
        found["missing"] += pl.col(alias).is_nan().sum()
        found |= {"nan": pl.col(alias).is_nan().sum(), "infinite": pl.col(alias).is_infinite().sum()}
    if kind in NUMBERS:
        exact = column.cast(pl.Float64) if kind == "decimal" else column
        found |= {"mean": exact.mean(), "deviation": exact.std()}
    if kind == "boolean":
        found["mean"] = column.mean()
    if kind == "text":
        column = column.cast(pl.String)
    if kind in {*NUMBERS, "text", "date", "timestamp", "time", "duration"}:
        found |= {"minimum": column.min(), "maximum": column.max()}
    return found


def present(alias: str, arrow_type: pa.DataType) -> pl.Expr:
    """Return whether a row has a value there; NaN is none."""
    column = pl.col(alias)
    return column.is_not_null() & ~column.is_nan() if kind_of(arrow_type) == "float" else column.is_not_null()


def breaks(question: Question, alias: str, arrow_type: pa.DataType) -> pl.Expr:
    """Return whether a row breaks what is asked of one column; a row without a value breaks `missing` only."""
    rule, column, kind = question.rule, pl.col(alias), kind_of(arrow_type)
    if rule is None:
        raise ConfigurationError(f"No row can break '{question.asks}'")
    has = present(alias, arrow_type)
    if question.check == "missing":
        return ~has
    if question.check == "finite":
        return (column.is_infinite() if kind == "float" else pl.lit(value=False)) & has
    if question.check == "type":
        return has & ~_can_be(column, kind, wanted_kind(rule.type))
    if question.check == "set":
        return has & ~_is_one_of(column, kind, rule.one_of)
    if question.check == "pattern":
        return has & ~column.cast(pl.String).str.contains(_whole(rule.matches))
    broken = pl.lit(value=False)
    if rule.at_least is not None:
        broken |= _outside(column, arrow_type, rule.at_least, is_least=True)
    if rule.at_most is not None:
        broken |= _outside(column, arrow_type, rule.at_most, is_least=False)
    return has & broken


def _can_be(column: pl.Expr, kind: str, wanted: str) -> pl.Expr:
    """Return whether a text could be read as what is asked for; what is no text cannot."""
    to: dict[str, Any] = {
        "integer": pl.Int64,
        "float": pl.Float64,
        "number": pl.Float64,
        "decimal": pl.Float64,
    }
    if kind == "text" and wanted in to:
        return column.cast(pl.String).str.strip_chars().cast(to[wanted], strict=False).is_not_null()
    if kind == "text" and wanted == "date":
        return column.cast(pl.String).str.to_date(strict=False, format="%Y-%m-%d").is_not_null()
    if kind == "text" and wanted == "boolean":
        return column.cast(pl.String).str.to_lowercase().is_in(["true", "false"])
    return pl.lit(value=False)


def _whole(pattern: str) -> str:
    whole = f"^(?:{pattern})$"
    try:
        pl.Series([""]).str.contains(whole)
    except pl.exceptions.ComputeError as error:
        raise ConfigurationError(
            f"The pattern '{pattern}' cannot be used on a table: {' '.join(str(error).split())[:150]}",
            "Look-ahead, look-behind and back-references are not known there; say it without them.",
        ) from error
    return whole


def _is_one_of(column: pl.Expr, kind: str, values: tuple[Any, ...]) -> pl.Expr:
    if kind == "text":
        return column.cast(pl.String).is_in([str(value) for value in values])
    if kind == "boolean":
        return column.is_in([value for value in values if isinstance(value, bool)])
    if kind in NUMBERS:
        numbers = [value for value in values if not isinstance(value, str)]
        if kind == "integer":
            whole = [int(value) for value in numbers if float(value).is_integer()]
            return column.cast(pl.Int128).is_in(pl.Series(whole, dtype=pl.Int128).implode())
        return column.cast(pl.Float64).is_in([float(value) for value in numbers])
    return column.cast(pl.String).is_in([str(value) for value in values])


def _outside(column: pl.Expr, arrow_type: pa.DataType, bound: Any, *, is_least: bool) -> pl.Expr:
    kind = kind_of(arrow_type)
    if kind == "text":
        value, limit = column.cast(pl.String), pl.lit(str(bound))
    elif kind == "integer":
        # A bound of 0.5 asks an integer to be at least 1; 128 bits hold every integer and every bound that matters.
        whole = math.ceil(bound) if is_least else math.floor(bound)
        value = column.cast(pl.Int128)
        limit = pl.lit(max(-(2**100), min(2**100, whole)), dtype=pl.Int128)
    elif kind == "decimal":
        value, limit = column, _decimal(bound, arrow_type)
    elif kind == "float":
        value, limit = column, pl.lit(float(bound))
    else:
        value = column.cast(pl.Date) if kind == "date" else column.cast(pl.Int64)
        limit = pl.lit(_date(bound)) if kind == "date" else pl.lit(_ticks(bound, arrow_type.unit))
    return value < limit if is_least else value > limit


def _decimal(bound: float, arrow_type: pa.DataType) -> pl.Expr:
    exact = Decimal(str(bound))
    places = max(arrow_type.scale, len(f"{exact:f}".partition(".")[2]))
    return pl.lit(exact, dtype=pl.Decimal(38, min(places, _MOST_PLACES)))


def _date(bound: Any) -> dt.date:
    return moment_of(bound).date()


def _ticks(bound: Any, unit: str) -> int:
    since = moment_of(bound) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    micros = since // dt.timedelta(microseconds=1)
    return micros * _PER_SECOND[unit] // 10**6
