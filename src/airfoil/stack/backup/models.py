"""Which registered model of a backup to try: the champion first, then the newest; and where its files are.

Read from the copy of MLflow's database. Must not load a model.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.stack.backup import sqlite_copies

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection
    from pathlib import Path

_VERSIONS = """
select v.name, v.version, coalesce(v.storage_location, ''), coalesce(v.source, '')
from model_versions v
left join registered_model_aliases a
  on a.name = v.name and cast(a.version as integer) = cast(v.version as integer) and a.alias = 'champion'
where v.status = 'READY'
order by a.alias is null, cast(v.creation_time as integer) desc
"""
_PROXY = "mlflow-artifacts:"
_LOGGED = "models:/m-"
_DEEP = 5
"""A version may be a copy of a copy; no further than this."""


@dataclass(frozen=True)
class Candidate:
    """A registered version whose files are in the backup."""

    name: str
    version: int
    folder: str
    """Below the artifacts."""

    @property
    def shown(self) -> str:
        """What people call it."""
        return f"{self.name} version {self.version}"


def candidates(database: Path, paths: Collection[str]) -> list[Candidate]:
    """Return the versions that could be tried, in the order in which to try; `paths` are the artifacts' files."""
    with closing(sqlite_copies.opened(database)) as opened:
        if not {"model_versions", "registered_model_aliases"} <= sqlite_copies.tables(opened):
            return []
        found = []
        for name, version, stored, source in opened.execute(_VERSIONS).fetchall():
            folders = (folder_of(opened, address) for address in (stored, source) if address)
            folder = next((one for one in folders if one and f"{one}/MLmodel" in paths), "")
            if folder:
                found.append(Candidate(str(name), int(version), folder))
        return found


def folder_of(database: sqlite3.Connection, address: str, depth: int = _DEEP) -> str:
    """Return where below the artifacts an address leads; empty when it leads elsewhere."""
    if address.startswith(_PROXY):
        path = address.removeprefix(_PROXY)
        return (path[2:].partition("/")[2] if path.startswith("//") else path).strip("/")
    if depth == 0:
        return ""
    if address.startswith(_LOGGED):
        statement = "select artifact_location from logged_models where model_id = ?"
        values: tuple[str, ...] = (address.removeprefix("models:/"),)
    elif address.startswith("models:/"):
        name, _, version = address.removeprefix("models:/").rpartition("/")
        statement = (
            "select coalesce(storage_location, source) from model_versions where name = ? and version = ?"
        )
        values = (name, version)
    elif address.startswith("runs:/"):
        run_id, _, rest = address.removeprefix("runs:/").partition("/")
        statement, values = "select artifact_uri || '/' || ? from runs where run_uuid = ?", (rest, run_id)
    else:
        return ""
    row = database.execute(statement, values).fetchone()
    return folder_of(database, str(row[0]), depth - 1) if row and row[0] else ""
