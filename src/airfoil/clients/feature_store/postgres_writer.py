"""Write encoded rows into the tables of Feast's Postgres store: COPY in binary into a temporary table, then one merge.

A newer row is never replaced by an older one; Feast's own writer replaces whatever is there. Rows are merged in the
order of their keys, so that two writers of one view wait for each other and never in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from airfoil.clients.feature_store import cells, encoding
from airfoil.clients.feature_store.cells import Cells, Flags, Integers
from airfoil.clients.feature_store.encoding import Encoded
from airfoil.errors import ConfigurationError, NeighbourError, ServiceUnreachableError, StorageError

if TYPE_CHECKING:
    import psycopg

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_MICROSECONDS_TO_2000 = 946_684_800_000_000
_STAGE = "airfoil_stage"
_AGAIN = "Run it again when Postgres is well: the window counts only when it is complete."


class PostgresWriter:
    """Send batches into one table."""

    def __init__(self, connection: psycopg.Connection[Any], table: str, types: Mapping[str, str]) -> None:
        """Take the connection over; `types` are the features of the view."""
        from psycopg import sql

        self._connection, self._types = connection, types
        name = sql.Identifier(table)
        # Times without a zone, as Feast sends them: the session's zone decides what they mean, for both.
        stage = sql.SQL(
            "CREATE TEMPORARY TABLE {} (entity_key BYTEA, feature_name TEXT, value BYTEA, value_text TEXT, "
            "event_ts TIMESTAMP, created_ts TIMESTAMP) ON COMMIT DELETE ROWS"
        ).format(sql.Identifier(_STAGE))
        self._merge = sql.SQL(
            "INSERT INTO {table} (entity_key, feature_name, value, value_text, event_ts, created_ts) "
            "SELECT * FROM {stage} ORDER BY entity_key, feature_name "
            "ON CONFLICT (entity_key, feature_name) DO UPDATE SET value = EXCLUDED.value, "
            "value_text = EXCLUDED.value_text, event_ts = EXCLUDED.event_ts, created_ts = EXCLUDED.created_ts "
            "WHERE {table}.event_ts IS NULL OR {table}.event_ts < EXCLUDED.event_ts "
            "OR ({table}.event_ts = EXCLUDED.event_ts AND ({table}.created_ts IS NULL "
            "OR EXCLUDED.created_ts IS NULL OR {table}.created_ts <= EXCLUDED.created_ts))"
        ).format(table=name, stage=sql.Identifier(_STAGE))
        self._copy = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(sql.Identifier(_STAGE))
        with _Translated():
            found = connection.execute("SELECT to_regclass(%s)", (f'"{table}"',)).fetchone()
            if found is None or found[0] is None:
                connection.close()
                raise ConfigurationError(
                    f"The online store has no table '{table}'", "Run `feast apply` for this repository first."
                )
            connection.execute(stage)
            connection.commit()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def write(self, batch: Encoded) -> int:
        """Write a batch in one transaction; the number of rows of which a value was newer than what was there."""
        with _Translated(), self._connection.transaction(), self._connection.cursor() as cursor:
            with cursor.copy(self._copy) as copy:
                copy.write(_SIGNATURE)
                for name, kind in self._types.items():
                    copy.write(_lines(batch, name, kind))
                copy.write(_END)
            cursor.execute(self._merge)
            changed = cursor.rowcount
        return changed // max(1, len(self._types))


def _lines(batch: Encoded, name: str, kind: str) -> bytes:
    """All rows of one feature, in Postgres' binary form."""
    parts: list[bytes | Cells] = [b"\x00\x06", *_field(batch.keys)]
    feature = name.encode()
    parts += [len(feature).to_bytes(4, "big") + feature, *_field(batch.values[name])]
    spoken = encoding.texts(batch, name, kind)
    is_spoken = np.fromiter((one is not None for one in spoken), dtype=np.bool_, count=batch.rows)
    parts += _field(cells.from_list([(one or "").encode() for one in spoken]), is_spoken)
    everyone = np.ones(batch.rows, dtype=np.bool_)
    parts += _moment(batch.event_us, everyone)
    if batch.created_us is None or batch.has_created is None:
        parts += _moment(np.zeros(batch.rows, dtype=np.int64), ~everyone)
    else:
        parts += _moment(batch.created_us, batch.has_created)
    return cells.join(batch.rows, parts).flat()


def _field(content: Cells, is_present: Flags | None = None) -> list[bytes | Cells]:
    """Length and bytes; -1 and nothing for a missing one."""
    lengths = content.lengths if is_present is None else np.where(is_present, content.lengths, -1)
    return [_big_endian(lengths, 4), content if is_present is None else content.where(is_present)]


def _moment(event_us: Integers, is_present: Flags) -> list[bytes | Cells]:
    return _field(_big_endian(event_us - _MICROSECONDS_TO_2000, 8), is_present)


def _big_endian(numbers: Integers, size: int) -> Cells:
    return Cells(numbers.astype(f">i{size}").view(np.uint8).reshape(len(numbers), size))


class _Translated:
    """Turn what psycopg raises into our errors."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import psycopg

        if isinstance(error, psycopg.errors.DiskFull | psycopg.errors.InsufficientResources):
            raise StorageError(f"Postgres has no room left: {error}", _AGAIN) from error
        if isinstance(error, psycopg.OperationalError):
            raise ServiceUnreachableError(
                f"The online store's Postgres does not answer: {error}", _AGAIN
            ) from error
        if isinstance(error, psycopg.Error):
            raise NeighbourError(f"The online store's Postgres refused a write: {error}", _AGAIN) from error
