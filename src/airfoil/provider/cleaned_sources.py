"""A crawled source as a clean table: read, cleaned by its contract, and kept by version in `data/processed`.

What a row has to be stands in the contract; the work is done in airfoil.steps.lifecycle.cleaning. What is rejected lies
beside the rows, with its reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airfoil.clients.csv_tables import CsvFormat
from airfoil.clients.object_store import path_of
from airfoil.clients.table_sources import TableSource, open_table
from airfoil.errors import ConfigurationError
from airfoil.provider.check_inputs import contract_of
from airfoil.provider.record_inputs import record
from airfoil.provider.work_area import WorkArea, data_folder, folder_name
from airfoil.records import DataRef
from airfoil.steps.lifecycle.cleaning import (
    CleaningRecord,
    classes_of,
    clean_rows,
    count_rows,
    require_rows,
    text_types,
)
from airfoil.steps.scans import Scan


@dataclass(frozen=True)
class CleanedSource:
    """Where both parts of a source lie, how many rows they have, and which classes there are to tell apart."""

    rows: DataRef
    rejects: DataRef
    counted: CleaningRecord
    classes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as a task hands it on."""
        return {
            "rows": self.rows.to_json(),
            "rejects": self.rejects.to_json(),
            "counted": self.counted.to_json(),
            "classes": list(self.classes),
        }


def clean_source(
    crawled: Mapping[str, Any], contract: Any, *, target: str, dag_file: str = "", most_rejected: float = 0.1
) -> CleanedSource:
    """Clean what `crawl` returned; a source that is hardly what its contract says is refused, its rejects are kept."""
    missing = [name for name in ("raw", "source", "version") if name not in crawled]
    if missing:
        raise ConfigurationError(
            f"What is to be cleaned does not say its '{missing[0]}'", "Hand on the result of `crawl` whole."
        )
    asked = contract_of(contract, dag_file)
    name = str(crawled["source"])
    kept = WorkArea(data_folder("processed") / folder_name(name) / folder_name(str(crawled["version"])))
    path = path_of(record(DataRef, crawled["raw"], "crawled"))
    source = TableSource(str(path), name=name, csv=CsvFormat(types=text_types(asked)))
    with open_table(source, folder=kept.root) as table:
        scan = Scan.of_parquet(table.paths, table.name)
        with scan.reading():
            cleaned = clean_rows(scan, asked)
            rejects = kept.write("rejects", cleaned.rejects)
            rows = kept.write("rows", cleaned.rows)
    counted = count_rows(rows.rows or 0, _lazy(rejects))
    require_rows(counted, asked, most_rejected, name)
    return CleanedSource(rows, rejects, counted, classes_of(asked, target))


def _lazy(ref: DataRef) -> Any:
    import polars as pl

    return pl.scan_parquet(path_of(ref))
