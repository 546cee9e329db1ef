"""What operators are given for a table: a location, a DataRef, an asset, or a mapping that names a connection too.

`{"location": "s3://lake/trips", "conn_id": "lake"}`, `{"query": "shop.orders", "conn_id": "warehouse"}`,
`{"location": "trips.csv", "name": "trips", "csv": {"delimiter": ";"}}`. A DAG file holds no credential. Must not read a
table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from airflow.sdk import Asset

from airfoil.clients.csv_tables import CsvFormat
from airfoil.clients.table_sources import TableSource
from airfoil.errors import ConfigurationError
from airfoil.provider.datasets import Dataset
from airfoil.provider.project_files import find_file
from airfoil.provider.record_inputs import plain, record
from airfoil.provider.source_access import connection, http_address, s3_access, sql_address
from airfoil.records import DataRef

KEYS = ("location", "name", "query", "conn_id", "csv")
_S3 = frozenset({"s3", "s3a"})
_HTTP = frozenset({"http", "https"})


def plain_data(given: Any) -> Any:
    """Return what a DAG file gives for a table as JSON, so that Airflow can show, template and serialize it."""
    if isinstance(given, Dataset) and not given.has_place:
        raise ConfigurationError(
            f"The dataset '{given.name}' does not say where it lies",
            f'Write Dataset("{given.name}", "s3://..."), or give the location itself.',
        )
    if isinstance(given, Asset):
        return {"location": given.uri, "name": given.name}
    return str(given) if isinstance(given, Path) else plain(given)


def assets_in(*given: Any) -> list[Asset]:
    """Return the assets among what a DAG file gives for tables: what a task reads."""
    return [one for one in given if isinstance(one, Asset)]


def table_source(given: Any, argument: str = "data", *, dag_file: str = "", name: str = "") -> TableSource:
    """Return where a table lies and how it is reached; `name` is what it is called unless it is told otherwise.

    A relative path is looked for beside `dag_file` and in its project.
    """
    told = _told(given, argument)
    location, query, conn_id = (str(told.get(key) or "").strip() for key in ("location", "query", "conn_id"))
    name = str(told.get("name") or "") or name
    csv = _csv(told.get("csv"), argument)
    scheme = urlsplit(location).scheme.lower()
    if not location and not (query and conn_id):
        raise ConfigurationError(
            f"The argument '{argument}' names no table", "Give a path, an address, or a query with a conn_id."
        )
    if scheme in _S3:
        return TableSource(location, name=name, query=query, csv=csv, s3=s3_access(conn_id))
    if conn_id:
        return _connected(conn_id, location, query, name, csv)
    if len(scheme) <= 1 and dag_file:  # one letter is a drive of Windows
        location = find_file(location, dag_file)
    return TableSource(location, name=name, query=query, csv=csv)


def address_of(source: TableSource) -> str:
    """Return where a table lies without a word that is secret: no login, no query of an address."""
    parts = urlsplit(source.location)
    if len(parts.scheme) <= 1:
        return source.location
    if not parts.netloc:
        return source.location.partition("?")[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _told(given: Any, argument: str) -> Mapping[str, Any]:
    """Return what is said about a table, by name."""
    if isinstance(given, str | Path):
        return {"location": str(given)}
    if isinstance(given, DataRef) or (isinstance(given, Mapping) and "content_hash" in given):
        return {"location": record(DataRef, given, argument).uri}
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"The argument '{argument}' is no table: {given!r:.80}",
            "Give a path, an address, what a task has written, or a mapping with a location.",
        )
    unknown = [key for key in given if key not in KEYS]
    if unknown:
        raise ConfigurationError(
            f"The argument '{argument}' says '{unknown[0]}', which means nothing about a table",
            f"It may say {', '.join(KEYS)}.",
        )
    return given


def _connected(conn_id: str, location: str, query: str, name: str, csv: CsvFormat) -> TableSource:
    """Return a table on the server of a connection: files of a web server, or the answer to a query."""
    found = connection(conn_id)
    if found.conn_type in _HTTP:
        address, headers = http_address(found, location)
        return TableSource(address, name=name, csv=csv, headers=headers)
    if location or not query:
        raise ConfigurationError(
            f"The connection '{conn_id}' leads to a database ({found.conn_type}), which has no files",
            "Say a table or a SELECT as `query`, and no location.",
        )
    return TableSource(sql_address(found), name=name, query=query, csv=csv)


def _csv(given: Any, argument: str) -> CsvFormat:
    known = {one.name for one in fields(CsvFormat)}
    if given is None:
        return CsvFormat()
    if not isinstance(given, Mapping) or set(given) - known:
        raise ConfigurationError(
            f"The argument '{argument}' says how a CSV file is written as {given!r:.80}",
            f"It may say {', '.join(sorted(known))}.",
        )
    return CsvFormat(**given)
