"""Tables of a task, opened where they lie: those of web servers from copies that are kept and asked for anew each time.

Copies lie in the work area, which all workers share, beside the folders of DAG runs. Must not know what is done with
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from airfoil.clients.kept_files import KEPT_FILES, FileKeeper
from airfoil.clients.source_files import TableFiles
from airfoil.clients.table_sources import TableSource, open_tables
from airfoil.provider.table_inputs import address_of, table_source
from airfoil.provider.work_area import shared_folder
from airfoil.records import DataRef
from airfoil.steps.scans import Scan


@dataclass(frozen=True)
class KeptTable:
    """A table to read again and again, and which one it is."""

    scan: Scan
    ref: DataRef


@contextmanager
def open_kept_tables(
    tables: Sequence[Any],
    *,
    dag_file: str = "",
    folder: Path | None = None,
    keep: int = KEPT_FILES,
    keeper: FileKeeper | None = None,
) -> Iterator[tuple[KeptTable, ...]]:
    """Open tables by path, address or mapping (`{"location": ..., "conn_id": ...}`), as long as the context lasts.

    What is not kept and has to be brought here (S3, a database, CSV) lies below `folder` meanwhile. Of web addresses,
    the `keep` that were asked for last stay kept, and all of today.
    """
    own = keeper or FileKeeper(shared_folder("sources"), keep=keep)
    given = [table_source(one, f"tables[{at}]", dag_file=dag_file) for at, one in enumerate(tables)]
    kept = [_kept(source, own) for source in given]
    with open_tables([source for source, _ in kept], folder=folder) as opened:
        found = []
        for source, (_, mark), files in zip(given, kept, opened, strict=True):
            scan = Scan.of_parquet(files.paths, files.name)
            told = mark or _seen(files, scan)
            ref = DataRef(uri=address_of(source), content_hash=told, rows=scan.rows)
            found.append(KeptTable(scan, ref))
        yield tuple(found)


def _kept(source: TableSource, keeper: FileKeeper) -> tuple[TableSource, str]:
    if source.kind != "web":
        return source, ""
    kept = keeper.fetch(source.location, source.called, source.headers)
    # What stands after the last colon of a hash is what MLflow shows as the digest; a time has colons of its own.
    return replace(source, location=str(kept.path), name=source.called, headers={}), kept.mark.replace(
        ":", ""
    )


def _seen(files: TableFiles, scan: Scan) -> str:
    """Return what tells a table that nobody has marked: how large it is; reading it all to hash it costs a pass."""
    return f"size:{scan.count()} rows, {sum(path.stat().st_size for path in files.paths)} bytes"
