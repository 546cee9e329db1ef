"""How many rows repeat an earlier one, exactly and in bounded memory.

Every row becomes a number of 64 bits. Rows that are equal have equal numbers, so only rows whose number comes twice
are compared in full. The numbers are sorted, in parts on disk when there are many: 8 bytes a row instead of a row.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.steps.duckdb_engine import quoted
from airfoil.steps.quality.profiling import plain

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa

    from airfoil.steps.scans import Scan

ROWS_IN_MEMORY = 16_000_000
"""128 MiB of row numbers are sorted at once."""
_BATCH_ROWS = 250_000
_MOST_PARTS = 256
_COLUMNS_COMPARED = 100
_MOST_TOLD = 20
_SUSPECTS, _FOUND = "airfoil_suspects", "airfoil_found"


@dataclass(frozen=True)
class Repeats:
    """How often rows repeat an earlier one, of how many, and some that do."""

    checked: int
    repeated: int
    examples: tuple[dict[str, Any], ...] = ()


def find_repeats(
    scan: Scan,
    connection: duckdb.DuckDBPyConnection,
    rows: int,
    columns: Sequence[str] = (),
    *,
    examples: int = 5,
    rows_in_memory: int = ROWS_IN_MEMORY,
    folder: Path | None = None,
) -> Repeats:
    """Compare rows by the named columns, leaving out rows that lack one of them; by all columns when none is named.

    `rows` is how many the table has, or any larger number.
    """
    import pyarrow as pa

    relation = scan.relation(connection)
    # DuckDB takes `a` and `A` for the same name and renames one of them; the order stays.
    names = dict(zip(scan.columns, relation.columns, strict=True))
    listed = ", ".join(quoted(names[name]) for name in columns or scan.columns)
    if columns:
        relation = relation.filter(" AND ".join(f"{quoted(names[name])} IS NOT NULL" for name in columns))
    numbers = relation.project(f"hash({listed}) AS h").to_arrow_reader(_BATCH_ROWS)
    checked, twice = _seen_twice(numbers, rows, rows_in_memory, folder)
    if not len(twice):
        return Repeats(checked, 0)
    told = tuple(columns or scan.columns)[:_MOST_TOLD]
    shown = ", ".join(f"any_value({quoted(names[name])}) AS v{place}" for place, name in enumerate(told))
    connection.register(_SUSPECTS, pa.table({"h": twice}))
    try:
        suspects = relation.filter(f"hash({listed}) IN (SELECT h FROM {_SUSPECTS})")  # noqa: S608 - quoted names
        by = ", ".join(_compared([quoted(names[name]) for name in columns or scan.columns]))
        found = suspects.aggregate(f"{shown}, count(*) AS airfoil_times", by).filter("airfoil_times > 1")
        # Counted once and kept: the examples cost no second pass over the table.
        found.create(_FOUND)
        total = connection.execute(f"SELECT sum(airfoil_times - 1) FROM {_FOUND}").fetchall()[0][0]  # noqa: S608 - our own name
        most = f"SELECT * FROM {_FOUND} ORDER BY airfoil_times DESC LIMIT {examples:d}"  # noqa: S608 - our own name
        commonest = connection.execute(most).fetchall()
    finally:
        connection.unregister(_SUSPECTS)
        connection.execute(f"DROP TABLE IF EXISTS {_FOUND}")
    rows_told = tuple(
        {"times": row[-1]} | {name: plain(value) for name, value in zip(told, row, strict=False)}
        for row in commonest
    )
    return Repeats(checked, int(total or 0), rows_told)


def _compared(columns: Sequence[str]) -> list[str]:
    """Return what rows are compared by: their columns, or the numbers of a hundred columns each when there are many.

    A row of thousands of columns is too large to group by. Two different rows would have to agree in the number of the
    whole row and in that of the part where they differ: 128 bits.
    """
    if len(columns) <= _COLUMNS_COMPARED:
        return list(columns)
    starts = range(0, len(columns), _COLUMNS_COMPARED)
    return [f"hash({', '.join(columns[start : start + _COLUMNS_COMPARED])})" for start in starts]


def _seen_twice(
    batches: pa.RecordBatchReader, rows: int, rows_in_memory: int, folder: Path | None
) -> tuple[int, np.ndarray[Any, Any]]:
    """Return how many numbers there were, and those that came more than once."""
    import numpy as np

    if rows <= rows_in_memory:
        numbers, checked = np.empty(rows, np.uint64), 0
        for batch in batches:
            numbers[checked : checked + len(batch)] = batch.column(0).to_numpy()
            checked += len(batch)
        return checked, _twice(numbers[:checked])
    parts = min(_MOST_PARTS, 1 << math.ceil(math.log2(rows / rows_in_memory)))
    checked = 0
    with tempfile.TemporaryDirectory(prefix="airfoil-rows-", dir=folder) as spill:
        paths = [Path(spill) / str(part) for part in range(parts)]
        with ExitStack() as stack:
            files = [stack.enter_context(path.open("wb")) for path in paths]
            for batch in batches:
                checked += len(batch)
                numbers = np.sort(batch.column(0).to_numpy())
                # Sorted, the numbers of one part stand together.
                edges = np.searchsorted(
                    numbers >> np.uint64(64 - parts.bit_length() + 1), np.arange(1, parts)
                )
                for file, part in zip(files, np.split(numbers, edges), strict=True):
                    file.write(part.data)
        return checked, np.concatenate([_twice(np.fromfile(path, np.uint64)) for path in paths])


def _twice(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    numbers.sort()
    return np.unique(numbers[1:][numbers[1:] == numbers[:-1]])
