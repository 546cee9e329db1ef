"""Values that should stand in another table and do not. Joins inside DuckDB, which spills what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError
from airfoil.steps.duckdb_engine import quoted
from airfoil.steps.quality.profiling import plain

if TYPE_CHECKING:
    import duckdb

    from airfoil.steps.quality.contract import ForeignKey
    from airfoil.steps.scans import Scan


_COUNTED, _STRAYS = "airfoil_counted", "airfoil_strays"


def find_strays(
    scan: Scan, other: Scan, key: ForeignKey, connection: duckdb.DuckDBPyConnection, *, examples: int = 5
) -> tuple[int, int, tuple[dict[str, Any], ...]]:
    """Return how many rows refer to anything, how many of them to nothing that is there, and the commonest of those.

    A row that lacks a value of the key refers to nothing, as in SQL.
    """
    theirs = key.references or key.columns
    unknown = [name for name in theirs if name not in other.columns]
    if unknown:
        raise ConfigurationError(
            f"The table {other.name} has no column '{unknown[0]}' to refer to",
            "Name its columns under `references`.",
        )
    ours, others = scan.relation(connection), other.relation(connection)
    our_names = dict(zip(scan.columns, ours.columns, strict=True))
    their_names = dict(zip(other.columns, others.columns, strict=True))
    places = range(len(key.columns))
    mine = ", ".join(f"{quoted(our_names[name])} AS k{place}" for place, name in enumerate(key.columns))
    whole = " AND ".join(f"{quoted(our_names[name])} IS NOT NULL" for name in key.columns)
    listed = ", ".join(f"k{place}" for place in places)
    counted = ours.filter(whole).project(mine).aggregate(f"{listed}, count(*) AS times", listed)
    known = others.project(
        ", ".join(f"{quoted(their_names[name])} AS k{place}" for place, name in enumerate(theirs))
    ).set_alias("theirs")
    same = " AND ".join(f"ours.k{place} = theirs.k{place}" for place in places)
    counted.create(_COUNTED)
    try:
        total = connection.execute(f"SELECT sum(times) FROM {_COUNTED}").fetchall()[0][0]  # noqa: S608 - our own name
        strays = connection.table(_COUNTED).set_alias("ours").join(known, same, how="anti")
        strays.create(_STRAYS)
        lost = connection.execute(f"SELECT sum(times) FROM {_STRAYS}").fetchall()[0][0]  # noqa: S608 - our own name
        shown = connection.table(_STRAYS).order(f"times DESC, {listed}").limit(examples).fetchall()
    finally:
        for name in (_STRAYS, _COUNTED):
            connection.execute(f"DROP TABLE IF EXISTS {name}")
    rows = tuple(
        {"times": int(row[-1])} | {name: plain(value) for name, value in zip(key.columns, row, strict=False)}
        for row in shown
    )
    return int(total or 0), int(lost or 0), rows
