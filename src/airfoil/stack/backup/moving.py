"""Moves an SQLite database to PostgreSQL, where the tool that owns it has made the tables: rows, counters, and proof.

What came is read back and held against what was sent, value by value. Must not know whose tables they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.stack.backup import postgres, postgres_catalogue, sqlite_copies
from airfoil.stack.backup.sqlite_copies import quoted

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from airfoil.stack.backup.postgres_catalogue import Column

_MODULUS = 2**128


def move(source: Path, url: str) -> int:
    """Fill the tables of a database with the rows of an SQLite file, in one transaction; how many rows that were."""
    with closing(sqlite_copies.opened(source)) as kept, postgres.connected(url) as connection:
        catalogue = postgres_catalogue.read(connection)
        there = set(sqlite_copies.tables(kept))
        # A table that the other side does not know belongs to a part of the tool that it lacks (logins, say): it stays
        # as the tool has made it.
        plan = {
            table: _shared(kept, table, columns)
            for table, columns in catalogue.columns.items()
            if table in there
        }
        _refuse_strangers(kept, plan)
        keys = postgres_catalogue.foreign_keys(connection)
        for table, name, _ in keys:  # rows come in any order
            connection.execute(f"alter table {quoted(table)} drop constraint {quoted(name)}")
        if plan:
            connection.execute(f"truncate {', '.join(quoted(table) for table in plan)}")
        rows = 0
        for table, columns in plan.items():
            rows += _fill(kept, connection, table, columns)
        for sequence in catalogue.sequences:
            if sequence.table:
                most = f"select max({quoted(sequence.column)}) from {quoted(sequence.table)}"  # noqa: S608 - quoted
                connection.execute(
                    f"select setval(%s::regclass, greatest(coalesce(({most}), 1), 1), ({most}) is not null)",
                    (quoted(sequence.name),),
                )
        for table, name, definition in keys:
            connection.execute(f"alter table {quoted(table)} add constraint {quoted(name)} {definition}")
        connection.commit()
        return rows


def _shared(kept: sqlite3.Connection, table: str, columns: Sequence[Column]) -> list[Column]:
    """Return the columns that both sides have."""
    there = set(sqlite_copies.columns(kept, table))
    return [column for column in columns if column.name in there]


def _refuse_strangers(kept: sqlite3.Connection, plan: Mapping[str, Sequence[Column]]) -> None:
    """Refuse to lose what the other side has no table or column for."""
    for table in sorted(sqlite_copies.tables(kept)):
        if table.startswith("sqlite_"):
            continue
        known = {column.name for column in plan.get(table, ())}
        for name in sqlite_copies.columns(kept, table):
            if name in known:
                continue
            filled = f"select 1 from {quoted(table)} where {quoted(name)} is not null limit 1"  # noqa: S608 - quoted
            if kept.execute(filled).fetchone():
                raise ConfigurationError(
                    f"The other database has no place for {table}.{name}: the schemas are not of one version.",
                    "Bring both to the same version first: `airfoil up`.",
                )


def _fill(kept: sqlite3.Connection, connection: Any, table: str, columns: Sequence[Column]) -> int:
    """Copy the rows of one table, and prove that they came."""
    if not columns:
        return 0
    names = ", ".join(quoted(column.name) for column in columns)
    kinds = [column.type for column in columns]
    select = f"select {names} from {quoted(table)}"  # noqa: S608 - quoted
    sent = (
        [_spelled(value, kind) for value, kind in zip(row, kinds, strict=True)]
        for row in kept.execute(select)
    )
    postgres.copy_rows(connection, table, [column.name for column in columns], sent)
    with connection.cursor().copy(f"copy ({select}) to stdout") as copy:
        came = _digest(copy.rows(), kinds)
    meant = _digest(kept.execute(select), kinds)
    if came != meant:
        raise NeighbourError(
            f"{table} did not arrive as it was sent: {came[0]} rows with digest {came[1]:x}, "
            f"not {meant[0]} with {meant[1]:x}.",
            "Nothing was changed. Please report this.",
        )
    return meant[0]


def _spelled(value: Any, kind: str) -> str | None:
    """Return a value of SQLite as PostgreSQL reads it."""
    if value is None:
        return None
    if kind == "bool":
        return "t" if value in {1, "1", "t", "true"} else "f"
    if isinstance(value, bytes):
        return f"\\x{value.hex()}" if kind == "bytea" else value.decode()
    return repr(value) if isinstance(value, float) else str(value)


def _digest(rows: Iterable[Sequence[Any]], kinds: Sequence[str]) -> tuple[int, int]:
    """Return how many rows, and a sum over them that does not depend on their order."""
    ways = [_WAYS.get(kind, _as_text) for kind in kinds]
    count, total = 0, 0
    for row in rows:
        one = [None if value is None else way(value) for value, way in zip(row, ways, strict=True)]
        total += int.from_bytes(hashlib.blake2b(repr(one).encode(), digest_size=16).digest(), "big")
        count += 1
    return count, total % _MODULUS


def _as_text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _as_truth(value: Any) -> str:
    return "t" if _as_text(value) in {"1", "t", "true"} else "f"


def _as_number(value: Any) -> str:
    return repr(float(value))


def _as_whole(value: Any) -> str:
    return str(int(value))


def _as_moment(value: Any) -> str:
    found = datetime.fromisoformat(_as_text(value))
    return (found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)).isoformat()


def _as_json(value: Any) -> str:
    try:
        return json.dumps(json.loads(_as_text(value)), sort_keys=True)
    except ValueError:
        return _as_text(value)


def _as_uuid(value: Any) -> str:
    return _as_text(value).replace("-", "").lower()


def _as_bytes(value: Any) -> str:
    if isinstance(value, bytes) and not value.startswith(b"\\x"):
        return value.hex()
    return _as_text(value).removeprefix("\\x")


_WAYS: dict[str, Callable[[Any], str]] = {
    "bool": _as_truth,
    "bytea": _as_bytes,
    "float4": _as_number,
    "float8": _as_number,
    "int2": _as_whole,
    "int4": _as_whole,
    "int8": _as_whole,
    "json": _as_json,
    "jsonb": _as_json,
    "numeric": _as_number,
    "timestamp": _as_moment,
    "timestamptz": _as_moment,
    "uuid": _as_uuid,
}
"""How the same value is made to look the same, whoever wrote it; by PostgreSQL's name of the type."""
