"""What tasks ask of a deployed model: who answers for it, and with which rows.

The one place that says which endpoint answers: a fresh process now, a model server once there is one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.clients.model_endpoints import FreshProcess, ModelEndpoint
from airfoil.clients.object_store import FolderStore
from airfoil.errors import ConfigurationError
from airfoil.provider.record_inputs import record
from airfoil.records import DataRef, LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airfoil.clients.mlflow_server import MlflowServer


def endpoint_of(server: MlflowServer, trusted_types: Sequence[str] = ()) -> ModelEndpoint:
    """Return where the models of this registry answer."""
    return FreshProcess(server, tuple(trusted_types))


def deployed_entry(value: Any) -> LedgerEntry:
    """Return the move that deployed a version, as `promote` returns it."""
    entry = record(LedgerEntry, value, "deployed")
    if entry.to_version is None:
        raise ConfigurationError(
            f"{entry.model}@{entry.alias} points to no version", "Hand on what `promote` returns."
        )
    return entry


def known_rows(data: Any, target: str, count: int) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return the first rows of a table without the column to be predicted, and what stands in that."""
    table = FolderStore(Path()).read(record(DataRef, data, "data")).slice(0, count)
    if target not in table.column_names:
        raise ConfigurationError(
            f"The data has no column '{target}'", f"There are: {', '.join(table.column_names)}."
        )
    return table.drop_columns([target]).to_pylist(), table.column(target).to_pylist()
