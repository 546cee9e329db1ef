"""One streaming scan over a table: the statistics of every column, and how many rows break each rule.

Wide tables go in groups of columns, so that neither plan nor memory grows with them. Decides nothing.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from airfoil.records import ColumnProfile
from airfoil.steps.quality.expressions import SHOWN_CHARACTERS, breaks, statistics

if TYPE_CHECKING:
    import pyarrow as pa

    from airfoil.steps.quality.questions import Question
    from airfoil.steps.scans import Scan

COLUMNS_AT_A_TIME = 200


def profile(
    scan: Scan, questions: Sequence[Question]
) -> tuple[int, tuple[ColumnProfile, ...], Mapping[int, int]]:
    """Return the number of rows, what is in each column, and how many rows break each question of one column.

    The questions are counted by their place in the sequence; those that are no question about rows are left out.
    """
    rows, profiles = 0, []
    broken: dict[int, int] = {}
    names = scan.columns
    for start in range(0, len(names), COLUMNS_AT_A_TIME):
        group = names[start : start + COLUMNS_AT_A_TIME]
        aliases = {name: f"c{number}" for number, name in enumerate(group)}
        wanted = [pl.len().alias("rows")]
        for name in group:
            for stat, expression in statistics(aliases[name], scan.types[name]).items():
                wanted.append(expression.alias(f"{aliases[name]}.{stat}"))
        asked = {
            place: one for place, one in enumerate(questions) if is_counted(one) and one.columns[0] in aliases
        }
        for place, one in asked.items():
            name = one.columns[0]
            wanted.append(breaks(one, aliases[name], scan.types[name]).sum().alias(f"q{place}"))
        found = scan.numbered(group).select(wanted).collect(engine="streaming").row(0, named=True)
        rows = found["rows"]
        broken |= {place: int(found[f"q{place}"] or 0) for place in asked}
        profiles += [_profile(name, scan.types[name], found, aliases[name]) for name in group]
    return rows, tuple(profiles), broken


def failing_rows(
    scan: Scan, question: Question, most: int, beside: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Give the first rows that break a question, each with its number, its value and the columns `beside` it."""
    name = question.columns[0]
    shown = tuple(dict.fromkeys((*(one for one in beside if one in scan.types), name)))
    aliases = {column: f"c{number}" for number, column in enumerate(shown)}
    is_broken = breaks(question, aliases[name], scan.types[name])
    found = (
        scan.numbered(shown).with_row_index("row").filter(is_broken).head(most).collect(engine="streaming")
    )
    for row in found.sort("row").iter_rows(named=True):
        yield {"row": row["row"]} | {column: plain(row[alias]) for column, alias in aliases.items()}


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it, and as a person wants to see it: not longer than a line."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def is_counted(question: Question) -> bool:
    """Whether rows can break it, one by one."""
    return not question.moot and question.check in {"missing", "finite", "range", "set", "pattern", "type"}


def profile_of(name: str, arrow_type: pa.DataType, found: Mapping[str, Any]) -> ColumnProfile:
    """Return the profile of a column out of its statistics."""
    seen = {stat: plain(value) for stat, value in found.items()}
    for stat in ("mean", "deviation"):
        if isinstance(seen.get(stat), str):  # the sum of very large numbers is no number any more
            del seen[stat]
    return ColumnProfile(name=name, type=str(arrow_type), **seen)


def _profile(name: str, arrow_type: pa.DataType, found: Mapping[str, Any], alias: str) -> ColumnProfile:
    return profile_of(
        name, arrow_type, {stat: found[f"{alias}.{stat}"] for stat in statistics(alias, arrow_type)}
    )
