"""DuckDB as steps use it: inside this process, within a memory limit, with its temporary files where it is told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MEMORY_MIB = 400
"""Enough for sorting and joining by spilling; what Arrow hands over comes on top."""


@contextmanager
def duckdb_engine(
    folder: Path | None = None, *, memory_mib: int = MEMORY_MIB, threads: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine of its own that never reaches for the network; what it spills is gone afterwards.

    It takes all processors, or so many `threads`.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="airfoil-duckdb-", dir=folder) as spill:
        connection = duckdb.connect(
            config={
                "memory_limit": f"{memory_mib}MiB",
                "temp_directory": spill,
                "preserve_insertion_order": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        if threads is not None:
            connection.execute(f"SET threads = {threads:d}")
        try:
            yield connection
        finally:
            connection.close()


def quoted(name: str) -> str:
    """Return a column's name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'
