"""Two months of made-up taxi trips as Parquet, with the columns and types that New York published in 2024.

Written batch by batch, so that making them takes no more memory than reading them.
"""

from __future__ import annotations

from pathlib import Path

ROWS = 3_403_766
"""As many as March 2023 had."""
TRAIN, VALIDATION = "train.parquet", "validation.parquet"
_GROUP_BATCHES = 4
"""Batches in a row group: a million rows, as published."""


def write_months(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write the month that models learn from, and the one they are tested on."""
    return _write(folder / TRAIN, rows, 1), _write(folder / VALIDATION, rows, 2)


def _write(path: Path, rows: int, number: int) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from airfoil.steps.taxi.months import Month
    from airfoil.steps.taxi.sample_months import sample_month, variant_of

    path.parent.mkdir(parents=True, exist_ok=True)
    waiting: list[pa.RecordBatch] = []
    with pq.ParquetWriter(path, variant_of("yellow-2024").schema, compression="zstd") as writer:
        for batch in sample_month(Month(year=2024, number=number), rows):
            waiting.append(batch)
            if len(waiting) == _GROUP_BATCHES:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))
    return path
