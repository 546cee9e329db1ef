"""Rows as a source sends them, turned into rows of known types; what does not fit is kept aside with its reasons.

Everything is read as text first, so that one odd value costs one row and not the type of a column. What a column has to
be, its contract says. Lazy throughout: nothing is read before somebody writes the result. Must not write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError, TableError
from airfoil.records import FrozenNumbers, Record
from airfoil.steps.quality.column_types import wanted_kind

if TYPE_CHECKING:
    import polars as pl

    from airfoil.steps.quality.contract import ColumnRule, Contract
    from airfoil.steps.scans import Scan

REASONS = "reasons"
"""The column of the rejects that says why; what they hold stands beside it as it came."""
ROW = "row"
"""The column of the rejects that says where: rows are counted from 1, the header is none."""
NO_VALUE = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
_NUMBERS = frozenset({"integer", "float", "decimal", "number"})
_CALLED = {"integer": "whole number", "float": "number", "decimal": "number", "timestamp": "time"}


@dataclass(frozen=True)
class CleanedRows:
    """Both parts of a table, each of them read when it is written."""

    rows: pl.LazyFrame
    """The columns of the contract, with their types."""
    rejects: pl.LazyFrame
    """`row`, `reasons`, and the columns as text."""


class CleaningRecord(Record):
    """How many rows were taken and rejected, and why."""

    rows: int
    rejected: int
    reasons: FrozenNumbers
    """How often each reason was found; a row may have several."""

    @property
    def in_words(self) -> str:
        """One sentence for logs and mails."""
        why = "; ".join(f"{reason} ({count:g})" for reason, count in list(self.reasons.items())[:3])
        told = f"{self.rows} rows taken, {self.rejected} rejected"
        return f"{told}: {why}" if why else told


def text_types(contract: Contract) -> dict[str, str]:
    """Return how a CSV file is to be read for cleaning: each column of the contract as text."""
    return dict.fromkeys(contract.columns, "string")


def clean_rows(table: Scan, contract: Contract) -> CleanedRows:
    """Part a table into rows that are what the contract asks of each value, and all others."""
    import polars as pl

    _check_columns(table, contract)
    names = [name for name in contract.columns if name in table.columns]
    raw = {name: pl.col(name).cast(pl.String).str.strip_chars() for name in names}
    texts = [pl.when(one.is_in(NO_VALUE)).then(None).otherwise(one).alias(name) for name, one in raw.items()]
    as_text = table.lazy().select(texts).with_row_index(ROW, offset=1)
    checks = [
        pl.when(broken).then(pl.lit(reason)) for name in names for broken, reason in _checks(name, contract)
    ]
    found = pl.concat_list(checks or [pl.lit(None, dtype=pl.String)]).list.drop_nulls()
    told = as_text.with_columns(found.alias(REASONS))
    is_good = pl.col(REASONS).list.len() == 0
    typed = [_typed(name, _kind(name, contract.columns[name])).alias(name) for name in names]
    return CleanedRows(
        rows=told.filter(is_good).select(typed),
        rejects=told.filter(~is_good).select(ROW, REASONS, *names),
    )


def count_rows(rows: int, rejects: pl.LazyFrame) -> CleaningRecord:
    """Return the record of a cleaning, from its two parts as they were written."""
    import polars as pl

    counted = (
        rejects.select(pl.col(REASONS).explode())
        .drop_nulls()
        .group_by(REASONS)
        .len()
        .sort(["len", REASONS], descending=[True, False])
        .collect(engine="streaming")
    )
    rejected = int(rejects.select(pl.len()).collect(engine="streaming").item())
    return CleaningRecord(rows=rows, rejected=rejected, reasons=dict(counted.iter_rows()))


def require_rows(found: CleaningRecord, contract: Contract, most_rejected: float, name: str) -> None:
    """Refuse a table of which too little is left; that is no data to learn from."""
    whole = found.rows + found.rejected
    if found.rows < contract.rows.at_least:
        raise TableError(
            f"{name} has too few rows: {found.in_words}, and at least {contract.rows.at_least} are needed",
            "Ask who runs the source; the rejects lie beside the rows.",
        )
    if whole and found.rejected > most_rejected * whole:
        raise TableError(
            f"{name} is not what it was: {found.in_words}, and at most {most_rejected:.0%} may be rejected",
            "Ask who runs the source, or correct the contract; the rejects lie beside the rows.",
        )


def _check_columns(table: Scan, contract: Contract) -> None:
    if not contract.columns:
        raise ConfigurationError(
            "The contract names no columns, so nothing is known about any row", "Name them below `columns:`."
        )
    ours = sorted({ROW, REASONS} & set(contract.columns))
    if ours:
        raise ConfigurationError(
            f"A column cannot be called '{ours[0]}' here: the rejects have one of that name",
            "Rename it at its source, or leave it out of the contract.",
        )
    missing = [name for name, rule in contract.columns.items() if rule.required and name not in table.columns]
    if not missing:
        return
    near = get_close_matches(missing[0], table.columns, 1)
    hint = f"Is it '{near[0]}' now? Then" if near else "If the source has changed for good,"
    raise TableError(
        f"{table.name} has no column {', '.join(map(repr, missing))}; it has {', '.join(table.columns)}",
        f"{hint} correct the contract; else ask who runs the source.",
    )


def _kind(name: str, rule: ColumnRule) -> str:
    kind = wanted_kind(rule.type) if rule.type else "text"
    if kind not in {*_NUMBERS, "text", "boolean", "date", "timestamp"}:
        raise ConfigurationError(
            f"The column '{name}' is to be of type {rule.type}, which rows of a source cannot be made of",
            "Take a number, text, boolean, date or timestamp.",
        )
    return kind


def _typed(name: str, kind: str) -> pl.Expr:
    """Return a column of text as what it should be; null where it is not."""
    import polars as pl

    text = pl.col(name)
    if kind == "integer":
        number = text.cast(pl.Float64, strict=False)
        whole = text.cast(pl.Int64, strict=False)  # the text first: a float holds no more than 53 bits
        return pl.coalesce(whole, pl.when(number == number.round()).then(number.cast(pl.Int64, strict=False)))
    if kind in _NUMBERS:
        return text.cast(pl.Float64, strict=False)
    if kind == "boolean":
        said = text.str.to_lowercase()
        return (
            pl.when(said.is_in(["true", "1", "yes"]))
            .then(True)
            .when(said.is_in(["false", "0", "no"]))
            .then(False)
        )
    if kind == "date":
        return text.str.to_date("%Y-%m-%d", strict=False)
    if kind == "timestamp":
        return text.str.replace("T", " ", literal=True).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False)
    return text


def _checks(name: str, contract: Contract) -> list[tuple[Any, str]]:
    """Return what may be wrong with a value of a column, each as a condition and a reason."""
    import polars as pl

    rule = contract.columns[name]
    kind = _kind(name, rule)
    text, typed = pl.col(name), _typed(name, kind)
    found: list[tuple[Any, str]] = []
    if not rule.nullable:
        found.append((text.is_null(), f"{name} is missing"))
    if kind != "text":
        found.append((text.is_not_null() & typed.is_null(), f"{name} is no {_CALLED.get(kind, kind)}"))
    if kind in _NUMBERS - {"integer"}:
        found.append((typed.is_infinite() | typed.is_nan(), f"{name} is not finite"))
    if rule.at_least is not None:
        found.append((typed < _bound(rule.at_least, kind), f"{name} is below {rule.at_least}"))
    if rule.at_most is not None:
        found.append((typed > _bound(rule.at_most, kind), f"{name} is above {rule.at_most}"))
    if rule.one_of:
        known = [_bound(one, kind) for one in rule.one_of]
        among = [typed == one for one in known]
        found.append((~pl.any_horizontal(among), f"{name} is none of {', '.join(map(str, rule.one_of))}"))
    if rule.matches:
        whole = f"^(?:{rule.matches})$"
        found.append((~text.str.contains(whole), f"{name} is not written as {rule.matches}"))
    return found


def _bound(value: Any, kind: str) -> Any:
    """Return a bound of a contract as a column of this kind is compared with it."""
    import polars as pl

    if kind == "text":
        return pl.lit(str(value))
    if kind == "date":
        return pl.lit(str(value)).str.to_date("%Y-%m-%d")
    if kind == "timestamp":
        return pl.lit(str(value).replace("T", " ")).str.to_datetime("%Y-%m-%d %H:%M:%S%.f")
    return pl.lit(value)


def classes_of(contract: Contract, target: str) -> tuple[str, ...]:
    """Return the classes of the column that is to be predicted, in the order of their numbers."""
    rule = contract.columns.get(target)
    known = tuple(str(one) for one in rule.one_of) if rule else ()
    if len(known) < 2:  # noqa: PLR2004 - fewer is nothing to tell apart
        raise ConfigurationError(
            f"The contract does not say which classes the column '{target}' has",
            f"Give {target} a `one_of` with at least two values.",
        )
    return known
