"""One writer of a view's record at a time, whoever else works on the same registry.

A registry reads a view, adds a window and writes the view back: of two that do so at once, one window would be lost.
The lock lies where the registry lies: in its Postgres, or beside its file. It ends with the process that holds it.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from airfoil.errors import ServiceUnreachableError

_log = logging.getLogger(__name__)


@contextmanager
def one_at_a_time(store: Any, view: str) -> Iterator[None]:
    """Wait until nobody else records this view in the registry of a Feast store, and keep others waiting."""
    settings = store.config.registry
    if settings.registry_type == "file":
        # Every write is of the whole file.
        path = Path(store.repo_path) / settings.path
        with _file_lock(path, f"the registry {path.name}") if "://" not in settings.path else nullcontext():
            yield
        return
    from sqlalchemy import make_url

    url = make_url(settings.path) if settings.registry_type == "sql" else None
    backend = "" if url is None else url.get_backend_name()
    if url is not None and backend == "sqlite" and url.database:
        with _file_lock(Path(f"{url.database}.{_number(store.project, view):016x}"), f"the view {view}"):
            yield
    elif backend == "postgresql":
        with _postgres_lock(store.registry.write_engine, _number(store.project, view), view):
            yield
    else:
        _log.info("Nothing keeps others from recording %s in a registry of this kind meanwhile.", view)
        yield


@contextmanager
def _file_lock(path: Path, what: str) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    import fcntl

    path = path.with_name(f".{path.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Stays: a lock file that is removed can be held twice.
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.info("Waiting for another run that works on %s.", what)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _postgres_lock(engine: Any, number: int, view: str) -> Iterator[None]:
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar():
            _log.info("Waiting for another run that works on the view %s.", view)
            connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": number})
    except SQLAlchemyError as error:
        raise ServiceUnreachableError(
            f"The registry does not answer: {str(error).splitlines()[0]}",
            "Start its database, or correct `registry` in feature_store.yaml.",
        ) from error
    try:
        yield
    finally:
        # A connection that goes back into a pool would keep its locks.
        connection.invalidate()
        connection.close()


def _number(project: str, view: str) -> int:
    """Return a whole number of 63 bits that belongs to a view."""
    digest = hashlib.sha256(f"{project}\0{view}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
