"""A first contract, read off a table that is known to be good. A person should look at it before it guards anything.

It asks for what nearly every later table of the same kind has too: the columns, their types, ranges with some room, the
few values of a category, whole keys. Reads the table; writes nothing.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.records import ColumnProfile
from airfoil.steps.quality.column_types import NUMBERS, kind_of
from airfoil.steps.quality.contract import ColumnRule, Contract, RowBounds

if TYPE_CHECKING:
    import polars as pl

    from airfoil.steps.scans import Scan

ROOM = 0.5
"""A range gets this share of its width on both sides."""
MOST_VALUES = 20
"""A text column of no more values than this is a category."""
MOST_KEYS = 3
FEWER_ROWS = 10
"""A later table may be so many times smaller."""
_LEAST_REPEATS = 5
_ID = re.compile(r"(^|_)(id|uuid|guid|key|pk)$", re.IGNORECASE)


def infer_contract(scan: Scan, *, room: float = ROOM, folder: Path | None = None) -> Contract:
    """Return what `scan` keeps: every column with its type, ranges widened by `room`, categories, and its keys."""
    from airfoil.steps.quality.profiling import profile

    with scan.reading():
        rows, profiles, _ = profile(scan, ())
        values = _categories(scan, rows)
        keys = _keys(scan, profiles, rows, folder)
    return Contract(
        columns={
            one.name: _rule(one, kind_of(scan.types[one.name]), rows, room, values, keys) for one in profiles
        },
        rows=RowBounds(at_least=max(1, rows // FEWER_ROWS)),
    )


def _rule(
    seen: ColumnProfile, kind: str, rows: int, room: float, values: dict[str, tuple[str, ...]], keys: set[str]
) -> ColumnRule:
    said: dict[str, Any] = {"type": "" if kind in {"empty", "other"} else kind}
    if rows and not seen.missing:
        said["nullable"] = False
    elif rows and seen.missing < rows:
        share = seen.missing / rows
        said["most_missing"] = round(min(1.0, share * (1 + room) + 0.01), 4)
    if kind in NUMBERS and not seen.infinite:
        if kind == "float" and seen.missing < rows:
            said["finite"] = True
        if seen.name not in keys and not _ID.search(seen.name):
            said |= _range(seen, kind, room)
    if seen.name in values:
        said["one_of"] = values[seen.name]
    if seen.name in keys:
        said["unique"] = True
    return ColumnRule(**said)


def _range(seen: ColumnProfile, kind: str, room: float) -> dict[str, float]:
    low, high = seen.minimum, seen.maximum
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return {}
    # A column of one value tells nothing about how far others may lie.
    width = (high - low) or abs(high) or 1
    least, most = low - room * width, high + room * width
    if low >= 0:
        least = max(0, least)
    if high <= 0:
        most = min(0, most)
    if kind == "integer":
        return {"at_least": math.floor(least), "at_most": math.ceil(most)}
    if not (math.isfinite(least) and math.isfinite(most)):
        return {}
    return {"at_least": _rounded(least, math.floor), "at_most": _rounded(most, math.ceil)}


def _rounded(value: float, towards: Any) -> float:
    """Return three digits of a bound, rounded away from the values."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return float(f"{towards(value / unit) * unit:.6g}") if unit else value


def _categories(scan: Scan, rows: int) -> dict[str, tuple[str, ...]]:
    """Return the values of text columns that have few, and each often enough to be no accident."""
    import polars as pl

    texts = [column.name for column in scan.schema if kind_of(column.type) == "text"]
    if not texts or not rows:
        return {}
    aliases = {name: f"c{number}" for number, name in enumerate(texts)}
    frame = scan.numbered(texts)
    counted = frame.select(pl.col(alias).approx_n_unique() for alias in aliases.values())
    about = counted.collect(engine="streaming").row(0, named=True)
    found = {}
    for name, alias in aliases.items():
        # The sketch is within a few per cent; whoever comes near is counted exactly.
        if about[alias] > MOST_VALUES * 1.2 or rows < about[alias] * _LEAST_REPEATS:
            continue
        exact = _values(frame, alias)
        if len(exact) <= MOST_VALUES:
            found[name] = exact
    return found


def _values(frame: pl.LazyFrame, alias: str) -> tuple[str, ...]:
    import polars as pl

    values = frame.select(pl.col(alias).cast(pl.String).unique()).collect(engine="streaming")[alias]
    return tuple(sorted(value for value in values if value is not None))


def _keys(scan: Scan, profiles: tuple[ColumnProfile, ...], rows: int, folder: Path | None) -> set[str]:
    """Return the columns that are called like keys, have a value in every row, and none twice."""
    from airfoil.steps.duckdb_engine import duckdb_engine
    from airfoil.steps.quality.repeats import find_repeats

    called = [
        one.name
        for one in profiles
        if _ID.search(one.name) and not one.missing and kind_of(scan.types[one.name]) in {"integer", "text"}
    ]
    if rows <= 1:
        return set()
    with duckdb_engine(folder) as engine:
        return {
            name
            for name in called[:MOST_KEYS]
            if not find_repeats(scan, engine, rows, (name,), examples=0, folder=folder).repeated
        }
