"""Count all that a contract asks of a table that stays in its engine: one query over all columns, one for each key.

The questions and what follows from the counts are those of `steps.quality`. Two things differ: an example has no row
number, because such a table has none, but tells how often it stands there; and nested columns are not compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airfoil.records import ColumnProfile
from airfoil.steps.quality.column_types import kind_of
from airfoil.steps.quality.measuring import (
    EXAMPLES,
    MOST_EXAMPLED,
    Count,
    Measurement,
    answered,
    named_tables,
    newest_of,
)
from airfoil.steps.quality.profiling import is_counted, plain, profile_of
from airfoil.steps.quality.questions import Question, questions_of
from airfoil.steps.warehouse.repeats import find_repeats, find_strays
from airfoil.steps.warehouse.rules import breaks, statistics
from airfoil.steps.warehouse.tables import COLUMNS_AT_A_TIME

if TYPE_CHECKING:
    import pyarrow as pa

    from airfoil.steps.quality.contract import Contract
    from airfoil.steps.quality.questions import Part
    from airfoil.steps.warehouse.tables import WarehouseTable


def measure_in_warehouse(
    table: WarehouseTable,
    contract: Contract,
    tables: Mapping[str, WarehouseTable] | None = None,
    *,
    part: Part = "whole",
    examples: int = EXAMPLES,
    count_duplicates: bool = True,
) -> Measurement:
    """Count what `contract` asks of the table; `tables` are those that its foreign keys name, in the same engine."""
    questions = questions_of(contract, table.types, part)
    others = named_tables(questions, tables or {})
    rows, profiles, broken = _profile(table, questions)
    by_name = {one.name: one for one in profiles}
    counts = [
        answered(one, table, contract, rows, broken.get(place), by_name)
        for place, one in enumerate(questions)
    ]
    duplicates = None
    can_compare = not any(kind_of(one) in {"nested", "other"} for one in table.types.values())
    if part != "schema" and can_compare and (count_duplicates or contract.most_duplicates is not None):
        whole = find_repeats(table, table.columns, examples=examples, only_whole=False)
        duplicates = whole.failed
    for place, one in enumerate(questions):
        if one.moot:
            continue
        if one.check == "duplicates" and duplicates is not None:
            counts[place] = whole
        elif one.check == "key":
            counts[place] = find_repeats(table, one.columns, examples=examples)
        elif one.foreign_key is not None:
            counts[place] = find_strays(table, others[one.foreign_key.table], one.foreign_key, examples)
    return Measurement(
        dataset=table.name,
        rows=rows,
        questions=questions,
        counts=tuple(_exampled(table, questions, counts, examples) if examples else counts),
        columns=profiles,
        duplicate_rows=duplicates,
        newest=newest_of(contract, table, by_name),
    )


def _profile(
    table: WarehouseTable, questions: Sequence[Question]
) -> tuple[int, tuple[ColumnProfile, ...], Mapping[int, int]]:
    """Return the number of rows, what is in each column, and how many rows break each question of one column."""
    rows, profiles = 0, []
    broken: dict[int, int] = {}
    for start in range(0, len(table.columns), COLUMNS_AT_A_TIME):
        group = table.columns[start : start + COLUMNS_AT_A_TIME]
        aliases = {name: f"c{number}" for number, name in enumerate(group)}
        wanted: dict[str, Any] = {"rows_of_all": table.table.count()}
        for name in group:
            for stat, expression in statistics(table.table[name], table.types[name]).items():
                wanted[f"{aliases[name]}_{stat}"] = expression
        asked = {
            place: one for place, one in enumerate(questions) if is_counted(one) and one.columns[0] in aliases
        }
        for place, one in asked.items():
            name = one.columns[0]
            wanted[f"q{place}"] = breaks(one, table.table[name], table.types[name], table.engine).sum()
        found = table.ask(table.table.aggregate(**wanted))[0]
        rows = found["rows_of_all"]
        broken |= {place: int(found[f"q{place}"] or 0) for place in asked}
        profiles += [_profile_of(name, table.types[name], found, aliases[name]) for name in group]
    return rows, tuple(profiles), broken


def _profile_of(name: str, arrow_type: pa.DataType, found: Mapping[str, Any], alias: str) -> ColumnProfile:
    seen = {
        stat: found[f"{alias}_{stat}"]
        for stat in ("missing", "nan", "infinite", "mean", "deviation", "minimum", "maximum")
        if f"{alias}_{stat}" in found
    }
    # The sum of no rows is null.
    counted = {stat: seen[stat] or 0 for stat in ("missing", "nan", "infinite") if stat in seen}
    return profile_of(name, arrow_type, seen | counted)


def _exampled(
    table: WarehouseTable, questions: Sequence[Question], counts: Sequence[Count], examples: int
) -> list[Count]:
    """Look for values that break what was broken."""
    found, looks = list(counts), 0
    for place, (question, count) in enumerate(zip(questions, counts, strict=True)):
        if not is_counted(question) or question.check == "missing" or not count.failed or count.examples:
            continue
        looks += 1
        if looks > MOST_EXAMPLED:
            break
        name = question.columns[0]
        column = table.table[name]
        is_broken = breaks(question, column, table.types[name], table.engine)
        values = table.table.filter(is_broken).select(value=column)
        commonest = values.group_by("value").aggregate(times=values.count())
        order = [commonest["times"].desc(), commonest["value"].asc()]
        rows = table.ask(commonest.order_by(order).limit(examples))
        told = tuple({"times": int(row["times"]), name: plain(row["value"])} for row in rows)
        found[place] = replace(count, examples=told)
    return found
