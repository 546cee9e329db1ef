"""SQLite databases as files: read their revision, copy them, put a complete new one in the place of the old.

Knows neither Airflow nor MLflow.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NoReturn

from airfoil import live_databases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMPANIONS = ("-wal", "-shm", "-journal")
_FULL_BYTES = 64 * 1024
_BUSY_SECONDS = 10


class DiskFullError(Exception):
    """A database could not be built because there is no room for it."""


class _AskedToEndError(BaseException):
    """This process was sent SIGTERM."""


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Give the name under which a database is built anew, and put it in place once it is whole.

    Not put in place when the block has moved or removed it. A block that fails, also because this process is asked to
    end, leaves nothing behind; what a killed one leaves, the next one removes.
    """
    fresh = path.with_name(path.name + ".new")
    remove(fresh)
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield fresh
        if fresh.exists():
            put_in_place(fresh, path)
    except BaseException as error:
        full = shutil.disk_usage(path.parent).free < _FULL_BYTES  # before room is made
        remove(fresh)
        signal.signal(signal.SIGTERM, before)
        if isinstance(error, _AskedToEndError):
            signal.raise_signal(signal.SIGTERM)
        if full:
            raise DiskFullError(path) from error
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: object) -> NoReturn:
    raise _AskedToEndError


def revision_of(path: Path) -> tuple[str | None, bool]:
    """The revision a SQLite file says it has, and whether it holds tables at all."""
    with closing(live_databases.opened(path, _BUSY_SECONDS)) as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        if "alembic_version" not in tables:
            return None, bool(tables)
        row = database.execute("select version_num from alembic_version").fetchone()
        return (row[0] if row else None), len(tables) > 1


def copy(source: Path, target: Path) -> None:
    """Copy a database as of this moment, with what waits in its write-ahead log."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as made:
        live.backup(made)


def fold(path: Path) -> None:
    """Write what waits in the write-ahead log into the file itself."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma wal_checkpoint(truncate)")


def put_in_place(fresh: Path, path: Path) -> None:
    """Replace a database by a complete one: whoever opens it sees the old or the new, never a part.

    The old log must go before the new file comes (it would be played into it), so nothing may wait in it by then: a
    kill between the two would lose that.
    """
    fresh.chmod(0o600)
    if path.exists() and path.stat().st_size:
        fold(path)
    for companion in _COMPANIONS:
        path.with_name(path.name + companion).unlink(missing_ok=True)
    fresh.replace(path)
    remove(fresh)


def remove(path: Path) -> None:
    """Remove a database and the files that SQLite keeps beside it."""
    for companion in ("", *_COMPANIONS):
        path.with_name(path.name + companion).unlink(missing_ok=True)
