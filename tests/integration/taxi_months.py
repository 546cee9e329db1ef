"""The two months that a run of today asks for, in forms that New York published years apart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from airfoil.steps.taxi.months import Month
from airfoil.steps.taxi.sample_months import sample_month

if TYPE_CHECKING:
    from pathlib import Path

NAME = "yellow_tripdata_{year}-{month}.parquet"
"""How a file is called, as in the parameter `source`."""


def write_months(folder: Path, *, rows: int) -> dict[str, str]:
    """Write both into a folder that is not there yet; the tags of a model that has learned from them."""
    folder.mkdir()
    tags = {}
    for tag, back, variant in (("train_month", 4, "yellow-2019"), ("validation_month", 3, "yellow-2025")):
        month = Month.of(datetime.now(UTC)).back(back)
        table = pa.Table.from_batches(list(sample_month(month, rows, variant=variant)))
        pq.write_table(table, month.location(str(folder / NAME)))
        tags[tag] = str(month)
    return tags
