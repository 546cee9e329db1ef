"""Doctor's checks of the databases: there, whole, migrated, reachable.

SQLite is opened read-only in the way that leaves no file behind and takes no lock a service would notice. Must not
import SQLAlchemy, nor repair anything.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from airfoil.stack.findings import Finding, error, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.stack.doctor import Case

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"
_WAL_VERSION = 2
_BUSY_SECONDS = 1.0
# A gigabyte is read in a few seconds; past that, knowing is not worth the wait. Older SQLite does not look at the
# clock while it walks a tree, so the size is limited too.
_QUICK_CHECK_SECONDS = 5.0
_QUICK_CHECK_BYTES = 2 * 2**30
_STEPS_BETWEEN_LOOKS = 1000
_POSTGRES_PORT = 5432


def check_databases(case: Case) -> Iterator[Finding]:
    """Check that the metadata databases of Airflow and MLflow are fit for work."""
    if case.project is None or case.settings is None or not case.may_look_inside:
        return
    urls = {
        "Airflow": case.settings.airflow.database or f"sqlite:///{case.project.airflow_database}",
        "MLflow": case.settings.mlflow.database or f"sqlite:///{case.project.mlflow_database}",
    }
    if case.settings.airflow.url:
        del urls["Airflow"]  # its database is its owner's business
    if case.settings.mlflow.url:
        del urls["MLflow"]
    for title, url in urls.items():
        if url.startswith("sqlite:///"):
            path = Path(url.removeprefix("sqlite:///").partition("?")[0])
            yield from examine_sqlite(title, path, in_use=case.state is not None)
        else:
            yield _server(case, title, url)


def _server(case: Case, title: str, url: str) -> Finding:
    """Tell whether a database server can be reached; only a service may log in to it."""
    parts = urlsplit(url)
    if not parts.hostname:
        return ok("databases", f"{title} uses {url}.")
    port = parts.port or _POSTGRES_PORT
    problem = case.machine.connection_problem(parts.hostname, port)
    if problem:
        return error(
            "databases",
            f"{title}'s database server {parts.hostname}:{port} does not answer: {problem}.",
            f"Start that server, or correct {title.lower()}.database.",
        )
    return ok("databases", f"{title}'s database server {parts.hostname}:{port} answers.")


def examine_sqlite(title: str, path: Path, *, in_use: bool) -> Iterator[Finding]:
    """Yield what is wrong with an SQLite file, or that it is sound."""
    damaged = "Put back a backup; or, if you can give up what it holds, move it away with `{}` and run `airfoil up`."
    give_up = damaged.format(f"mv '{path}' '{path}.broken'")
    if path.is_dir():
        yield error(
            "databases",
            f"{path} is a folder where {title}'s database should be.",
            f"`mv '{path}' '{path}.old'`",
        )
        return
    try:
        with path.open("rb") as stream:
            header = stream.read(_HEADER_BYTES)
    except FileNotFoundError:
        yield ok("databases", f"{title} has no database yet; the first `airfoil up` makes it.")
        return
    except OSError as problem:
        yield error("databases", f"{path} cannot be read: {problem.strerror}.", f"`ls -l '{path}'`")
        return
    if not header:
        yield warn(
            "databases",
            f"{title}'s database is empty: the first start was cut off.",
            "`airfoil up` fills it.",
        )
        return
    if header[: len(_MAGIC)] != _MAGIC:
        yield error("databases", f"{path} is not an SQLite database.", give_up)
        return
    try:
        with closing(_open_read_only(path, header)) as database:
            yield _migration(title, path, database, give_up)
            if not in_use:  # a check of a file that changes takes locks, and a service at work proves as much
                yield from _damage(title, path, database, give_up)
    except sqlite3.OperationalError as problem:
        yield warn(
            "databases",
            f"{title}'s database cannot be looked at now: {problem}.",
            "Run `airfoil up`, which finishes interrupted changes, and then doctor again.",
        )
    except sqlite3.DatabaseError as problem:
        yield error("databases", f"{path} is damaged: {problem}.", give_up)


def _open_read_only(path: Path, header: bytes) -> sqlite3.Connection:
    """Open without writing.

    In write-ahead mode even a reader makes the -wal and -shm files, and leaves them behind under its own name. When
    they are absent nobody has the file open, and SQLite may take it for immutable.
    """
    is_wal = header[18:20] == bytes((_WAL_VERSION, _WAL_VERSION))
    wal, shared = path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
    if is_wal and wal.exists() and not shared.exists():
        raise sqlite3.OperationalError("its last changes wait in the -wal file")
    mode = "immutable=1" if is_wal and not wal.exists() else "mode=ro"
    return sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, timeout=_BUSY_SECONDS)


def _migration(title: str, path: Path, database: sqlite3.Connection, give_up: str) -> Finding:
    """Tell whether the migrations came to an end: their last act is to write down the revision."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return warn(
            "databases",
            f"{title}'s database has no tables: the first start was cut off.",
            "`airfoil up` makes them.",
        )
    revisions: list[str] = []
    if "alembic_version" in tables:
        revisions = [
            str(revision) for (revision,) in database.execute("SELECT version_num FROM alembic_version")
        ]
    if not revisions:
        return error(
            "databases", f"{path} is half-migrated: it has {len(tables)} tables and no revision.", give_up
        )
    leftovers = sorted(table for table in tables if table.startswith("_alembic_tmp_"))
    if leftovers:
        return error(
            "databases", f"{path} is half-migrated: {leftovers[0]} was left by a cut-off migration.", give_up
        )
    return ok("databases", f"{title}'s database is at revision {revisions[0]}.")


def _damage(title: str, path: Path, database: sqlite3.Connection, give_up: str) -> Iterator[Finding]:
    """Yield the first damage that SQLite's own quick check sees, within a few seconds."""
    unchecked = ok("databases", f"{title}'s database is large and was not checked to its end.")
    if path.stat().st_size > _QUICK_CHECK_BYTES:
        yield unchecked
        return
    deadline = time.monotonic() + _QUICK_CHECK_SECONDS
    database.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_BETWEEN_LOOKS)
    try:
        rows = [str(row) for (row,) in database.execute("PRAGMA quick_check(1)")]
    except sqlite3.OperationalError as problem:
        if "interrupted" not in str(problem):
            raise
        yield unchecked
        return
    if rows != ["ok"]:
        yield error("databases", f"{path} is damaged: {rows[0] if rows else 'no answer'}.", give_up)
