"""A contract held against the columns of a table: one question for each thing to be checked, before any row is read.

A question that makes no sense for this table (no such column, another type) says so and is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from airfoil.records import CheckName
from airfoil.steps.quality.column_types import NUMBERS, TEMPORAL, fits, kind_of
from airfoil.steps.quality.contract import ColumnRule, Contract, ForeignKey

if TYPE_CHECKING:
    import pyarrow as pa

Types = Mapping[str, "pa.DataType"]
Part = Literal["whole", "schema", "content"]
SCHEMA: frozenset[CheckName] = frozenset({"column", "other_columns", "type", "missing"})
"""What is asked about columns: that they are there, of which type, and whether they may lack a value."""
RANGED = NUMBERS | TEMPORAL | {"text"}
LISTED = RANGED | {"boolean"}
_MOST_VALUES_TOLD = 8


@dataclass(frozen=True)
class Question:
    """One check: of which columns, what is asked in words, and which share of what is checked may break it."""

    check: CheckName
    columns: tuple[str, ...]
    asks: str
    allowed: float = 0.0
    moot: str = ""
    """Why it cannot be asked of this table; empty when it can."""
    rule: ColumnRule | None = None
    foreign_key: ForeignKey | None = None


def questions_of(contract: Contract, types: Types, part: Part = "whole") -> tuple[Question, ...]:
    """Return what a contract asks, or the part about columns, or the rest, in the order in which a report tells it."""
    asked = _questions(contract, types)
    return tuple(one for one in asked if part == "whole" or (one.check in SCHEMA) == (part == "schema"))


def _questions(contract: Contract, types: Types) -> Iterator[Question]:
    bounds = contract.rows
    most = "" if bounds.at_most is None else f", at most {bounds.at_most}"
    yield Question("rows", (), f"at least {bounds.at_least} rows{most}")
    for name, rule in contract.columns.items():
        if rule.required or name in types:
            yield Question("column", (name,), "the column is there")
    if contract.other_columns == "refuse":
        yield Question("other_columns", (), "no column besides those of the contract")
    for name, rule in contract.columns.items():
        if name in types or rule.required:
            yield from _of_column(name, rule, types)
    for key in contract.unique_keys:
        yield Question("key", key, "no two rows with the same values", moot=_lack(key, types))
    if contract.most_duplicates is not None:
        asks = f"at most {_percent(contract.most_duplicates)} of rows repeat another one"
        yield Question("duplicates", (), asks, contract.most_duplicates)
    if contract.freshness is not None:
        column, hours = contract.freshness.column, contract.freshness.hours
        moot = _lack((column,), types) or _unless(TEMPORAL, column, types)
        yield Question("freshness", (column,), f"the newest row is at most {hours:g} hours old", moot=moot)
    for one in contract.foreign_keys:
        theirs = ", ".join(one.references or one.columns)
        asks = f"every value stands in {one.table} ({theirs})"
        yield Question(
            "foreign_key", one.columns, asks, one.tolerance, _lack(one.columns, types), foreign_key=one
        )


def _of_column(name: str, rule: ColumnRule, types: Types) -> Iterator[Question]:
    lack = _lack((name,), types)
    is_typed = bool(rule.type) and not lack
    mismatch = is_typed and fits(types[name], rule.type) is False
    held = "" if lack else f"it holds {types[name]}"
    # A column that never had a value may turn out to be of any type.
    empty = "it never has a value" if not lack and kind_of(types[name]) == "empty" else ""
    if rule.type:
        yield Question("type", (name,), f"the type is {rule.type}", moot=lack or empty, rule=rule)
    if not rule.nullable or rule.most_missing is not None:
        allowed = 0.0 if not rule.nullable else rule.most_missing or 0.0
        asks = f"at most {_percent(allowed)} without a value" if allowed else "a value in every row"
        yield Question("missing", (name,), asks, allowed, lack, rule)
    moot = lack or empty or (f"{held}, not {rule.type}" if mismatch else "")
    if rule.finite:
        yield Question("finite", (name,), "no infinities", 0.0, moot or _unless(NUMBERS, name, types), rule)
    if rule.at_least is not None or rule.at_most is not None:
        words = [f"at least {rule.at_least}"] if rule.at_least is not None else []
        words += [f"at most {rule.at_most}"] if rule.at_most is not None else []
        moot_range = moot or _unless(RANGED, name, types) or _uneven(rule, name, types)
        yield Question("range", (name,), ", ".join(words), rule.tolerance, moot_range, rule)
    if rule.one_of:
        shown = ", ".join(str(value) for value in rule.one_of[:_MOST_VALUES_TOLD])
        more = (
            f" or {len(rule.one_of) - _MOST_VALUES_TOLD} others"
            if len(rule.one_of) > _MOST_VALUES_TOLD
            else ""
        )
        moot_set = moot or _unless(LISTED, name, types)
        yield Question("set", (name,), f"one of {shown}{more}", rule.tolerance, moot_set, rule)
    if rule.matches:
        moot_pattern = moot or _unless(frozenset({"text"}), name, types)
        yield Question("pattern", (name,), f"matches {rule.matches}", rule.tolerance, moot_pattern, rule)


def _uneven(rule: ColumnRule, name: str, types: Types) -> str:
    """Say why the bounds are no bounds of this column: a text for a number, or a number for a text."""
    has_text = isinstance(rule.at_least, str) or isinstance(rule.at_most, str)
    kind = kind_of(types[name])
    if has_text == (kind in NUMBERS):
        return f"it holds {types[name]}, and the bounds are {'text' if has_text else 'numbers'}"
    return ""


def _lack(columns: Sequence[str], types: Types) -> str:
    missing = [name for name in columns if name not in types]
    return f"there is no column '{missing[0]}'" if missing else ""


def _unless(kinds: frozenset[str], column: str, types: Types) -> str:
    if column not in types or kind_of(types[column]) in kinds:
        return ""
    return f"it holds {types[column]}"


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
