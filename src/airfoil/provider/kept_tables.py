"""Tables of a task, opened where they lie: those of web servers from copies that are kept and asked for anew each time.

Copies lie in the work area, which all workers share, beside the folders of DAG runs. Must not know what is done with
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from airfoil.clients.kept_files import FileKeeper
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
    tables: Sequence[Any], *, dag_file: str = "", keeper: FileKeeper | None = None
) -> Iterator[tuple[KeptTable, ...]]:
    """Open tables by path, address or mapping (`{"location": ..., "conn_id": ...}`), as long as the context lasts."""
    own = keeper or FileKeeper(shared_folder("sources"))
    given = [table_source(one, f"tables[{at}]", dag_file=dag_file) for at, one in enumerate(tables)]
    kept = [_kept(source, own) for source in given]
    with open_tables([source for source, _ in kept]) as opened:
        found = []
        for source, (_, mark), files in zip(given, kept, opened, strict=True):
            scan = Scan.of_parquet(files.paths, files.name)
            ref = DataRef(uri=address_of(source), content_hash=mark or _seen(scan), rows=scan.rows)
            found.append(KeptTable(scan, ref))
        yield tuple(found)


def _kept(source: TableSource, keeper: FileKeeper) -> tuple[TableSource, str]:
    if urlsplit(source.location).scheme.lower() not in {"http", "https"}:
        return source, ""
    kept = keeper.fetch(source.location, source.called, source.headers)
    return replace(source, location=str(kept.path), name=source.called, headers={}), kept.mark


def _seen(scan: Scan) -> str:
    """Return what tells a file that nobody has marked: its size in rows; reading it all to hash it costs a pass."""
    return f"rows:{scan.count()}"
