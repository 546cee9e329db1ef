"""How many rows repeat another one, and how many refer to nothing: counted by the engine, in groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError
from airfoil.steps.quality.column_types import NUMBERS, kind_of
from airfoil.steps.quality.measuring import Count
from airfoil.steps.quality.profiling import plain
from airfoil.steps.warehouse.tables import is_filled

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from airfoil.steps.quality.contract import ForeignKey
    from airfoil.steps.warehouse.tables import WarehouseTable

_MOST_TOLD = 20


def find_repeats(
    table: WarehouseTable, columns: Sequence[str], *, examples: int, only_whole: bool = True
) -> Count:
    """Compare rows by columns; leave out rows that lack one of them, unless all of the row is compared."""
    rows = _renamed(table, columns)
    if only_whole:
        rows = rows.filter([is_filled(rows[name]) for name in rows.columns])
    groups = rows.group_by(rows.columns).aggregate(times=rows.count())
    found = table.ask(groups.aggregate(checked=groups["times"].sum(), different=groups.count()))[0]
    checked = int(found["checked"] or 0)
    repeated = checked - int(found["different"] or 0)
    told = _told(table, groups.filter(groups["times"] > 1), columns, examples) if repeated else ()
    return Count(checked, repeated, examples=told)


def find_strays(table: WarehouseTable, other: WarehouseTable, key: ForeignKey, examples: int) -> Count:
    """Count rows that refer to anything, and those of them that refer to nothing that is there."""
    theirs = key.references or key.columns
    unknown = [name for name in theirs if name not in other.types]
    if unknown:
        raise ConfigurationError(
            f"The table {other.name} has no column '{unknown[0]}' to refer to",
            "Name its columns under `references`.",
        )
    for mine, other_name in zip(key.columns, theirs, strict=True):
        if not _are_comparable(table.types[mine], other.types[other_name]):
            raise ConfigurationError(
                f"'{mine}' holds {table.types[mine]}, and '{other_name}' of {other.name}, which it refers to, "
                f"holds {other.types[other_name]}",
                "Let both hold the same.",
            )
    ours, known = _renamed(table, key.columns), _renamed(other, theirs).distinct()
    whole = ours.filter([is_filled(ours[name]) for name in ours.columns])
    groups = whole.group_by(whole.columns).aggregate(times=whole.count())
    strays = groups.anti_join(known, list(known.columns))
    total = table.ask(groups.aggregate(total=groups["times"].sum()))[0]["total"]
    lost = table.ask(strays.aggregate(lost=strays["times"].sum()))[0]["lost"]
    told = _told(table, strays, key.columns, examples) if lost else ()
    return Count(int(total or 0), int(lost or 0), examples=told)


def _are_comparable(left: pa.DataType, right: pa.DataType) -> bool:
    """Return whether values can be equal without being read as another type, which each engine does in its own way."""
    first, second = kind_of(left), kind_of(right)
    return first == second or {first, second} <= NUMBERS or "empty" in {first, second}


def _renamed(table: WarehouseTable, columns: Sequence[str]) -> ir.Table:
    """Return columns under plain names, by which any two tables can be compared."""
    return table.table.select(**{f"k{place}": table.table[name] for place, name in enumerate(columns)})


def _told(
    table: WarehouseTable, groups: ir.Table, columns: Sequence[str], examples: int
) -> tuple[dict[str, Any], ...]:
    if not examples:
        return ()
    keys = [name for name in groups.columns if name != "times"]
    order = [groups["times"].desc(), *(groups[name].asc() for name in keys)]
    rows = table.ask(groups.order_by(order).limit(examples))
    named = dict(zip(keys, columns, strict=True))
    return tuple(
        {"times": int(row["times"])} | {named[key]: plain(row[key]) for key in keys[:_MOST_TOLD]}
        for row in rows
    )
