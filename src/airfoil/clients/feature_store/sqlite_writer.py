"""Write encoded rows into the SQLite file of Feast's SQLite store: one line for each value, one transaction a batch.

A newer row is never replaced by an older one; Feast's own writer replaces whatever is there.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from airfoil.clients.feature_store import encoding
from airfoil.clients.feature_store.cells import Integers
from airfoil.clients.feature_store.encoding import Encoded
from airfoil.errors import ConfigurationError, StorageError

_PATIENCE_SECONDS = 60.0


class SqliteWriter:
    """Send batches into one table."""

    def __init__(self, path: Path, table: str, types: Mapping[str, str]) -> None:
        """Open the file; `types` are the features of the view."""
        self._path, self._types = path, types
        quoted = '"' + table.replace('"', '""') + '"'
        newer = (
            f"{quoted}.event_ts IS NULL OR {quoted}.event_ts < excluded.event_ts OR ({quoted}.event_ts = "
            f"excluded.event_ts AND ({quoted}.created_ts IS NULL OR excluded.created_ts IS NULL OR "
            f"{quoted}.created_ts <= excluded.created_ts))"
        )
        self._statement = (
            f"INSERT INTO {quoted} (entity_key, feature_name, value, value_text, event_ts, created_ts) "  # noqa: S608 - the table is quoted
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (entity_key, feature_name) DO UPDATE SET value = excluded.value, "
            "value_text = excluded.value_text, event_ts = excluded.event_ts, created_ts = excluded.created_ts "
            f"WHERE {newer}"
        )
        try:
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, check_same_thread=False)
            with closing(
                self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,))
            ) as found:
                is_there = found.fetchone() is not None
        except sqlite3.Error as error:
            raise self._failed(error) from error
        if not is_there:
            self._connection.close()
            raise ConfigurationError(
                f"The online store {path} has no table '{table}'",
                "Run `feast apply` for this repository first.",
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def write(self, batch: Encoded) -> int:
        """Write a batch; the number of rows of which a value was newer than what was there."""
        before = self._connection.total_changes
        try:
            with self._connection:
                self._connection.executemany(self._statement, self._lines(batch))
        except sqlite3.Error as error:
            raise self._failed(error) from error
        changed = self._connection.total_changes - before
        return changed // max(1, len(self._types))

    def _lines(self, batch: Encoded) -> Iterator[tuple[Any, ...]]:
        keys = batch.keys.to_list()
        # Neighbours in the index are written together.
        order = sorted(range(batch.rows), key=keys.__getitem__)
        columns = [
            (name, batch.values[name].to_list(), encoding.texts(batch, name, kind))
            for name, kind in self._types.items()
        ]
        event = stored_seconds(batch.event_us).tolist()
        created: list[int | None] = [None] * batch.rows
        if batch.created_us is not None and batch.has_created is not None:
            moments = np.where(batch.has_created, batch.created_us, 0)
            pairs = zip(stored_seconds(moments).tolist(), batch.has_created.tolist(), strict=True)
            created = [moment if is_there else None for moment, is_there in pairs]
        for row in order:
            for name, contents, spoken in columns:
                yield keys[row], name, contents[row], spoken[row], event[row], created[row]

    def _failed(self, error: sqlite3.Error) -> StorageError:
        return StorageError(
            f"The online store {self._path} cannot be written: {error}",
            "Free the disk, or end who holds the file; then run it again: the window counts only when it is complete.",
        )


def stored_seconds(event_us: Integers) -> Integers:
    """Seconds as Feast stores them: it reads the clock of UTC as if it were the machine's own, both ways."""
    whole = np.where(event_us < 0, -(-event_us // 1_000_000), event_us // 1_000_000)
    if not (time.timezone or time.daylight):
        return whole
    from datetime import UTC, datetime, timedelta

    different, which = np.unique(event_us, return_inverse=True)
    zero = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    # Only local time gives what Feast's adapter gives.
    moments = [int((zero + timedelta(microseconds=one)).timestamp()) for one in different.tolist()]
    found: Integers = np.array(moments, dtype=np.int64)[which]
    return found
