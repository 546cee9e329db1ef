"""Open a table wherever it lies, as local Parquet: a file, a folder, a pattern, http(s), S3, or an SQL database.

Local Parquet is read where it lies. Everything else is brought here once, as Parquet in a folder of its own that is
gone afterwards: a database is asked one query and a server is read once, however many passes a step makes, and no step
ever meets an address or a credential. Must not know what is done with the table.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from airfoil.clients.csv_tables import CsvFormat
from airfoil.clients.remote_files import S3Access, fetch_http, fetch_s3
from airfoil.clients.source_files import TableFiles, local_files, table_of_files
from airfoil.clients.sql_tables import fetch_query
from airfoil.errors import ConfigurationError, redact
from airfoil.records import DataRef

_HTTP = frozenset({"http", "https"})
_S3 = frozenset({"s3", "s3a"})
_FILE = frozenset({"", "file"})
_DRIVE = 1  # a scheme of one letter is a drive of Windows


@dataclass(frozen=True)
class TableSource:
    """Where a table lies and how it is to be read. What is secret stays out of its printed form."""

    location: str = field(repr=False)
    """A path, a folder, a pattern such as `trips/*.parquet`, or an address: https://, s3://, postgresql://, sqlite:///."""
    name: str = ""
    """What it is called in reports; else what its location ends with."""
    query: str = ""
    """For a database: a table (`schema.table`) or a SELECT."""
    csv: CsvFormat = field(default_factory=CsvFormat)
    s3: S3Access = field(default_factory=S3Access, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """For http(s), such as an Authorization."""

    @property
    def kind(self) -> Literal["local", "web", "s3", "database"]:
        """Who has it."""
        scheme = urlsplit(self.location).scheme.lower()
        if scheme in _FILE or len(scheme) <= _DRIVE:
            return "local"
        if scheme in _HTTP:
            return "web"
        return "s3" if scheme in _S3 else "database"

    @property
    def path(self) -> str:
        """Of a local table its path, of one in S3 bucket and key."""
        parts = urlsplit(self.location)
        if self.kind == "s3":
            return parts.netloc + unquote(parts.path)
        return unquote(parts.path) if parts.scheme.lower() == "file" else self.location

    @property
    def called(self) -> str:
        """The name that reports and errors use."""
        parts = urlsplit(self.location)
        if self.name:
            return self.name
        if self.query and " " not in self.query.strip():
            return self.query.strip()
        tail = unquote((parts.path or self.location).rstrip("/").rpartition("/")[2])
        return redact(f"{'a query of ' if self.query else ''}{tail or parts.netloc or self.location}")


@contextmanager
def open_table(
    source: TableSource | DataRef | str | Path, *, folder: Path | None = None
) -> Iterator[TableFiles]:
    """Open a table for reading again and again, as long as the context lasts; copies go below `folder`."""
    with open_tables([source], folder=folder) as (table,):
        yield table


@contextmanager
def open_tables(
    sources: Sequence[TableSource | DataRef | str | Path], *, folder: Path | None = None
) -> Iterator[tuple[TableFiles, ...]]:
    """Open several tables, such as a reference and what is held against it."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="airfoil-table-", dir=folder) as copies:
        tables = []
        for number, one in enumerate(sources):
            place = Path(copies) / str(number)
            place.mkdir()
            tables.append(_open(_source(one), place))
        yield tuple(tables)


def _source(given: TableSource | DataRef | str | Path) -> TableSource:
    if isinstance(given, TableSource):
        return given
    return TableSource(given.uri if isinstance(given, DataRef) else str(given))


def _open(source: TableSource, place: Path) -> TableFiles:
    if not source.location.strip():
        raise ConfigurationError("A table of no location cannot be opened", "Give a path or an address.")
    if source.kind == "local":
        files: Sequence[Path] = local_files(source.path, source.called)
    elif source.kind == "web":
        files = [fetch_http(source.location, place, source.called, source.headers)]
    elif source.kind == "s3":
        files = fetch_s3(source.path, place, source.called, source.s3)
    else:
        files = [fetch_query(source.location, source.query, place, source.called)]
    return table_of_files(files, place, source.called, source.csv)
