"""What stands behind a feature view: its entities, its source, the columns and their types, and whether online answers.

Everything that is wrong with a view is collected; a store that does not answer is an error at once. Nothing is judged
here and nothing is written.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.clients.feature_store import encoding, entity_keys, latest_rows, plan, values
from airfoil.clients.feature_store.plan import Plan
from airfoil.clients.feature_store.repository import first_line
from airfoil.errors import ConfigurationError, NotFoundError, ServiceUnreachableError
from airfoil.records import ViewFacts, ViewFault

if TYPE_CHECKING:
    import pyarrow as pa

    from airfoil.clients.feature_store.store import FeatureStore

HEAD_ROWS = 1000
"""How many rows are encoded to see whether a column holds what the view declares."""
_NARROW_ROWS = 65_536
_NO_TABLE = ("no such table", "UndefinedTable", "does not exist")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def inspect_view(store: FeatureStore, name: str) -> ViewFacts:
    """Look behind one view; NotFoundError when there is no such view."""
    view: Any = store.view(name)
    feast = store.feast
    if faults := _missing_entities(feast, view):
        return ViewFacts(view=name, faults=faults)
    if reason := plan.reason_for_feast(view, feast.config):
        return _as_feast_sees_it(feast, view, reason)
    try:
        planned = plan.make(view, feast.registry, feast.config)
    except NotFoundError as error:
        return ViewFacts(view=name, faults=(ViewFault(check="source", reason=error.message),))
    return _behind(store, view, planned)


def read_online(store: FeatureStore, view: Any, keys: list[bytes]) -> list[tuple[datetime | None, Any]]:
    """Read rows as Feast's reader does, by serialized keys: the moment and the values of each, or nothing."""
    from feast.infra.key_encoding_utils import deserialize_entity_key

    config = store.feast.config
    names = [feature.name for feature in view.features]
    try:
        found: list[tuple[datetime | None, Any]] = store.feast._get_provider().online_read(  # noqa: SLF001 - Feast has no public way that asks for no permission and no state
            config=config,
            table=view,
            entity_keys=[
                deserialize_entity_key(key, config.entity_key_serialization_version) for key in keys
            ],
            requested_features=names,
        )
    except Exception as error:  # any of the libraries behind any of the stores
        said = first_line(error)
        if any(sign in f"{type(error).__name__} {said}" for sign in _NO_TABLE):
            raise NotFoundError(
                f"The online store has no table of the view '{view.name}': {said}",
                "Run `airfoil feast apply`.",
            ) from error
        raise ServiceUnreachableError(
            f"The online store ({config.online_store.type}) does not answer for '{view.name}': {said}",
            "Start it, or correct `online_store` in feature_store.yaml.",
        ) from error
    return found


def _missing_entities(feast: Any, view: Any) -> tuple[ViewFault, ...]:
    from feast.errors import EntityNotFoundException

    faults = []
    for name in view.entities:
        try:
            feast.registry.get_entity(name, feast.project)
        except EntityNotFoundException:
            reason = f"its entity '{name}' is not in the registry"
            faults.append(ViewFault(check="entity", reason=reason))
    return tuple(faults)


def _behind(store: FeatureStore, view: Any, planned: Plan) -> ViewFacts:
    """Look at the files: all footers, one column of times, and the first rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = planned.source
    try:
        schemas = [pq.read_schema(path) for path in source.files]
        if faults := _missing_columns(planned, schemas):
            return ViewFacts(view=view.name, faults=faults)
        rows, newest = _extent(source.files, source.event_column)
        head = _head(source.files, source.columns)
    except (pa.ArrowException, OSError) as error:
        reason = f"its source {source.files[0]} cannot be read: {first_line(error)}"
        return ViewFacts(view=view.name, faults=(ViewFault(check="source", reason=reason),))
    if not rows or head is None:
        reason = f"its source {source.files[0]} holds no rows"
        return ViewFacts(view=view.name, rows=0, faults=(ViewFault(check="rows", reason=reason),))
    batch = planned.renamed(head)
    faults = _unfit_types(batch, planned.view)
    if not faults:
        read_online(store, view, entity_keys.encode(batch.slice(0, 1), planned.view.keys).to_list())
    return ViewFacts(view=view.name, rows=rows, newest=newest, faults=faults)


def _missing_columns(planned: Plan, schemas: list[pa.Schema]) -> tuple[ViewFault, ...]:
    source, faults = planned.source, []
    for column in source.columns:
        lacking = [
            path for path, schema in zip(source.files, schemas, strict=True) if column not in schema.names
        ]
        if lacking:
            reason = f"its source {lacking[0]} has no column '{column}' (it has: {', '.join(schemas[0].names[:20])})"
            faults.append(ViewFault(check="column", reason=reason))
    times = [source.event_column, *([source.created_column] if source.created_column else [])]
    for column in times if not faults else ():
        kind = str(schemas[0].field(column).type)
        if not kind.startswith(("timestamp", "date")):
            reason = f"its column '{column}' holds {kind}, not timestamps"
            faults.append(ViewFault(check="type", reason=reason))
    return tuple(faults)


def _unfit_types(batch: pa.RecordBatch, view: encoding.View) -> tuple[ViewFault, ...]:
    faults = []
    for name, kind in view.keys.items():
        try:
            entity_keys.encode(batch, {name: kind})
        except ConfigurationError as error:
            faults.append(ViewFault(check="type", reason=error.message))
    for name, kind in view.features.items():
        try:
            values.encode(batch.column(name), kind, f"its feature '{name}'")
        except ConfigurationError as error:
            faults.append(ViewFault(check="type", reason=error.message))
    return tuple(faults)


def _extent(files: tuple[Path, ...], column: str) -> tuple[int, datetime | None]:
    import pyarrow.parquet as pq

    rows = 0
    newest: int | None = None
    for path in files:
        with pq.ParquetFile(path) as file:
            rows += file.metadata.num_rows
            for batch in file.iter_batches(_NARROW_ROWS, columns=[column]):
                times = batch.column(column).drop_null()
                if len(times):
                    latest = int(latest_rows.microseconds(times).max())
                    newest = latest if newest is None else max(newest, latest)
    return rows, None if newest is None else _EPOCH + timedelta(microseconds=newest)


def _head(files: tuple[Path, ...], columns: list[str]) -> pa.RecordBatch | None:
    import pyarrow.parquet as pq

    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(HEAD_ROWS, columns=columns):
                if batch.num_rows:
                    return batch
    return None


def _as_feast_sees_it(feast: Any, view: Any, reason: str) -> ViewFacts:
    """Ask the source for the names of its columns, which every source can tell."""
    source = view.batch_source
    note = f"types, rows and freshness were not looked at: {reason}"
    if source is None:
        return ViewFacts(view=view.name, note=note)
    try:
        names = {name for name, _ in source.get_table_column_names_and_types(feast.config)}
    except FileNotFoundError as error:
        return ViewFacts(
            view=view.name, faults=(ViewFault(check="source", reason=f"its source is not there: {error}"),)
        )
    except Exception as error:  # any of the libraries behind any of the offline stores
        raise ServiceUnreachableError(
            f"The source of the view '{view.name}' does not answer: {first_line(error)}",
            "Start it, or correct its definition.",
        ) from error
    online_names = dict(source.field_mapping or {})
    there = names | {online_names.get(name, name) for name in names}
    wanted = [source.timestamp_field, *(key for key in view.join_keys if key != plan.DUMMY_KEY)]
    if not (getattr(view, "feature_transformation", None) or getattr(view, "aggregations", None)):
        wanted += [feature.name for feature in view.features]
    faults = tuple(
        ViewFault(check="column", reason=f"its source has no column '{name}'")
        for name in wanted
        if name and name not in there
    )
    return ViewFacts(view=view.name, faults=faults, note=note)
