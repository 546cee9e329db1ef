"""Count everything that a contract asks of a table: one streaming scan, one for each set of keys, one for examples.

Numbers come out; whether they are good enough is `verdict`'s business.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from airfoil.errors import ConfigurationError
from airfoil.records import ColumnProfile
from airfoil.steps.quality.column_types import NUMBERS, kind_of
from airfoil.steps.quality.questions import Part, Question, questions_of

if TYPE_CHECKING:
    import pyarrow as pa

    from airfoil.steps.quality.contract import Contract
    from airfoil.steps.scans import Scan

EXAMPLES = 5
MOST_EXAMPLED = 40
"""Of so many questions that failed, examples are looked for; each look is a pass over a few columns."""


class Columns(Protocol):
    """What is known of a table before it is read."""

    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102 - their names
    @property
    def types(self) -> Mapping[str, pa.DataType]: ...  # noqa: D102 - by name


T = TypeVar("T")


@dataclass(frozen=True)
class Count:
    """What came out for one question."""

    checked: int = 0
    failed: int = 0
    is_broken: bool = False
    """The answer is no, whatever share may fail: a column that is not there, or of another type."""
    note: str = ""
    examples: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Measurement:
    """Everything that was counted in a table: one count for each question, in the same order."""

    dataset: str
    rows: int
    questions: tuple[Question, ...]
    counts: tuple[Count, ...]
    columns: tuple[ColumnProfile, ...]
    duplicate_rows: int | None = None
    newest: dt.datetime | None = None
    """The latest moment of the column that freshness is about."""


def measure(
    scan: Scan,
    contract: Contract,
    tables: Mapping[str, Scan] | None = None,
    *,
    part: Part = "whole",
    examples: int = EXAMPLES,
    memory_mib: int | None = None,
    folder: Path | None = None,
    count_duplicates: bool = True,
) -> Measurement:
    """Count what `contract`, or a part of it, asks of the table; `tables` are those that its foreign keys name.

    Temporary files go into `folder`. Counting rows that repeat another one is a pass of its own, and can be left out.
    """
    from airfoil.steps.duckdb_engine import MEMORY_MIB, duckdb_engine
    from airfoil.steps.quality.profiling import profile
    from airfoil.steps.quality.references import find_strays
    from airfoil.steps.quality.repeats import find_repeats

    questions = questions_of(contract, scan.types, part)
    others = named_tables(questions, tables or {})
    with scan.reading():
        rows, profiles, broken = profile(scan, questions)
        by_name = {one.name: one for one in profiles}
        counts = [
            answered(one, scan, contract, rows, broken.get(place), by_name)
            for place, one in enumerate(questions)
        ]
        wants_duplicates = part != "schema" and (count_duplicates or contract.most_duplicates is not None)
        duplicates = None
        with duckdb_engine(folder, memory_mib=memory_mib or MEMORY_MIB) as engine:
            if wants_duplicates:
                whole = find_repeats(scan, engine, rows, examples=examples, folder=folder)
                duplicates = whole.repeated
            for place, one in enumerate(questions):
                if one.moot:
                    continue
                if one.check == "duplicates" and wants_duplicates:
                    counts[place] = Count(whole.checked, whole.repeated, examples=whole.examples)
                elif one.check == "key":
                    key = find_repeats(scan, engine, rows, one.columns, examples=examples, folder=folder)
                    counts[place] = Count(key.checked, key.repeated, examples=key.examples)
                elif one.foreign_key is not None:
                    other = others[one.foreign_key.table]
                    with other.reading():
                        found = find_strays(scan, other, one.foreign_key, engine, examples=examples)
                    counts[place] = Count(found[0], found[1], examples=found[2])
        if examples:
            counts = _exampled(scan, contract, questions, counts, examples)
    return Measurement(
        dataset=scan.name,
        rows=rows,
        questions=questions,
        counts=tuple(counts),
        columns=profiles,
        duplicate_rows=duplicates,
        newest=newest_of(contract, scan, by_name),
    )


def answered(
    question: Question,
    table: Columns,
    contract: Contract,
    rows: int,
    broken: int | None,
    profiles: Mapping[str, ColumnProfile],
) -> Count:
    """Answer what the scan of all columns has answered already."""
    if question.moot:
        return Count()
    if question.check == "rows":
        bounds = contract.rows
        is_out = rows < bounds.at_least or (bounds.at_most is not None and rows > bounds.at_most)
        return Count(1, int(is_out), is_out, f"it has {rows} rows")
    if question.check == "column":
        is_there = question.columns[0] in table.types
        return Count(1, int(not is_there), not is_there, "it is there" if is_there else "it is not there")
    if question.check == "other_columns":
        extra = [name for name in table.types if name not in contract.columns]
        return Count(len(table.columns), len(extra), bool(extra), _extra_told(extra) or "there is none")
    if broken is None:
        return Count()
    if question.check == "missing":
        return Count(rows, broken)
    seen = profiles[question.columns[0]]
    present = rows - seen.missing
    if question.check == "type":
        return _typed(question, table, present, broken)
    return Count(present, broken)


def _typed(question: Question, table: Columns, present: int, unreadable: int) -> Count:
    from airfoil.steps.quality.column_types import fits, wanted_kind

    arrow_type = table.types[question.columns[0]]
    wanted = question.rule.type if question.rule else ""
    if fits(arrow_type, wanted):
        return Count(present, note=f"it holds {arrow_type}")
    note = f"it holds {arrow_type}"
    if kind_of(arrow_type) == "text" and wanted_kind(wanted) in {*NUMBERS, "number", "date", "boolean"}:
        note += f", and {unreadable} of {present} values cannot be read as {wanted}"
    return Count(present, present, is_broken=True, note=note)


def _exampled(
    scan: Scan, contract: Contract, questions: Sequence[Question], counts: Sequence[Count], examples: int
) -> list[Count]:
    """Look for rows that break what was broken, as far as they were not found on the way."""
    from airfoil.steps.quality.profiling import failing_rows

    beside = tuple(dict.fromkeys(name for key in contract.unique_keys for name in key))
    found, looks = list(counts), 0
    for place, (question, count) in enumerate(zip(questions, counts, strict=True)):
        is_about_rows = question.check in {"missing", "finite", "range", "set", "pattern", "type"}
        if question.moot or not is_about_rows or not count.failed or looks >= MOST_EXAMPLED:
            continue
        looks += 1
        rows = tuple(failing_rows(scan, question, examples, beside))
        found[place] = replace(count, examples=rows)
    return found


def newest_of(
    contract: Contract, table: Columns, profiles: Mapping[str, ColumnProfile]
) -> dt.datetime | None:
    """Return the latest moment of the column that freshness is about; without a zone it is UTC."""
    if contract.freshness is None or contract.freshness.column not in table.types:
        return None
    latest = profiles[contract.freshness.column].maximum
    try:
        moment = dt.datetime.fromisoformat(str(latest))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def named_tables(questions: Sequence[Question], tables: Mapping[str, T]) -> Mapping[str, T]:
    """Return the tables, when all that are referred to are there."""
    for key in (one.foreign_key for one in questions):
        if key is not None and key.table not in tables:
            raise ConfigurationError(
                f"The contract refers to the table '{key.table}', and nobody said where it is",
                f"Hand it in under the name '{key.table}'.",
            )
    return tables


def _extra_told(extra: Sequence[str], most: int = 5) -> str:
    more = f" and {len(extra) - most} more" if len(extra) > most else ""
    return f"besides: {', '.join(extra[:most])}{more}" if extra else ""
