"""SQLite databases: copied as of one moment while others write, and told by rows and digests of their tables.

Must not know whose tables they are.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from airfoil import live_databases
from airfoil.errors import StorageError
from airfoil.stack.backup.manifest import TableFacts

if TYPE_CHECKING:
    from pathlib import Path

_BUSY_SECONDS = 60.0
_ROWS = 1000


def copy(source: Path, target: Path, shown: str) -> None:
    """Copy a database as of this moment, with what waits in its write-ahead log; a damaged one is refused."""
    try:
        with (
            closing(live_databases.opened(source, _BUSY_SECONDS)) as live,
            closing(sqlite3.connect(target)) as made,
        ):
            live.backup(made)
            made.execute("pragma journal_mode = delete")  # one file, with nothing beside it
        target.chmod(0o600)
    except sqlite3.Error as error:
        raise StorageError(
            f"{shown} ({source}) cannot be copied: {error}.", "See `airfoil doctor`."
        ) from error
    prove(target, f"{shown} ({source})")


def prove(path: Path, shown: str) -> None:
    """Raise StorageError when a database is damaged."""
    try:
        with closing(opened(path)) as database:
            (said,) = database.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise StorageError(f"{shown} is damaged: {said}.", "Put back a backup, or see `airfoil doctor`.")


def fold(path: Path) -> None:
    """Make one file of a database that some process has written to, with nothing beside it."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma journal_mode = delete")


def opened(path: Path) -> sqlite3.Connection:
    """Open a database that nobody writes to."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)


def facts(path: Path) -> dict[str, TableFacts]:
    """Count and digest the rows of each table, in the order they are kept."""
    found = {}
    with closing(opened(path)) as database:
        database.text_factory = bytes  # what is no text at all is digested like the rest
        names = [
            name.decode()
            for (name,) in database.execute(
                "select name from sqlite_master where type = 'table' order by name"
            )
        ]
        for name in names:
            if not name.startswith("sqlite_"):
                found[name] = _facts(database, name)
    return found


def tables(database: sqlite3.Connection) -> set[str]:
    """Return the names of all tables."""
    return {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}


def columns(database: sqlite3.Connection, table: str) -> list[str]:
    """Return the columns of a table, in their order."""
    return [str(row[1]) for row in database.execute(f"pragma table_info({quoted(table)})")]


def quoted(name: str) -> str:
    """Return a name as it stands in a statement, for SQLite and PostgreSQL alike."""
    return '"' + name.replace('"', '""') + '"'


def _facts(database: sqlite3.Connection, name: str) -> TableFacts:
    digest, rows = hashlib.sha256(), 0
    cursor = database.execute(f"select * from {quoted(name)}")  # noqa: S608 - a name of its own, quoted
    while some := cursor.fetchmany(_ROWS):
        digest.update(repr(some).encode())
        rows += len(some)
    return TableFacts(rows=rows, digest=digest.hexdigest())
