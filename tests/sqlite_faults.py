"""What a kill in the middle of a transaction leaves of a SQLite database."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

ROWS = 2000


def make_half_written(path: Path) -> None:
    """Leave half a transaction in a database that has one, and beside it the journal that takes it back.

    As when its writer was killed: files are copied in the middle, and nobody holds a lock on the copies.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("pragma cache_size = 1")
        database.execute("begin")
        database.execute("create table half (text)")
        database.executemany("insert into half values (?)", (("x" * 1000,) for _ in range(ROWS)))
        journal = path.with_name(f"{path.name}-journal")
        copies = [(file, file.with_name(f"{file.name}.copy")) for file in (path, journal)]
        for file, copy in copies:
            shutil.copy(file, copy)
    for file, copy in copies:
        copy.replace(file)
