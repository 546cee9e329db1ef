"""Tables to validate: ten columns of numbers and two of words, a little dirty, the same for everybody.

Written as Parquet in parts of a few million rows, so that making them takes no more memory than reading them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

NUMBERS = tuple(f"n{number}" for number in range(10))
WORDS = ("city", "code")
PART_ROWS = 2_000_000
LOW, HIGH = -4.0, 4.0
_MISSING_SHARE = 0.01
_REPEATED_EVERY = 20_000
_CITIES = 500
_ROWS_OF_A_GROUP = 250_000


def write_table(folder: Path, rows: int, seed: int, shift: float = 0.0) -> list[Path]:
    """Write a table of so many rows; `shift` moves some of its columns away from those of another table."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for part, start in enumerate(range(0, rows, PART_ROWS)):
        path = folder / f"{part:04d}.parquet"
        table = _part(min(PART_ROWS, rows - start), (seed, part), shift)
        pq.write_table(table, path, row_group_size=_ROWS_OF_A_GROUP)
        paths.append(path)
    return paths


def _part(rows: int, seed: tuple[int, int], shift: float) -> Any:
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for number, name in enumerate(NUMBERS):
        values = random.normal(shift if number % 3 == 0 else 0.0, 1.0, rows)
        missing = random.random(rows) < _MISSING_SHARE if number % 2 else None
        columns[name] = pa.array(values, mask=missing)
    cities = pa.array([f"city {number}" for number in range(_CITIES)])
    columns["city"] = cities.take(pa.array(random.integers(0, _CITIES, rows)))
    columns["code"] = pa.array(random.integers(0, 10**6, rows)).cast(pa.string())
    table = pa.table(columns)
    # Every so often a row is there twice, far from the first.
    twice = pa.array(np.arange(0, rows, _REPEATED_EVERY)[::-1])
    return pa.concat_tables([table.slice(0, rows - len(twice)), table.take(twice)])
