"""PostgreSQL databases as SQLite files and back: every value as PostgreSQL writes it, of one snapshot.

The file has the tables with their rows, and three of ours with what makes the schema again. A restore is one
transaction. Must not know whose tables they are, and must not show a password.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from airfoil.errors import ConfigurationError, NeighbourError, redact
from airfoil.stack.backup import postgres_catalogue, sqlite_copies
from airfoil.stack.backup.sqlite_copies import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airfoil.stack.backup.postgres_catalogue import Catalogue

OURS = "airfoil_"
"""What tables of ours begin with."""
_STATEMENTS = f"{OURS}statements"
_SEQUENCES = f"{OURS}sequences"
_COLUMNS = f"{OURS}columns"
_CONNECT_SECONDS = 20
# What the text of a value depends on.
_MANNERS = (
    "set time zone 'UTC'",
    "set datestyle = 'ISO'",
    "set intervalstyle = 'postgres'",
    "set bytea_output = 'hex'",
    "set extra_float_digits = 1",
    "set synchronize_seqscans = off",
)


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """Open a connection; what goes wrong on it is a sentence without the password."""
    try:
        import psycopg
    except ImportError as error:
        raise ConfigurationError(
            "A database is on PostgreSQL, and psycopg is not installed.",
            "Install it: `uv pip install 'airfoil[postgres]'`.",
        ) from error
    try:
        with psycopg.connect(_plain(url), connect_timeout=_CONNECT_SECONDS) as connection:
            for manner in _MANNERS:
                connection.execute(manner)
            connection.commit()
            yield connection
    except psycopg.Error as error:
        reason = " ".join(redact(str(error)).split())[:300] or type(error).__name__
        raise NeighbourError(
            f"The database {redact(url)} refused: {reason}.", "Look for the reason: `airfoil doctor`."
        ) from error


def dump(url: str, target: Path) -> None:
    """Copy a database as of one moment into an SQLite file, while others write."""
    import psycopg

    with connected(url) as connection, closing(sqlite3.connect(target)) as made, made:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        catalogue = postgres_catalogue.read(connection)
        _note(made, catalogue)
        for table, columns in catalogue.columns.items():
            names = ", ".join(quoted(column.name) for column in columns)
            made.execute(f"create table {quoted(table)} ({names})")
            marks = ", ".join("?" for _ in columns)
            with connection.cursor().copy(f"copy {quoted(table)} ({names}) to stdout") as copy:
                made.executemany(f"insert into {quoted(table)} values ({marks})", _texts(copy))  # noqa: S608 - quoted
        connection.rollback()
    target.chmod(0o600)


def revision(path: Path) -> str:
    """Return the schema revision that a copy says it has; empty when it has none."""
    with closing(sqlite_copies.opened(path)) as database:
        if "alembic_version" not in sqlite_copies.tables(database):
            return ""
        row = database.execute("select version_num from alembic_version").fetchone()
        return str(row[0]) if row else ""


def is_empty(url: str) -> bool:
    """Tell whether nothing is in a database yet."""
    with connected(url) as connection:
        return not postgres_catalogue.table_names(connection)


def restore(source: Path, url: str, *, aside: str = "") -> None:
    """Make a database from a copy of one on PostgreSQL; what is there is moved to the schema `aside`, or refused."""
    with closing(sqlite_copies.opened(source)) as kept, connected(url) as connection:
        make_room(connection, url, aside)
        for statement in _statements(kept, "before"):
            connection.execute(statement)
        by_table: dict[str, list[str]] = {}
        for table, column in kept.execute(f"select in_table, name from {_COLUMNS} order by rowid"):  # noqa: S608 - ours
            by_table.setdefault(table, []).append(column)
        for table, columns in by_table.items():
            rows = kept.execute(f"select * from {quoted(table)}")  # noqa: S608 - quoted
            copy_rows(connection, table, columns, rows)
        for name, value in kept.execute(f"select name, value from {_SEQUENCES}"):  # noqa: S608 - ours
            if value is not None:
                connection.execute("select setval(%s::regclass, %s)", (quoted(name), value))
        for statement in _statements(kept, "after"):
            connection.execute(statement)
        connection.commit()


def make_room(connection: Any, url: str, aside: str) -> None:
    """Move what is in a database to a schema of its own, or refuse to."""
    tables = postgres_catalogue.table_names(connection)
    if not tables:
        return
    if not aside:
        raise ConfigurationError(
            f"The database {redact(url)} is not empty: it has {len(tables)} tables.",
            "Name an empty one, or add --overwrite: what is there is moved to a schema beside.",
        )
    connection.execute(f"create schema {quoted(aside)}")
    for table in tables:
        connection.execute(f"alter table {quoted(table)} set schema {quoted(aside)}")
    for name in postgres_catalogue.lone_sequences(connection):
        connection.execute(f"alter sequence {quoted(name)} set schema {quoted(aside)}")
    for name in postgres_catalogue.enum_names(connection):
        connection.execute(f"alter type {quoted(name)} set schema {quoted(aside)}")


def copy_rows(connection: Any, table: str, columns: list[str], rows: Any) -> None:
    """Write rows of texts into a table."""
    names = ", ".join(quoted(column) for column in columns)
    with connection.cursor().copy(f"copy {quoted(table)} ({names}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _note(made: sqlite3.Connection, catalogue: Catalogue) -> None:
    """Write down what makes the schema again."""
    made.execute(f"create table {_STATEMENTS} (moment text, statement text)")
    made.executemany(
        f"insert into {_STATEMENTS} values (?, ?)",  # noqa: S608 - ours
        [("before", one) for one in catalogue.before] + [("after", one) for one in catalogue.after],
    )
    made.execute(f"create table {_SEQUENCES} (name text, value integer)")
    made.executemany(
        f"insert into {_SEQUENCES} values (?, ?)",  # noqa: S608 - ours
        [(one.name, one.value) for one in catalogue.sequences],
    )
    made.execute(f"create table {_COLUMNS} (in_table text, name text, type text)")
    made.executemany(
        f"insert into {_COLUMNS} values (?, ?, ?)",  # noqa: S608 - ours
        [(table, one.name, one.type) for table, found in catalogue.columns.items() for one in found],
    )


def _statements(kept: sqlite3.Connection, moment: str) -> list[str]:
    rows = kept.execute(f"select statement from {_STATEMENTS} where moment = ? order by rowid", (moment,))  # noqa: S608 - ours
    return [str(statement) for (statement,) in rows]


def _texts(copy: Any) -> Iterator[tuple[str | None, ...]]:
    for row in copy.rows():
        yield tuple(value.decode() if isinstance(value, bytes) else value for value in row)


def _plain(url: str) -> str:
    """Return an address without the name of a driver, which psycopg does not know."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql"))
