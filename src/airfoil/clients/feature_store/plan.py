"""What one view means for us: which files and columns to read and how they are called and typed online.

Views and sources that we do not read ourselves are told apart here, each with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.clients.feature_store import latest_rows
from airfoil.clients.feature_store.encoding import View
from airfoil.clients.feature_store.entity_keys import VERSION
from airfoil.clients.feature_store.latest_rows import Source

if TYPE_CHECKING:
    import pyarrow as pa
    from feast import FeatureView
    from feast.infra.registry.base_registry import BaseRegistry
    from feast.repo_config import RepoConfig

DUMMY_KEY = "__dummy_id"


@dataclass(frozen=True)
class Plan:
    """A view that we read ourselves."""

    source: Source
    view: View
    online_names: Mapping[str, str]
    """Columns of the source that are called differently online."""

    def renamed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch of the source under its online names; a view without entities gets Feast's one key."""
        import pyarrow as pa

        names = [self.online_names.get(name, name) for name in batch.schema.names]
        arrays = list(batch.columns)
        if DUMMY_KEY in self.view.keys:
            names, arrays = [*names, DUMMY_KEY], [*arrays, pa.array([""] * batch.num_rows, pa.string())]
        return pa.RecordBatch.from_arrays(arrays, names)


def reason_for_feast(feature_view: FeatureView, config: RepoConfig) -> str | None:
    """Why a view is left to Feast's own engine; nothing where it is not."""
    from feast.data_format import ParquetFormat
    from feast.infra.offline_stores.file_source import FileSource

    source: Any = feature_view.batch_source
    particular = {
        "feature_transformation": "it transforms its rows",
        "aggregations": "it aggregates its rows",
        "source_views": "it is made of other views",
        "enable_validation": "Feast validates its rows",
        "offline": "it is written to the offline store too",
        "filter": "it filters its rows",
    }
    for attribute, reason in particular.items():
        if getattr(feature_view, attribute, None):
            return reason
    if not feature_view.online:
        return "it is not online"
    if config.entity_key_serialization_version != VERSION:
        return f"its keys are serialized as version {config.entity_key_serialization_version}"
    if not isinstance(source, FileSource):
        return f"its source is a {type(source).__name__}, and only Parquet files are read by this engine"
    if source.file_format is not None and not isinstance(source.file_format, ParquetFormat):
        return "its file is not Parquet"
    uri = source.file_options.uri
    if "://" in uri and not uri.startswith("file://"):
        return f"its file is not on this machine ({uri.partition('://')[0]})"
    return None


def make(feature_view: FeatureView, registry: BaseRegistry, config: RepoConfig) -> Plan:
    """Work out files, columns and types of a view that is ours to read."""
    from feast.utils import _get_column_names

    entities = [registry.get_entity(name, config.project) for name in feature_view.entities]
    keys, features, event, created = _get_column_names(feature_view, entities)
    source: Any = feature_view.batch_source
    mapping = dict(source.field_mapping or {})
    uri = source.file_options.uri.removeprefix("file://")
    path = Path(source.get_uri_for_file_path(repo_path=config.repo_path, uri=uri))
    return Plan(
        source=Source(
            files=latest_rows.parquet_files(path),
            keys=tuple(keys),
            features=tuple(features),
            event_column=event,
            created_column=created or None,
        ),
        view=View(
            name=feature_view.name,
            keys={field.name: field.dtype.to_value_type().name for field in feature_view.entity_columns},
            features={field.name: field.dtype.to_value_type().name for field in feature_view.features},
            event_column=mapping.get(event, event),
            created_column=mapping.get(created, created) if created else None,
        ),
        online_names=mapping,
    )
