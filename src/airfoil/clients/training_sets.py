"""What a Feast repository says about features over time: where they lie, how they are keyed, and how long they count.

`resolve_features` turns feature references into sources that `airfoil.steps.training_sets` joins, or says in one
sentence why only Feast can. `fetch_features` lets Feast do it and counts the rows, since its default store drops some
without a word. Feast takes seconds to import, so only functions do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, chdir, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError, ServiceAnswerError
from airfoil.records import FeatureSource

if TYPE_CHECKING:
    import pyarrow as pa
    from feast import FeatureStore, FeatureView

_ROW = "__airfoil_row"
_NOBODY = "__dummy_id"
"""The key column that Feast gives to views without entities."""


@dataclass(frozen=True)
class FeaturePlan:
    """The sources of the features that were asked for; or why they are not ours to read."""

    sources: tuple[FeatureSource, ...] = ()
    only_feast: str = ""
    """Why only Feast can make this training set, in one sentence; empty when `sources` are all that is needed."""


@dataclass(frozen=True)
class _Wanted:
    """What is wanted of one view, as it is called in the result."""

    view: str
    prefix: str
    features: tuple[str, ...]
    key_names: Mapping[str, str]
    """Key columns of the entity rows by the view's own, where they differ."""


class _OnlyFeastError(Exception):
    """A view that we do not read ourselves; the text says why."""


def resolve_features(
    store: FeatureStore, features: Sequence[str] | str, *, full_names: bool = False
) -> FeaturePlan:
    """Find the sources of features: references such as `customer:age`, or the name of a feature service.

    `full_names` calls each feature `view__feature`, which tells features of the same name apart.
    """
    views = {view.name: view for view in store.list_all_feature_views()}
    wanted = _of_service(store, features) if isinstance(features, str) else _of_references(features, views)
    try:
        sources = tuple(_source(store, views.get(one.view), one, full_names=full_names) for one in wanted)
    except _OnlyFeastError as reason:
        return FeaturePlan(only_feast=str(reason))
    return FeaturePlan(sources)


def fetch_features(
    store: FeatureStore,
    entities: pa.Table,
    features: Sequence[str] | str,
    *,
    full_names: bool = False,
    known_by_then: bool = False,
) -> pa.Table:
    """Let Feast join features to entity rows, in memory, and see to it that every row comes back once, in order."""
    asked = store.get_feature_service(features) if isinstance(features, str) else list(features)
    frame = entities.to_pandas()
    frame[_ROW] = range(len(frame))
    try:
        with _inside(Path(store.repo_path)):
            job = store.get_historical_features(
                entity_df=frame,
                features=asked,
                full_feature_names=full_names,
                filter_by_created_timestamp=known_by_then,
            )
            found: pa.Table = job.to_arrow()
    except AirfoilError:
        raise
    except Exception as error:  # Feast and its engines raise whatever they like
        raise ServiceAnswerError(
            f"Feast's offline store cannot join these features: {_first_line(error)}",
            "Try the same with store.get_historical_features(...) to see all that it says.",
        ) from error
    rows = found[_ROW].to_pylist() if _ROW in found.column_names else []
    if sorted(rows, key=_or_minus_one) != list(range(entities.num_rows)):
        kind = store.config.offline_store.type
        raise ServiceAnswerError(
            f"Feast's {kind} offline store made {found.num_rows} rows of {entities.num_rows}",
            "Set offline_store.type to duckdb in feature_store.yaml (pip install 'feast[duckdb]').",
        )
    return found.sort_by(_ROW).drop_columns([_ROW])


def _inside(folder: Path) -> AbstractContextManager[None]:
    """Stand in the repository: Feast's duckdb store reads relative paths from where the process stands."""
    return chdir(folder) if folder.is_absolute() else nullcontext()


def _of_references(references: Sequence[str], views: Mapping[str, Any]) -> list[_Wanted]:
    by_view: dict[str, list[str]] = {}
    for reference in references:
        view, _, feature = reference.partition(":")
        if not view or not feature:
            raise ConfigurationError(
                f"'{reference}' is no reference of a feature",
                "Write it as view:feature, such as customer:age.",
            )
        if view.partition("@")[0] not in views:
            raise NotFoundError(
                f"There is no feature view '{view}' in the registry",
                f"Run `airfoil feast apply`; there are: {', '.join(sorted(views)) or 'none'}.",
            )
        by_view.setdefault(view, []).append(feature)
    if not by_view:
        raise ConfigurationError("No features were asked for", "Name at least one, as view:feature.")
    return [_Wanted(view, view, tuple(dict.fromkeys(found)), {}) for view, found in by_view.items()]


def _of_service(store: FeatureStore, name: str) -> list[_Wanted]:
    from feast.errors import FeatureServiceNotFoundException

    try:
        service = store.get_feature_service(name)
    except FeatureServiceNotFoundException as error:
        there = ", ".join(sorted(one.name for one in store.list_feature_services()))
        raise NotFoundError(
            f"There is no feature service '{name}' in the registry",
            f"Run `airfoil feast apply`; there are: {there or 'none'}.",
        ) from error
    return [
        _Wanted(
            one.name if one.version_tag is None else f"{one.name}@v{one.version_tag}",
            one.name_alias or one.name,
            tuple(feature.name for feature in one.features),
            dict(one.join_key_map),
        )
        for one in service.feature_view_projections
    ]


def _source(store: FeatureStore, view: Any, wanted: _Wanted, *, full_names: bool) -> FeatureSource:
    from feast import FeatureView

    if "@" in wanted.view:
        raise _OnlyFeastError(f"'{wanted.view}' is a version of a view, which Feast alone knows")
    if not isinstance(view, FeatureView):
        kind = (
            "an on-demand view"
            if type(view).__name__ == "OnDemandFeatureView"
            else f"a {type(view).__name__}"
        )
        raise _OnlyFeastError(f"'{wanted.view}' is {kind}, whose features Feast computes itself")
    for feature in wanted.features:
        if feature not in {one.name for one in view.features}:
            raise NotFoundError(
                f"The feature view '{wanted.view}' has no feature '{feature}'",
                f"It has: {', '.join(one.name for one in view.features)}.",
            )
    uris = _files(store, view)
    source: Any = view.batch_source
    columns = {new: old for old, new in source.field_mapping.items()}
    prefix = f"{wanted.prefix}__" if full_names else ""
    keys = [key for key in view.join_keys if key != _NOBODY]
    return FeatureSource(
        name=wanted.prefix,
        uris=uris,
        timestamp=columns.get(source.timestamp_field, source.timestamp_field),
        keys={wanted.key_names.get(key, key): columns.get(key, key) for key in keys},
        features={f"{prefix}{feature}": columns.get(feature, feature) for feature in wanted.features},
        created=columns.get(source.created_timestamp_column, source.created_timestamp_column or ""),
        # Feast writes "for ever" as a TTL of zero.
        ttl_seconds=view.ttl.total_seconds() if view.ttl else None,
    )


def _files(store: FeatureStore, view: FeatureView) -> tuple[str, ...]:
    """Return the Parquet files of a view, in order; what is no local Parquet is left to Feast."""
    from feast import FileSource
    from feast.data_format import ParquetFormat

    source = view.batch_source
    if not isinstance(source, FileSource):
        raise _OnlyFeastError(
            f"'{view.name}' is read from a {type(source).__name__}, which Feast reads itself"
        )
    if source.file_format is not None and not isinstance(source.file_format, ParquetFormat):
        raise _OnlyFeastError(f"'{view.name}' is read from files that are not Parquet")
    parts = urlsplit(source.path)
    if parts.scheme not in {"", "file"} or parts.netloc:
        raise _OnlyFeastError(f"'{view.name}' lies at {source.path}, and not in a folder of this machine")
    path = Path(unquote(parts.path) if parts.scheme else source.path)
    path = path if path.is_absolute() else Path(store.repo_path) / path
    if not path.exists():
        raise NotFoundError(
            f"The data of the feature view '{view.name}' is not at {path}",
            "Write it, or correct the path of its source and run `airfoil feast apply`.",
        )
    if path.is_file():
        return (path.resolve().as_uri(),)
    if any(one.is_dir() for one in path.iterdir()):
        raise _OnlyFeastError(f"'{view.name}' is read from a partitioned folder")
    files = tuple(one.resolve().as_uri() for one in sorted(path.glob("*.parquet")))
    if not files:
        raise NotFoundError(
            f"The folder {path} of the feature view '{view.name}' has no Parquet files",
            "Write its data first.",
        )
    return files


def _or_minus_one(row: int | None) -> int:
    return -1 if row is None else row


def _first_line(error: BaseException) -> str:
    said = str(error).strip()
    return said.splitlines()[0][:300] if said else type(error).__name__
